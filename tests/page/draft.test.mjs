import assert from "node:assert/strict";
import { test } from "node:test";

import { begin, conflicts, editAt, ready, reduce, standing, unsaved, wakeAt } from "../../static/js/draft.js";
import { fitted, mergedOrder, moved, put, valueAt } from "../../static/js/draft-plan.js";
import { DraftServer, answered } from "./draft-server.mjs";

const PLAN = {
  title: "Halves", goal: "See a half.", voice: { speed: 0.9 },
  steps: [{ id: "a", ask: "One?", hints: ["Look."] }, { id: "b", ask: "Two?" }, { id: "c", ask: "Three?" }],
};
const KIM = { id: "k", name: "Kim" };
const fresh = (plan = PLAN) => ({ revision: 1, plan, changed_by: KIM });
const after = (state, ...events) => events.reduce(reduce, state);
const typed = (path, now, at = 0, rest = {}) => ({ type: "typed", path, now, at, ...rest });
const chosen = (path, now, at = 0, rest = {}) => typed(path, now, at, { wait: false, ...rest });
const sending = (path, now) => ({ type: "sending", path, now });
const order = (state) => state.plan.steps.map(({ id }) => id).join("");

/** Sends what is ready at `at` to a server, and answers in the order it was sent. */
function exchange(state, server, at, by = "me") {
  let next = state;
  for (const save of ready(state, at)) {
    next = reduce(next, { type: "sending", ...save });
    next = reduce(next, answered(save.path, server.patch(save, by), at));
  }
  return next;
}

test("a plan is read and written by path", () => {
  assert.equal(valueAt(PLAN, "title"), "Halves");
  assert.equal(valueAt(PLAN, "voice.speed"), 0.9);
  assert.equal(valueAt(PLAN, "voice.name"), null);
  assert.deepEqual(valueAt(PLAN, "steps.a"), { ask: "One?", hints: ["Look."] });
  assert.deepEqual(valueAt(PLAN, "step_order"), ["a", "b", "c"]);
  assert.equal(valueAt(PLAN, "steps.z.ask"), null);
  assert.equal(valueAt({}, "steps.z"), null);
  assert.deepEqual(put(PLAN, "voice.speed", null).voice, undefined);
  assert.equal(valueAt(put(PLAN, "steps.b.ask", "2?"), "steps.b.ask"), "2?");
  assert.deepEqual(valueAt(put(PLAN, "steps.n", { ask: "N" }, "a"), "step_order"), ["a", "n", "b", "c"]);
  assert.deepEqual(valueAt(put(PLAN, "steps.b", null), "step_order"), ["a", "c"]);
  assert.equal(put(PLAN, "steps.z.ask", "?"), PLAN);
});

test("orders are moved, fitted and merged", () => {
  assert.deepEqual(moved(["a", "b", "c"], "c", 0), ["c", "a", "b"]);
  assert.deepEqual(fitted(["c", "a", "x"], ["a", "b", "c"]), ["c", "a", "b"]);
  assert.deepEqual(mergedOrder(["a", "b", "c"], ["c", "a", "b"], ["a", "b", "n", "c"]), ["c", "a", "b", "n"]);
  assert.deepEqual(mergedOrder(["a", "b", "c"], ["c", "a", "b"], ["a", "c"]), ["c", "a"]);
  assert.equal(mergedOrder(["a", "b", "c"], ["c", "a", "b"], ["b", "a", "c"]), null);
});

test("what is typed is seen at once, and saved when one pauses or leaves the field", () => {
  let state = after(begin(fresh()), typed("goal", "See", 0), typed("goal", "See two", 300));
  assert.equal(state.plan.goal, "See two");
  assert.equal(standing(state), "saving");
  assert.deepEqual(ready(state, 699), []);
  assert.equal(wakeAt(state), 700);
  assert.deepEqual(ready(state, 700), [{ path: "goal", was: "See a half.", now: "See two", after: null }]);
  state = reduce(state, { type: "left", path: "goal", at: 350 });
  assert.equal(ready(state, 350).length, 1);
});

