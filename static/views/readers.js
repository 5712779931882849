import { moment } from "../lib/format.js";
import { html } from "../lib/html.js";
import { useLoad } from "./load.js";

const ROLES = { instructor: "teacher", tutor: "tutor", parent: "parent", admin: "school office" };

/** Who may read this lesson, and who has. */
export function Readers({ api, session, sentence, locale }) {
  const load = useLoad(() => api.session(session), session);
  return html`<div class="readers">
    <p>${sentence ?? "Your teacher and tutor can read this lesson."}</p>
    ${load.error && html`<p role="alert">${load.error.message}</p>`}
    ${load.value && list(load.value.readers ?? [], locale)}
  </div>`;
}

function list(readers, locale) {
  if (readers.length === 0) return html`<p>Nobody has read it yet.</p>`;
  return html`<h3>These people have read it</h3>
    <ul class="rows">${readers.map((reader) => html`<li class="row" key=${reader.at + reader.name}>
      <span dir="auto">${reader.name}</span>
      <span class="faint">${ROLES[reader.role] ?? reader.role} · ${moment(reader.at, locale)}</span></li>`)}</ul>`;
}
