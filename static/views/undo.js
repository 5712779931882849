import { html, useEffect, useRef } from "../lib/html.js";

/** What was just done, and the way back; the focus goes there, because what was acted on is gone. */
export function Undo({ children, onUndo, onClose }) {
  const way = useRef(null);
  useEffect(() => way.current.focus({ preventScroll: true }), []);
  return html`<div class="undo" role="status">
    <span dir="auto">${children}</span>
    <button type="button" class="button" ref=${way} onClick=${onUndo}>Undo</button>
    <button type="button" class="button quiet" onClick=${onClose}>Close<span class="for-screen-reader"> this message</span></button>
  </div>`;
}
