import { addressWith, readFilters } from "../js/address.js";
import { moment } from "../lib/format.js";
import { html, useEffect, useRef, useState } from "../lib/html.js";
import { Field, Select } from "./field.js";
import { Loading, Trouble } from "./frame.js";
import { useKeys } from "./keys.js";
import { useLoad } from "./load.js";
import { More } from "./more.js";
import { Table } from "./table.js";
import { Undo } from "./undo.js";

const PAUSE_MS = 300; // of typing, before it is searched for
const STATES = [["", "In use"], ["draft", "Never published"], ["published", "Published"], ["archived", "Archived"]];

/** The school's lessons, as their authors see them. */
export function Lessons({ api, me, search, go }) {
  const filters = readFilters(search, ["search", "subject", "state"]);
  const load = useLoad(() => api.get("/school/lessons", filters), search);
  const subjects = useRef([]);
  if (load.value) subjects.current = load.value.subjects;
  const [done, setDone] = useState(null); // {lesson, act, undo}
  const box = useRef(null);
  const filter = (changes) => go(addressWith("/instructor", { ...filters, ...changes }), { replace: true });
  const keys = useKeys([
    { key: "/", title: "Search", act: () => box.current.focus() },
    { key: "n", title: "New lesson", act: () => go("/instructor/new") },
  ]);
  const act = (verb, undo) => async (lesson) => {
    try {
      await api.post(`/school/lessons/${lesson.id}/${verb}`);
      setDone({ lesson, verb, undo });
    } catch (error) {
      setDone({ lesson, trouble: error.message });
    }
    load.again();
  };
  return html`<div class="page-head">
      <h1>Lessons</h1>
      <div class="actions"><a class="button primary" href="/instructor/new">New lesson</a></div>
    </div>
    <${Filters} key="filters" filters=${filters} subjects=${subjects.current} onFilter=${filter} box=${box} />
    ${done && html`<${Done} key=${`${done.verb} ${done.lesson.id}`} done=${done} onClose=${() => setDone(null)}
      onUndo=${() => act(done.undo, done.verb)(done.lesson)} />`}
    <div class="results"><${List} load=${load} filters=${filters} api=${api} me=${me} onArchive=${act("archive", "restore")}
      onRestore=${act("restore", "archive")} onClear=${() => filter({ search: "", subject: "", state: "" })} /></div>
    ${keys}`;
}

function Filters({ filters, subjects, onFilter, box }) {
  const [words, setWords] = useState(filters.search);
  useEffect(() => setWords(filters.search), [filters.search]);
  useEffect(() => {
    if (words === filters.search) return undefined;
    const timer = setTimeout(() => onFilter({ search: words }), PAUSE_MS);
    return () => clearTimeout(timer);
  }, [words]);
  const known = [...new Set([...subjects, filters.subject].filter(Boolean))];
  const now = (event) => {
    event.preventDefault();
    onFilter({ search: words });
  };
  return html`<form class="filters" role="search" onSubmit=${now}>
    <${Field} id="search" label="Search">${(control) => html`<input ...${control} ref=${box} type="search" maxlength="100" dir="auto"
      value=${words} onInput=${(event) => setWords(event.target.value)} />`}<//>
    <${Field} id="subject" label="Subject">${(control) => html`<${Select} ...${control} value=${filters.subject}
      options=${[["", "All subjects"], ...known.map((subject) => [subject, subject])]} onChange=${(subject) => onFilter({ subject })} />`}<//>
    <${Field} id="state" label="State">${(control) => html`<${Select} ...${control} value=${filters.state} options=${STATES}
      onChange=${(state) => onFilter({ state })} />`}<//>
  </form>`;
}

function Done({ done: { lesson, verb, trouble }, onUndo, onClose }) {
  const title = html`“${lesson.title}”`;
  if (trouble) return html`<p class="note" role="alert">${title} is as it was. ${trouble}</p>`;
  const text = verb === "archive" ? "is archived. Nobody can start it any more; what was said in it stays." : "is back.";
  return html`<${Undo} onUndo=${onUndo} onClose=${onClose}>${title} ${text}<//>`;
}

