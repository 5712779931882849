import assert from "node:assert/strict";
import { test } from "node:test";

import { beginOf, dayOf, endOf } from "../../static/js/days.js";
import { fieldOf } from "../../static/js/draft-plan.js";
import { penOf } from "../../static/js/draft-pen.js";
import { begin } from "../../static/js/draft.js";
import { placeAt } from "../../static/js/drag.js";
import { entriesOf, lineOf } from "../../static/js/lines.js";
import { placeOf, spelled } from "../../static/js/plan-words.js";
import { runs } from "../../static/views/author-brief.js";
import { together } from "../../static/views/author-conflict.js";
import { amountOf } from "../../static/views/author-field.js";
import { announcement } from "../../static/views/author-head.js";
import { byPart } from "../../static/views/author-versions.js";

test("entries are written one a line, and lines are found again", () => {
  assert.deepEqual(entriesOf(" two quarters \n\n a half"), ["two quarters", "a half"]);
  const text = "title: x\ngoal:\nsteps: []";
  const { start, end } = lineOf(text, 2);
  assert.equal(text.slice(start, end), "goal:");
  assert.equal(lineOf(text, 99).end, text.length);
  assert.deepEqual(lineOf("", 0), { start: 0, end: 0 });
});

test("a day is from its first moment to its last, here", () => {
  assert.equal(new Date(beginOf("2026-11-25")).getHours(), 0);
  assert.equal(new Date(endOf("2026-11-25")).getHours(), 23);
  assert.equal(dayOf(beginOf("2026-01-02")), "2026-01-02");
  assert.equal(dayOf(endOf("2026-01-02")), "2026-01-02");
  assert.deepEqual([beginOf(""), endOf(""), dayOf(null)], [null, null, ""]);
});

test("amounts are numbers where they are, and what was typed where not", () => {
  assert.deepEqual(["1.5", "1,5", " 2 ", "", "fast", "1.", "-1"].map(amountOf), [1.5, 1.5, 2, null, "fast", 1, "-1"]);
});

test("values of a plan are spelled as text", () => {
  assert.equal(spelled(null), "");
  assert.equal(spelled(["a", "b"]), "a\nb");
  assert.equal(spelled({ kind: "number", text: "2/4", also: ["a half"] }), "A number: 2/4 (also: a half)");
  assert.equal(spelled({ kind: "open" }), "Anything: the tutor judges");
  assert.equal(spelled({ says: ["4/2", "two"], response: "Look again." }), "If they say 4/2 or two: Look again.");
  assert.equal(spelled({ ask: "What?", hints: ["A", "B"] }), "Question: What?\nHints: A\nB");
});

test("places have names", () => {
  assert.equal(placeOf("voice.speed", []), "Speed");
  assert.equal(placeOf("steps.b.hints", ["a", "b"]), "Step 2, hints");
  assert.deepEqual(["steps.a.hints.1", "steps.a", "voice.name", "material.0.text", "title"].map(fieldOf),
    ["steps.a.hints", "steps.a", "voice.name", "material", "title"]);
});

test("neighbouring parts of the brief from one source stand together", () => {
  const parts = ["platform", "platform", "lesson", "platform"].map((source) => ({ source }));
  assert.deepEqual(runs(parts).map(({ source, own }) => [source, own.length]), [["platform", 2], ["lesson", 1], ["platform", 1]]);
});

test("changes are grouped by the part of the lesson they are in", () => {
  const places = ["Goal", "Step 1, hint 1", "Step 1", "Step 12, question", "Closing"].map((place) => ({ place }));
  assert.deepEqual(byPart(places).map(({ part, own }) => [part, own.length]), [["The lesson", 2], ["Step 1", 2], ["Step 12", 1]]);
});

test("merging by hand begins with all words of both", () => {
  assert.equal(together("Mine.", "Theirs."), "Mine.\nTheirs.");
  assert.deepEqual(together(["a", "b"], ["b", "c"]), ["a", "b", "c"]);
  assert.equal(together(null, "Theirs."), "Theirs.");
});

test("a screen reader hears of saving only what matters", () => {
  const offline = { why: "offline" };
  assert.equal(announcement("saved", "saving", null), null);
  assert.equal(announcement("saving", "saved", null), null);
  assert.match(announcement("saving", "unsaved", offline), /kept on this computer/);
  assert.equal(announcement("unsaved", "unsaved", offline), null);
  assert.equal(announcement("unsaved", "saved", null), "All saved.");
  assert.match(announcement("saving", "conflict", null), /changed the same text/);
});

test("a dragged row stands behind all whose middle is above it", () => {
  assert.deepEqual([5, 15, 25, 99].map((y) => placeAt([10, 20, 30], y)), [0, 1, 2, 3]);
});

test("findings go to the field they lie in", () => {
  const state = begin({ revision: 1, plan: { language: "not a tag", steps: [{ id: "a" }] }, changed_by: null });
  const findings = [
    { path: "steps.a.hints.1", severity: "error" }, { path: "steps.a.ask", severity: "warning" }, { path: "steps.ab.ask", severity: "error" }, { path: null, severity: "error" },
  ];
  const pen = penOf({ state, findings, me: {}, merging: [] });
  assert.equal(pen.findings("steps.a.hints").length, 1);
  assert.equal(pen.findings("goal").length, 0);
  assert.equal(pen.findingsIn("steps.a").length, 2);
  assert.equal(pen.language, "en");
});
