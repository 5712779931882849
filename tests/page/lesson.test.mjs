import assert from "node:assert/strict";
import { test } from "node:test";

import { controlOf, isSaving } from "../../static/js/control.js";
import { resumePoint, unsent } from "../../static/js/items.js";
import { NOTHING_YET, reduce } from "../../static/js/lesson.js";
import { readingAlong } from "../../static/js/presence.js";

const after = (events, state = NOTHING_YET) => events.reduce(reduce, state);
const ids = (state) => state.items.map((item) => item.id);
const find = (state, id) => state.items.find((item) => item.id === id);

const session = { id: "sess_1", engine: "offline", hears_speech: true };
const added = (id, role, previous, text = null, more = {}) => ({
  type: "conversation.item.added", previous_item_id: previous,
  item: { id, role, type: "message", status: "in_progress", content: [{ type: "x", transcript: text }], ...more },
});
const done = (id, role, previous, text, more = {}) => ({
  ...added(id, role, previous, text, { status: "completed", ...more }), type: "conversation.item.done",
});
const answer = (id, response = "r1") => [
  { type: "response.created", response: { id: response } },
  { type: "response.output_item.added", response_id: response, item: { id, role: "assistant", content: [] } },
];
const says = (id, delta, words, at_ms = 0) =>
  ({ type: "response.output_audio_transcript.delta", response_id: "r1", item_id: id, delta, words, at_ms });
const open = { type: "session.created", session };
const micOn = { type: "page.microphone", microphone: "on" };

test("an unknown event leaves the very same state", () => {
  assert.equal(reduce(NOTHING_YET, { type: "tomorrow.invented", anything: 1 }), NOTHING_YET);
  assert.equal(reduce(NOTHING_YET, { type: "constructor" }), NOTHING_YET);
});

test("the state is never changed in place", () => {
  const state = after([open, ...answer("a"), says("a", "Hello", [[0, 0]])]);
  const frozen = structuredClone(state);
  after([says("a", " there", [[1, 500]]), done("a", "assistant", null, "Hello there")], state);
  assert.deepEqual(state, frozen);
});

test("an item stands behind the one it follows, however late it comes", () => {
  const state = after([added("a", "assistant", null), added("c", "assistant", "a"), added("b", "user", "a")]);
  assert.deepEqual(ids(state), ["a", "b", "c"]);
});

test("a typed message is seen at once, pending until the server saved it", () => {
  const typed = after([open, { type: "page.typed", id: "t1", text: "one half" }]);
  assert.deepEqual(unsent(typed.items).map((item) => item.id), ["t1"]);
  assert.equal(isSaving(typed), true);
  const saved = after([added("t1", "user", null, "one half"), done("t1", "user", null, "one half")], typed);
  assert.deepEqual(ids(saved), ["t1"]);
  assert.equal(isSaving(saved), false);
  assert.deepEqual(unsent(saved.items), []);
});

test("a replayed item takes its own place and is not doubled", () => {
  const before = [done("a", "assistant", null, "Hi"), done("b", "user", "a", "two")];
  const state = after([...before, { type: "session.created", session: { ...session, resumed: {} } }, ...before]);
  assert.deepEqual(ids(state), ["a", "b"]);
});

test("what the server had not saved when the line broke is forgotten, what was typed is kept", () => {
  const broken = after([
    open, done("a", "assistant", null, "Hi"), ...answer("b"), says("b", "And", [[0, 0]]),
    { type: "page.typed", id: "t1", text: "yes" }, { type: "page.phase", phase: "reconnecting" },
  ]);
  const back = reduce(broken, { type: "session.created", session: { ...session, resumed: {} } });
  assert.deepEqual(ids(back), ["a", "t1"]);
});

