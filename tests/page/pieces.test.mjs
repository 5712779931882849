import assert from "node:assert/strict";
import { test } from "node:test";

import { Pieces } from "../../static/lib/pieces.js";

const cut = (event, size, id = event.event_id) => {
  const text = JSON.stringify(event);
  const count = Math.ceil(text.length / size);
  return Array.from({ length: count }, (_, index) =>
    ({ type: "event.piece", event_id: id, index, count, data: text.slice(index * size, (index + 1) * size) }));
};
const EVENT = { type: "session.created", event_id: "event_1", words: "två tredjedelar 😀 ".repeat(50) };

test("an event in pieces is whole again with its last piece, in any order", () => {
  for (const order of [(all) => all, (all) => all.toReversed()]) {
    const pieces = new Pieces();
    const found = order(cut(EVENT, 100)).map((piece) => pieces.add(piece));
    assert.deepEqual(found.pop(), EVENT);
    assert.ok(found.length > 5 && found.every((one) => one === null));
  }
});

test("events in pieces may come mixed, and a piece twice", () => {
  const pieces = new Pieces();
  const other = { ...EVENT, event_id: "event_2" };
  const [a, b] = [cut(EVENT, 700), cut(other, 700)];
  const found = [a[0], b[0], a[0], ...a.slice(1), ...b.slice(1)].map((piece) => pieces.add(piece)).filter(Boolean);
  assert.deepEqual(found, [EVENT, other]);
});

test("nonsense is no event, and does no harm", () => {
  const pieces = new Pieces();
  for (const bad of [{}, { count: 1, index: 0 }, { count: 2, index: 2, data: "" }, { count: 1.5, index: 0, data: "x" },
    { event_id: "x", count: 1, index: 0, data: "{" }, { event_id: "x", count: -1, index: -2, data: "x" }]) {
    assert.equal(pieces.add(bad), null);
  }
});

test("what never ends is thrown away", () => {
  const pieces = new Pieces();
  const [first, ...rest] = cut(EVENT, 100);
  pieces.add(first);
  for (let i = 0; i < 10; i++) pieces.add({ event_id: `e${i}`, index: 0, count: 2, data: "x" });
  assert.ok(rest.every((piece) => pieces.add(piece) === null), "the oldest was forgotten");
  const long = "x".repeat(1024 * 1024);
  for (let index = 0; index < 6; index++) assert.equal(pieces.add({ event_id: "long", index, count: 7, data: long }), null);
});
