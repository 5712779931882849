import { roleWords } from "../js/office-words.js";
import { focusOn } from "../js/focus.js";
import { html, useEffect, useState } from "../lib/html.js";
import { Field } from "./field.js";
import { useLoad } from "./load.js";

export const PAUSE_MS = 250; // of typing, before it is searched for
const SHOWN = 8;
const FEW = 4;

/** Words as one types them, and the same after a pause. */
function useWords() {
  const [words, setWords] = useState("");
  const [settled, setSettled] = useState("");
  useEffect(() => {
    if (words.trim() === settled) return undefined;
    const timer = setTimeout(() => setSettled(words.trim()), PAUSE_MS);
    return () => clearTimeout(timer);
  }, [words]);
  return { words, setWords, settled };
}

/**
 * Choosing a person: a search, and those it finds. `filters` as `GET /people` takes them; who is in `without` (ids)
 * is left out. `chosen` is `{id, name}` or null.
 */
export function PersonSearch({ api, id, label, hint, filters = {}, without = [], chosen, onChoose, none, focused }) {
  const { words, setWords, settled } = useWords();
  const ask = () => api.get("/people", { status: "active", ...filters, search: settled, limit: Math.min(SHOWN + without.length, 200) });
  const load = useLoad(ask, `${settled} ${JSON.stringify(filters)}`, { keep: true });
  const fits = (load.value?.items ?? []).filter((person) => !without.includes(person.id));
  const few = fits.length <= FEW && load.value?.next_cursor === null;
  const found = settled || few ? fits.slice(0, SHOWN) : []; // before one types only a choice among few helps
  useEffect(() => {
    if (focused) focusOn(id);
  }, []);
  const choose = (person) => {
    onChoose(person);
    focusOn(id);
  };
  if (chosen) return html`<${Chosen} id=${id} label=${label} chosen=${chosen} onChange=${() => choose(null)} />`;
  return html`<div class="person-search">
    <${Field} id=${id} label=${label} hint=${hint}>${(control) => html`<input ...${control} type="search" maxlength="100" dir="auto" autocomplete="off" placeholder="Search for a name"
      value=${words} onInput=${(event) => setWords(event.target.value)} onKeyDown=${(event) => event.key === "Enter" && event.preventDefault()} />`}<//>
    ${load.error && html`<p class="form-trouble" role="alert">${load.error.message}</p>`}
    ${found.length > 0 && html`<ul class="found" aria-label="People found">${found.map((person) => html`<li key=${person.id}>
      <button type="button" class="found-one" onClick=${() => choose(person)}>
        <span class="found-name"><span dir="auto">${person.name}</span></span>
        <span class="faint">${factsOf(person)}</span></button></li>`)}</ul>`}
    ${load.value && fits.length === 0 && html`<p class="faint" role="status">${settled ? "Nobody fits." : (none ?? "There is nobody to choose.")}</p>`}
  </div>`;
}

function Chosen({ id, label, chosen, onChange }) {
  return html`<div class="field"><span class="label" id="${id}-label">${label}</span>
    <p class="chosen"><span dir="auto">${chosen.name}</span>
      <button type="button" class="link" id=${id} aria-describedby="${id}-label" onClick=${onChange}>Choose somebody else</button></p></div>`;
}

function factsOf({ roles, grade_level: grade, classes, email }) {
  const groups = classes.map(({ name }) => name).join(", ");
  return [roleWords(roles), groups || (grade && `grade ${grade}`), email].filter(Boolean).join(" · ");
}
