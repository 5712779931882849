import { html, useEffect, useState } from "../lib/html.js";
import { Dialog } from "./dialog.js";

const SILENCED = "single-keys-off"; // on this device: who speaks to the computer, or bumps keys, may not want them

/**
 * Single keys of a page: `keys` is `[{key, title, act}]`; without `act` it is only shown, as a key that works
 * elsewhere. They rest while one types or a dialog is open; `?` shows them, and they can be switched off. Returns
 * what to draw at the end of the page.
 */
export function useKeys(keys) {
  const [shown, setShown] = useState(false);
  const [silenced, setSilenced] = useState(isSilenced);
  useEffect(() => {
    if (silenced) return undefined;
    const down = (event) => {
      if (event.altKey || event.ctrlKey || event.metaKey || event.defaultPrevented) return;
      if (event.target.closest?.("input, textarea, select, [contenteditable], dialog") || document.querySelector("dialog[open]")) return;
      if (event.key === "?") {
        event.preventDefault();
        setShown(true);
        return;
      }
      const found = keys.find(({ key, act }) => key === event.key && act);
      if (!found) return;
      event.preventDefault();
      found.act();
    };
    window.addEventListener("keydown", down);
    return () => window.removeEventListener("keydown", down);
  });
  const silence = (event) => {
    setSilenced(!event.target.checked);
    remember(!event.target.checked);
  };
  if (keys.length === 0) return null;
  return html`<div class="keys-line"><button type="button" class="button quiet" onClick=${() => setShown(true)}>Keys of this page <kbd>?</kbd></button>
    ${shown && html`<${Dialog} title="Keys" onClose=${() => setShown(false)}>
      <dl class="keys">${keys.map(({ key, title }) => html`<div key=${key}><dt>${key.split("+").map((one) => html`<kbd>${one === " " ? "Space" : one}</kbd> `)}</dt><dd>${title}</dd></div>`)}
        <div><dt><kbd>?</kbd></dt><dd>Show the keys</dd></div></dl>
      <label class="check"><input type="checkbox" checked=${!silenced} onChange=${silence} /> <span>Use single keys on this device</span></label>
    <//>`}</div>`;
}

function isSilenced() {
  try {
    return window.localStorage.getItem(SILENCED) === "yes";
  } catch {
    return false;
  }
}

function remember(silenced) {
  try {
    if (silenced) window.localStorage.setItem(SILENCED, "yes");
    else window.localStorage.removeItem(SILENCED);
  } catch {
    // this page knows it all the same
  }
}
