import { html, useRef, useState } from "../lib/html.js";
import { Dialog } from "./dialog.js";
import { Field } from "./field.js";

/** One's own corner of every page: who one is, one's password, the way out. */
export function Own({ api, me, onSignOut }) {
  const [open, setOpen] = useState(false);
  return html`<div class="frame-own">
    <button type="button" class="button quiet frame-person" aria-haspopup="dialog" onClick=${() => setOpen(true)}>
      <span class="for-screen-reader">Your account: </span><span dir="auto">${me.name}</span></button>
    <button type="button" class="button quiet" onClick=${onSignOut}>Sign out</button>
    ${open && html`<${Account} api=${api} me=${me} onClose=${() => setOpen(false)} />`}
  </div>`;
}

function Account({ api, me, onClose }) {
  const [state, setState] = useState({ busy: false, trouble: null, done: false });
  const form = useRef(null);
  const done = useRef(null);
  const submit = async (event) => {
    event.preventDefault();
    if (state.busy) return;
    const { current, fresh } = Object.fromEntries(new FormData(form.current));
    const missing = !current ? ["current", "Write the password you have now."] : !fresh ? ["new", "Write the password you want."] : null;
    if (missing) return void refuse(...missing);
    setState({ busy: true, trouble: null, done: false });
    try {
      await api.changePassword({ current, new: fresh });
      setState({ busy: false, trouble: null, done: true });
      requestAnimationFrame(() => done.current?.focus());
    } catch (error) {
      refuse(error.body?.param ?? null, error.message);
    }
  };
  const refuse = (param, sentence) => {
    setState({ busy: false, trouble: { param, sentence }, done: false });
    requestAnimationFrame(() => form.current?.querySelector("[aria-invalid], .form-trouble")?.focus());
  };
  const at = (param) => (state.trouble?.param === param ? state.trouble.sentence : null);
  const loose = state.trouble && !["current", "new"].includes(state.trouble.param) ? state.trouble.sentence : null;
  return html`<${Dialog} title="Your account" onClose=${onClose}>
    <p class="own-who"><strong dir="auto">${me.name}</strong><br /><span class="faint">${me.email} · <span dir="auto">${me.school.name}</span></span></p>
    ${state.done ? html`<p class="note" role="status" tabindex="-1" ref=${done}>Your password is changed. Wherever else you were signed in, you are signed out.</p>`
      : html`<form ref=${form} onSubmit=${submit} novalidate aria-labelledby="own-password">
        <h3 id="own-password">Change your password</h3>
        ${loose && html`<p class="form-trouble" role="alert" tabindex="-1">${loose}</p>`}
        <input type="hidden" name="username" value=${me.email} autocomplete="username" />
        <${Secret} id="own-current" name="current" label="The one you have now" autocomplete="current-password" trouble=${at("current")} />
        <${Secret} id="own-new" name="fresh" label="The new one" autocomplete="new-password" trouble=${at("new")}
          hint="At least 8 characters. Three or four words make a good one." />
        <button type="submit" class="button primary" aria-disabled=${state.busy}>${state.busy ? "Changing…" : "Change it"}</button>
      </form>`}
  <//>`;
}

function Secret({ id, name, label, hint, trouble, autocomplete }) {
  const [seen, setSeen] = useState(false);
  return html`<${Field} id=${id} label=${label} hint=${hint} trouble=${trouble}>${(control) => html`<div class="with-button">
    <input ...${control} name=${name} type=${seen ? "text" : "password"} autocomplete=${autocomplete} autocapitalize="none" spellcheck=${false} />
    <button type="button" class="button" aria-pressed=${seen} aria-controls=${id} onClick=${() => setSeen(!seen)}>
      ${seen ? "Hide" : "Show"}<span class="for-screen-reader"> ${label}</span></button>
  </div>`}<//>`;
}