test("what is typed back is no change", () => {
  assert.deepEqual(after(begin(fresh()), typed("goal", "x"), typed("goal", "See a half.")).edits, []);
  assert.deepEqual(after(begin(fresh()), typed("goal", "See a half.")).edits, []);
  assert.deepEqual(after(begin(fresh()), typed("level", null)).edits, []);
});

test("one save of a field at a time; what is typed meanwhile goes after it, on top of it", () => {
  let state = after(begin(fresh()), typed("goal", "A", 0), sending("goal", "A"), typed("goal", "AB", 500));
  assert.deepEqual(ready(state, 9_000), []);
  state = reduce(state, { type: "saved", path: "goal", revision: 2, value: "A" });
  assert.equal(state.saved.goal, "A");
  assert.equal(state.plan.goal, "AB");
  assert.deepEqual(ready(state, 900), [{ path: "goal", was: "A", now: "AB", after: null }]);
});

test("answers may come in any order, and after a newer look at the draft", () => {
  let state = after(begin(fresh()), typed("goal", "G"), typed("title", "T"), sending("goal", "G"), sending("title", "T"));
  state = reduce(state, { type: "saved", path: "title", revision: 3, value: "T" });
  state = reduce(state, { type: "heard", draft: { revision: 1, plan: PLAN, changed_by: KIM } });
  assert.equal(state.plan.title, "T", "an older draft takes nothing back");
  state = reduce(state, { type: "heard", draft: { revision: 4, plan: { ...PLAN, goal: "Kim's", title: "T" }, changed_by: KIM } });
  state = reduce(state, { type: "saved", path: "goal", revision: 2, value: "G" });
  assert.equal(state.plan.goal, "Kim's", "Kim wrote it after that");
  assert.equal(standing(state), "saved");
});

test("what others write comes in, but not over what one types", () => {
  const draft = { revision: 2, plan: { ...PLAN, title: "Kim's title", goal: "Kim's goal" }, changed_by: KIM };
  const state = after(begin(fresh()), typed("goal", "Mine"), { type: "heard", draft });
  assert.equal(state.plan.title, "Kim's title");
  assert.equal(state.plan.goal, "Mine");
  assert.deepEqual(ready(state, 400)[0].was, "See a half.", "so the server can tell that both changed it");
});

const CONFLICT = { type: "conflict", path: "goal", theirs: "Theirs", by: KIM, revision: 2, at: 500 };
const inConflict = () => after(begin(fresh()), typed("goal", "Mine"), sending("goal", "Mine"), CONFLICT);

test("both texts stand until one decides; other fields go on", () => {
  let state = inConflict();
  assert.equal(standing(state), "conflict");
  assert.deepEqual(conflicts(state).map(({ path, was, now, theirs, by }) => [path, was, now, theirs, by.name]),
    [["goal", "See a half.", "Mine", "Theirs", "Kim"]]);
  assert.equal(state.plan.goal, "Mine");
  state = after(state, typed("title", "Other", 600), typed("goal", "Mine, and more", 600));
  assert.deepEqual(ready(state, 5_000).map(({ path }) => path), ["title"]);
  assert.deepEqual(unsaved(state).map(({ now }) => now), ["Mine, and more", "Other"]);
});

test("keep mine, take theirs, or merge by hand", () => {
  const mine = reduce(inConflict(), { type: "resolved", path: "goal", how: "mine", at: 900 });
  assert.deepEqual(ready(mine, 900), [{ path: "goal", was: "Theirs", now: "Mine", after: null }]);
  const theirs = reduce(inConflict(), { type: "resolved", path: "goal", how: "theirs" });
  assert.equal(theirs.plan.goal, "Theirs");
  assert.equal(standing(theirs), "saved");
  const merged = after(inConflict(), typed("goal", "Theirs and mine"), { type: "resolved", path: "goal", how: "mine", at: 900 });
  assert.deepEqual(ready(merged, 900), [{ path: "goal", was: "Theirs", now: "Theirs and mine", after: null }]);
});

test("a conflict follows what the other writes, and ends when they take it back", () => {
  const heard = (goal, revision) => ({ type: "heard", draft: { revision, plan: { ...PLAN, goal }, changed_by: KIM } });
  assert.equal(conflicts(reduce(inConflict(), heard("Theirs, longer", 3)))[0].theirs, "Theirs, longer");
  assert.equal(standing(reduce(inConflict(), heard("See a half.", 3))), "saving");
  assert.equal(standing(reduce(inConflict(), heard("Mine", 3))), "saved");
});

