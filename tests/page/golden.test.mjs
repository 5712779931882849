import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { controlOf } from "../../static/js/control.js";
import { NOTHING_YET, reduce } from "../../static/js/lesson.js";

const GOLDEN = JSON.parse(readFileSync(new URL("../golden/realtime_server.json", import.meta.url)));

test("every event that the server can write is read, in any state", () => {
  let state = NOTHING_YET;
  for (const round of [1, 2]) {
    for (const [name, event] of Object.entries(GOLDEN)) {
      state = reduce(state, event);
      assert.ok(controlOf(state).word, `${round}: ${name}`);
    }
  }
});

test("items are read as the server writes them", () => {
  const names = ["item done, typed", "item done, spoken", "item done, cut answer", "item done, human tutor", "item done, system"];
  const { items } = names.map((name) => GOLDEN[name]).reduce(reduce, NOTHING_YET);
  assert.deepEqual(items.map((item) => item.speaker.kind), ["student", "student", "ai", "tutor", "system"]);
  assert.ok(items.every((item) => item.saved && item.text !== ""));
  assert.equal(items[2].interrupted, true);
});

test("word times become times of the item's text", () => {
  const event = GOLDEN["transcript delta"];
  const { items: [item] } = reduce(NOTHING_YET, event);
  assert.equal(item.text, event.delta);
  assert.deepEqual(item.words, event.words);
});
