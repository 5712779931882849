import assert from "node:assert/strict";
import { test } from "node:test";

import { ofAfter, ofBefore, wordDiff } from "../../static/lib/diff.js";

const spelled = (before, after) => wordDiff(before, after)
  .map(({ kind, text }) => ({ same: text, removed: `[-${text}]`, added: `[+${text}]` })[kind]).join("");
const words = (pieces) => pieces.map(({ text }) => text).join("");

test("changed words are marked, the others are not", () => {
  const cases = [
    ["two quarters", "two quarters", "two quarters"],
    ["", "", ""],
    ["", "two", "[+two]"],
    ["two", "", "[-two]"],
    ["I eat two slices.", "I eat 2 slices.", "I eat [-two][+2] slices."],
    ["one half", "one half, or two quarters", "one half[+, or two quarters]"],
    ["So it is $\\frac{1}{2}$.", "So it is $\\frac{1}{3}$.", "So it is $\\frac{1}{[-2][+3]}$."],
    ["don't know", "do know", "[-don't][+do] know"],
    ["أكلت قطعتين", "أكلت قطعة", "أكلت [-قطعتين][+قطعة]"],
    ["दो टुकड़े", "तीन टुकड़े", "[-दो][+तीन] टुकड़े"],
    ["二分の一です", "三分の一です", "[-二][+三]分の一です"],
  ];
  for (const [before, after, wanted] of cases) assert.equal(spelled(before, after), wanted);
});

test("neighbouring changes are one, with the space between them", () => {
  assert.equal(spelled("eat the old pizza", "eat a new pizza"), "eat [-the old][+a new] pizza");
});

test("the pieces make up both texts again, whatever they are", () => {
  let seed = 7;
  const random = (below) => {
    seed = (seed * 48_271) % 2_147_483_647;
    return seed % below;
  };
  const vocabulary = ["a", "b", " ", "  ", "\n", ".", "½", "é", "😀", "ها"];
  const text = () => Array.from({ length: random(12) }, () => vocabulary[random(vocabulary.length)]).join("");
  for (let round = 0; round < 500; round += 1) {
    const [before, after] = [text(), text()];
    const pieces = wordDiff(before, after);
    assert.equal(words(ofBefore(pieces)), before);
    assert.equal(words(ofAfter(pieces)), after);
    assert.ok(pieces.every(({ kind, text: own }, i) => own && kind !== pieces[i - 1]?.kind), JSON.stringify(pieces));
  }
});

test("texts of a book's length end, too", () => {
  const long = (word) => Array.from({ length: 20_000 }, (_, i) => `${word}${i}`).join(" ");
  const pieces = wordDiff(long("a"), long("b"));
  assert.deepEqual(pieces.map(({ kind }) => kind), ["removed", "added"]);
});

test("a text that was written anew is no patchwork of the old one", () => {
  const before = "Hello! Today we use fractions to say how much of something we have. A fraction tells how much of a whole thing we have.";
  const after = "Right! Two quarters is the same as one half. Which one tells how many equal parts the whole has, the top number or the bottom?";
  assert.deepEqual(wordDiff(before, after), [{ kind: "removed", text: before }, { kind: "added", text: after }]);
});
