import { html } from "../lib/html.js";
import { Own } from "./own.js";

/** What every page but the lesson has around it: the school, the way home, one's own name. */
export function Frame({ api, me, children, onSignOut }) {
  return html`<a class="skip" href="#main">Skip to the page</a>
    <header class="frame-head">
      <a class="brand" href="/student"><span class="brand-mark" aria-hidden="true"></span>
        <span class="brand-name" dir="auto">${me.school.name}</span></a>
      <${Own} api=${api} me=${me} onSignOut=${onSignOut} />
    </header>
    <main id="main" class="page" tabindex="-1">${children}</main>`;
}

/** Something went wrong: what, what is safe, what to do. */
export function Trouble({ title, text, onRetry, children }) {
  return html`<section class="trouble" role="alert">
    <h1>${title}</h1>
    <p>${text}</p>
    <div class="actions">
      ${onRetry && html`<button type="button" class="button primary" onClick=${onRetry}>Try again</button>`}
      ${children ?? html`<a class="button" href="/student">Your lessons</a>`}
    </div>
  </section>`;
}

export function Loading({ what }) {
  return html`<p class="loading" role="status">${what}…</p>`;
}