test("a resume begins before the last answer, since what was heard of it may have changed", () => {
  const state = after([
    done("a", "assistant", null, "Hi"), done("b", "user", "a", "two"), done("c", "assistant", "b", "Yes"),
    added("d", "user", "c"),
  ]);
  assert.equal(resumePoint(state.items), "b");
  assert.equal(resumePoint(after([done("a", "assistant", null, "Hi")]).items), null);
});

test("a spoken turn goes from speaking to its words to the answer", () => {
  const speaking = after([open, micOn, { type: "input_audio_buffer.speech_started", item_id: "u" }, added("u", "user", null)]);
  assert.equal(controlOf(speaking).name, "speaking");
  const waiting = reduce(speaking, { type: "input_audio_buffer.speech_stopped", item_id: "u" });
  assert.equal(controlOf(waiting).name, "thinking");
  const heard = reduce(waiting, {
    type: "conversation.item.input_audio_transcription.completed", item_id: "u", transcript: "two quarters",
  });
  assert.equal(find(heard, "u").text, "two quarters");
  assert.equal(controlOf(after(answer("a"), heard)).name, "thinking");
});

test("words that could not be made out are said so", () => {
  const state = after([added("u", "user", null), done("u", "user", null, null)]);
  assert.equal(find(state, "u").lost, true);
});

test("the tutor is speaking until its sound was played, not until its words came", () => {
  const generated = after([
    open, micOn, ...answer("a"), says("a", "Yes.", [[0, 0]]),
    { type: "response.done", response: { id: "r1", status: "completed" } }, done("a", "assistant", null, "Yes."),
  ]);
  assert.equal(controlOf(generated).name, "tutor");
  assert.equal(controlOf(reduce(generated, { type: "page.finished", id: "a", ms: 400 })).name, "listening");
});

test("without sound the words are there at once", () => {
  const state = after([{ type: "page.sound", sound: "off" }, open, ...answer("a"), says("a", "Yes.", [[0, 0]])]);
  assert.equal(find(state, "a").sounding, false);
});

test("a barge-in cuts what was not heard, and the server's word on it counts", () => {
  const cut = after([
    open, ...answer("a"), says("a", "One two three four", [[0, 0], [4, 500], [8, 1000], [14, 1500]]),
    { type: "page.played", id: "a", ms: 700 }, { type: "output_audio_buffer.cleared", response_id: "r1" },
  ]);
  assert.equal(find(cut, "a").interrupted, true);
  const told = reduce(cut, { type: "conversation.item.truncated", item_id: "a", audio_end_ms: 700, heard: "One two" });
  assert.equal(find(told, "a").heard, "One two");
});

test("what sounds of another answer is not cut with this one", () => {
  const state = after([open, ...answer("a"), says("a", "One", [[0, 0]]), { type: "output_audio_buffer.cleared", response_id: "r9" }]);
  assert.equal(find(state, "a").interrupted, false);
});

test("a cancelled answer does not sound for ever", () => {
  const state = after([open, micOn, ...answer("a"), says("a", "One", [[0, 0]]),
    { type: "response.done", response: { id: "r1", status: "cancelled" } }]);
  assert.equal(controlOf(state).name, "listening");
});

test("played positions never go back", () => {
  const state = after([...answer("a"), { type: "page.played", id: "a", ms: 900 }, { type: "page.played", id: "a", ms: 400 }]);
  assert.equal(find(state, "a").playedMs, 900);
});

test("the board shows the formulas of the tutor's latest words until the step is over", () => {
  const progress = (step) => ({ type: "lesson.progress", step, steps: 3, goal: "g", status: "asking" });
  const shown = after([progress(1), done("a", "assistant", null, "What is 2/4 of $x^2$?"), done("b", "assistant", "a", "Well?")]);
  assert.deepEqual(shown.board, ["\\tfrac{2}{4}", "x^2"]);
  assert.deepEqual(reduce(shown, progress(1)).board, shown.board);
  assert.deepEqual(reduce(shown, progress(2)).board, []);
});

test("what the student says does not go on the board", () => {
  assert.deepEqual(after([done("u", "user", null, "it is 1/2")]).board, []);
});

