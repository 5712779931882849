import { beginOf, endOf } from "../js/days.js";
import { html, useState } from "../lib/html.js";
import { Field, Select } from "./field.js";
import { useLoad, useSettled } from "./load.js";

const MOST = 20; // students shown for a search

/** Assigning a lesson to one more: everyone, a class, or a student. */
export function AssignForm({ api, taken, onAssign }) {
  const [who, setWho] = useState("class");
  const [chosen, setChosen] = useState({}); // {class: id, student: {id, name}}
  const [from, setFrom] = useState("");
  const [due, setDue] = useState("");
  const [trouble, setTrouble] = useState(null);
  const [told, setTold] = useState("");
  const [busy, setBusy] = useState(false);
  const body = { everyone: () => ({ everyone: true }), class: () => chosen.class && { class_id: chosen.class }, student: () => chosen.student && { student_id: chosen.student.id } }[who]();
  const assign = async (event) => {
    event.preventDefault();
    if (busy) return;
    if (!body) {
      setTrouble(who === "class" ? "Choose a class." : "Choose a student: search for the name, then choose it.");
      document.getElementById(who === "class" ? "assign-class" : "assign-search").focus();
      return;
    }
    setBusy(true);
    setTrouble(null);
    try {
      await onAssign({ ...body, ...(from && { starts_at: beginOf(from) }), ...(due && { due_at: endOf(due) }) });
      setTold("Assigned.");
      setChosen({});
    } catch (error) {
      setTrouble(error.message);
    }
    setBusy(false);
  };
  const choose = (name) => {
    setWho(name);
    setTrouble(null);
    setTold("");
  };
  return html`<form class="card assign" onSubmit=${assign} aria-labelledby="assign-title" novalidate>
    <h2 id="assign-title">Assign it</h2>
    <fieldset><legend>To whom?</legend><div class="checks">
      ${[["class", "A class"], ["student", "A student"], ["everyone", "Everyone at the school"]].map(([name, words]) => html`<label class="check" key=${name}>
        <input type="radio" name="who" checked=${who === name} onChange=${() => choose(name)} /> <span>${words}</span></label>`)}</div></fieldset>
    ${who === "class" && html`<${Classes} api=${api} taken=${taken} value=${chosen.class} onChange=${(id) => setChosen({ class: id })} />`}
    ${who === "student" && html`<${Students} api=${api} taken=${taken} value=${chosen.student} onChange=${(student) => setChosen({ student })} />`}
    <${Dates} prefix="assign" from=${from} due=${due} onFrom=${setFrom} onDue=${setDue} />
    ${trouble && html`<p class="form-trouble" role="alert">${trouble}</p>`}
    <div class="actions"><button type="submit" class="button primary" aria-disabled=${busy}>${busy ? "Assigning…" : "Assign"}</button>
      <span role="status">${told}</span></div>
  </form>`;
}

export function Dates({ prefix, from, due, onFrom, onDue }) {
  const date = (name, label, hint, value, onChange) => html`<${Field} id="${prefix}-${name}" label=${label} hint=${hint}>${(control) => html`<input ...${control}
    type="date" value=${value} onInput=${(event) => onChange(event.target.value)} />`}<//>`;
  return html`<div class="pair">${date("from", "From", "Empty: at once.", from, onFrom)}${date("due", "Due", "The end of that day. Empty: no date.", due, onDue)}</div>`;
}

function Classes({ api, taken, value, onChange }) {
  const load = useLoad(() => api.get("/classes"), "classes");
  if (load.error) return html`<p class="form-trouble" role="alert">${load.error.message}</p>`;
  if (!load.value) return html`<p class="faint">Fetching the classes…</p>`;
  const has = new Set(taken.map((row) => row.class?.id));
  const classes = load.value.items.filter(({ id, archived }) => !archived && !has.has(id));
  if (classes.length === 0) return html`<p class="empty">${load.value.items.length > 0 ? "All classes have it." : "There are no classes yet. An admin makes them; you can assign to students or everyone."}</p>`;
  return html`<${Field} id="assign-class" label="Class">${(control) => html`<${Select} ...${control} value=${value ?? ""} onChange=${onChange}
    options=${[["", "Choose a class"], ...classes.map(({ id, name, students }) => [id, `${name} (${students} ${students === 1 ? "student" : "students"})`])]} />`}<//>`;
}

function Students({ api, taken, value, onChange }) {
  const [words, setWords] = useState("");
  const asked = useSettled(words.trim());
  const load = useLoad(() => api.get("/school/students", { search: asked, limit: MOST }), asked);
  const has = new Set(taken.map((row) => row.student?.id));
  const found = (load.value?.items ?? []).filter(({ id }) => !has.has(id));
  return html`<${Field} id="assign-search" label="Student" hint="Search for a name.">${(control) => html`<input ...${control} type="search" maxlength="100" dir="auto"
      autocomplete="off" value=${words} onInput=${(event) => setWords(event.target.value)} />`}<//>
    ${load.error && html`<p class="form-trouble" role="alert">${load.error.message}</p>`}
    <fieldset class="students"><legend class="for-screen-reader">Students found</legend>
      ${found.map((student) => html`<label class="check" key=${student.id}><input type="radio" name="student" checked=${value?.id === student.id} onChange=${() => onChange(student)} />
        <span><span dir="auto">${student.name}</span>${student.classes.length > 0 && html` <span class="faint" dir="auto">${student.classes.join(", ")}</span>`}</span></label>`)}
    </fieldset>
    ${load.value && found.length === 0 && html`<p class="faint" role="status">No student fits.</p>`}`;
}
