import assert from "node:assert/strict";
import { test } from "node:test";

import { Asked } from "../../static/js/asked.js";

test("an answer that was cut short before it began is known when it begins", () => {
  const asked = new Asked();
  assert.equal(asked.waits, false);
  asked.ask();
  assert.equal(asked.waits, true);
  asked.cut();
  asked.ask(); // the student said more, and asks again
  assert.equal(asked.begins(), true);
  assert.equal(asked.waits, true);
  assert.equal(asked.begins(), false);
  assert.equal(asked.waits, false);
});

test("an answer that nobody asked for, or that another line took along, is wanted", () => {
  const asked = new Asked();
  asked.cut();
  assert.equal(asked.begins(), false);
  asked.ask();
  asked.cut();
  asked.forget();
  assert.deepEqual([asked.waits, asked.begins()], [false, false]);
});
