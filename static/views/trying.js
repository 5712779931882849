import { html } from "../lib/html.js";

/** Over every page of a session that only tries a draft: what this is, and the way back to it. */
export function Trying({ lesson }) {
  return html`<section class="trying" aria-label="Trying a draft">
    <p><strong>Trying a draft.</strong> <span class="trying-more">Nothing here counts, and it is gone after a day.</span></p>
    <a class="button" href=${`/instructor/lessons/${lesson.id}`}>Back to the draft</a>
  </section>`;
}
