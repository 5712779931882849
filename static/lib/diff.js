/**
 * What differs between two texts, word by word. Signs and spaces are words of their own; in scripts that put
 * no spaces each character is.
 */

const UNSPACED = ["Han", "Hiragana", "Katakana", "Thai", "Lao", "Khmer"].map((name) => `\\p{Script=${name}}`).join("");
const LETTERS = "[\\p{L}\\p{N}\\p{M}]+";
const WORD = new RegExp(`\\s+|[${UNSPACED}]\\p{M}*|${LETTERS}(?:['’]${LETTERS})*|.`, "gsu");
const LITTLE = 0.4; // of the letters: where two longer texts share less, patches of it would only confuse
const LONG = 20; // words, with their spaces
const MOST_CELLS = 4_000_000; // of the table: two texts of 2,000 words that share nothing at either end

/** Pieces in reading order, `{kind: "same" | "removed" | "added", text}`; neighbours differ in kind. */
export function wordDiff(before, after) {
  const left = before.match(WORD) ?? [];
  const right = after.match(WORD) ?? [];
  const least = Math.min(left.length, right.length);
  let head = 0;
  while (head < least && left[head] === right[head]) head += 1;
  let tail = 0;
  while (tail < least - head && left[left.length - 1 - tail] === right[right.length - 1 - tail]) tail += 1;
  return join([
    ...left.slice(0, head).map(as("same")),
    ...compare(left.slice(head, left.length - tail), right.slice(head, right.length - tail)),
    ...left.slice(left.length - tail).map(as("same")),
  ]);
}

/** The pieces that make up the earlier text, and those of the later. */
export const ofBefore = (pieces) => pieces.filter(({ kind }) => kind !== "added");
export const ofAfter = (pieces) => pieces.filter(({ kind }) => kind !== "removed");

const as = (kind) => (text) => ({ kind, text });

/**
 * By the longest series of words that both have; where that would take too long, or one was written anew, all of
 * one for all of the other.
 */
function compare(left, right) {
  const whole = [...left.map(as("removed")), ...right.map(as("added"))];
  if (left.length * right.length > MOST_CELLS) return whole;
  const pieces = longestSeries(left, right);
  if (Math.min(left.length, right.length) < LONG) return pieces;
  const shared = letters(pieces.filter(({ kind }) => kind === "same").map(({ text }) => text));
  return shared < LITTLE * Math.max(letters(left), letters(right)) ? whole : pieces;
}

const letters = (words) => words.reduce((sum, word) => sum + word.trim().length, 0);

function longestSeries(left, right) {
  const width = right.length + 1;
  const lengths = new Uint32Array((left.length + 1) * width);
  for (let i = left.length - 1; i >= 0; i -= 1) {
    for (let j = right.length - 1; j >= 0; j -= 1) {
      const [next, down, across] = [(i + 1) * width + j + 1, (i + 1) * width + j, i * width + j + 1];
      lengths[i * width + j] = left[i] === right[j] ? lengths[next] + 1 : Math.max(lengths[down], lengths[across]);
    }
  }
  const pieces = [];
  let [i, j] = [0, 0];
  while (i < left.length && j < right.length) {
    if (left[i] === right[j]) {
      pieces.push(as("same")(left[i]));
      i += 1;
      j += 1;
    } else if (lengths[(i + 1) * width + j] >= lengths[i * width + j + 1]) pieces.push(as("removed")(left[i++]));
    else pieces.push(as("added")(right[j++]));
  }
  return [...pieces, ...left.slice(i).map(as("removed")), ...right.slice(j).map(as("added"))];
}

/** Words into pieces. A space alone between two changes belongs to them: "the old" for "a new" is one change. */
function join(words) {
  const pieces = [];
  let change = null;
  const close = () => {
    if (change?.removed) pieces.push(as("removed")(change.removed));
    if (change?.added) pieces.push(as("added")(change.added));
    change = null;
  };
  words.forEach(({ kind, text }, i) => {
    if (kind !== "same") {
      change ??= { removed: "", added: "" };
      change[kind] += text;
    } else if (change && !text.trim() && words[i + 1] && words[i + 1].kind !== "same") {
      change.removed += text;
      change.added += text;
    } else {
      close();
      if (pieces.at(-1)?.kind === "same") pieces.at(-1).text += text;
      else pieces.push(as("same")(text));
    }
  });
  close();
  return pieces;
}
