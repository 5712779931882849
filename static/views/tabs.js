import { html, useRef } from "../lib/html.js";

/**
 * Panels of which one is seen: `tabs` is `[{key, title, count?, content()}]`; `head` stands above them. Arrows, Home
 * and End go from tab to tab.
 */
export function Tabs({ label, tabs, current, onChange, head }) {
  const list = useRef(null);
  const go = (index) => {
    const { key } = tabs.at(index % tabs.length);
    onChange(key);
    list.current.querySelector(`[data-key="${key}"]`).focus();
  };
  const keys = (event) => {
    const at = tabs.findIndex(({ key }) => key === current);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: -1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    go(to);
  };
  return html`<div class="pane-head">${head}<div class="pane-tabs" role="tablist" aria-label=${label} ref=${list} onKeyDown=${keys}>
      ${tabs.map(({ key, title, count }) => html`<button type="button" role="tab" key=${key} data-key=${key} id="tab-${key}" class="pane-tab"
        aria-selected=${key === current} aria-controls="panel-${key}" tabindex=${key === current ? 0 : -1} onClick=${() => onChange(key)}>${title}${count === null || count === undefined
          ? "" : html` <span class="count">${count}</span>`}</button>`)}
    </div></div>
    ${tabs.map(({ key, content }) => html`<div role="tabpanel" key=${key} id="panel-${key}" class="pane-panel" aria-labelledby="tab-${key}"
      hidden=${key !== current}>${content()}</div>`)}`;
}
