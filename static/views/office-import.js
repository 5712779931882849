import { COLUMNS, LARGEST, example, save } from "../js/roster-file.js";
import { html, useEffect, useRef, useState } from "../lib/html.js";
import { Field } from "./field.js";
import { Done, Tried } from "./office-import-outcome.js";

/** Bringing many people in: a file is tried, what is wrong is told by its line, and then it is imported as a whole. */
export function Import({ api, me }) {
  const [source, setSource] = useState({ file: null, text: "" });
  const [tried, setTried] = useState(null);
  const [done, setDone] = useState(null);
  const [busy, setBusy] = useState(null); // "trying" | "importing"
  const [trouble, setTrouble] = useState(null);
  const result = useRef(null);
  const content = source.file ?? source.text;
  useEffect(() => {
    if (!done || done.created.length === 0) return undefined;
    const stay = (event) => event.preventDefault(); // the passwords are shown only now
    window.addEventListener("beforeunload", stay);
    return () => window.removeEventListener("beforeunload", stay);
  }, [done]);
  const send = async (dryRun) => {
    setBusy(dryRun ? "trying" : "importing");
    setTrouble(null);
    try {
      const answer = await api.upload(`/people/import?dry_run=${dryRun}`, content, "text/csv");
      if (dryRun || answer.problems.length > 0) setTried(answer);
      else setDone(answer);
      requestAnimationFrame(() => result.current?.focus());
    } catch (error) {
      setTried(null);
      setTrouble(error.message);
    }
    setBusy(null);
  };
  const choose = (changes) => {
    setSource({ ...source, ...changes });
    setTried(null);
    setTrouble(null);
  };
  const begin = (event) => {
    event.preventDefault();
    if (busy) return;
    const wrong = wrongWith(source);
    if (wrong) setTrouble(wrong);
    else send(true);
  };
  if (done) return html`<div><p class="back"><a href="/admin">People</a></p><${Done} outcome=${done} school=${me.school.name} title=${result} /></div>`;
  return html`<div><p class="back"><a href="/admin">People</a></p>
    <h1>Import people</h1>
    <p class="lead">From a file of your school's register. It is only tried at first: nothing is written before you say so. Importing adds and brings up to date; it takes nothing away, and never touches a password.</p>
    <form onSubmit=${begin} novalidate>
      <div class="two-columns import-ways">
        <section class="card" aria-labelledby="file-title"><h2 id="file-title">A file</h2>
          <${Field} id="roster-file" label="CSV file" hint="Saved as “CSV UTF-8”, with commas or semicolons; 5,000 people at most.">${(control) => html`<input ...${control} type="file" accept=".csv,text/csv,text/plain"
            onChange=${(event) => choose({ file: event.target.files[0] ?? null })} />`}<//>
          <p><button type="button" class="link" onClick=${() => save("roster.csv", example())}>Download an example</button></p></section>
        <section class="card" aria-labelledby="paste-title"><h2 id="paste-title">Or paste it</h2>
          <${Field} id="roster-text" label="The lines" hint=${source.file ? "A file is chosen, and goes before what stands here." : "The first one names the columns."}>${(control) => html`<textarea ...${control} rows="6" class="code" spellcheck=${false}
            placeholder=${"name,email,role,class\nAmina Yilmaz,amina@school.example,student,Class 4b"} value=${source.text} onInput=${(event) => choose({ text: event.target.value })}></textarea>`}<//></section>
      </div>
      <${Columns} open=${!tried} />
      ${trouble && html`<p class="form-trouble" role="alert">${trouble}</p>`}
      <div class="actions"><button type="submit" class=${tried ? "button" : "button primary"} aria-disabled=${Boolean(busy)}>${busy === "trying" ? "Trying it…" : tried ? "Try it again" : "Try it"}</button></div>
    </form>
    ${tried && html`<${Tried} outcome=${tried} busy=${busy === "importing"} title=${result} onImport=${() => !busy && send(false)} />`}</div>`;
}

function wrongWith({ file, text }) {
  if (!file && !text.trim()) return "Choose a file, or paste some lines.";
  if (file && file.size > LARGEST) return "This file is larger than 1 MiB. Split it, and import the parts.";
  return null;
}

function Columns({ open }) {
  return html`<details class="columns" open=${open}><summary>The columns</summary>
    <table class="table plain"><thead><tr><th scope="col">Column</th><th scope="col">What stands in it</th><th scope="col">Needed</th></tr></thead>
      <tbody>${COLUMNS.map(([name, words, needed]) => html`<tr key=${name}><th scope="row"><code>${name}</code></th><td data-title="What">${words}</td><td data-title="Needed">${needed ? "yes" : "no"}</td></tr>`)}</tbody></table>
    <p class="faint">They may come in any order. What a cell leaves empty stays as it is at the school. People are known by their e-mail address.</p>
  </details>`;
}
