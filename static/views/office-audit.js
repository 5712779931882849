import { addressWith, readFilters } from "../js/address.js";
import { beginOf } from "../js/days.js";
import { THINGS, VERBS, detailWords, entryWords } from "../js/office-words.js";
import { moment } from "../lib/format.js";
import { classes, html, useState } from "../lib/html.js";
import { Field, Select } from "./field.js";
import { Loading, Trouble } from "./frame.js";
import { useLoad } from "./load.js";
import { More } from "./more.js";
import { PersonSearch } from "./office-search.js";
import { Table } from "./table.js";

const NAMES = ["actor", "verb", "thing", "from", "to"];
const DAY = /^\d{4}-\d\d-\d\d$/;

/** Who did what, and when. */
export function Audit({ api, me, search, go }) {
  const filters = readFilters(search, NAMES);
  const asked = { ...filters, from: beginOf(dayOf(filters.from)), to: afterDay(dayOf(filters.to)) };
  const load = useLoad(() => api.get("/audit", asked), search, { keep: true });
  const filter = (changes) => go(addressWith("/admin/audit", { ...filters, ...changes }), { replace: true });
  return html`<div><h1>Audit log</h1>
    <p class="lead">Everything that was done at your school: by whom, when and from where. Nobody can change or delete it. It holds no words of students.</p>
    <${Filters} api=${api} filters=${filters} onFilter=${filter} items=${load.value?.items ?? []} />
    <${List} api=${api} me=${me} load=${load} asked=${asked} onClear=${() => go("/admin/audit", { replace: true })} /></div>`;
}

const dayOf = (text) => (DAY.test(text) ? text : "");

/** The moment after a day is over, here. */
function afterDay(day) {
  if (!day) return null;
  const next = new Date(`${day}T00:00:00`);
  next.setDate(next.getDate() + 1);
  return next.toISOString();
}

function Filters({ api, filters, onFilter, items }) {
  const [choosing, setChoosing] = useState(false);
  const name = items.find(({ actor }) => actor?.id === filters.actor)?.actor.name;
  const known = useLoad(() => (filters.actor && !name ? api.get(`/people/${encodeURIComponent(filters.actor)}`).catch(() => null) : Promise.resolve(null)), filters.actor);
  const select = (id, label, options) => html`<${Field} id=${id} label=${label}>${(control) => html`<${Select} ...${control} value=${filters[id]}
    options=${options} onChange=${(value) => onFilter({ [id]: value })} />`}<//>`;
  const date = (id, label) => html`<${Field} id=${id} label=${label}>${(control) => html`<input ...${control} type="date" value=${dayOf(filters[id])} onChange=${(event) => onFilter({ [id]: event.target.value })} />`}<//>`;
  return html`<div><div class="filters">
      ${select("verb", "What was done", [["", "Everything"], ...VERBS])}
      ${select("thing", "About", [["", "Everything"], ...THINGS])}
      ${date("from", "From")}
      ${date("to", "Until")}
      ${filters.actor
        ? html`<p class="filter-chip">Only by <b dir="auto">${name ?? known.value?.name ?? "somebody"}</b> <button type="button" class="link" onClick=${() => onFilter({ actor: "" })}>Show everybody</button></p>`
        : html`<p class="filter-chip"><button type="button" class="button" aria-expanded=${choosing} onClick=${() => setChoosing(!choosing)}>Only by one person</button></p>`}
    </div>
    ${choosing && !filters.actor && html`<div class="card choose-actor"><${PersonSearch} api=${api} id="actor-search" label="Whose doings?" filters=${{ status: "" }} onChoose=${({ id }) => {
      setChoosing(false);
      onFilter({ actor: id });
    }} /></div>`}</div>`;
}

function List({ api, me, load, asked, onClear }) {
  if (load.error) return html`<${Trouble} title="The log did not load" text=${load.error.message} onRetry=${load.again}><span></span><//>`;
  if (!load.value) return html`<${Loading} what="Reading the log" />`;
  if (load.value.items.length === 0) {
    return html`<div class="empty"><p role="status">Nothing like this was done.</p><p><button type="button" class="button" onClick=${onClear}>Show everything</button></p></div>`;
  }
  const columns = [
    { key: "at", title: "When", cell: ({ at }) => html`<time datetime=${at}>${moment(at, me.locale)}</time>` },
    { key: "who", title: "Who", cell: (entry) => html`<${Who} entry=${entry} />` },
    { key: "what", title: "What", cell: (entry) => html`<${What} entry=${entry} />` },
    { key: "address", title: "From", cell: ({ address }) => html`<span class="faint">${address ?? "–"}</span>` },
  ];
  return html`<div class=${classes({ "compact-rows": true, stale: load.stale })}>
    <${Table} caption="Audit log, newest first" columns=${columns} rows=${load.value.items} keyOf=${({ seq }) => seq} />
    <${More} page=${load.value} ask=${(cursor) => api.get("/audit", { ...asked, cursor })} onMore=${load.set} />
  </div>`;
}

function Who({ entry: { actor, verb } }) {
  if (actor) return html`<a href=${`/admin/people/${actor.id}`} dir="auto">${actor.name}</a>`;
  return html`<span class="faint">${verb === "refuse_sign_in" ? "Somebody" : "The server"}</span>`;
}

function What({ entry }) {
  const { did, what, href } = entryWords(entry);
  const detail = detailWords(entry.detail);
  return html`${did} ${what && (href ? html`<a href=${href} dir="auto">${what}</a>` : html`<span dir="auto">${what}</span>`)}
    ${detail && html`<span class="faint under">${detail}</span>`}`;
}
