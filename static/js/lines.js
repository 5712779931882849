/** Texts and their lines. */

/** Where line `number` (from 1) of a text stands, in characters. */
export function lineOf(text, number) {
  const lines = text.split("\n");
  const index = Math.min(Math.max(number, 1), lines.length) - 1;
  const start = lines.slice(0, index).reduce((sum, line) => sum + line.length + 1, 0);
  return { start, end: start + lines[index].length };
}

/** The entries of a list that is written one a line; empty lines are none. */
export function entriesOf(text) {
  return text.split("\n").map((line) => line.trim()).filter(Boolean);
}
