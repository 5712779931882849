import { html, useState } from "../lib/html.js";

/** The next page of a list, put behind what is already there: `ask(cursor)`, `onMore(page)`. */
export function More({ page, ask, onMore }) {
  const [trouble, setTrouble] = useState(null);
  if (!page.next_cursor) return null;
  const more = () => ask(page.next_cursor).then(
    (next) => onMore({ ...next, items: [...page.items, ...next.items] }),
    (error) => setTrouble(error.message),
  );
  return html`<p><button type="button" class="button" onClick=${more}>Show more</button></p>
    ${trouble && html`<p role="alert">${trouble}</p>`}`;
}
