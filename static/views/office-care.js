import { addressWith, readFilters } from "../js/address.js";
import { focusOn } from "../js/focus.js";
import { CARE, careState } from "../js/office-words.js";
import { day } from "../lib/format.js";
import { classes, html, useState } from "../lib/html.js";
import { Dialog } from "./dialog.js";
import { Field, Select } from "./field.js";
import { Loading, Trouble } from "./frame.js";
import { useLoad } from "./load.js";
import { More } from "./more.js";
import { CareForm } from "./office-care-form.js";
import { Table } from "./table.js";

const NAMES = ["order", "tutor", "student", "status"];

/** Which tutor looks after which student: by tutor, or by student. */
export function Care({ api, me, search, go }) {
  const filters = readFilters(search, NAMES);
  const load = useLoad(() => api.get("/assignments", filters), search, { keep: true });
  const who = useLoad(() => named(api, filters), `${filters.tutor} ${filters.student}`);
  const [completing, setCompleting] = useState(null);
  const [open, setOpen] = useState(Boolean(filters.tutor || filters.student));
  const [trouble, setTrouble] = useState(null);
  const filter = (changes) => go(addressWith("/admin/care", { ...filters, ...changes }), { replace: true });
  const change = (one, changes) => api.patch(`/assignments/${one.id}`, changes).then((next) => {
    load.set({ ...load.value, items: load.value.items.map((row) => (row.id === next.id ? next : row)) });
    setTrouble(null);
  }, (error) => setTrouble(error.message));
  const begin = () => {
    setOpen(true);
    focusOn("care-title");
  };
  return html`<div><div class="page-head"><h1>Tutors and students</h1>
      ${!open && html`<div class="actions"><button type="button" class="button primary" onClick=${begin}>New assignment</button></div>`}</div>
    <p class="lead">A tutor reads, reviews and corrects the sessions of the students they look after, and may follow them live. <a href="/admin/settings">A setting</a> can let all tutors read everybody's.</p>
    ${open && who.value && html`<${CareForm} api=${api} tutor=${who.value.tutor} student=${who.value.student} onMade=${load.again} onClose=${() => setOpen(false)} />`}
    <${Filters} filters=${filters} onFilter=${filter} who=${who.value} />
    ${trouble && html`<p class="form-trouble" role="alert">${trouble}</p>`}
    <${List} api=${api} me=${me} load=${load} filters=${filters} onChange=${change} onComplete=${setCompleting} />
    ${completing && html`<${Complete} one=${completing} onClose=${() => setCompleting(null)} onDone=${() => {
      change(completing, { status: "completed" });
      setCompleting(null);
    }} />`}</div>`;
}

/** The people whom the address names. */
async function named(api, { tutor, student }) {
  const one = (id) => (id ? api.get(`/people/${encodeURIComponent(id)}`).catch(() => null) : null);
  const [knownTutor, knownStudent] = await Promise.all([one(tutor), one(student)]);
  return { tutor: knownTutor, student: knownStudent };
}

function Filters({ filters, onFilter, who }) {
  return html`<div class="filters">
    <${Field} id="order" label="Sorted">${(control) => html`<${Select} ...${control} value=${filters.order} options=${[["", "By tutor"], ["student", "By student"]]}
      onChange=${(order) => onFilter({ order })} />`}<//>
    <${Field} id="status" label="Which">${(control) => html`<${Select} ...${control} value=${filters.status} options=${[["", "All"], ...CARE]}
      onChange=${(status) => onFilter({ status })} />`}<//>
    ${["tutor", "student"].filter((name) => filters[name]).map((name) => html`<p class="filter-chip" key=${name}>Only of <b dir="auto">${who?.[name]?.name ?? "somebody"}</b>
      <button type="button" class="link" onClick=${() => onFilter({ [name]: "" })}>Show all ${name}s</button></p>`)}
  </div>`;
}

function List({ api, me, load, filters, onChange, onComplete }) {
  if (load.error) return html`<${Trouble} title="The list did not load" text=${load.error.message} onRetry=${load.again}><span></span><//>`;
  if (!load.value) return html`<${Loading} what="Fetching who looks after whom" />`;
  if (load.value.items.length === 0) {
    return html`<p class="empty">${Object.values(filters).some(Boolean) ? "Nothing fits." : "No tutor looks after anybody yet. Until then only teachers and the office can review sessions."}</p>`;
  }
  const person = (name) => ({ key: name, title: name === "tutor" ? "Tutor" : "Student", cell: (one) => html`<a class="row-title" href=${`/admin/people/${one[name].id}`} dir="auto">${one[name].name}</a>` });
  const names = filters.order === "student" ? ["student", "tutor"] : ["tutor", "student"];
  const columns = [
    ...names.map(person),
    { key: "subject", title: "In", cell: ({ subject }) => (subject ? html`<span dir="auto">${subject}</span>` : html`<span class="faint">everything</span>`) },
    { key: "from", title: "From", cell: ({ starts_at: from }) => day(from, me.locale) },
    { key: "to", title: "Until", cell: ({ ends_at: to }) => (to ? day(to, me.locale) : html`<span class="faint">open</span>`) },
    { key: "status", title: "State", cell: (one) => {
      const { words, kind } = careState(one);
      return html`<span class="mark ${kind}">${words}</span>`;
    } },
    { key: "actions", title: "Actions", cell: (one) => html`<${Actions} one=${one} onChange=${onChange} onComplete=${onComplete} />` },
  ];
  return html`<div class=${classes({ "compact-rows": true, stale: load.stale })}>
    <${Table} caption="Which tutor looks after which student" columns=${columns} rows=${load.value.items} />
    <${More} page=${load.value} ask=${(cursor) => api.get("/assignments", { ...filters, cursor })} onMore=${load.set} />
  </div>`;
}

function Actions({ one, onChange, onComplete }) {
  if (one.status === "completed") return html`<span class="faint">–</span>`;
  const whom = html`<span class="for-screen-reader">: ${one.tutor.name} and ${one.student.name}</span>`;
  return html`<span class="row-actions">
    ${one.status === "active"
      ? html`<button type="button" class="link" onClick=${() => onChange(one, { status: "paused" })}>Pause${whom}</button>`
      : html`<button type="button" class="link" onClick=${() => onChange(one, { status: "active" })}>Go on${whom}</button>`}
    <button type="button" class="link" onClick=${() => onComplete(one)}>Complete${whom}</button></span>`;
}

function Complete({ one, onClose, onDone }) {
  return html`<${Dialog} title="Complete it?" onClose=${onClose}>
    <p><b dir="auto">${one.tutor.name}</b> no longer looks after <b dir="auto">${one.student.name}</b>, and from now on can't read their sessions. What they corrected stays.</p>
    <p>It can't be taken up again; you can make a new one at any time.</p>
    <div class="actions"><button type="button" class="button primary" onClick=${onDone}>Complete</button>
      <button type="button" class="button" onClick=${onClose}>Leave it</button></div>
  <//>`;
}
