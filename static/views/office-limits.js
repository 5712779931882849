import { limitOf, standingWords } from "../js/engine-words.js";
import { html, useState } from "../lib/html.js";
import { Field } from "./field.js";
import { Loading, Trouble } from "./frame.js";
import { useLoad } from "./load.js";

/** Names of the form, where they go, their words, and by what what is typed is multiplied. */
const FIELDS = [
  ["sessions", "Lessons at the same time", "Empty: no limit.", 1],
  ["minutes_day", "Minutes of lessons a day", "Of all students together. Days are UTC's.", 1],
  ["money_month_micros", "US dollars a month", "At your school's own prices. Months are UTC's.", 1_000_000],
  ["price_factor_permille", "Your school's price, times the provider's", "1 is what the provider asks; 1.2 adds a fifth.", 1_000],
];

/** What the school lets itself use. */
export function Limits({ api, onSaved }) {
  const load = useLoad(() => api.get("/school/limits"), "limits");
  if (load.error) return html`<${Trouble} title="The limits did not load" text=${load.error.message} onRetry=${load.again}><span></span><//>`;
  if (!load.value) return html`<${Loading} what="Fetching the limits" />`;
  return html`<${Form} key=${JSON.stringify(load.value.limits)} api=${api} view=${load.value} onSaved=${(view) => {
    load.set({ ...view, saved: true });
    onSaved();
  }} />`;
}

/** On every page of the office: that a limit is near, or reached. Nothing where all is well, or nobody can tell. */
export function LimitNotice({ api }) {
  const load = useLoad(() => api.get("/school/limits"), "limits");
  return load.value?.standings.filter(({ state }) => state !== "well").map((one) => html`<${Standing} key=${one.name} ...${one}> <a href="/admin/usage">Use and cost</a><//>`) ?? null;
}

/** That one limit is near, or reached, and what that means. */
export function Standing({ children, ...one }) {
  const reached = one.state === "reached";
  return html`<p class="limit-note ${one.state}" role="status"><b>${reached ? "A limit is reached." : "A limit is near."}</b>
    ${" "}${standingWords(one)}. ${reached ? "New lessons are refused; those that are running go on." : "At 100 % new lessons are refused; those that are running go on."}${children}</p>`;
}

const typed = (limits) => Object.fromEntries(FIELDS.map(([name, , , scale]) => [name, limits[name] === null ? "" : String(limits[name] / scale)]));

function Form({ api, view, onSaved }) {
  const was = typed(view.limits);
  const [value, setValue] = useState(was);
  const [troubles, setTroubles] = useState({});
  const [told, setTold] = useState(view.saved ? { text: "Saved. It holds for the next lesson." } : null);
  const changed = FIELDS.filter(([name]) => value[name] !== was[name]);
  const save = async (event) => {
    event.preventDefault();
    const numbers = changed.map(([name, , , scale]) => [name, limitOf(value[name], scale)]);
    const wrong = numbers.filter(([, number]) => number === undefined).map(([name]) => name);
    setTroubles(Object.fromEntries(wrong.map((name) => [name, "Write a number, or nothing."])));
    if (wrong.length > 0) document.getElementById(wrong[0]).focus();
    if (wrong.length > 0 || changed.length === 0) return;
    await api.patch("/school/limits", Object.fromEntries(numbers)).then(onSaved, (error) => setTold({ alert: true, text: error.message }));
  };
  return html`<form class="card apart" onSubmit=${save} novalidate aria-labelledby="limits-title">
    <h2 id="limits-title">Limits</h2>
    <p>Where one is reached, new lessons are refused with a kind word and lessons that are running go on. From 80 % on this page tells you.</p>
    <div class="two-columns">${FIELDS.map(([name, label, hint]) => html`<${Field} key=${name} id=${name} label=${label} hint=${hint} trouble=${troubles[name]}>${(control) => html`<input ...${control} class="short" inputmode="decimal" autocomplete="off"
      maxlength="14" value=${value[name]} onInput=${(event) => {
        setValue({ ...value, [name]: event.target.value });
        setTold(null);
      }} />`}<//>`)}</div>
    ${view.standings.length > 0 && html`<ul class="plain">${view.standings.map((one) => html`<li key=${one.name}>Now: ${standingWords(one)}.</li>`)}</ul>`}
    ${told && html`<p class=${told.alert ? "form-trouble" : "told"} role=${told.alert ? "alert" : "status"}>${told.text}</p>`}
    <div class="actions"><button type="submit" class="button primary" aria-disabled=${changed.length === 0}>Save the limits</button></div>
  </form>`;
}
