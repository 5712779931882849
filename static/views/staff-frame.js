import { homeOf, tabsOf } from "../js/roles.js";
import { html } from "../lib/html.js";
import { Own } from "./own.js";

/** The one frame of staff and families: the school, the sections of one's roles, one's own menu. */
export function StaffFrame({ api, me, path, children, onSignOut }) {
  return html`<a class="skip" href="#main">Skip to the page</a>
    <header class="frame-head staff-head">
      <a class="brand" href=${homeOf(me)}><span class="brand-mark" aria-hidden="true"></span>
        <span class="brand-name" dir="auto">${me.school.name}</span></a>
      <nav class="tabs" aria-label="Sections">
        ${tabsOf(me, path).map(({ href, title, current }) => html`<a key=${href} href=${href} class="tab"
          aria-current=${current ? "page" : undefined}>${title}</a>`)}
      </nav>
      <${Own} api=${api} me=${me} onSignOut=${onSignOut} />
    </header>
    <main id="main" class="page staff-page" tabindex="-1">${children}</main>`;
}
