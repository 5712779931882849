import { lineOf } from "../js/lines.js";
import { html, useEffect, useRef, useState } from "../lib/html.js";
import { Field, Select } from "./field.js";
import { useKeys } from "./keys.js";
import { useLoad, useSettled } from "./load.js";

const WAYS = [
  ["blank", "Blank", "A title, and you write the rest."],
  ["template", "From a template", "A whole lesson to make your own."],
  ["copy", "Copy a lesson", "One of your school's, to change for another class."],
  ["import", "Import", "A YAML or JSON file, or text from the clipboard."],
];
const LONGEST = 1_000_000; // characters of an imported plan

/** Four ways to begin a lesson. */
export function New({ api, search, go }) {
  const copy = new URLSearchParams(search).get("copy");
  const [way, setWay] = useState(copy ? "copy" : "blank");
  const [trouble, setTrouble] = useState(null); // {message, problems}
  const [busy, setBusy] = useState(false);
  const keys = useKeys([]);
  const make = async (body) => {
    if (busy) return;
    setBusy(true);
    setTrouble(null);
    try {
      const lesson = await api.post("/school/lessons", body);
      go(`/instructor/lessons/${lesson.id}`);
    } catch (error) {
      setTrouble({ message: error.message, problems: error.body?.problems ?? [] });
      setBusy(false);
    }
  };
  const choose = (name) => {
    setWay(name);
    setTrouble(null);
  };
  const shared = { api, make, busy, trouble };
  const form = {
    blank: () => html`<${Blank} ...${shared} />`,
    template: () => html`<${Template} ...${shared} />`,
    copy: () => html`<${Copy} ...${shared} wanted=${copy} />`,
    import: () => html`<${Import} ...${shared} />`,
  }[way];
  return html`<p class="back"><a href="/instructor">Lessons</a></p>
    <h1>New lesson</h1>
    <fieldset class="ways">
      <legend>How do you want to begin?</legend>
      <div class="ways-list">${WAYS.map(([name, title, about]) => html`<label class="way" key=${name}>
        <input type="radio" name="way" checked=${way === name} onChange=${() => choose(name)} />
        <span><strong>${title}</strong><br /><span class="faint">${about}</span></span></label>`)}</div>
    </fieldset>
    ${form()}
    ${keys}`;
}

function Form({ onMake, busy, trouble, verb = "Create the lesson", children }) {
  const submit = (event) => {
    event.preventDefault();
    onMake();
  };
  return html`<form class="begin card" onSubmit=${submit} novalidate>
    ${children}
    ${trouble && trouble.problems.length === 0 && html`<p class="form-trouble" role="alert">${trouble.message}</p>`}
    <div class="actions"><button type="submit" class="button primary" aria-disabled=${busy}>${busy ? "Creating…" : verb}</button></div>
  </form>`;
}

function Title({ value, onChange, hint, trouble }) {
  return html`<${Field} id="title" label="Title" hint=${hint} trouble=${trouble}>${(control) => html`<input ...${control} maxlength="120" dir="auto"
    autocomplete="off" value=${value} onInput=${(event) => onChange(event.target.value)} />`}<//>`;
}

function Blank({ api, make, busy, trouble }) {
  const [title, setTitle] = useState("");
  const [missing, setMissing] = useState(null);
  const create = () => {
    if (title.trim()) make({ title: title.trim() });
    else {
      setMissing("Give the lesson a title; you can change it later.");
      document.getElementById("title").focus();
    }
  };
  return html`<${Form} onMake=${create} busy=${busy} trouble=${trouble}>
    <${Title} value=${title} onChange=${setTitle} trouble=${missing} hint="As students see it in their list." />
  <//>`;
}

function Template({ api, make, busy, trouble }) {
  const load = useLoad(() => api.get("/school/templates"), "templates");
  const [chosen, setChosen] = useState(null);
  const [title, setTitle] = useState("");
  const templates = load.value?.items ?? [];
  const template = chosen ?? templates[0]?.name;
  return html`<${Form} onMake=${() => template && make({ template, ...(title.trim() && { title: title.trim() }) })} busy=${busy}
    trouble=${trouble ?? (load.error && { message: load.error.message, problems: [] })}>
    <fieldset><legend>Template</legend>
      ${!load.value && !load.error && html`<p class="faint">Fetching the templates…</p>`}
      <div class="templates">${templates.map(({ name, title: heading, about }) => html`<label class="way" key=${name}>
        <input type="radio" name="template" checked=${name === template} onChange=${() => setChosen(name)} />
        <span><strong>${heading}</strong><br /><span class="faint">${about}</span></span></label>`)}</div>
    </fieldset>
    <${Title} value=${title} onChange=${setTitle} hint="Empty: the template's own." />
  <//>`;
}

