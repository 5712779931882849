import { ofAfter, ofBefore, wordDiff } from "../lib/diff.js";
import { html } from "../lib/html.js";

const WORDS = { removed: ["taken out:", "end of what was taken out"], added: ["put in:", "end of what was put in"] };

/** Two texts side by side, what differs marked in each; `titles` are their headings, such as "Version 2" and "Draft". */
export function SideBySide({ before, after, titles, language }) {
  const pieces = wordDiff(before, after);
  const side = (title, text) => html`<div class="side">
    <p class="side-title">${title}</p>
    <p class="side-text" dir="auto" lang=${language}>${text.length === 0 ? html`<em lang="en">nothing</em>` : text.map(Piece)}</p>
  </div>`;
  return html`<div class="sides">${side(titles[0], ofBefore(pieces))}${side(titles[1], ofAfter(pieces))}</div>`;
}

/** Both texts as one, what was taken out before what was put in. */
export function Merged({ before, after, language }) {
  return html`<span class="merged" dir="auto" lang=${language}>${wordDiff(before, after).map(Piece)}</span>`;
}

function Piece({ kind, text }, i) {
  if (kind === "same") return text;
  const [begin, end] = WORDS[kind];
  const marked = [
    html`<span class="for-screen-reader" lang="en"> ${begin} </span>`, text,
    html`<span class="for-screen-reader" lang="en"> ${end} </span>`,
  ];
  return kind === "removed" ? html`<del key=${i}>${marked}</del>` : html`<ins key=${i}>${marked}</ins>`;
}
