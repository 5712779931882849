import { roleWord } from "../js/office-words.js";
import { focusOn } from "../js/focus.js";
import { dayWithin } from "../lib/format.js";
import { html, useState } from "../lib/html.js";
import { Loading, Trouble } from "./frame.js";
import { useLoad } from "./load.js";
import { AccountFields, missingOf, wrongOf } from "./office-account.js";
import { Belongs } from "./office-belongs.js";
import { PersonClasses } from "./office-person-classes.js";
import { Secret } from "./office-secret.js";
import { Switches } from "./office-switches.js";

/** One account: who they are, who belongs to them, and whether they may come in. */
export function Person({ api, me, place, retitle }) {
  const path = `/people/${encodeURIComponent(place.person)}`;
  const load = useLoad(() => api.get(path).then((found) => {
    retitle(found.name);
    return found;
  }), place.person);
  const [secret, setSecret] = useState(null);
  if (load.error) return html`<${Trouble} title="We can't show this account" text=${load.error.message} onRetry=${load.again}><a class="button" href="/admin">People</a><//>`;
  if (!load.value) return html`<${Loading} what="Fetching the account" />`;
  const person = load.value;
  const again = () => api.get(path).then(load.set);
  return html`<div><p class="back"><a href="/admin">People</a></p>
    <${Head} person=${person} locale=${me.locale} />
    ${secret && html`<${Secret} name=${person.name} email=${person.email} password=${secret} school=${me.school.name}>
      <button type="button" class="button primary" onClick=${() => {
        setSecret(null);
        focusOn("main");
      }}>I have it</button><//>`}
    <div class="panes person-panes">
      <${Account} api=${api} path=${path} person=${person} onSaved=${(next) => {
        retitle(next.name);
        load.set(next);
      }} />
      <div class="person-side">
        <${PersonClasses} api=${api} person=${person} onChanged=${again} />
        <${Belongs} api=${api} person=${person} onChanged=${again} />
        <${Switches} api=${api} me=${me} path=${path} person=${person} onChanged=${load.set} onSecret=${setSecret} />
      </div>
    </div></div>`;
}

function Head({ person, locale }) {
  const { name, roles, status, last_seen_at: seen, created_at: made } = person;
  return html`<div class="person-head">
    <h1 dir="auto">${name}</h1>
    <p>${roles.map((role) => html`<span class="mark" key=${role}>${roleWord(role)}</span> `)}
      ${status !== "active" && html`<span class="mark warn">Switched off</span>`}</p>
    <p class="faint">${seen ? `Signed in last ${dayWithin(seen, locale)}` : "Has never signed in"} · account made ${dayWithin(made, locale)}</p>
  </div>`;
}

function Account({ api, path, person, onSaved }) {
  const was = { name: person.name, email: person.email, roles: person.roles, grade_level: person.grade_level };
  const [value, setValue] = useState(was);
  const [wrong, setWrong] = useState({});
  const [told, setTold] = useState(null);
  const [busy, setBusy] = useState(false);
  const changes = changesOf(was, value);
  const changed = Object.keys(changes).length > 0;
  const type = (next) => {
    setValue(next);
    setTold(null);
  };
  const refuse = (found, message) => {
    setWrong(found);
    setTold(message ? { alert: true, text: message } : null);
    const first = Object.keys(found)[0];
    if (first) focusOn(first);
  };
  const save = async (event) => {
    event.preventDefault();
    if (busy || !changed) return;
    const missing = missingOf(value);
    if (Object.keys(missing).length > 0) {
      refuse(missing, null);
      return;
    }
    setBusy(true);
    try {
      const next = await api.patch(path, changes);
      setWrong({});
      setTold({ text: "Saved." });
      setValue({ name: next.name, email: next.email, roles: next.roles, grade_level: next.grade_level });
      onSaved(next);
    } catch (error) {
      const found = wrongOf(error);
      refuse(found, Object.keys(found).length > 0 ? null : error.message);
    }
    setBusy(false);
  };
  return html`<section class="card" aria-labelledby="account-title">
    <h2 id="account-title">Account</h2>
    <form onSubmit=${save} novalidate>
      <${AccountFields} value=${value} onChange=${type} wrong=${wrong} />
      ${changes.roles && html`<p class="note">With other roles, what they have open right now is closed; they can open it again.</p>`}
      ${told && html`<p class=${told.alert ? "form-trouble" : "told"} role=${told.alert ? "alert" : "status"}>${told.text}</p>`}
      <div class="actions"><button type="submit" class="button primary" aria-disabled=${busy || !changed}>${busy ? "Saving…" : "Save"}</button>
        ${changed && html`<button type="button" class="button" onClick=${() => type(was)}>Back to what it was</button>`}</div>
    </form>
  </section>`;
}

/** Only what is different, as the server takes it. */
function changesOf(was, now) {
  const roles = (one) => [...one].sort().join(" ");
  return {
    ...(now.name !== was.name && { name: now.name }),
    ...(now.email !== was.email && { email: now.email }),
    ...(now.grade_level !== was.grade_level && { grade_level: now.grade_level }),
    ...(roles(now.roles) !== roles(was.roles) && { roles: now.roles }),
  };
}