function Copy({ api, make, busy, trouble, wanted }) {
  const [words, setWords] = useState("");
  const wish = useSettled(words.trim());
  const load = useLoad(() => api.get("/school/lessons", { search: wish, limit: 20 }), wish);
  const asked = useLoad(() => (wanted ? api.get(`/school/lessons/${encodeURIComponent(wanted)}`) : Promise.resolve(null)), wanted);
  const [chosen, setChosen] = useState(wanted);
  const [title, setTitle] = useState("");
  const found = load.value?.items ?? [];
  const lessons = asked.value && !found.some(({ id }) => id === asked.value.id) ? [asked.value, ...found] : found;
  const lesson = lessons.find(({ id }) => id === chosen) ?? lessons[0];
  return html`<${Form} onMake=${() => lesson && make({ copy_of: lesson.id, ...(title.trim() && { title: title.trim() }) })} busy=${busy}
    trouble=${trouble ?? (load.error && { message: load.error.message, problems: [] })}>
    <div class="filters">
      <${Field} id="copy-search" label="Search">${(control) => html`<input ...${control} type="search" maxlength="100" dir="auto" value=${words}
        onInput=${(event) => setWords(event.target.value)} />`}<//>
      <${Field} id="copy-of" label="Lesson">${(control) => (lesson
        ? html`<${Select} ...${control} value=${lesson.id} onChange=${setChosen} options=${lessons.map((one) => [one.id, nameOf(one)])} />`
        : html`<p id=${control.id} class="faint">${load.value ? "No lesson fits." : "Searching…"}</p>`)}<//>
    </div>
    <${Title} value=${title} onChange=${setTitle} hint="Empty: the same, marked as a copy." />
  <//>`;
}

const nameOf = ({ title, subject, level }) => [title || "Without a title", subject, level].filter(Boolean).join(" · ");

function Import({ make, busy, trouble }) {
  const [text, setText] = useState("");
  const [reason, setReason] = useState(null);
  const box = useRef(null);
  const list = useRef(null);
  const read = async (event) => {
    const [file] = event.target.files;
    if (!file) return;
    if (file.size > LONGEST) {
      setReason("This file is larger than 1 MB. A plan is text of a few pages; is it the right file?");
      return;
    }
    setReason(null);
    setText(await file.text());
  };
  const problems = trouble?.problems ?? [];
  useEffect(() => {
    if (problems.length > 0) list.current.focus();
  }, [trouble]);
  const show = (number) => {
    const { start, end } = lineOf(text, number);
    box.current.focus();
    box.current.setSelectionRange(start, end);
  };
  const create = () => {
    if (text.trim()) make({ yaml: text });
    else setReason("Choose a file, or paste a plan.");
  };
  return html`<${Form} onMake=${create} busy=${busy} trouble=${reason ? { message: reason, problems: [] } : trouble} verb="Import the lesson">
    <${Field} id="file" label="A file" hint="YAML or JSON, as the editor exports it.">${(control) => html`<input ...${control} type="file"
      accept=".yaml,.yml,.json,application/yaml,application/json,text/yaml" onChange=${read} />`}<//>
    ${problems.length > 0 && html`<section class="problems" ref=${list} tabindex="-1" aria-labelledby="problems-title">
      <h2 id="problems-title">${problems.length === 1 ? "One thing" : `${problems.length} things`} to mend, nothing is imported yet</h2>
      <ul>${problems.map(({ line, path, sentence }) => html`<li key=${`${line} ${path} ${sentence}`}>
        ${line ? html`<button type="button" class="link" onClick=${() => show(line)}>Line ${line}</button>` : "The whole text"}:
        ${" "}<span dir="auto">${sentence}</span></li>`)}</ul>
    </section>`}
    <${Field} id="plan" label="The plan" hint="Paste it here, or choose a file and look it over.">${(control) => html`<textarea ...${control}
      ref=${box} class="code" rows="16" spellcheck="false" dir="auto" value=${text} onInput=${(event) => setText(event.target.value)}></textarea>`}<//>
  <//>`;
}
