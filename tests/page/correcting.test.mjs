import assert from "node:assert/strict";
import { test } from "node:test";

import { Refused } from "../../static/js/api.js";
import { Correcting } from "../../static/js/correcting.js";
import { Keeping } from "../../static/js/keeping.js";
import { isSavable, isSaved, missing, openForm, reduce } from "../../static/js/override-form.js";

const THING = { kind: "words", id: "item_1", recorded: "tree forts", current: "tree forts", base: null };
const ANSWER = { ...THING, kind: "answer", recorded: "It is 3/4.", current: "It is 3/4." };
const THEIRS = {
  id: "o9", target: { kind: "words", id: "item_1" }, new: { text: "three forts" }, reasons: ["asr_misheard"],
  author: { id: "p2", name: "Kim" }, published_at: "2026-11-25T10:00:00Z", state: "published",
};

class Storage {
  all = new Map();
  getItem = (name) => this.all.get(name) ?? null;
  setItem = (name, value) => void this.all.set(name, value);
  removeItem = (name) => void this.all.delete(name);
}

/** A server that takes drafts; `refuse` is thrown by the next call of that kind. */
class Doors {
  calls = [];
  refuse = {};
  #next = 0;

  #do(method, path, body) {
    this.calls.push({ method, path, body });
    const key = path.endsWith("/publish") ? "publish" : method;
    const error = this.refuse[key];
    if (error) {
      delete this.refuse[key];
      return Promise.reject(error);
    }
    return Promise.resolve({ id: path.split("/")[4] ?? `o${++this.#next}`, ...body });
  }

  post = (path, body) => this.#do("post", path, body);
  patch = (path, body) => this.#do("patch", path, body);
  remove = (path) => this.#do("remove", path);
}

function written(thing = THING, draft = null, keeping = new Keeping("override", new Storage())) {
  const api = new Doors();
  const timers = [];
  const after = { set: (act) => timers.push(act), clear: (number) => delete timers[number - 1] };
  const correcting = new Correcting({ api, session: "s1", keeping, after }, thing, draft);
  const pass = async () => {
    for (const act of timers.splice(0).filter(Boolean)) await act();
  };
  return { api, keeping, correcting, pass };
}

test("words begin with what readers get and the usual reason; nothing is to be saved yet", () => {
  const state = openForm(THING);
  assert.deepEqual([state.value, state.reasons], ["tree forts", ["asr_misheard"]]);
  assert.equal(isSavable(state), false);
  assert.deepEqual(openForm(ANSWER).reasons, []);
});

test("what is missing is said by field", () => {
  const fields = (events, thing = THING) => missing(events.reduce(reduce, openForm(thing))).map(({ field }) => field);
  assert.deepEqual(fields([]), ["value"]);
  assert.deepEqual(fields([{ type: "value", value: "  " }]), ["value"]);
  assert.deepEqual(fields([{ type: "value", value: "x" }, { type: "reason", code: "asr_misheard", on: false }]), ["reasons"]);
  assert.deepEqual(fields([{ type: "value", value: "x" }, { type: "reason", code: "other", on: true }]), ["note"]);
  assert.deepEqual(fields([{ type: "value", value: "x" }]), []);
});

test("what is typed is kept in the browser at once, and on the server after a pause", async () => {
  const { api, keeping, correcting, pass } = written();
  correcting.write({ type: "value", value: "three" });
  correcting.write({ type: "value", value: "three forths" });
  assert.equal(keeping.kept("s1 words item_1").value, "three forths");
  assert.equal(api.calls.length, 0);
  await pass();
  assert.deepEqual(api.calls, [{
    method: "post", path: "/sessions/s1/overrides",
    body: { target: { kind: "words", id: "item_1" }, new: { text: "three forths" }, reasons: ["asr_misheard"], note: "" },
  }]);
  assert.equal(keeping.kept("s1 words item_1"), null);
  correcting.write({ type: "note", note: "unclear" });
  await pass();
  assert.deepEqual([api.calls[1].method, api.calls[1].path, api.calls[1].body.note], ["patch", "/sessions/s1/overrides/o1", "unclear"]);
});

test("what the server would not take as a draft waits in the browser, and is there again", async () => {
  const { api, keeping, correcting, pass } = written(ANSWER);
  correcting.write({ type: "value", value: "Try once more." });
  await pass();
  assert.equal(api.calls.length, 0);
  assert.equal(new Correcting({ api, session: "s1", keeping }, ANSWER, null).state.value, "Try once more.");
});

test("a speaker is sent as a speaker, on the correction it replaces", async () => {
  const base = { id: "o5", kind: "speaker", by: { name: "Kim" } };
  const { api, correcting, pass } = written({ kind: "speaker", id: "i", recorded: "student", current: "tutor", base });
  correcting.write({ type: "value", value: "ai" });
  await pass();
  assert.deepEqual(api.calls[0].body, { target: { kind: "speaker", id: "i" }, new: { speaker: "ai" }, reasons: ["speaker_swap"], note: "", replaces: "o5" });
});

test("publishing saves first, and then forgets what the browser kept", async () => {
  const { api, keeping, correcting } = written();
  correcting.write({ type: "value", value: "three forths" });
  const made = await correcting.publish();
  assert.equal(made.id, "o1");
  assert.deepEqual(api.calls.map(({ path }) => path), ["/sessions/s1/overrides", "/sessions/s1/overrides/o1/publish"]);
  assert.equal(keeping.kept("s1 words item_1"), null);
});

