import assert from "node:assert/strict";
import { test } from "node:test";

import { VIEWS, askedFor, isView, narrowing, readSessionFilters, sessionsAddress, throughView } from "../../static/js/desk-filters.js";
import { linksOf, stepFrom } from "../../static/js/desk-links.js";
import { Follower } from "../../static/js/follower.js";
import { MANY, NOTHING_YET, reduce } from "../../static/js/live-list.js";
import { countWords } from "../../static/js/session-words.js";
import { kindsOf, readingOf, readingsOf, thingOfItem, thingOfSentence } from "../../static/js/things.js";

const LESSON = "01a2138e-312f-7191-999b-e15cbf04f980";

test("an address without filters is what is worth looking at", () => {
  const filters = readSessionFilters("");
  assert.deepEqual(askedFor(filters), { reviewed: "false", status: "ended" });
  assert.equal(sessionsAddress(filters), "/tutor");
  assert.ok(isView(filters, VIEWS[0]));
});

test("filters come back from their address as they were", () => {
  const filters = readSessionFilters(`?lesson=${LESSON}&version=3&from=2026-11-01&to=2026-11-25&min=5&thumbs=down&reviewed=all&engine=offline`);
  assert.deepEqual(readSessionFilters(new URL(sessionsAddress(filters), "http://x").search), filters);
  assert.deepEqual(narrowing(filters), ["lesson", "version", "from", "to", "min", "engine"]);
});

test("days begin and end where the reader is; minutes are milliseconds to the API", () => {
  const asked = askedFor(readSessionFilters("?from=2026-02-27&to=2026-02-28&min=5&max=90&reviewed=yes&status=all"));
  assert.equal(asked.from, new Date(2026, 1, 27).toISOString());
  assert.equal(asked.to, new Date(2026, 2, 1).toISOString());
  assert.deepEqual([asked.min_ms, asked.max_ms, asked.reviewed, asked.status], [300_000, 5_400_000, "true", undefined]);
});

test("what makes no sense in an address counts as not there", () => {
  const filters = readSessionFilters("?student=me&lesson=x&version=2&from=tomorrow&min=-1&max=1e9&thumbs=sideways&reviewed=maybe&ended=<b>");
  assert.deepEqual(filters, readSessionFilters(""));
});

test("a version is one of a lesson: without it, it goes too", () => {
  const filters = readSessionFilters(`?lesson=${LESSON}&version=3`);
  assert.equal(sessionsAddress({ ...filters, lesson: "" }), "/tutor");
});

test("another view keeps who, which lesson and when", () => {
  const filters = readSessionFilters(`?lesson=${LESSON}&from=2026-11-01&thumbs=down`);
  const all = throughView(filters, VIEWS.at(-1));
  assert.equal(sessionsAddress(all), `/tutor?lesson=${LESSON}&from=2026-11-01&reviewed=all&status=all`);
  assert.deepEqual(VIEWS.filter((view) => isView(all, view)).map(({ key }) => key), ["all"]);
});

const item = (id, more = {}) => ({ id, role: "assistant", speaker: "ai", said: id, original: null, corrections: [], ...more });
const sentence = (id, ...ids) => ({ id, text: id, item_ids: ids, original: null, correction: null });

test("sentences know their items in the order they were said, items their sentences", () => {
  const summary = {
    status: "ready", narrative: [sentence("1.narrative.0", "c", "a", "a", "away")], done_well: sentence("1.done_well.0", "a"),
    next_steps: [sentence("1.next_steps.0")],
  };
  const { sentences, byItem } = linksOf(summary, [item("a"), item("b"), item("c")]);
  assert.deepEqual(sentences.map(({ number, items }) => [number, items]), [[1, ["a", "c"]], [2, ["a"]], [3, []]]);
  assert.deepEqual(byItem.get("a").map(({ number }) => number), [1, 2]);
  assert.equal(byItem.get("b"), undefined);
  assert.deepEqual(linksOf({ status: "pending" }, []).sentences, []);
});

test("steps stop at the ends, and begin at one", () => {
  assert.equal(stepFrom(["a", "b"], "a", 1), "b");
  assert.equal(stepFrom(["a", "b"], "b", 1), "b");
  assert.equal(stepFrom(["a", "b"], null, 1), "a");
  assert.equal(stepFrom(["a", "b"], "gone", -1), "b");
  assert.equal(stepFrom([], null, 1), null);
});

test("what can be corrected depends on who spoke as it was recorded", () => {
  assert.deepEqual(kindsOf(item("a")), ["answer", "words", "speaker"]);
  assert.deepEqual(kindsOf(item("a", { speaker: "student", original: { said: "a", speaker: "ai" } })), ["answer", "words", "speaker"]);
  assert.deepEqual(kindsOf(item("a", { role: "user", speaker: "student" })), ["words", "speaker"]);
  assert.deepEqual(kindsOf(item("a", { role: "system", speaker: "system" })), []);
});

test("a correction begins with what readers get now, and names the one it is made on", () => {
  const words = { id: "o1", kind: "words", text: "three forths" };
  const answer = { id: "o2", kind: "answer", text: "Try again." };
  const one = item("a", { said: "three forths", original: { said: "tree forts", speaker: "ai" }, corrections: [answer, words] });
  assert.deepEqual(thingOfItem(one, "words"), { kind: "words", id: "a", recorded: "tree forts", current: "three forths", base: words });
  assert.deepEqual(thingOfItem(one, "answer"), { kind: "answer", id: "a", recorded: "tree forts", current: "Try again.", base: answer });
  assert.deepEqual(thingOfItem(one, "speaker"), { kind: "speaker", id: "a", recorded: "ai", current: "ai", base: null });
  assert.deepEqual(thingOfSentence(sentence("1.narrative.0"), "sentence"), {
    kind: "sentence", id: "1.narrative.0", recorded: "1.narrative.0", current: "1.narrative.0", base: null,
  });
});

