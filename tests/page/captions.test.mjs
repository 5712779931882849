import assert from "node:assert/strict";
import { test } from "node:test";

import { captionOf, sentenceEnds, spokenLength } from "../../static/js/captions.js";

const TEXT = "Yes. Two of four is 2/4, right? Go on.";
const WORDS = [...TEXT.matchAll(/\S+/g)].map((match, i) => [match.index, i * 300]);
const item = (more) => ({
  text: TEXT, words: WORDS, playedMs: 0, sounding: true, final: true, interrupted: false, heard: null, ...more,
});
const parts = (it) => {
  const { said, shown, cut } = captionOf(it);
  return [it.text.slice(0, said), it.text.slice(said, shown), cut ? it.text.slice(shown) : ""];
};

test("a word is shown when it begins to sound, not before", () => {
  assert.equal(TEXT.slice(0, spokenLength(item({ playedMs: 299 }))), "Yes. ");
  assert.equal(TEXT.slice(0, spokenLength(item({ playedMs: 300 }))), "Yes. Two ");
});

test("nothing is shown before the first sound", () => {
  const late = item({ words: [[0, 100]], playedMs: 50 });
  assert.equal(spokenLength(late), 0);
});

test("finished sentences are apart from the one that grows", () => {
  assert.deepEqual(parts(item({ playedMs: 1000 })), ["Yes.", " Two of four ", ""]);
});

test("when all was played the whole text is finished", () => {
  assert.deepEqual(parts(item({ sounding: false })), [TEXT, "", ""]);
});

test("a sentence ends at its mark, not inside a number", () => {
  const text = "It is 3.5 metres. “Really?” Yes… हाँ। Ok";
  assert.deepEqual(sentenceEnds(text).map((end) => text.slice(0, end).slice(-4)), ["res.", "ly?”", "Yes…", "हाँ।"]);
});

test("after an interruption the heard words stay and the rest is cut", () => {
  const cut = item({ interrupted: true, sounding: false, playedMs: 700 });
  assert.deepEqual(parts(cut), ["Yes. Two of ", "", "four is 2/4, right? Go on."]);
});

test("the server's account of what was heard counts, whatever its spaces and commas", () => {
  const heard = (text) => parts(item({ interrupted: true, heard: text }))[0];
  assert.equal(heard("Yes Two of"), "Yes. Two of");
  assert.equal(heard(""), "");
  assert.equal(heard("Yes. Two of four is 2/4, right? Go on."), TEXT);
});

test("an account that is no beginning of the text is not believed", () => {
  assert.equal(parts(item({ interrupted: true, heard: "Nothing like it", playedMs: 300 }))[0], "Yes. Two ");
});

test("an old interrupted answer without times is not struck out whole", () => {
  assert.deepEqual(parts(item({ interrupted: true, words: [], sounding: false })), [TEXT, "", ""]);
});
