import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { isBehind, readItem } from "../../static/js/items.js";
import { NOTHING_YET, reduce } from "../../static/js/lesson.js";
import { asTex, crossing, labelled, path, rows, scale, together, written } from "../../static/lib/plane.js";

const GOLDEN = JSON.parse(readFileSync(new URL("../golden/realtime_server.json", import.meta.url)));
const show = (n) => ({ ...GOLDEN.board, item_id: `item_${n}` });
const ids = (state) => state.figures.map(({ id }) => id);

test("what the tutor shows is on the board, the same thing once, and no more than four", () => {
  let state = [1, 2, 1].map(show).reduce(reduce, NOTHING_YET);
  assert.deepEqual(ids(state), ["item_2", "item_1"]);
  assert.deepEqual(state.figures[0].drawing, { fractions: [{ top: 2, bottom: 4 }] });
  state = [3, 4, 5].map(show).reduce(reduce, state);
  assert.deepEqual(ids(state), ["item_1", "item_3", "item_4", "item_5"]);
});

test("the board is wiped when the step is over, and not before", () => {
  const progress = { type: "lesson.progress", step: 1, steps: 3, goal: "g", status: "asking" };
  let state = [progress, show(1), { ...progress, status: "hinting" }].reduce(reduce, NOTHING_YET);
  assert.equal(state.figures.length, 1);
  state = reduce(state, { ...progress, step: 2 });
  assert.deepEqual(state.figures, []);
});

test("a page that comes back keeps what it has, and gets the rest once", () => {
  const state = [show(1), GOLDEN["session.created, resumed"], show(1)].reduce(reduce, NOTHING_YET);
  assert.deepEqual(ids(state), ["item_1"]);
});

test("what the tutor did for itself is no line of the student's", () => {
  const item = readItem(GOLDEN["item done, tool"].item);
  assert.equal(item.tool, "check_answer");
  assert.ok(isBehind(item));
  assert.ok(isBehind({ tool: { name: "note_progress", words: null } }));
  for (const tool of ["show", "ask_for_human", null]) assert.equal(isBehind({ tool }), false);
});

test("numbers find their places", () => {
  const toX = scale({ from: -2, to: 2 }, 0, 100);
  assert.deepEqual([-2, 0, 2].map(toX), [0, 50, 100]);
  assert.equal(scale({ from: 1, to: 1 }, 0, 100)(1), 0);
  assert.equal(path([[-2, 0], [2, 1]], toX, (y) => y), "M0 0L100 1");
  assert.deepEqual([{ from: -1, to: 1 }, { from: 2, to: 3 }, { from: -3, to: -2 }].map(crossing), [0, 2, -2]);
});

test("numbers stand where there is room for them, the zero among them", () => {
  const ticks = [-5, -4, -3, -2, -1, 0, 1, 2, 3, 4, 5];
  assert.deepEqual(labelled(ticks, 6), [-4, -2, 0, 2, 4]);
  assert.deepEqual(labelled([0, 1, 2], 6), [0, 1, 2]);
  assert.deepEqual(rows([10, 20, 100, 25], 30), [0, 1, 0, 2]);
  assert.deepEqual(together([{ at: 0.5, label: "1/2" }, { at: 1, label: "1" }, { at: 0.5, label: "2/4" }]),
    [{ at: 0.5, label: "1/2 = 2/4" }, { at: 1, label: "1" }]);
});

test("numbers are written for people", () => {
  assert.equal(written(-2.5, "en"), "−2.5");
  assert.equal(written(0.25, "es"), "0,25");
  assert.equal(written(80_000_000, "en"), "80M");
  assert.equal(written(0, "en"), "0");
  assert.equal(asTex("y = x^12 - 2*x"), "y = x^{12} - 2 \\cdot x");
  for (const label of ["y = sin(x)", "y = x^(1/2)", "\\href{a}{b}"]) assert.equal(asTex(label), null);
});
