import { addressWith, readFilters } from "../js/address.js";
import { engineTitle, minutes, money, months, quantityWords, unitWords } from "../js/engine-words.js";
import { count } from "../js/office-words.js";
import { html } from "../lib/html.js";
import { Field, Select } from "./field.js";
import { Loading, Trouble } from "./frame.js";
import { useLoad } from "./load.js";
import { Limits, Standing } from "./office-limits.js";
import { Table } from "./table.js";

/** What lessons use and cost, month by month; and what the school lets itself use. */
export function Usage({ api, search, go }) {
  const { month } = readFilters(search, ["month"]);
  const load = useLoad(() => api.get("/school/usage", { month }), search, { keep: true });
  const pick = (next) => go(addressWith("/admin/usage", { month: next }), { replace: true });
  const all = months();
  return html`<div><div class="page-head"><h1>Use and cost</h1>
      <div class="actions"><${Field} id="month" label="Month">${(control) => html`<${Select} ...${control} value=${month || all[0][0]} options=${all} onChange=${(next) => pick(next === all[0][0] ? "" : next)} />`}<//></div></div>
    ${load.error && html`<${Trouble} title="The figures did not load" text=${load.error.message} onRetry=${load.again}><span></span><//>`}
    ${!load.value && !load.error && html`<${Loading} what="Adding up" />`}
    ${load.value && html`<div class=${load.stale ? "stale" : ""}>
      ${load.value.limits.filter(({ state }) => state !== "well").map((one) => html`<${Standing} key=${one.name} ...${one} />`)}
      <${Total} value=${load.value} />
      <${ByEngine} value=${load.value} />
      <${ByOne} title="By lesson" what="Lesson" rows=${load.value.lessons} />
      <${ByOne} title="By student" what="Student" rows=${load.value.students} />
      ${load.value.sessions > 0 && html`<${Downloads} month=${load.value.month} />`}</div>`}
    <${Limits} api=${api} onSaved=${load.again} /></div>`;
}

function Total({ value }) {
  const same = value.cost_micros === value.price_micros;
  return html`<section class="card"><h2>All together</h2>
    ${value.sessions === 0
      ? html`<p class="empty">No lessons in this month.</p>`
      : html`<dl class="figures">
        <div><dt>Lessons</dt><dd>${value.sessions.toLocaleString("en")}</dd></div>
        <div><dt>Lesson time</dt><dd>${minutes(value.lesson_ms)}</dd></div>
        <div><dt>${same ? "Cost" : "Your school's price"}</dt><dd>${money(value.price_micros)}</dd></div>
        ${!same && html`<div><dt>What providers ask</dt><dd>${money(value.cost_micros)}</dd></div>`}
        ${(value.server_cost_micros > 0 || value.server_limit_micros !== null) && html`<div><dt>Of it with the server's key</dt><dd>${money(value.server_cost_micros)}${value.server_limit_micros !== null && ` of ${money(value.server_limit_micros)}`}</dd></div>`}
      </dl>`}
    ${value.in_part && html`<p>Of some of what was used nobody here knows the price. It is marked “unknown” below and comes on top.</p>`}
    <p class="faint">Counted by published prices; your provider's invoice is what counts. Months are UTC's.</p>
  </section>`;
}

const PAID_BY = { school: "Your school's", server: "The server's", both: "Both", nobody: "None" };
const ENGINE_COLUMNS = [
  { key: "engine", title: "Engine", cell: ({ kind, engine, model }) => html`${engineTitle(engine)}${kind === "test" && " (tests)"}<span class="under">${model || "on this server"}</span>` },
  { key: "unit", title: "What", cell: ({ unit }) => unitWords(unit) },
  { key: "quantity", title: "How much", numeric: true, cell: ({ unit, quantity }) => quantityWords(unit, quantity) },
  { key: "paid", title: "Key", cell: ({ paid_by: paid }) => PAID_BY[paid] },
  { key: "price", title: "Price", numeric: true, cell: ({ price_micros: price }) => money(price) },
];
const oneColumns = (what) => [
  { key: "name", title: what, cell: ({ name }) => html`<span dir="auto">${name}</span>` },
  { key: "sessions", title: "Lessons", numeric: true, cell: ({ sessions }) => sessions.toLocaleString("en") },
  { key: "time", title: "Time", numeric: true, cell: ({ lesson_ms: ms }) => minutes(ms) },
  { key: "price", title: "Price", numeric: true, cell: ({ price_micros: price, in_part: part }) => (part ? `${money(price)} + unknown` : money(price)) },
];

function ByEngine({ value }) {
  if (value.engines.length === 0) return null;
  return html`<section><h2>By engine</h2>
    <div class="compact-rows"><${Table} caption="Use by engine" columns=${ENGINE_COLUMNS} rows=${value.engines} keyOf=${({ kind, engine, model, unit }) => `${kind} ${engine} ${model} ${unit}`} /></div></section>`;
}

function ByOne({ title, what, rows }) {
  if (rows.length === 0) return null;
  return html`<section><h2>${title}</h2>
    <div class="compact-rows"><${Table} caption=${`Use ${title.toLowerCase()}`} columns=${oneColumns(what)} rows=${rows.slice(0, 20)} /></div>
    ${rows.length > 20 && html`<p class="faint">The first 20 of ${count(rows.length, what.toLowerCase())}; the table to download has all.</p>`}</section>`;
}

function Downloads({ month }) {
  const link = (by, words) => html`<a class="button" href=${`/api/v1/school/usage?month=${month}&by=${by}&format=csv`} download>${words}</a>`;
  return html`<div class="actions apart">${link("engine", "Table by engine")}${link("lesson", "Table by lesson")}${link("student", "Table by student")}<span class="faint">For spreadsheets (CSV).</span></div>`;
}
