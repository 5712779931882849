import assert from "node:assert/strict";
import { test } from "node:test";

import { KeptSound } from "../../static/js/kept-sound.js";

test("the latest is kept, in order, and taken once", () => {
  const kept = new KeptSound(3);
  for (const frame of [1, 2, 3, 4]) kept.push(frame, false);
  assert.deepEqual(kept.take(), [2, 3, 4]);
  assert.deepEqual(kept.take(), []);
});

test("a minute of silence pushes no word out, and only its ends are kept", () => {
  const kept = new KeptSound(100);
  for (let at = 0; at < 50; at++) kept.push(`one ${at}`, false);
  for (let at = 0; at < 3000; at++) kept.push(`quiet ${at}`, true);
  for (let at = 0; at < 20; at++) kept.push(`two ${at}`, false);
  const frames = kept.take();
  assert.equal(frames.length, 50 + 25 + 20);
  assert.deepEqual([frames[0], frames[49], frames[50], frames[59], frames[60], frames[74], frames[75]],
    ["one 0", "one 49", "quiet 0", "quiet 9", "quiet 2985", "quiet 2999", "two 0"]);
});

test("short pauses between words are kept whole", () => {
  const kept = new KeptSound(100);
  for (let word = 0; word < 2; word++) {
    for (let at = 0; at < 10; at++) kept.push("word", false);
    for (let at = 0; at < 25; at++) kept.push("quiet", true);
  }
  assert.equal(kept.take().length, 70);
});

test("what comes behind it pushes out the oldest", () => {
  const kept = new KeptSound(4);
  for (const frame of [1, 2, 3]) kept.push(frame, false);
  kept.add([4, 5, 6]);
  assert.deepEqual(kept.take(), [3, 4, 5, 6]);
});
