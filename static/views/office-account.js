import { ROLES } from "../js/office-words.js";
import { html } from "../lib/html.js";
import { Field } from "./field.js";

/** The fields of an account, new or not: `value` is `{name, email, roles, grade_level}`. */
export function AccountFields({ value, onChange, wrong = {} }) {
  const set = (changes) => onChange({ ...value, ...changes });
  const input = (name, more) => (control) => html`<input ...${control} ...${more} autocomplete="off" value=${value[name]}
    onInput=${(event) => set({ [name]: event.target.value })} />`;
  const toggle = (role, on) => set({ roles: on ? [...value.roles, role] : value.roles.filter((one) => one !== role) });
  return html`<${Field} id="name" label="Name" trouble=${wrong.name}>${input("name", { dir: "auto", maxlength: 120 })}<//>
    <${Field} id="email" label="E-mail" hint="Used to sign in. No mail is sent to it." trouble=${wrong.email}>${input("email", { type: "email", inputmode: "email", spellcheck: false, autocapitalize: "none", maxlength: 254 })}<//>
    <fieldset class="field" aria-describedby=${wrong.roles ? "roles-trouble" : undefined}><legend>Roles</legend>
      <p class="hint">Somebody may have several, and gets the pages of all of them.</p>
      <div class="checks" id="roles" tabindex="-1">${ROLES.map(([role, word]) => html`<label class="check" key=${role}>
        <input type="checkbox" checked=${value.roles.includes(role)} onChange=${(event) => toggle(role, event.target.checked)} /> <span>${word}</span></label>`)}</div>
      ${wrong.roles && html`<p class="field-trouble" id="roles-trouble">${wrong.roles}</p>`}
    </fieldset>
    <${Field} id="grade_level" label="Grade" hint="As your school writes it. May stay empty." trouble=${wrong.grade_level}>${input("grade_level", { dir: "auto", maxlength: 40, class: "short" })}<//>`;
}

/** What is missing, by field; empty where nothing is. */
export function missingOf({ name, email, roles }) {
  return {
    ...(!name.trim() && { name: "Write a name." }),
    ...(!email.trim() && { email: "Write an e-mail address." }),
    ...(roles.length === 0 && { roles: "Choose at least one role." }),
  };
}

/** Where the server says which field is wrong, it is said there: `{field: sentence}`. */
export function wrongOf(error) {
  const field = error.code === "email_taken" ? "email" : error.body?.param?.split(".")[0];
  return ["name", "email", "roles", "grade_level"].includes(field) ? { [field]: error.message } : {};
}