test("a lost answer is no conflict: the server's value is one's own", () => {
  let state = after(begin(fresh()), typed("goal", "A"), sending("goal", "A"),
    { type: "failed", path: "goal", why: "offline", at: 500, random: () => 0 }, typed("goal", "AB", 600));
  assert.equal(standing(state), "unsaved");
  state = after(state, { type: "hurried", at: 1_000 }, sending("goal", "AB"),
    { type: "conflict", path: "goal", theirs: "A", by: KIM, revision: 2, at: 1_100 });
  assert.deepEqual(ready(state, 1_100), [{ path: "goal", was: "A", now: "AB", after: null }]);
});

test("a failed save waits ever longer, and says why", () => {
  const fail = (at, rest = {}) => ({ type: "failed", path: "goal", why: "offline", at, random: () => 1, ...rest });
  let state = after(begin(fresh()), typed("goal", "A"), sending("goal", "A"), fail(0));
  assert.equal(wakeAt(state), 600);
  assert.deepEqual(ready(state, 599), []);
  state = after(state, sending("goal", "A"), fail(600));
  assert.equal(wakeAt(state), 1_800);
  state = after(state, sending("goal", "A"), fail(2_000, { retryAfterMs: 30_000, why: "busy" }));
  assert.equal(wakeAt(state), 32_000);
  assert.equal(state.line.why, "busy");
});

test("what an earlier visit could not save is there again, and compared with what stands now", () => {
  const kept = unsaved(after(begin(fresh()), typed("goal", "Mine"), typed("title", "Mine too")));
  const stored = JSON.parse(JSON.stringify(kept));
  const state = begin(fresh({ ...PLAN, title: "Mine too", goal: "Kim's" }), stored, 10_000);
  assert.equal(state.plan.goal, "Mine");
  assert.deepEqual(ready(state, 10_000), [{ path: "goal", was: "See a half.", now: "Mine", after: null }]);
});

test("a refused value stays, with the reason, until it is typed anew", () => {
  let state = after(begin(fresh()), typed("goal", "x".repeat(9)), sending("goal", "x".repeat(9)),
    { type: "refused", path: "goal", sentence: "Too long." });
  assert.deepEqual([standing(state), editAt(state, "goal").sentence, ready(state, 9_000)], ["refused", "Too long.", []]);
  state = reduce(state, typed("goal", "short", 10_000));
  assert.equal(ready(state, 10_400).length, 1);
});

test("steps are added, filled, moved and removed, one after the other", () => {
  const server = new DraftServer(PLAN);
  let state = after(begin(fresh()), chosen("steps.n", {}, 0, { after: "a" }), typed("steps.n.ask", "New?", 0));
  assert.equal(order(state), "anbc");
  assert.deepEqual(valueAt(state.plan, "steps.n"), { ask: "New?" });
  state = after(state, chosen("step_order", ["n", "a", "b", "c"], 0), chosen("steps.b", null, 0));
  assert.equal(order(state), "nac");
  assert.deepEqual(ready(state, 400).map(({ path }) => path), ["steps.n"]);
  state = exchange(state, server, 400);
  assert.deepEqual(ready(state, 400).map(({ path }) => path), ["step_order"]);
  state = exchange(exchange(state, server, 400), server, 400);
  assert.equal(standing(state), "saved");
  assert.deepEqual(server.draft.plan.steps.map(({ id }) => id), ["n", "a", "c"]);
});

test("what is typed in a new step while it is being saved is saved after it", () => {
  const server = new DraftServer(PLAN);
  let state = reduce(begin(fresh()), chosen("steps.n", { ask: "N" }));
  const [save] = ready(state, 0);
  state = after(state, { type: "sending", ...save }, typed("steps.n.ask", "New?", 0));
  assert.deepEqual(ready(state, 9_000), []);
  state = reduce(state, answered("steps.n", server.patch(save, "me"), 0));
  state = exchange(state, server, 9_000);
  assert.equal(valueAt(server.draft.plan, "steps.n.ask"), "New?");
  assert.equal(standing(state), "saved");
});

