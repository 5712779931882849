import { addressWith, readFilters } from "../js/address.js";
import { ROLES, STATUSES, roleWords } from "../js/office-words.js";
import { day } from "../lib/format.js";
import { classes, html, useEffect, useRef, useState } from "../lib/html.js";
import { Field, Select } from "./field.js";
import { Loading, Trouble } from "./frame.js";
import { useKeys } from "./keys.js";
import { useLoad } from "./load.js";
import { More } from "./more.js";
import { PAUSE_MS } from "./office-search.js";
import { Table } from "./table.js";

const NAMES = ["search", "role", "class", "status"];

/** Everybody with an account at the school. */
export function People({ api, me, search, go }) {
  const filters = readFilters(search, NAMES);
  const load = useLoad(() => api.get("/people", filters), search, { keep: true });
  const known = useLoad(() => api.get("/classes", { archived: false }), "classes");
  const box = useRef(null);
  const filter = (changes) => go(addressWith("/admin", { ...filters, ...changes }), { replace: true });
  const keys = useKeys([
    { key: "/", title: "Search", act: () => box.current.focus() },
    { key: "n", title: "New person", act: () => go("/admin/people/new") },
    { key: "i", title: "Import a file", act: () => go("/admin/people/import") },
  ]);
  return html`<div>
    <div class="page-head">
      <h1>People</h1>
      <div class="actions"><a class="button" href="/admin/people/import">Import a file</a>
        <a class="button primary" href="/admin/people/new">New person</a></div>
    </div>
    <${Filters} filters=${filters} known=${known.value?.items ?? []} onFilter=${filter} box=${box} />
    <${List} load=${load} filters=${filters} api=${api} me=${me} go=${go} onClear=${() => filter({ search: "", role: "", class: "", status: "" })} />
    ${keys}
  </div>`;
}

function Filters({ filters, known, onFilter, box }) {
  const [words, setWords] = useState(filters.search);
  useEffect(() => setWords(filters.search), [filters.search]);
  useEffect(() => {
    if (words.trim() === filters.search) return undefined;
    const timer = setTimeout(() => onFilter({ search: words.trim() }), PAUSE_MS);
    return () => clearTimeout(timer);
  }, [words]);
  const now = (event) => {
    event.preventDefault();
    onFilter({ search: words.trim() });
  };
  return html`<form class="filters" role="search" onSubmit=${now}>
    <${Field} id="search" label="Search">${(control) => html`<input ...${control} ref=${box} type="search" maxlength="100" dir="auto"
      placeholder="Name or e-mail" value=${words} onInput=${(event) => setWords(event.target.value)} />`}<//>
    <${Field} id="role" label="Role">${(control) => html`<${Select} ...${control} value=${filters.role} options=${[["", "All roles"], ...ROLES]}
      onChange=${(role) => onFilter({ role })} />`}<//>
    <${Field} id="class" label="Class">${(control) => html`<${Select} ...${control} value=${filters.class}
      options=${[["", "All classes"], ...known.map(({ id, name }) => [id, name])]} onChange=${(one) => onFilter({ class: one })} />`}<//>
    <${Field} id="status" label="Account">${(control) => html`<${Select} ...${control} value=${filters.status} options=${[["", "All"], ...STATUSES]}
      onChange=${(status) => onFilter({ status })} />`}<//>
  </form>`;
}

function List({ load, filters, api, me, go, onClear }) {
  if (load.error) return html`<${Trouble} title="The list did not load" text=${load.error.message} onRetry=${load.again}><span></span><//>`;
  if (!load.value) return html`<${Loading} what="Fetching the people" />`;
  const filtered = Object.values(filters).some(Boolean);
  if (load.value.items.length === 0) {
    return html`<div class="empty"><p role="status">Nobody fits.</p><p><button type="button" class="button" onClick=${onClear}>Show everybody</button></p></div>`;
  }
  const columns = [
    { key: "name", title: "Name", cell: (person) => html`<${Name} person=${person} />` },
    { key: "roles", title: "Roles", cell: ({ roles }) => roleWords(roles) },
    { key: "classes", title: "Classes", cell: (person) => html`<${Groups} person=${person} />` },
    { key: "status", title: "Account", cell: ({ status }) => (status === "active" ? "Active" : html`<span class="mark warn">Switched off</span>`) },
    { key: "seen", title: "Last sign-in", cell: ({ last_seen_at: seen }) => (seen ? day(seen, me.locale) : html`<span class="faint">never</span>`) },
  ];
  return html`<div class=${classes({ "compact-rows": true, stale: load.stale })}>
    <${Table} caption="People of the school" columns=${columns} rows=${load.value.items} onOpen=${({ id }) => go(`/admin/people/${id}`)} />
    <${More} page=${load.value} ask=${(cursor) => api.get("/people", { ...filters, cursor })} onMore=${load.set} />
    ${!filtered && !load.value.next_cursor && load.value.items.length <= 5 && html`<${First} />`}
  </div>`;
}

function Name({ person: { id, name, email } }) {
  return html`<a class="row-title" href=${`/admin/people/${id}`} dir="auto">${name}</a>
    <span class="faint under">${email}</span>`;
}

function Groups({ person: { classes: groups, grade_level: grade } }) {
  const names = groups.map(({ id, name }, i) => html`${i > 0 && ", "}<a key=${id} href=${`/admin/classes/${id}`} dir="auto">${name}</a>`);
  return html`${names.length > 0 ? names : html`<span class="faint">–</span>`}${grade && html`<span class="faint under">grade <span dir="auto">${grade}</span></span>`}`;
}

function First() {
  return html`<section class="card teach" aria-labelledby="first-title">
    <h2 id="first-title">Bring your school in</h2>
    <ol>
      <li><a href="/admin/people/import">Import a file</a> with everybody in it: it is tried first, and every mistake is told by its line.</li>
      <li>Hand out the passwords: they are shown once, as a list to print and cut apart.</li>
      <li>Say <a href="/admin/care">which tutor looks after whom</a>, and <a href="/admin/settings">who may read what</a>.</li>
    </ol>
  </section>`;
}
