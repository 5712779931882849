import { ofAfter, ofBefore, wordDiff } from "../lib/diff.js";
import { html } from "../lib/html.js";

const WORDS = {
  removed: ["taken out:", "end of what was taken out"], added: ["put in:", "end of what was put in"],
  own: ["only here:", "end of what is only here"],
};

/**
 * Two texts side by side, what differs marked in each; `titles` are their headings, such as "Version 2" and "Draft".
 * `equal`: neither is the later one.
 */
export function SideBySide({ before, after, titles, language, equal = false }) {
  const pieces = wordDiff(before, after).map((piece) => (equal && piece.kind !== "same" ? { ...piece, as: "own" } : piece));
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

function Piece({ kind, text, as = kind }, i) {
  if (kind === "same") return text;
  const [begin, end] = WORDS[as];
  const marked = [
    html`<span class="for-screen-reader" lang="en"> ${begin} </span>`, text,
    html`<span class="for-screen-reader" lang="en"> ${end} </span>`,
  ];
  if (as === "own") return html`<mark key=${i}>${marked}</mark>`;
  return kind === "removed" ? html`<del key=${i}>${marked}</del>` : html`<ins key=${i}>${marked}</ins>`;
}