test("a removed step comes back, whether the server heard of it or not", () => {
  const content = valueAt(PLAN, "steps.b");
  const unheard = after(begin(fresh()), typed("steps.b.ask", "Two, please?"), chosen("steps.b", null),
    chosen("steps.b", { ask: "Two, please?" }, 0, { after: "a" }));
  assert.deepEqual(unheard.edits.map(({ path, was, now }) => [path, was, now]), [["steps.b.ask", "Two?", "Two, please?"]]);
  const server = new DraftServer(PLAN);
  let state = reduce(begin(fresh()), chosen("steps.b", null));
  const [save] = ready(state, 0);
  state = after(state, { type: "sending", ...save }, chosen("steps.b", content, 0, { after: "a" }));
  state = exchange(reduce(state, answered("steps.b", server.patch(save, "me"), 0)), server, 0);
  assert.deepEqual(server.draft.plan, PLAN);
  assert.equal(standing(state), "saved");
});

test("a step that somebody changed is not removed unasked", () => {
  const server = new DraftServer(PLAN);
  server.patch({ path: "steps.b.ask", was: "Two?", now: "Kim's question?" }, KIM);
  let state = exchange(reduce(begin(fresh()), chosen("steps.b", null)), server, 0);
  assert.deepEqual(conflicts(state)[0].theirs, { ask: "Kim's question?" });
  assert.equal(order(state), "abc", "it is seen while one decides");
  const kept = reduce(state, { type: "resolved", path: "steps.b", how: "theirs" });
  assert.deepEqual([kept.edits, valueAt(kept.plan, "steps.b.ask")], [[], "Kim's question?"]);
  state = exchange(reduce(state, { type: "resolved", path: "steps.b", how: "mine", at: 0 }), server, 0);
  assert.deepEqual(server.draft.plan.steps.map(({ id }) => id), ["a", "c"]);
});

const withoutA = { revision: 2, plan: put(PLAN, "steps.a", null), changed_by: KIM };
const lost = () => after(begin(fresh()), typed("steps.a.ask", "How many?"), { type: "heard", draft: withoutA },
  typed("steps.a.solution", "One."));

test("words in a step that somebody removed are kept whole, and one is asked", () => {
  const state = lost();
  const [edit] = conflicts(state);
  assert.equal(edit.by.name, "Kim");
  assert.deepEqual(edit.now, { ask: "How many?", hints: ["Look."], solution: "One." });
  assert.deepEqual(valueAt(state.plan, "steps.a"), edit.now);
  const server = new DraftServer(withoutA.plan);
  exchange(reduce(state, { type: "resolved", path: "steps.a", how: "mine", at: 0 }), server, 0);
  assert.deepEqual(valueAt(server.draft.plan, "steps.a"), edit.now);
  const stored = JSON.parse(JSON.stringify(unsaved(state)));
  assert.equal(standing(begin(withoutA, stored)), "conflict", "and asked again after a reload");
});

test("when the step comes back, one's own words are in it", () => {
  const state = reduce(lost(), { type: "heard", draft: { revision: 3, plan: PLAN, changed_by: KIM } });
  assert.deepEqual(ready(state, 9_000).map(({ path, was, now }) => [path, was, now]),
    [["steps.a.ask", "One?", "How many?"], ["steps.a.solution", null, "One."]]);
});

test("two who move steps at once are asked; who adds meanwhile is not in the way", () => {
  const server = new DraftServer(PLAN);
  server.patch({ path: "steps.n", was: null, now: { ask: "N" } }, KIM);
  let state = exchange(reduce(begin(fresh()), chosen("step_order", ["c", "b", "a"])), server, 0);
  state = exchange(state, server, 0);
  assert.deepEqual(server.draft.plan.steps.map(({ id }) => id).join(""), "cnba");
  state = reduce(state, { type: "heard", draft: server.draft });
  server.patch({ path: "step_order", was: ["c", "n", "b", "a"], now: ["a", "c", "n", "b"] }, KIM);
  state = exchange(reduce(state, chosen("step_order", ["n", "c", "b", "a"])), server, 0);
  assert.deepEqual(conflicts(state).map(({ path, theirs }) => [path, theirs.join("")]), [["step_order", "acnb"]]);
});
