import { dayWithin, duration } from "../lib/format.js";
import { html } from "../lib/html.js";
import { Loading, Trouble } from "./frame.js";
import { useLoad } from "./load.js";

/** A parent's children. */
export function Children({ api, me }) {
  const load = useLoad(() => api.get("/children"), "children");
  if (load.error) return html`<${Trouble} title="Your page did not load" text=${load.error.message} onRetry=${load.again}><span></span><//>`;
  if (!load.value) return html`<${Loading} what="One moment" />`;
  const { items, shows_all: all } = load.value;
  return html`<div><h1>My children</h1>
    ${items.length === 0
      ? html`<p class="empty">No child is linked to your account yet. Please ask the school office to do that.</p>`
      : html`<div><ul class="cards children">${items.map((child) => html`<${Card} key=${child.id} child=${child} locale=${me.locale} />`)}</ul>
        <p class="faint family-note">${all
          ? "You see every lesson as soon as it is over. A computer writes the summaries; where somebody of the school has been through one, it says so."
          : "You see a lesson here once somebody of the school has been through it."} Nobody shows you word for word what your child said.</p></div>`}</div>`;
}

function Card({ child: { id, name, sessions, wall_ms: wall, last_at: last }, locale }) {
  return html`<li class="card">
    <h2><a href=${`/family/${id}`} dir="auto">${name}</a></h2>
    ${sessions === 0
      ? html`<p class="faint">Nothing to read yet.</p>`
      : html`<p>${sessions === 1 ? "One lesson" : `${sessions} lessons`}, ${duration(wall, locale)} together.</p>
        <p class="faint">The last one: ${dayWithin(last, locale)}</p>`}
  </li>`;
}
