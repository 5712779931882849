import assert from "node:assert/strict";
import { test } from "node:test";

import { PlayoutQueue } from "../../static/lib/playout-queue.js";

const RATE = 48_000;
const ms = (count) => (count * RATE) / 1000;
const ramp = (count, from = 0) => Float32Array.from({ length: ms(count) }, (_, i) => (from + i) / 1e6);

function read(queue, count) {
  const out = new Float32Array(ms(count));
  const finished = [];
  for (let at = 0; at < out.length; at += 128) finished.push(...queue.read(out.subarray(at, at + 128)));
  return { out, finished };
}

test("it waits for a lead before it begins", () => {
  const queue = new PlayoutQueue(RATE);
  queue.push("a", ramp(100));
  assert.equal(Math.max(...read(queue, 20).out), 0);
  queue.push("a", ramp(20, ms(100)));
  read(queue, 40);
  assert.equal(queue.now.played_ms, 40);
});

test("a short answer that is complete need not fill the lead", () => {
  const queue = new PlayoutQueue(RATE);
  queue.push("a", ramp(40));
  queue.end("a");
  const { finished } = read(queue, 64);
  assert.deepEqual(finished, [{ id: "a", played_ms: 40 }]);
  assert.equal(queue.now, null);
});

test("every sample is played once, in order, over chunks and items", () => {
  const queue = new PlayoutQueue(RATE);
  queue.push("a", ramp(70));
  queue.push("a", ramp(80, ms(70)));
  queue.end("a");
  queue.push("b", ramp(150, ms(150)));
  queue.end("b");
  const { out } = read(queue, 304);
  assert.deepEqual(out.subarray(0, ms(300)), ramp(300));
});

test("a pause keeps the exact place, and what fades is not counted", () => {
  const queue = new PlayoutQueue(RATE);
  queue.push("a", ramp(400));
  read(queue, 80);
  queue.pause();
  const silent = read(queue, 40);
  assert.equal(silent.out.subarray(ms(8)).every((sample) => sample === 0), true);
  assert.equal(queue.now.played_ms, 80);
  queue.resume();
  const { out } = read(queue, 16);
  assert.ok(Math.abs(out[ms(10)] - (ms(80) + ms(10)) / 1e6) < 1e-9, "goes on from the sample after the pause");
});

test("stopping fades instead of clicking", () => {
  const queue = new PlayoutQueue(RATE);
  queue.push("a", new Float32Array(ms(400)).fill(0.5));
  read(queue, 80);
  queue.drop();
  const { out } = read(queue, 8);
  const steps = out.map((sample, i) => Math.abs(sample - (out[i - 1] ?? 0.5)));
  assert.ok(Math.max(...steps) < 0.01);
});

test("a drop tells what was heard, and later frames of it can't leak in", () => {
  const queue = new PlayoutQueue(RATE);
  queue.push("a", ramp(400));
  queue.push("b", ramp(400));
  read(queue, 200);
  assert.deepEqual(queue.drop(), [{ id: "a", played_ms: 200 }, { id: "b", played_ms: 0 }]);
  queue.push("a", ramp(100));
  queue.end("b");
  assert.equal(queue.now, null);
  queue.push("c", ramp(200));
  read(queue, 40);
  assert.equal(queue.now.id, "c");
});

test("an answer that was dropped before its first frame never sounds", () => {
  const queue = new PlayoutQueue(RATE);
  queue.drop(["a"]);
  queue.push("a", ramp(400));
  queue.end("a");
  assert.equal(queue.now, null);
});

test("a late network makes the lead larger, a calm one smaller again", () => {
  const queue = new PlayoutQueue(RATE);
  const lead = queue.lead_ms;
  queue.push("a", ramp(150));
  read(queue, 200);
  assert.equal(queue.underruns, 1);
  assert.equal(queue.lead_ms, lead + 40);
  for (let i = 0; i < 5; i++) {
    queue.push("a", ramp(250));
    read(queue, 300);
  }
  assert.equal(queue.lead_ms, 200);
  queue.push("a", ramp(21_000));
  read(queue, 20_500);
  assert.equal(queue.lead_ms, 160);
});

test("dropping something while paused lets the next answer sound", () => {
  const queue = new PlayoutQueue(RATE);
  queue.push("a", ramp(400));
  read(queue, 80);
  queue.pause();
  queue.drop();
  queue.push("b", ramp(400));
  read(queue, 80);
  assert.equal(queue.now.played_ms, 80);
});
