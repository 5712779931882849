import { html, useEffect, useState } from "../lib/html.js";
import { Dialog } from "./dialog.js";

/**
 * Single keys of a page: `keys` is `[{key, title, act}]`. They rest while one types or a dialog is open; `?`
 * shows them. Returns the dialog to draw, or null.
 */
export function useKeys(keys) {
  const [shown, setShown] = useState(false);
  useEffect(() => {
    const down = (event) => {
      if (event.altKey || event.ctrlKey || event.metaKey || event.defaultPrevented) return;
      if (event.target.closest?.("input, textarea, select, [contenteditable], dialog") || document.querySelector("dialog[open]")) return;
      if (event.key === "?") {
        event.preventDefault();
        setShown(true);
        return;
      }
      const found = keys.find(({ key }) => key === event.key);
      if (!found) return;
      event.preventDefault();
      found.act();
    };
    window.addEventListener("keydown", down);
    return () => window.removeEventListener("keydown", down);
  });
  return shown ? html`<${Dialog} title="Keys" onClose=${() => setShown(false)}>
    <dl class="keys">${keys.map(({ key, title }) => html`<div key=${key}><dt><kbd>${key === " " ? "Space" : key}</kbd></dt><dd>${title}</dd></div>`)}
      <div><dt><kbd>?</kbd></dt><dd>Show the keys</dd></div></dl>
  <//>` : null;
}
