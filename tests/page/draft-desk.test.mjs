import assert from "node:assert/strict";
import { test } from "node:test";

import { Refused } from "../../static/js/api.js";
import { standing } from "../../static/js/draft.js";
import { DraftDesk, outcome } from "../../static/js/draft-desk.js";
import { Keeper, localStore } from "../../static/js/draft-keeper.js";
import { DraftServer } from "./draft-server.mjs";

const PLAN = { title: "Halves", goal: "See a half.", steps: [{ id: "a", ask: "One?" }, { id: "b", ask: "Two?" }] };
const KIM = { id: "k", name: "Kim" };

class Storage {
  all = new Map();
  getItem = (name) => this.all.get(name) ?? null;
  setItem = (name, value) => void this.all.set(name, value);
  removeItem = (name) => void this.all.delete(name);
}

/** The API in front of a DraftServer; `down`: what every save is refused with. */
function doors(server, by) {
  const api = {
    down: null,
    asked: [],
    get: async (path) => {
      api.asked.push(path);
      if (api.down) throw api.down;
      return path.endsWith("/check") ? { revision: server.draft.revision, findings: [], brief: [] } : server.draft;
    },
    patch: async (path, save, options) => {
      api.asked.push({ ...save, ...options });
      if (api.down) throw api.down;
      const answer = server.patch(save, by);
      if (answer.status === 200) return answer;
      const body = { path: save.path, was: save.was, yours: save.now, theirs: answer.theirs, changed_by: answer.by, revision: answer.revision };
      throw new Refused(answer.status, "No.", { code: answer.status === 409 ? "draft_conflict" : "x", body });
    },
  };
  return api;
}

function desk(t, server = new DraftServer(PLAN), { storage = new Storage(), by = { id: "m", name: "Mo" } } = {}) {
  const api = doors(server, by);
  const made = new DraftDesk({ api, lesson: "l", first: server.draft, keeper: new Keeper(storage, "l", by.id) });
  t.after(() => made.close());
  return { desk: made, api, server, storage };
}

test("what is typed gets to the server, and the brief is asked for after it", async (t) => {
  const { desk: own, server, storage, api } = desk(t);
  own.type("goal", "See two halves.");
  assert.equal(JSON.parse(storage.getItem("draft l m"))[0].now, "See two halves.", "kept before anything is sent");
  assert.equal(await own.flush(), true);
  assert.equal(server.draft.plan.goal, "See two halves.");
  assert.equal(storage.getItem("draft l m"), null);
  await own.checkNow();
  assert.equal(own.check.state.value.revision, 2);
  assert.ok(api.asked.includes("/school/lessons/l/draft/check"));
});

test("offline words wait on this computer, over a reload, and are sent when the line is back", async (t) => {
  const server = new DraftServer(PLAN);
  const first = desk(t, server);
  first.api.down = new Refused(0, "No line.");
  first.desk.type("goal", "Typed offline");
  await first.desk.flush();
  assert.equal(standing(first.desk.state), "unsaved");
  assert.equal(first.desk.state.line.why, "offline");
  const second = desk(t, server, { storage: first.storage });
  assert.equal(second.desk.state.plan.goal, "Typed offline");
  await second.desk.flush();
  assert.equal(server.draft.plan.goal, "Typed offline");
  assert.equal(second.storage.getItem("draft l m"), null);
});

test("two desks: the second to change a field is shown both texts, and other fields go on", async (t) => {
  const server = new DraftServer(PLAN);
  const [kim, mo] = [desk(t, server, { by: KIM }), desk(t, server)];
  kim.desk.type("goal", "Kim's");
  await kim.desk.flush();
  mo.desk.type("goal", "Mo's");
  mo.desk.type("title", "Mo's title");
  assert.equal(await mo.desk.flush(), false);
  const [edit] = mo.desk.state.edits;
  assert.deepEqual([edit.state, edit.now, edit.theirs, edit.by.name], ["conflict", "Mo's", "Kim's", "Kim"]);
  assert.equal(server.draft.plan.title, "Mo's title");
  mo.desk.resolve("goal", "mine");
  assert.equal(await mo.desk.flush(), true);
  await kim.desk.look();
  assert.equal(kim.desk.state.plan.goal, "Mo's");
});

test("only a newer revision is worth a look", async (t) => {
  const { desk: own, api } = desk(t);
  own.changed(1);
  assert.deepEqual(api.asked, []);
  own.changed(2);
  assert.deepEqual(api.asked, ["/school/lessons/l/draft"]);
});

test("what is typed as the page goes is sent along with it", async (t) => {
  const { desk: own, api } = desk(t);
  own.type("goal", "Last words");
  own.sendAll();
  assert.equal(api.asked.at(-1).now, "Last words");
});

test("each refusal means its own thing", () => {
  assert.equal(outcome(new Refused(400, "Too long.")).sentence, "Too long.");
  assert.equal(outcome(new Refused(0, "")).why, "offline");
  assert.equal(outcome(new Refused(401, "")).why, "signed-out");
  assert.deepEqual(outcome(new Refused(503, "", { retryAfterS: 7 })), { type: "failed", why: "busy", retryAfterMs: 7000, look: false });
  assert.equal(outcome(new Refused(404, "")).look, true);
  assert.equal(outcome(new Refused(409, "", { code: "lesson_archived", body: {} })).type, "refused");
});

test("two windows keep their words side by side, and a full or forbidden store is told", () => {
  const storage = new Storage();
  const [one, other] = [new Keeper(storage, "l", "m"), new Keeper(storage, "l", "m")];
  one.keep([{ path: "goal", was: "a", now: "b" }]);
  other.keep([{ path: "title", was: "a", now: "c" }]);
  assert.deepEqual(other.kept().map(({ path }) => path), ["goal", "title"]);
  one.keep([]);
  assert.deepEqual(other.kept().map(({ path }) => path), ["title"]);
  assert.deepEqual(new Keeper(storage, "l", "somebody else").kept(), []);
  storage.setItem("draft l m", "{broken");
  assert.deepEqual(one.kept(), []);
  const full = new Keeper({ getItem: () => null, setItem: () => { throw new Error("full"); } }, "l", "m");
  full.keep([{ path: "goal" }]);
  assert.equal(full.works, false);
  const forbidden = { get localStorage() { throw new Error("no"); } };
  assert.equal(localStore(forbidden), null);
  const nowhere = new Keeper(null, "l", "m");
  nowhere.keep([{ path: "goal" }]);
  assert.deepEqual([nowhere.kept(), nowhere.works], [[], false]);
});
