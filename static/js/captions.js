/**
 * Captions that follow the sound: which part of an answer was heard, which is being said, which was cut.
 *
 * An item's `words` are pairs (character, ms): the word that begins at this character sounds at this
 * time of the item. Nothing here knows the clock; it is told how much was played.
 */

const SENTENCE = /[.!?…。！？।؟]+["'”’)\]]*(?=\s|$)/g;

/** How many characters of the text have begun to sound after `played_ms`. */
export function spokenLength(item) {
  const { text, words, playedMs } = item;
  if (words.length === 0) return playedMs > 0 ? text.length : 0;
  let next = 0;
  while (next < words.length && words[next][1] <= playedMs) next += 1;
  if (next === words.length) return text.length;
  return next === 0 ? 0 : words[next][0];
}

/** Where finished sentences end, as character counts; the text's own end is not one of them. */
export function sentenceEnds(text) {
  return [...text.matchAll(SENTENCE)].map((match) => match.index + match[0].length);
}

/**
 * An answer's text by character: `said` in finished sentences up to here, growing up to `shown`; what lies
 * after `shown` is not said yet or, where `cut`, was never heard because the student interrupted.
 */
export function captionOf(item) {
  const { text } = item;
  if (item.interrupted) {
    const heard = heardLength(item);
    return { said: heard, shown: heard, cut: heard < text.length };
  }
  const shown = item.sounding ? spokenLength(item) : text.length;
  if (item.final && shown >= text.length) return { said: text.length, shown: text.length, cut: false };
  const said = sentenceEnds(text).filter((end) => end <= shown).at(-1) ?? 0;
  return { said, shown, cut: false };
}

function heardLength({ text, heard, words, playedMs }) {
  const length = heard === null ? null : prefixLength(text, heard);
  if (length !== null) return length;
  return words.length === 0 ? text.length : spokenLength({ text, words, playedMs });
}

/** How much of `text` the words of `heard` make up, whatever the spaces and commas; null: it is no beginning. */
function prefixLength(text, heard) {
  const letters = heard.replace(/[^\p{L}\p{N}]/gu, "");
  let at = 0;
  let matched = 0;
  for (; at < text.length && matched < letters.length; at++) {
    if (text[at] === letters[matched]) matched += 1;
    else if (/[\p{L}\p{N}]/u.test(text[at])) return null;
  }
  if (matched < letters.length) return null;
  if (matched === 0) return 0;
  while (at < text.length && /[^\s\p{L}\p{N}]/u.test(text[at])) at += 1;
  return at;
}
