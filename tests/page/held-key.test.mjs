import assert from "node:assert/strict";
import { test } from "node:test";

import { pressOf } from "../../static/js/control.js";
import { HeldKey } from "../../static/js/held-key.js";
import { NOTHING_YET } from "../../static/js/lesson.js";

const READY = { ...NOTHING_YET, phase: "open", microphone: "on", handHeld: false };

function begin(t, { lasts = true, ...state } = {}) {
  t.mock.timers.reset();
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const all = { state: { ...READY, ...state }, did: [], waiting: [] };
  all.key = new HeldKey({
    state: () => all.state,
    lasts: () => lasts,
    release: (done, by) => {
      const waiter = { done, by };
      all.waiting.push(waiter);
      return () => { all.waiting = all.waiting.filter((one) => one !== waiter); };
    },
    hand: (handHeld) => { all.state = { ...all.state, handHeld }; },
    begin: () => all.did.push("begin"),
    said: () => all.did.push("said"),
    act: (action) => all.did.push(action),
  });
  all.pass = (ms) => t.mock.timers.tick(ms);
  return all;
}

test("over a call the last word has time to come through; over a socket it is there already", (t) => {
  const call = begin(t);
  call.key.down();
  call.key.down();
  call.key.up();
  assert.deepEqual([call.did, call.state.handHeld, call.key.isOpen], [["begin"], false, true]);
  call.pass(150);
  assert.deepEqual([call.did, call.key.isOpen], [["begin", "said"], false]);
  const socket = begin(t, { lasts: false });
  socket.key.down();
  socket.key.up();
  socket.key.up();
  assert.deepEqual(socket.did, ["begin", "said"]);
});

test("who presses again at once goes on with the same turn", (t) => {
  const all = begin(t);
  all.key.down();
  all.key.up();
  all.pass(100);
  all.key.down();
  all.pass(1000);
  assert.deepEqual([all.did, all.key.isOpen], [["begin"], true]);
  all.key.up();
  all.pass(150);
  assert.deepEqual(all.did, ["begin", "said"]);
});

test("the key means something else where nobody would hear it", () => {
  assert.equal(pressOf(READY), "hold");
  assert.equal(pressOf({ ...READY, phase: "reconnecting" }), "hold");
  assert.equal(pressOf({ ...READY, paused: true }), "resume");
  assert.equal(pressOf({ ...READY, microphone: "off" }), "listen");
  assert.equal(pressOf({ ...READY, microphone: "refused" }), "listen");
  assert.equal(pressOf({ ...READY, microphone: "asking" }), null);
  assert.equal(pressOf({ ...READY, session: { hears_speech: false } }), "type");
  for (const phase of ["taken", "over", "refused", "idle"]) assert.equal(pressOf({ ...READY, phase }), null);
});

test("a press while muted or paused begins no turn, and letting go ends none", (t) => {
  for (const [state, does] of [[{ microphone: "off" }, ["listen"]], [{ paused: true }, ["resume"]], [{ phase: "taken" }, []]]) {
    const all = begin(t, { ...state, lasts: false });
    all.key.down();
    all.key.up();
    assert.deepEqual([all.did, all.state.handHeld], [does, false]);
  }
});

test("what a pause has ended is not ended again, and nobody asks for an answer", (t) => {
  const all = begin(t);
  all.key.down();
  all.state.paused = true;
  all.key.up();
  all.pass(150);
  assert.deepEqual([all.did, all.key.isOpen], [["begin"], false]);
});

test("who mutes while the key is down has finished; who leaves is not waited for", (t) => {
  const all = begin(t);
  all.key.down();
  all.key.end();
  assert.deepEqual([all.did, all.state.handHeld], [["begin", "said"], false]);
  all.key.down();
  all.key.up();
  all.key.close();
  all.pass(1000);
  assert.deepEqual(all.did, ["begin", "said", "begin"]);
});

test("it is let go wherever that happens, once", (t) => {
  const all = begin(t, { lasts: false });
  all.key.down({ pointer: 7 });
  assert.deepEqual(all.waiting.map(({ by }) => by), [{ pointer: 7 }]);
  all.waiting[0].done();
  assert.deepEqual([all.did, all.state.handHeld, all.waiting], [["begin", "said"], false, []]);
  all.key.down({ key: " " });
  all.key.up();
  assert.deepEqual([all.did.length, all.waiting], [4, []]);
});

test("where the lesson goes elsewhere nobody holds the key, and nothing was said", (t) => {
  const all = begin(t);
  all.key.down({ key: " " });
  all.key.close();
  all.pass(1000);
  assert.deepEqual([all.did, all.state.handHeld, all.waiting, all.key.isOpen], [["begin"], false, [], false]);
});
