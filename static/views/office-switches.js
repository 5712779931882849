import { focusOn } from "../js/focus.js";
import { html, useState } from "../lib/html.js";
import { Dialog } from "./dialog.js";

/** Coming in: another password, switching the account off and on. What can't be undone asks with the name. */
export function Switches({ api, me, path, person, onChanged, onSecret }) {
  const [asking, setAsking] = useState(null); // "password" | "off"
  const [trouble, setTrouble] = useState(null);
  const [told, setTold] = useState(null);
  const active = person.status === "active";
  const attempt = async (work, said) => {
    setAsking(null);
    setTrouble(null);
    setTold(null);
    try {
      await work();
      setTold(said);
      if (said) focusOn("in-title");
    } catch (error) {
      setTrouble(error.message);
    }
  };
  const on = () => attempt(async () => onChanged(await api.post(`${path}/activate`)), "Switched on. They sign in with the password they had.");
  const off = () => attempt(async () => onChanged(await api.post(`${path}/deactivate`)), "Switched off, and signed out everywhere.");
  const reset = () => attempt(async () => onSecret((await api.post(`${path}/reset-password`)).password), null);
  return html`<section class="card" aria-labelledby="in-title">
    <h2 id="in-title" tabindex="-1">Coming in</h2>
    <p>${active ? "This account is active." : "This account is switched off: nobody can sign in with it. Everything is kept."}</p>
    <div class="actions">
      ${active && html`<button type="button" class="button" onClick=${() => setAsking("password")}>New password</button>`}
      ${active
        ? html`<button type="button" class="button danger" onClick=${() => setAsking("off")}>Switch off</button>`
        : html`<button type="button" class="button primary" onClick=${on}>Switch on</button>`}
    </div>
    ${trouble && html`<p class="form-trouble" role="alert">${trouble}</p>`}
    ${told && html`<p class="told" role="status">${told}</p>`}
    ${asking === "off" && html`<${Dialog} title="Switch off this account?" onClose=${() => setAsking(null)}>
      <p><b dir="auto">${person.name}</b> is signed out everywhere at once, and can't sign in until you switch the account on again. Lessons, transcripts and corrections are kept.</p>
      <div class="actions"><button type="button" class="button danger" onClick=${off}>Switch off <span dir="auto">${person.name}</span></button>
        <button type="button" class="button" onClick=${() => setAsking(null)}>Leave it on</button></div>
    <//>`}
    ${asking === "password" && html`<${Dialog} title="A new password?" onClose=${() => setAsking(null)}>
      <p><b dir="auto">${person.name}</b> gets another password, which is shown to you once. The old one ends, and so does every sign-in${person.id === me.id ? ", also this one of yours" : ""}.</p>
      <div class="actions"><button type="button" class="button primary" onClick=${reset}>Make a new password</button>
        <button type="button" class="button" onClick=${() => setAsking(null)}>Keep the old one</button></div>
    <//>`}
  </section>`;
}
