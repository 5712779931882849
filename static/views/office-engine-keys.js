import { PROVIDERS } from "../js/engine-words.js";
import { focusOn } from "../js/focus.js";
import { dayWithin } from "../lib/format.js";
import { html, useState } from "../lib/html.js";
import { Dialog } from "./dialog.js";
import { Field } from "./field.js";

/** The school's own keys: whether there are any, to give and to take away; never to read. */
export function Keys({ api, keys, onChanged }) {
  return html`<div class="two-columns">${keys.map((one) => html`<${Key} key=${one.provider} api=${api} state=${one} onChanged=${onChanged} />`)}</div>`;
}

function Key({ api, state, onChanged }) {
  const [open, setOpen] = useState(false);
  const [removing, setRemoving] = useState(false);
  const { title, fields } = PROVIDERS[state.provider];
  const id = `key-${state.provider}`;
  const change = () => {
    setOpen(true);
    focusOn(`${id}-${fields[0][0]}`);
  };
  return html`<section class="card" aria-labelledby=${id}>
    <h3 id=${id} tabindex="-1">${title}</h3>
    <p>${state.given
      ? html`A key of your school's is set${state.ends_with && html`, ending in <code>${state.ends_with}</code>`}. ${given(state)}`
      : state.server ? "None of your school's. The server's own key is used." : "No key yet."}</p>
    ${open
      ? html`<${Give} api=${api} provider=${state.provider} id=${id} fields=${fields} onClose=${() => setOpen(false)} onGiven=${(view) => {
        setOpen(false);
        onChanged(view);
        focusOn(id);
      }} />`
      : html`<div class="actions"><button type="button" class="button" onClick=${change}>${state.given ? "Replace the key" : "Give a key"}<span class="for-screen-reader"> for ${title}</span></button>
          ${state.given && html`<button type="button" class="button quiet" onClick=${() => setRemoving(true)}>Remove it<span class="for-screen-reader"> (${title})</span></button>`}</div>`}
    ${removing && html`<${Remove} api=${api} provider=${state.provider} title=${title} onClose=${() => setRemoving(false)} onRemoved=${(view) => {
      setRemoving(false);
      onChanged(view);
      focusOn(id);
    }} />`}
  </section>`;
}

const given = ({ set_at: at, set_by: by }) => html`<span class="faint">Given${by && html` by <span dir="auto">${by}</span>`}, ${dayWithin(at)}.</span>`;

function Give({ api, provider, id, fields, onClose, onGiven }) {
  const [value, setValue] = useState({});
  const [trouble, setTrouble] = useState(null);
  const [busy, setBusy] = useState(false);
  const give = async (event) => {
    event.preventDefault();
    const missing = fields.find(([name, , needed]) => needed && !value[name]?.trim());
    if (missing) {
      setTrouble(`Fill in: ${missing[1]}.`);
      document.getElementById(`${id}-${missing[0]}`).focus();
      return;
    }
    if (busy) return;
    setBusy(true);
    const filled = Object.entries(value).map(([name, text]) => [name, text.trim()]).filter(([, text]) => text);
    await api.put(`/school/engines/keys/${provider}`, Object.fromEntries(filled)).then(onGiven, (error) => {
      setTrouble(error.message);
      setBusy(false);
    });
  };
  return html`<form onSubmit=${give} novalidate>
    ${fields.map(([name, label, needed]) => html`<${Field} key=${name} id=${`${id}-${name}`} label=${needed ? label : `${label} (if it has one)`}>${(control) => html`<input ...${control} type="password"
      autocomplete="off" spellcheck="false" maxlength="4096" value=${value[name] ?? ""} onInput=${(event) => setValue({ ...value, [name]: event.target.value })} />`}<//>`)}
    <p class="faint">It is kept encrypted and can't be shown again, not even to you.</p>
    ${trouble && html`<p class="form-trouble" role="alert">${trouble}</p>`}
    <div class="actions"><button type="submit" class="button primary">${busy ? "Saving…" : "Save the key"}</button>
      <button type="button" class="button" onClick=${onClose}>Cancel</button></div>
  </form>`;
}

function Remove({ api, provider, title, onClose, onRemoved }) {
  const [trouble, setTrouble] = useState(null);
  const remove = () => api.remove(`/school/engines/keys/${provider}`).then(onRemoved, (error) => setTrouble(error.message));
  return html`<${Dialog} title="Remove the key for ${title}?" onClose=${onClose}>
    <p>New lessons go on without it: with the server's own key if there is one, else with the next engine. You can give a key again at any time.</p>
    ${trouble && html`<p class="form-trouble" role="alert">${trouble}</p>`}
    <div class="actions"><button type="button" class="button danger" onClick=${remove}>Remove the key</button></div><//>`;
}
