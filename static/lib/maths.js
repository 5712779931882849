/**
 * Finds the maths in a sentence: `$…$`, `\(…\)`, and fractions written plainly, like 2/4.
 *
 * A piece is `{start, end, text}` of the sentence, with `tex` where it is maths. Dates (2/4/2026),
 * paths and prices stay text.
 */

const MATHS = /\\\((.+?)\\\)|\\\[(.+?)\\\]|\$\$(.+?)\$\$|\$(?![\s\d.,]+(?:\s|$))([^$\s](?:[^$]*?[^$\s])?)\$|(?<![\d/.,\w])(\d{1,4})\/(\d{1,4})(?![\d/\w]|[.,]\d)/gs;

export function pieces(text) {
  const found = [];
  let at = 0;
  for (const match of text.matchAll(MATHS)) {
    const [whole, round, square, double, single, top, bottom] = match;
    if (match.index > at) found.push(plain(text, at, match.index));
    const tex = top ? `\\tfrac{${top}}{${bottom}}` : (round ?? square ?? double ?? single).trim();
    at = match.index + whole.length;
    found.push({ start: match.index, end: at, text: whole, tex });
  }
  if (at < text.length) found.push(plain(text, at, text.length));
  return found;
}

/** The formulas of a text, each once, in order; what the board shows. */
export function formulas(text) {
  const all = pieces(text).filter((piece) => piece.tex).map((piece) => piece.tex);
  return [...new Set(all)];
}

function plain(text, start, end) {
  return { start, end, text: text.slice(start, end) };
}
