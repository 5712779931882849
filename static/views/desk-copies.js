import { addressWith } from "../js/address.js";
import { html } from "../lib/html.js";
import { Dialog } from "./dialog.js";

const FORMATS = [
  ["csv", "CSV", "A table for a spreadsheet: one row for each thing said.", "A table for a spreadsheet."],
  ["json", "JSON", "Everything, with times and corrections, for other programs.", "Everything, for other programs."],
  ["vtt", "WebVTT", "Subtitles with times.", "Subtitles, one file for each session, in a ZIP file."],
];

/** Copies to take away: of one session, or of all that a list shows. */
export function Copies({ path, query = {}, many = false, onClose }) {
  return html`<${Dialog} title=${many ? "Take a copy of these sessions" : "Take a copy"} onClose=${onClose}>
    <p>${many ? "All sessions that the filters let through, not only those shown so far. " : ""}A copy holds the corrected words.
      Students can see that you took it.</p>
    <ul class="rows">${FORMATS.map(([format, name, one, all]) => html`<li class="row" key=${format}>
      <a href=${`/api/v1${addressWith(path, { ...query, format })}`} download>${name}</a>
      <span class="faint">${many ? all : one}</span></li>`)}</ul>
  <//>`;
}