test("notices are kept once a code, the last three, until closed", () => {
  const notice = (code) => ({ type: "notice", code, text: code });
  const state = after([notice("a"), notice("b"), notice("c"), notice("a"), notice("d"), notice("paused")]);
  assert.deepEqual(state.notices.map(({ code }) => code), ["c", "a", "d"]);
  assert.deepEqual(reduce(state, { type: "page.dismissed", code: "a" }).notices.map(({ code }) => code), ["c", "d"]);
});

test("once the student is heard, the notice that they are not goes away", () => {
  const deaf = after([open, micOn, { type: "notice", code: "microphone_silent", text: "I can't hear you yet." }]);
  assert.equal(deaf.notices.length, 1);
  assert.deepEqual(reduce(deaf, { type: "input_audio_buffer.speech_started", item_id: "u" }).notices, []);
  assert.deepEqual(reduce(deaf, { type: "input_audio_buffer.committed", item_id: "u" }).notices, []);
});

test("errors that every client causes now and then are not shown", () => {
  const error = (code) => ({ type: "error", error: { code, message: "Oh." } });
  assert.deepEqual(after([error("response_cancel_not_active")]).notices, []);
  assert.deepEqual(after([error("id_reused")]).notices, [{ code: "id_reused", text: "Oh." }]);
});

test("who reads along is told while they do, and after a break only as the server says", () => {
  const presence = (...names) => ({ type: "presence", people: names.map((name) => ({ name, role: "tutor" })) });
  const sentence = (events) => readingAlong(after(events).people);
  assert.equal(sentence([open]), null);
  assert.equal(sentence([open, presence("Tayo")]), "Tayo is reading along.");
  assert.equal(sentence([open, presence("Tayo"), presence("Amara", "Tayo")]), "Amara and Tayo are reading along.");
  assert.equal(sentence([open, presence("A", "B", "C", "D")]), "4 people are reading along.");
  assert.equal(sentence([open, presence("Tayo"), presence()]), null);
  assert.equal(sentence([open, presence("Tayo"), open]), null);
});

test("the end stays the end when the socket closes after it", () => {
  const ended = after([open, { type: "session.ended", reason: "finished", duration_ms: 1000, spoken_ms: 400 },
    { type: "page.phase", phase: "reconnecting" }]);
  assert.equal(ended.phase, "over");
  assert.deepEqual(ended.ended, { reason: "finished", duration_ms: 1000, spoken_ms: 400 });
});

test("each situation has its own word and shape", () => {
  const on = after([open, micOn]);
  const cases = {
    connecting: reduce(NOTHING_YET, { type: "page.phase", phase: "connecting" }),
    reconnecting: reduce(on, { type: "page.phase", phase: "reconnecting" }),
    listening: on,
    speaking: reduce(on, { type: "input_audio_buffer.speech_started" }),
    thinking: reduce(on, { type: "response.created", response: { id: "r" } }),
    human: reduce(on, { type: "floor.changed", holder: "human", person: "Ms Ito", epoch: 2 }),
    paused: reduce(on, { type: "page.paused", on: true }),
    off: reduce(on, { type: "page.microphone", microphone: "refused", trouble: "NotAllowedError" }),
    type: after([{ ...open, session: { ...session, hears_speech: false } }]),
  };
  const words = new Set();
  for (const [name, state] of Object.entries(cases)) {
    const control = controlOf(state);
    assert.equal(control.name, name);
    words.add(control.word);
  }
  assert.equal(words.size, Object.keys(cases).length);
  assert.match(controlOf(cases.human).word, /Ms Ito/);
});

test("hold-to-talk listens only while it is held", () => {
  const ready = after([open, micOn, { type: "page.hand", handHeld: false }]);
  assert.equal(controlOf(ready).action, "hold");
  assert.equal(controlOf(reduce(ready, { type: "page.hand", handHeld: true })).name, "speaking");
});
