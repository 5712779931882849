import { focusOn } from "../js/focus.js";
import { Keeping } from "../js/keeping.js";
import { html, useState } from "../lib/html.js";
import { Loading } from "./frame.js";
import { useLoad } from "./load.js";
import { AccountFields, missingOf, wrongOf } from "./office-account.js";
import { Secret } from "./office-secret.js";

const EMPTY = { name: "", email: "", roles: [], grade_level: "", class_ids: [] };

/** Somebody comes to the school: their account, and the password to hand over. */
export function NewPerson({ api, me }) {
  const keeping = new Keeping(`office ${me.id}`);
  const [value, setValue] = useState(() => ({ ...EMPTY, ...keeping.kept("new person") }));
  const [made, setMade] = useState(null);
  const change = (next) => {
    setValue(next);
    keeping.keep("new person", next);
  };
  const create = async (wanted) => {
    const answer = await api.post("/people", wanted);
    keeping.forget("new person");
    setValue({ ...EMPTY, roles: wanted.roles, class_ids: wanted.class_ids });
    setMade(answer);
  };
  return html`<div><p class="back"><a href="/admin">People</a></p>
    <h1>New person</h1>
    ${made
      ? html`<${Secret} name=${made.person.name} email=${made.person.email} password=${made.password} school=${me.school.name}>
          <button type="button" class="button primary" onClick=${() => setMade(null)}>Next person</button>
          <a class="button" href=${`/admin/people/${made.person.id}`}>Open the account</a><//>`
      : html`<${Form} api=${api} value=${value} onChange=${change} onCreate=${create} />`}</div>`;
}

function Form({ api, value, onChange, onCreate }) {
  const [wrong, setWrong] = useState({});
  const [trouble, setTrouble] = useState(null);
  const [busy, setBusy] = useState(false);
  const refuse = (found, message) => {
    setWrong(found);
    setTrouble(message);
    const first = Object.keys(found)[0];
    if (first) focusOn(first);
  };
  const submit = async (event) => {
    event.preventDefault();
    if (busy) return;
    const missing = missingOf(value);
    if (Object.keys(missing).length > 0) {
      refuse(missing, null);
      return;
    }
    setBusy(true);
    refuse({}, null);
    try {
      await onCreate(value);
    } catch (error) {
      const found = wrongOf(error);
      refuse(found, Object.keys(found).length > 0 ? null : error.message);
    }
    setBusy(false);
  };
  return html`<form class="narrow" onSubmit=${submit} novalidate>
    <${AccountFields} value=${value} onChange=${onChange} wrong=${wrong} />
    <${Classes} api=${api} value=${value} onChange=${onChange} />
    ${trouble && html`<p class="form-trouble" role="alert">${trouble}</p>`}
    <div class="actions"><button type="submit" class="button primary" aria-disabled=${busy}>${busy ? "Making the account…" : "Make the account"}</button>
      <a class="button" href="/admin">Leave it</a></div>
    <p class="faint">Many people? <a href="/admin/people/import">Import them from a file.</a></p>
  </form>`;
}

function Classes({ api, value, onChange }) {
  const load = useLoad(() => api.get("/classes", { archived: false }), "classes");
  if (!value.roles.some((role) => role === "student" || role === "instructor")) return null;
  if (load.error) return html`<p class="form-trouble" role="alert">${load.error.message}</p>`;
  if (!load.value) return html`<${Loading} what="Fetching the classes" />`;
  if (load.value.items.length === 0) return null;
  const toggle = (id, on) => onChange({ ...value, class_ids: on ? [...value.class_ids, id] : value.class_ids.filter((one) => one !== id) });
  return html`<fieldset class="field"><legend>Classes</legend>
    <div class="checks several">${load.value.items.map(({ id, name }) => html`<label class="check" key=${id}>
      <input type="checkbox" checked=${value.class_ids.includes(id)} onChange=${(event) => toggle(id, event.target.checked)} /> <span dir="auto">${name}</span></label>`)}</div>
  </fieldset>`;
}