test("nothing goes out while something is missing", async () => {
  const { api, correcting } = written();
  assert.equal(await correcting.publish(), null);
  assert.deepEqual([api.calls.length, correcting.state.tried], [0, true]);
});

const conflict = (published) => new Refused(409, "Kim was first.", { code: "override_conflict", body: { published } });

test("somebody was first: theirs is shown, one's own words stay, and can be put in its place", async () => {
  const { api, correcting } = written();
  correcting.write({ type: "value", value: "three forths" });
  api.refuse.publish = conflict(THEIRS);
  assert.equal(await correcting.publish(), null);
  assert.equal(correcting.state.conflict.published.id, "o9");
  assert.deepEqual([correcting.state.value, correcting.state.publishing], ["three forths", false]);
  correcting.write({ type: "value", value: "three fourths" });
  assert.equal((await correcting.publishInstead()).id, "o1");
  const [patch, publish] = api.calls.slice(-2);
  assert.deepEqual([patch.method, patch.body.replaces, patch.body.new.text], ["patch", "o9", "three fourths"]);
  assert.match(publish.path, /o1\/publish$/);
  assert.equal(correcting.state.thing.base.by.name, "Kim");
});

test("they were first before the draft was there: the draft is begun on theirs", async () => {
  const { api, correcting, pass } = written();
  correcting.write({ type: "value", value: "three forths" });
  api.refuse.post = conflict(THEIRS);
  await pass();
  assert.equal(correcting.state.conflict.published.id, "o9");
  await correcting.publishInstead();
  assert.deepEqual(api.calls.slice(-2).map(({ method, body }) => [method, body?.replaces]), [["post", "o9"], ["post", undefined]]);
});

test("the original is in force again: the stale draft goes, and a new one is made on nothing", async () => {
  const thing = { ...THING, current: "three", base: { id: "o3", by: { name: "Kim" }, at: "1" } };
  const { api, correcting, pass } = written(thing);
  correcting.write({ type: "value", value: "three forths" });
  await pass();
  api.refuse.publish = conflict(null);
  await correcting.publish();
  await correcting.publishInstead();
  assert.deepEqual(api.calls.slice(-3).map(({ method, path }) => `${method} ${path.split("/").slice(3).join("/")}`),
    ["remove overrides/o1", "post overrides", "post overrides/o2/publish"]);
  assert.equal(api.calls.at(-2).body.replaces, undefined);
});

test("a draft made on what is no longer in force opens with the other one's", () => {
  const draft = { id: "o1", new: { text: "mine" }, reasons: ["asr_misheard"], note: null, replaces: null };
  const thing = { ...THING, current: "theirs", base: { id: "o9", by: { name: "Kim" }, at: "1" } };
  const state = openForm(thing, { draft });
  assert.deepEqual([state.value, state.conflict.published.new.text], ["mine", "theirs"]);
  assert.equal(openForm({ ...thing }, { draft: { ...draft, replaces: "o9" } }).conflict, null);
});

test("no network: the words stay, it says so, and publishing again works", async () => {
  const { api, keeping, correcting } = written();
  correcting.write({ type: "value", value: "three forths" });
  api.refuse.post = new Refused(0, "We can't reach the server.");
  assert.equal(await correcting.publish(), null);
  assert.match(correcting.state.trouble.sentence, /kept in this browser/);
  assert.equal(keeping.kept("s1 words item_1").value, "three forths");
  assert.ok(await correcting.publish());
});

test("a summary made anew meanwhile is said so; the words stay to be copied", async () => {
  const { api, correcting } = written({ ...THING, kind: "sentence" });
  correcting.write({ type: "value", value: "Sam found it." });
  correcting.write({ type: "reason", code: "summary_omits", on: true });
  api.refuse.post = new Refused(409, "The summary was made anew.", { code: "summary_renewed" });
  await correcting.publish();
  assert.match(correcting.state.gone, /anew/);
  assert.equal(correcting.state.value, "Sam found it.");
});

test("a draft that went in another window is begun anew", async () => {
  const draft = { id: "o1", new: { text: "mine" }, reasons: ["asr_misheard"], note: "n", replaces: null };
  const { api, correcting } = written(THING, draft);
  assert.ok(isSaved(correcting.state));
  correcting.write({ type: "value", value: "mine too" });
  api.refuse.patch = new Refused(404, "Gone.", { code: "override_not_found" });
  assert.equal(await correcting.publish(), null);
  assert.match(correcting.state.trouble.sentence, /another window/);
  assert.ok(await correcting.publish());
  assert.equal(api.calls.at(-2).method, "post");
});

test("what is thrown away can be had back", async () => {
  const draft = { id: "o1", new: { text: "mine" }, reasons: ["asr_misheard"], note: null, replaces: null };
  const { api, keeping, correcting } = written(THING, draft);
  const back = await correcting.drop();
  assert.deepEqual(api.calls.map(({ method }) => method), ["remove"]);
  back();
  assert.equal(new Correcting({ api, session: "s1", keeping }, THING, null).state.value, "mine");
});

test("a browser that keeps nothing is no trouble", () => {
  const full = new Keeping("override", { getItem: () => "{", setItem: () => { throw new Error("full"); }, removeItem: () => { throw new Error("no"); } });
  const { correcting } = written(THING, null, full);
  correcting.write({ type: "value", value: "three" });
  correcting.write({ type: "value", value: "tree forts" });
  assert.equal(correcting.state.value, "tree forts");
});
