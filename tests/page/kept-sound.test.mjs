import assert from "node:assert/strict";
import { test } from "node:test";

import { KeptSound } from "../../static/js/kept-sound.js";

function push(kept, name, count, isQuiet) {
  for (let at = 0; at < count; at++) kept.push(`${name} ${at}`, isQuiet);
}

test("the latest is kept, in order, and taken once", () => {
  const kept = new KeptSound(3);
  for (const frame of [1, 2, 3, 4]) kept.push(frame, false);
  assert.deepEqual(kept.take(), [2, 3, 4]);
  assert.deepEqual(kept.take(), []);
});

test("a minute of silence pushes no word out: it is cut in its middle", () => {
  const kept = new KeptSound(100);
  push(kept, "one", 50, false);
  push(kept, "quiet", 3000, true);
  push(kept, "two", 20, false);
  const frames = kept.take();
  assert.equal(frames.length, 100);
  assert.deepEqual([frames[0], frames[49], frames[50], frames.at(-21), frames.at(-20)],
    ["one 0", "one 49", "quiet 0", "quiet 2999", "two 0"]);
  const cut = frames.findIndex((frame, at) => at > 50 && frame !== `quiet ${at - 50}`);
  assert.ok(cut >= 60 && cut <= 100 - 20 - 15, `cut at ${cut}`);
});

test("a voice as soft as silence is kept as long as there is room", () => {
  const kept = new KeptSound(100);
  push(kept, "soft", 100, true);
  assert.equal(kept.take().length, 100);
});

test("short pauses between words are kept whole, and then the oldest word goes", () => {
  const kept = new KeptSound(70);
  for (let word = 0; word < 3; word++) {
    push(kept, `word ${word}`, 10, false);
    push(kept, "pause", 25, true);
  }
  const frames = kept.take();
  assert.deepEqual([frames.length, frames[0], frames[35]], [70, "word 1 0", "word 2 0"]);
});
