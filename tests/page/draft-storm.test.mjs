/** Everything at once: two editors, one server, a network that delays, loses and repeats, and reloads. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { begin, conflicts, ready, reduce, standing, unsaved } from "../../static/js/draft.js";
import { moved, same, valueAt } from "../../static/js/draft-plan.js";
import { DraftServer, answered } from "./draft-server.mjs";

const PLAN = {
  title: "Halves", goal: "See a half.", voice: { speed: 0.9 },
  steps: [{ id: "a", ask: "One?", hints: ["Look."] }, { id: "b", ask: "Two?" }, { id: "c", ask: "Three?" }],
};
const typed = (path, now, at) => ({ type: "typed", path, now, at });
const chosen = (path, now, at, rest = {}) => ({ ...typed(path, now, at), wait: false, ...rest });

function random(seed) {
  let state = seed * 7919 + 1;
  const next = () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
  return { chance: (part) => next() < part, pick: (list) => list[Math.floor(next() * list.length)] };
}

class Editor {
  under = []; // way: {save, answer: null | from the server}
  words = []; // what was typed last in each field, {path, now}
  offline = false;

  constructor(name, server, dice) {
    Object.assign(this, { name, server, dice, state: begin(server.draft) });
  }

  receive(event) {
    this.state = reduce(this.state, event);
  }

  type(at) {
    const { plan } = this.state;
    const id = this.dice.pick(plan.steps.map((step) => step.id));
    const path = this.dice.pick(["title", "goal", "level", `steps.${id}.ask`, `steps.${id}.solution`]);
    this.receive(typed(path, `${this.name}${at} ${valueAt(plan, path) ?? ""}`.slice(0, 60), at));
    this.words = [...this.words.filter((word) => word.path !== path), { path, now: valueAt(this.state.plan, path) }];
  }

  restructure(at) {
    const ids = this.state.plan.steps.map((step) => step.id);
    const id = this.dice.pick(ids);
    if (this.dice.chance(0.4)) this.receive(chosen("step_order", moved(ids, id, this.dice.pick([0, 1, 2])), at));
    else if (this.dice.chance(0.5) && ids.length < 6) this.receive(chosen(`steps.${this.name}${at}`, { ask: `new ${at}` }, at, { after: id }));
    else if (ids.length > 2 && !this.words.some(({ path }) => path.startsWith(`steps.${id}.`))) this.receive(chosen(`steps.${id}`, null, at));
  }

  send(at) {
    for (const save of ready(this.state, at)) {
      this.receive({ type: "sending", ...save });
      this.under.push({ save, lost: this.offline, reached: false });
    }
  }

  /** One of the saves under way goes a step further: it reaches the server, or its answer comes or is lost. */
  move(at) {
    const one = this.dice.pick(this.under);
    if (!one) return;
    if (!one.reached && !one.lost) {
      one.answer = this.server.patch(one.save, this.name);
      one.reached = true;
      return;
    }
    this.under = this.under.filter((other) => other !== one);
    const answer = one.lost || this.dice.chance(0.15) ? { status: 0 } : one.answer;
    this.receive(answered(one.save.path, answer, at));
  }

  look = () => this.receive({ type: "heard", draft: this.server.draft });

  reload(at) {
    this.under = [];
    this.state = begin(this.server.draft, JSON.parse(JSON.stringify(unsaved(this.state))), at);
  }
}

test("whatever two editors, the network and reloads do, no typed word is lost", () => {
  let conflicted = 0;
  for (let seed = 1; seed <= 120; seed += 1) {
    const dice = random(seed);
    const server = new DraftServer(PLAN);
    const editors = [new Editor("x", server, dice), new Editor("y", server, dice)];
    for (let at = 0; at < 20_000; at += 100) {
      const editor = dice.pick(editors);
      const acts = [["type", 0.25], ["restructure", 0.04], ["send", 0.6], ["move", 0.8], ["look", 0.2], ["reload", 0.02]];
      for (const [act, part] of acts) if (dice.chance(part)) editor[act](at);
      if (dice.chance(0.05)) editor.offline = !editor.offline;
    }
    // The line is back, everything is answered.
    const settle = () => {
      for (let round = 0; round < 60; round += 1) {
        for (const editor of editors) {
          editor.offline = false;
          editor.receive({ type: "hurried", at: 30_000 });
          editor.look();
          editor.send(30_000);
          for (let i = 0; i < 4; i += 1) editor.move(29_000);
        }
      }
    };
    settle();
    for (const { name, state, words } of editors) {
      for (const { path, now } of words) {
        const kept = server.history.some((fact) => JSON.stringify(fact.value).includes(JSON.stringify(now)));
        const asked = state.edits.some((edit) => JSON.stringify(edit.now).includes(JSON.stringify(now)));
        assert.ok(kept || asked, `seed ${seed}: ${name} typed ${JSON.stringify(now)} at ${path}, and it is nowhere`);
      }
      assert.ok(["saved", "conflict"].includes(standing(state)), `seed ${seed}: ${name} is ${JSON.stringify(state.edits)}`);
      conflicted += conflicts(state).length;
    }
    // Whoever is asked decides; then both see what the server has.
    for (let round = 0; round < 8; round += 1) {
      for (const editor of editors) {
        for (const { path } of conflicts(editor.state)) {
          editor.receive({ type: "resolved", path, how: dice.pick(["mine", "theirs"]), at: 30_000 });
        }
        settle();
      }
    }
    for (const { state, name } of editors) {
      assert.deepEqual(state.edits, [], `seed ${seed} ${name}`);
      assert.ok(same(state.plan, server.draft.plan), `seed ${seed}: ${name} sees another plan`);
    }
  }
  assert.ok(conflicted > 20, `only ${conflicted} conflicts were made`);
});
