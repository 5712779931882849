import { beginOf, endOf } from "../js/days.js";
import { html, useState } from "../lib/html.js";
import { Field } from "./field.js";
import { PersonSearch } from "./office-search.js";

/** A tutor looks after one more student. Tutor and student may be given already. */
export function CareForm({ api, tutor, student, onMade, onClose }) {
  const [chosen, setChosen] = useState({ tutor, student });
  const [value, setValue] = useState({ subject: "", from: "", to: "" });
  const [trouble, setTrouble] = useState(null);
  const [told, setTold] = useState(null);
  const [busy, setBusy] = useState(false);
  const choose = (name) => (person) => {
    setChosen({ ...chosen, [name]: person });
    setTrouble(null);
    setTold(null);
  };
  const set = (name) => (event) => setValue({ ...value, [name]: event.target.value });
  const make = async (event) => {
    event.preventDefault();
    if (busy) return;
    const missing = ["tutor", "student"].find((name) => !chosen[name]);
    if (missing) {
      setTrouble(`Choose a ${missing}: search for the name, then choose it.`);
      document.getElementById(`care-${missing}`)?.focus();
      return;
    }
    setBusy(true);
    setTrouble(null);
    const body = {
      tutor_id: chosen.tutor.id, student_id: chosen.student.id,
      ...(value.subject.trim() && { subject: value.subject }), ...(value.from && { starts_at: beginOf(value.from) }), ...(value.to && { ends_at: endOf(value.to) }),
    };
    try {
      const made = await api.post("/assignments", body);
      setTold(`${made.tutor.name} looks after ${made.student.name}.`);
      setChosen({ tutor: chosen.tutor, student: null });
      onMade();
    } catch (error) {
      setTrouble(error.message);
    }
    setBusy(false);
  };
  return html`<form class="card care-form" onSubmit=${make} aria-labelledby="care-title" novalidate>
    <h2 id="care-title" tabindex="-1">Have a tutor look after a student</h2>
    <div class="two-columns">
      <${PersonSearch} api=${api} id="care-tutor" label="Tutor" filters=${{ role: "tutor" }} chosen=${chosen.tutor} onChoose=${choose("tutor")} none="Nobody has the role tutor yet." />
      <${PersonSearch} api=${api} id="care-student" label="Student" filters=${{ role: "student" }} chosen=${chosen.student} onChoose=${choose("student")} none="There are no students yet." />
    </div>
    <div class="three-columns">
      <${Field} id="care-subject" label="Subject" hint="Empty: everything.">${(control) => html`<input ...${control} dir="auto" maxlength="80" autocomplete="off" value=${value.subject} onInput=${set("subject")} />`}<//>
      <${Field} id="care-from" label="From" hint="Empty: from now on.">${(control) => html`<input ...${control} type="date" value=${value.from} onInput=${set("from")} />`}<//>
      <${Field} id="care-to" label="Until" hint="The end of that day. Empty: no end.">${(control) => html`<input ...${control} type="date" value=${value.to} onInput=${set("to")} />`}<//>
    </div>
    ${trouble && html`<p class="form-trouble" role="alert">${trouble}</p>`}
    ${told && html`<p class="told" role="status" dir="auto">${told}</p>`}
    <div class="actions"><button type="submit" class="button primary" aria-disabled=${busy}>${busy ? "Saving…" : "Save it"}</button>
      <button type="button" class="button" onClick=${onClose}>Close</button></div>
  </form>`;
}