function List({ load, filters, api, me, onArchive, onRestore, onClear }) {
  if (load.error) return html`<${Trouble} title="The lessons did not load" text=${load.error.message} onRetry=${load.again}><span></span><//>`;
  if (!load.value) return html`<${Loading} what="Fetching the lessons" />`;
  if (load.value.items.length === 0) return html`<${Empty} filters=${filters} onClear=${onClear} />`;
  const columns = [
    { key: "title", title: "Lesson", cell: (lesson) => html`<${Title} lesson=${lesson} />` },
    { key: "subject", title: "Subject", cell: ({ subject, level }) => html`<span dir="auto">${subject || "–"}</span>${level
      && html`<br /><span class="faint" dir="auto">${level}</span>`}` },
    { key: "state", title: "State", cell: (lesson) => html`<${State} lesson=${lesson} />` },
    { key: "assignments", title: "Assigned", cell: (lesson) => html`<${Assigned} lesson=${lesson} />` },
    { key: "changed", title: "Last change", cell: (lesson) => html`${moment(lesson.changed_at, me.locale)}<br />
      <span class="faint">by <span dir="auto">${lesson.changed_by.name}</span></span>` },
    { key: "actions", title: "Actions", cell: (lesson) => html`<span class="row-actions">
      <a href=${`/instructor/new?copy=${lesson.id}`}>Duplicate<span class="for-screen-reader"> ${lesson.title}</span></a>
      ${lesson.state === "archived"
        ? html`<button type="button" class="link" onClick=${() => onRestore(lesson)}>Bring back<span class="for-screen-reader"> ${lesson.title}</span></button>`
        : html`<button type="button" class="link" onClick=${() => onArchive(lesson)}>Archive<span class="for-screen-reader"> ${lesson.title}</span></button>`}
    </span>` },
  ];
  return html`<${Table} caption="Lessons of the school" columns=${columns} rows=${load.value.items} />
    <${More} page=${load.value} ask=${(cursor) => api.get("/school/lessons", { ...filters, cursor })} onMore=${load.set} />`;
}

function Title({ lesson }) {
  return html`<a class="row-title" href=${`/instructor/lessons/${lesson.id}`} dir="auto" lang=${lesson.language}>${lesson.title || "Without a title"}</a>`;
}

/** Where a lesson stands, in words. */
export function State({ lesson: { state, has_changes: hasChanges, published_number: number } }) {
  if (state === "archived") return html`<span class="mark">Archived</span>`;
  if (state === "draft") return html`<span class="mark warn">Never published</span>`;
  return html`<span class="mark good">Published</span> <span class="faint">version ${number}</span>
    ${hasChanges && html`<span class="faint state-more"> with unpublished changes</span>`}`;
}

function Assigned({ lesson }) {
  const text = { 0: "to nobody yet", 1: "once" }[lesson.assignments] ?? `${lesson.assignments} times`;
  return html`<a href=${`/instructor/lessons/${lesson.id}/assignments`}>${text}<span class="for-screen-reader">: ${lesson.title}</span></a>`;
}

function Empty({ filters, onClear }) {
  if (Object.values(filters).some(Boolean)) {
    return html`<div class="empty"><p>No lesson fits.</p>
      <p><button type="button" class="button" onClick=${onClear}>Show all that are in use</button></p></div>`;
  }
  return html`<section class="card teach" aria-labelledby="first-title">
    <h2 id="first-title">Write your first lesson</h2>
    <ol>
      <li>Begin from a template, or blank: a goal, and a few steps with a question, its answers, hints and a solution.</li>
      <li>Try it yourself, by voice or by typing, before any student sees it.</li>
      <li>Publish it, and assign it to a class. Every session stays with the version it began with.</li>
    </ol>
    <div class="actions"><a class="button primary" href="/instructor/new">New lesson</a></div>
  </section>`;
}
