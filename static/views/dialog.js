import { html, useEffect, useRef } from "../lib/html.js";

/** A modal dialog: the browser keeps the focus inside, closes on Escape and gives the focus back. */
export function Dialog({ title, onClose, children, kind = "" }) {
  const node = useRef(null);
  useEffect(() => {
    const before = document.activeElement;
    node.current.showModal();
    return () => before?.focus?.();
  }, []);
  const outside = (event) => event.target === node.current && onClose();
  return html`<dialog ref=${node} class="dialog ${kind}" aria-labelledby="dialog-title" onClose=${onClose} onClick=${outside}>
    <div class="dialog-body">
      <div class="dialog-head">
        <h2 id="dialog-title">${title}</h2>
        <button type="button" class="button quiet" onClick=${onClose}>Close</button>
      </div>
      ${children}
    </div>
  </dialog>`;
}
