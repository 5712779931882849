import { html, useEffect, useRef, useState } from "../lib/html.js";

/** A password that is shown this once: to read out, copy, or print as a slip. */
export function Secret({ name, email, password, school, children }) {
  const head = useRef(null);
  useEffect(() => head.current.focus({ preventScroll: false }), [password]);
  return html`<section class="card secret" aria-labelledby="secret-title">
    <h2 id="secret-title" tabindex="-1" ref=${head}>The password of <span dir="auto">${name}</span></h2>
    <p>It is shown only now, and kept nowhere. Read it out, copy it or print it.</p>
    <p class="secret-value"><code>${password}</code> <${Copy} text=${password} /></p>
    <div class="actions no-print">
      <button type="button" class="button" onClick=${() => window.print()}>Print a slip</button>
      ${children}
    </div>
    <${Slips} people=${[{ name, email, password }]} school=${school} />
  </section>`;
}

function Copy({ text }) {
  const [told, setTold] = useState("");
  const copy = () => navigator.clipboard.writeText(text).then(() => setTold("Copied."), () => setTold("This browser can't copy. Select it by hand."));
  return html`<button type="button" class="button quiet no-print" onClick=${copy}>Copy</button> <span class="faint" role="status">${told}</span>`;
}

/** What is printed: a slip for each, to cut apart and hand over. */
export function Slips({ people, school }) {
  return html`<ul class="slips" aria-hidden="true">${people.map(({ name, email, password }) => html`<li class="slip" key=${email}>
    <p class="slip-school" dir="auto">${school}</p>
    <p class="slip-name" dir="auto">${name}</p>
    <p>Go to <b>${location.host}</b></p>
    <p>E-mail: <b>${email}</b></p>
    <p>Password: <b class="slip-password">${password}</b></p>
  </li>`)}</ul>`;
}
