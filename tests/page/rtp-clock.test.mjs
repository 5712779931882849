import assert from "node:assert/strict";
import { test } from "node:test";

import { RtpClock } from "../../static/lib/rtp-clock.js";

const MS = 48;

test("the timestamp that sounds tells how much of the item was heard", () => {
  const clock = new RtpClock();
  clock.mark({ id: "a", ms: 0, rtp: 10_000, at: 0 });
  assert.deepEqual(clock.heard(10_000 - MS), [], "its first packet does not sound yet");
  assert.deepEqual(clock.heard(10_000), [{ id: "a", ms: 0, over: false }]);
  assert.deepEqual(clock.heard(10_000 + 740 * MS), [{ id: "a", ms: 740, over: false }]);
});

test("a timestamp may wrap at 32 bits in the middle of an item", () => {
  const clock = new RtpClock();
  const start = 2 ** 32 - 100 * MS;
  clock.mark({ id: "a", ms: 500, rtp: start, at: 0 });
  assert.equal(clock.heard(start + 60 * MS)[0].ms, 560);
  assert.equal(clock.heard((start + 340 * MS) % 2 ** 32)[0].ms, 840);
  clock.mark({ id: "b", ms: 0, rtp: 400 * MS, at: 500 });
  assert.deepEqual(clock.heard(500 * MS), [{ id: "a", ms: 1000, over: true }, { id: "b", ms: 100, over: false }]);
});

test("a packet of before, come late, takes nothing back to another turn of the 32 bits", () => {
  const clock = new RtpClock();
  clock.mark({ id: "a", ms: 0, rtp: 20 * MS, at: 0 });
  assert.deepEqual(clock.heard(2 ** 32 - 10 * MS), []);
  assert.equal(clock.heard(50 * MS)[0].ms, 30);
});

test("a pause is not heard, and what follows goes on from where it was", () => {
  const clock = new RtpClock();
  clock.mark({ id: "a", ms: 0, rtp: 0, at: 0 });
  clock.hold(300);
  assert.equal(clock.heard(900 * MS)[0].ms, 300);
  clock.mark({ id: "a", ms: 300, rtp: 1000 * MS, at: 1000 });
  assert.deepEqual(clock.heard(1250 * MS), [{ id: "a", ms: 550, over: false }]);
});

test("the end is heard when its timestamp is, told or reckoned", () => {
  const told = new RtpClock();
  told.mark({ id: "a", ms: 0, rtp: 0, at: 0 });
  told.stop(700, 640 * MS);
  assert.deepEqual(told.heard(600 * MS), [{ id: "a", ms: 600, over: false }]);
  assert.deepEqual(told.heard(900 * MS), [{ id: "a", ms: 640, over: true }]);
  assert.deepEqual(told.heard(1000 * MS), []);
  const reckoned = new RtpClock();
  reckoned.mark({ id: "a", ms: 0, rtp: 0, at: 0 });
  reckoned.stop(700);
  assert.deepEqual(reckoned.heard(2000 * MS), [{ id: "a", ms: 700, over: true }]);
  assert.equal(reckoned.waits, false);
});

test("where the browser does not tell, it is guessed from when the pieces began", () => {
  const clock = new RtpClock();
  clock.mark({ id: "a", ms: 100, rtp: 5, at: 1000 });
  assert.deepEqual(clock.guess(1100, 150), []);
  assert.deepEqual(clock.guess(1650, 150), [{ id: "a", ms: 600, over: false }]);
});

test("what is not asked for does not grow", () => {
  const clock = new RtpClock();
  for (let i = 0; i < 10_000; i++) clock.mark({ id: `i${i}`, ms: 0, rtp: i * 1000 * MS, at: i * 1000 });
  assert.ok(clock.heard(10_000 * 1000 * MS).length <= 32);
  clock.clear();
  assert.equal(clock.waits, false);
});