const card = (id, started_at, status = "live") => ({ id, started_at, status });
const news = (session_id, status, name = "session.changed") => ({ type: "news", name, about: { session_id, status } });
const listed = (...items) => reduce(NOTHING_YET, { type: "list", page: { items, next_cursor: null } });

test("a new session is asked for once, and stands where it belongs", () => {
  const state = [news("n", "live"), news("n", "live")].reduce(reduce, listed(card("b", "2026-11-25T10:00"), card("a", "2026-11-25T09:00")));
  assert.deepEqual(state.wanted, ["n"]);
  const there = reduce(reduce(state, { type: "asked" }), { type: "card", card: card("n", "2026-11-25T09:30") });
  assert.deepEqual(there.running.map(({ id }) => id), ["b", "n", "a"]);
  assert.deepEqual(there.wanted, []);
});

test("what ends is not torn away: it stays with a link to its review", () => {
  const state = reduce(listed(card("a", "1")), { type: "card", card: card("a", "1", "ended") });
  assert.deepEqual([state.running.length, state.over.map(({ id }) => id)], [0, ["a"]]);
  assert.deepEqual(reduce(state, { type: "list", page: { items: [card("a", "1")], next_cursor: null } }).over, []);
});

test("an end of what was never in sight is not asked for", () => {
  assert.equal(reduce(listed(card("a", "1")), news("x", "ended")).wanted.length, 0);
  assert.equal(reduce(listed(), { type: "card", card: card("x", "1", "ended") }).over.length, 0);
});

test("much news at once asks for the list", () => {
  const ids = Array.from({ length: MANY + 1 }, (_, i) => `s${i}`);
  const state = ids.map((id) => news(id, "live")).reduce(reduce, listed());
  assert.deepEqual([state.wanted, state.whole], [[], true]);
});

test("what one may see no longer goes", () => {
  assert.deepEqual(reduce(listed(card("a", "1"), card("b", "2")), { type: "gone", id: "a" }).running.map(({ id }) => id), ["b"]);
});

test("a list's length is told as far as it is known", () => {
  assert.equal(countWords({ items: [1], next_cursor: null }), "1 session.");
  assert.equal(countWords({ items: [1, 2], next_cursor: "c" }), "The first 2 sessions. There are more.");
});

const KIM = { id: "k", name: "Kim" };

test("a student reads the answer that should have been given; what was said is a press away", () => {
  const words = { id: "o1", kind: "words", text: "two quarters", by: KIM };
  const answer = { id: "o2", kind: "answer", text: "Right!", by: KIM };
  const speaker = { id: "o3", kind: "speaker", text: null, by: KIM };
  const mine = item("a", { speaker: "student", said: "two quarters", original: { said: "too quarters", speaker: "student" }, corrections: [words] });
  assert.deepEqual(readingOf(mine), { text: "two quarters", isAnother: false, corrections: [{ correction: words, before: "too quarters", after: "two quarters" }] });
  const tutors = readingOf(item("b", { said: "Wrong.", corrections: [answer] }));
  assert.deepEqual([tutors.text, tutors.isAnother, tutors.corrections[0].before], ["Right!", true, "Wrong."]);
  const swapped = readingsOf([item("c", { speaker: "tutor", original: { said: "c", speaker: "ai" }, corrections: [speaker] }), item("d"), mine]);
  assert.deepEqual([...swapped.keys()], ["c", "a"]);
  assert.deepEqual([swapped.get("c").speaker.kind, swapped.get("c").corrections[0].was, swapped.get("a").speaker], ["tutor", "ai", null]);
});

test("who reads along comes back after the last words, waits with the lesson, and hears of corrections", () => {
  let to = null;
  class Socket {
    constructor(given) {
      to = given;
    }
  }
  const follower = new Follower({ api: {}, session: "s1", Line: Socket });
  to.receive({ type: "session.created", session: { id: "sess_1", resumed: {} } });
  const done = (id, role, previous) => ({
    type: "conversation.item.done", previous_item_id: previous, item: { id, role, type: "message", status: "completed", content: [{ text: id }] },
  });
  for (const event of [done("a", "assistant", null), done("b", "user", "a"), done("c", "assistant", "b")]) to.receive(event);
  assert.deepEqual(to.place(), { session: "s1", after: "b" });
  assert.equal(to.lesson, null);
  to.phase("waiting");
  to.phase("reconnecting");
  assert.equal(follower.state.phase, "waiting");
  to.receive({ type: "session.created", session: { id: "sess_1", resumed: {} } });
  assert.deepEqual([follower.state.phase, follower.state.items.length], ["open", 3]);
  follower.corrected([{ ...item("b", { said: "bee", original: { said: "b", speaker: "student" } }), corrections: [{ id: "o", kind: "words", text: "bee", by: KIM }] }]);
  assert.equal(follower.state.items[1].reading.text, "bee");
  to.receive(done("b", "user", "a"));
  assert.equal(follower.state.items[1].reading.text, "bee");
  to.receive({ type: "session.ended", reason: "finished", duration_ms: 1, spoken_ms: 0 });
  to.phase("over");
  assert.equal(follower.state.phase, "over");
});
