import assert from "node:assert/strict";
import { test } from "node:test";

import { LineWatch } from "../../static/js/line-watch.js";

/** A watched call whose counts the test sets; `beat` is a second. */
function begin(t) {
  t.mock.timers.enable({ apis: ["setInterval"] });
  globalThis.window = new EventTarget();
  const all = { told: [], checked: 0, hurried: 0, counts: { packetsReceived: 0, packetsLost: 0 } };
  all.line = {
    since: 1000, unsentBytes: 0, roundTripMs: 20, call: true,
    check: () => all.checked++,
    hurry: () => all.hurried++,
    stats: async () => (all.line.call ? new Map([["I", { type: "inbound-rtp", kind: "audio", ...all.counts }]]) : null),
  };
  all.watch = new LineWatch(all.line, {
    gaps: () => 0, quality: (quality) => all.told.push(quality), poor: () => all.told.push("in words"),
  });
  all.watch.start();
  t.after(() => {
    all.watch.stop();
    delete globalThis.window;
  });
  all.beat = async (received = 50, lost = 0) => {
    all.counts = { packetsReceived: all.counts.packetsReceived + received, packetsLost: all.counts.packetsLost + lost };
    t.mock.timers.tick(1000);
    for (let i = 0; i < 20; i++) await Promise.resolve();
  };
  return all;
}

test("a poor call is said at once, put into words once it lasts, and taken back", async (t) => {
  const all = begin(t);
  for (let i = 0; i < 6; i++) await all.beat();
  assert.deepEqual(all.told, []);
  for (let i = 0; i < 8; i++) await all.beat(30, 20);
  assert.equal(all.told.filter((one) => one === "poor").length, 1);
  assert.equal(all.told.filter((one) => one === "in words").length, 1);
  for (let i = 0; i < 8; i++) await all.beat();
  assert.equal(all.told.at(-1), "good");
  assert.equal(all.checked, 22);
});

test("what another call has counted says nothing about this one", async (t) => {
  const all = begin(t);
  for (let i = 0; i < 6; i++) await all.beat();
  // The next one has received more already, and lost what the first one had not.
  all.line.since = 7000;
  all.counts = { packetsReceived: 400, packetsLost: 300 };
  for (let i = 0; i < 6; i++) await all.beat();
  assert.deepEqual(all.told, []);
});

test("a socket in its place is judged by what it is", async (t) => {
  const all = begin(t);
  for (let i = 0; i < 4; i++) await all.beat(20, 30);
  assert.equal(all.told.at(-1), "poor");
  all.line.call = false;
  await all.beat();
  assert.equal(all.told.at(-1), "good");
});

test("the network's return is heard until it stops", async (t) => {
  const all = begin(t);
  window.dispatchEvent(new Event("online"));
  all.watch.stop();
  window.dispatchEvent(new Event("online"));
  assert.equal(all.hurried, 1);
});
