import { moment } from "../lib/format.js";
import { html } from "../lib/html.js";
import { SideBySide } from "./word-diff.js";

/**
 * That something was corrected, by whom, and on demand what it was: `before` and `after` are the two texts,
 * `titles` what they are called. `reasons` are words for staff; students get none.
 */
export function Correction({ correction, before, after, titles, reasons, locale, children }) {
  const { by, at, note } = correction;
  return html`<details class="correction">
    <summary><span class="correction-mark"><span aria-hidden="true">✓ </span>corrected by <bdi>${by.name}</bdi></span>
      <span class="correction-more">What was it before?</span></summary>
    <div class="correction-whole">
      ${children}
      ${before !== undefined && html`<${SideBySide} before=${before ?? ""} after=${after ?? ""} titles=${titles} />`}
      <p class="faint">${moment(at, locale)}${reasons?.length > 0 ? ` · ${reasons.join(" · ")}` : ""}</p>
      ${note && html`<p class="faint">Note: <span dir="auto">${note}</span></p>`}
    </div>
  </details>`;
}
