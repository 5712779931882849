import assert from "node:assert/strict";
import { test } from "node:test";

import { LessonLine } from "../../static/js/line.js";

const CREATED = { type: "session.created", session: { id: "sess_1" } };

/** A line whose connections are directed by the test; `now` is its clock, timers are the mock's. */
function begin(t, { calls = true, api = {}, refuse = null } = {}) {
  t.mock.timers.enable({ apis: ["setTimeout", "Date"] });
  const all = { made: [], phases: [], received: [], voices: [], keys: 0, now: 0, session: null };
  const make = (kind) => class {
    constructor({ key, place }, told) {
      Object.assign(this, { kind, key, place, told, sent: [], frames: [], closed: false, talking: false, unsentBytes: 0 });
      all.made.push(this);
      if (kind === "call" && refuse !== null) queueMicrotask(() => this.closed || told.gone(1006, { status: refuse }));
    }

    send(event) { this.sent.push(event); }
    sendSound(frames) { this.frames.push(...frames); }
    talk(track) { this.talking = kind === "call" && track !== null; }
    close() { this.closed = true; }
    lost() { this.close(); this.told.gone(1006); }
    stats() { return Promise.resolve(new Map()); }
  };
  all.line = new LessonLine({
    api: { key: async () => ({ value: `ek_${++all.keys}`, expires_at: Date.now() / 1000 + 600 }), ...api },
    lesson: "fractions", calls,
    place: () => ({ session: all.session, after: null }),
    options: (kind) => ({ type: "realtime", kind }),
    receive: (event) => all.received.push(event.type),
    hear: () => {},
    voice: (voice) => all.voices.push(voice),
    phase: (...phase) => all.phases.push(phase.filter(Boolean).join(" ")),
  }, { Call: make("call"), Socket: make("socket"), now: () => all.now });
  all.up = (which = all.made.at(-1)) => {
    if (which.kind === "call") which.told.voice("stream", "receiver");
    which.told.event(CREATED);
    all.session = "0192cccc-0000-7000-8000-00000000beef";
    all.line.flushSound();
    return which;
  };
  all.pass = async (ms) => {
    all.now += ms;
    t.mock.timers.tick(ms);
    await settled();
  };
  return all;
}

const settled = async () => {
  for (let i = 0; i < 20; i++) await Promise.resolve();
};
const kinds = (all) => all.made.map(({ kind }) => kind);

test("a call comes first, and what was said before it was up goes over it", async (t) => {
  const all = begin(t);
  await all.line.open();
  all.line.talk("track");
  for (const frame of [1, 2, 3]) all.line.sendSound(frame);
  const call = all.up();
  assert.equal(all.line.kind, "call");
  assert.deepEqual(call.sent, [{ type: "session.update", session: { type: "realtime", kind: "call" } }]);
  assert.deepEqual(call.frames, [1, 2, 3]);
  all.line.sendSound(4);
  assert.deepEqual(call.frames, [1, 2, 3], "now the track carries it");
  assert.deepEqual(all.voices, [{ stream: "stream", receiver: "receiver" }]);
});

for (const [why, refuse] of [["the server holds no calls", 501], ["the offer is refused", 400], ["there is no WebRTC", undefined]]) {
  test(`a socket at once, for this visit, where ${why}`, async (t) => {
    const all = begin(t, { refuse: refuse ?? false });
    await all.line.open();
    all.line.sendSound(1);
    await settled();
    const socket = all.up();
    assert.deepEqual(kinds(all), ["call", "socket"]);
    assert.equal(all.keys, 1);
    assert.deepEqual(socket.frames, [1]);
    assert.deepEqual(all.phases, ["connecting"]);
    assert.deepEqual(all.voices, [null]);
    socket.told.gone(1006);
    await all.pass(1000);
    assert.deepEqual(kinds(all), ["call", "socket", "socket"]);
  });
}

test("a call that is not up within four seconds gives way to a socket, and no word is lost", async (t) => {
  const all = begin(t);
  await all.line.open();
  for (let i = 0; i < 200; i++) all.line.sendSound(i);
  await all.pass(3900);
  assert.deepEqual(kinds(all), ["call"]);
  await all.pass(100);
  assert.deepEqual(kinds(all), ["call", "socket"]);
  assert.equal(all.made[0].closed, true);
  assert.equal(all.up().frames.length, 200);
});

test("an offer that reaches nobody is no reason against calls, unless it happens again", async (t) => {
  const all = begin(t, { refuse: 0 });
  await all.line.open();
  await settled();
  assert.deepEqual(kinds(all), ["call"]);
  await all.pass(1000);
  assert.deepEqual(kinds(all), ["call", "call", "socket"]);
});

test("a broken call comes back as a call; one that keeps breaking becomes a socket", async (t) => {
  const all = begin(t);
  await all.line.open();
  all.up().told.gone(1006);
  assert.deepEqual(all.phases, ["connecting", "reconnecting"]);
  await all.pass(1000);
  assert.deepEqual(kinds(all), ["call", "call"]);
  assert.equal(all.made[1].place.session, all.session);
  all.up().told.gone(1006);
  await all.pass(1000);
  assert.deepEqual(kinds(all), ["call", "call", "socket"]);
});

test("another network makes a new call at once, and the old one serves until it is up", async (t) => {
  const all = begin(t);
  await all.line.open();
  const old = all.up();
  old.told.shaky();
  old.told.shaky();
  await settled();
  assert.deepEqual(kinds(all), ["call", "call"], "one new call is enough");
  all.line.send({ type: "output_audio_buffer.played" });
  assert.equal(old.sent.at(-1).type, "output_audio_buffer.played");
  assert.equal(old.closed, false);
  const phases = all.phases.length;
  const fresh = all.up();
  assert.equal(old.closed, true);
  assert.deepEqual(all.phases.slice(phases), ["reconnecting"], "what the old one was in the middle of is over");
  old.told.event({ type: "response.done" });
  assert.ok(!all.received.includes("response.done"), "the old one says nothing any more");
  assert.equal(fresh.sent[0].type, "session.update");
});

test("what a call that had died did not carry goes over the one that takes its place", async (t) => {
  const all = begin(t);
  await all.line.open();
  const old = all.up();
  all.line.talk("track");
  const said = async (seconds) => {
    for (let i = 0; i < seconds * 50; i++) {
      all.line.sendSound(all.now);
      await all.pass(20);
    }
  };
  all.line.sounds();
  await said(1);
  all.line.sounds(); // the last that came over it
  const died = all.now;
  await said(2.5);
  old.told.shaky();
  await settled();
  const fresh = all.up();
  assert.equal(fresh.kind, "call");
  assert.equal(fresh.frames.length, 125 - 1, "from the moment after the last sign");
  assert.ok(fresh.frames.every((at) => at > died));
});

test("a lesson that went elsewhere keeps nothing of what is said here", async (t) => {
  const all = begin(t);
  await all.line.open();
  all.up().told.gone(4001);
  for (let i = 0; i < 50; i++) all.line.sendSound(i);
  await all.line.open();
  const again = all.up();
  assert.deepEqual(again.frames, []);
});

test("the old call may be taken over by the new one before that is up", async (t) => {
  const all = begin(t);
  await all.line.open();
  const old = all.up();
  old.told.shaky();
  await settled();
  old.told.gone(4001);
  assert.equal(all.phases.at(-1), "reconnecting");
  all.up();
  assert.equal(all.line.kind, "call");
});

test("a second call that does not come up costs nothing while the first serves", async (t) => {
  const all = begin(t);
  await all.line.open();
  const old = all.up();
  old.told.shaky();
  await settled();
  await all.pass(4000);
  assert.deepEqual(kinds(all), ["call", "call"]);
  assert.equal(all.line.kind, "call");
  old.told.gone(1006);
  await all.pass(1000);
  assert.deepEqual(kinds(all), ["call", "call", "socket"]);
});

test("on a socket, a call is tried again once the network is another", async (t) => {
  const all = begin(t);
  await all.line.open();
  await all.pass(4000);
  const socket = all.up();
  all.line.hurry();
  await settled();
  assert.deepEqual(kinds(all), ["call", "socket", "call"]);
  all.up();
  assert.equal(socket.closed, true);
  assert.equal(all.line.kind, "call");
});

test("what a call may not have carried before it broke is said again", async (t) => {
  const all = begin(t);
  await all.line.open();
  all.line.talk("track");
  const call = all.up();
  for (let at = 0; at < 6000; at += 20) {
    all.now += 20;
    if (at < 3000) all.line.sounds();
    all.line.sendSound(all.now);
  }
  call.told.gone(1006);
  all.line.sendSound("while away");
  await all.pass(1000);
  const { frames } = all.up();
  assert.equal(frames.at(-1), "while away");
  assert.deepEqual([frames[0], frames.length], [3020, 151]);
});

test("what a call carried is not said twice", async (t) => {
  const all = begin(t);
  await all.line.open();
  all.line.talk("track");
  const call = all.up();
  all.line.sendSound("heard");
  all.line.sounds();
  call.told.gone(1001);
  await all.pass(1000);
  assert.deepEqual(all.up().frames, []);
});

test("a call whose sound stops coming is looked after, once", async (t) => {
  const all = begin(t);
  await all.line.open();
  all.up();
  all.line.sounds();
  all.now += 2500;
  all.line.check();
  await settled();
  assert.equal(all.made.length, 1);
  for (let i = 0; i < 3; i++) {
    all.now += 1000;
    all.line.check();
    await settled();
  }
  assert.equal(all.made.length, 2);
});

for (const [code, phase] of [[1000, "over"], [4001, "taken"], [4002, "signed-out"]]) {
  test(`the end ${code} is the end: ${phase}`, async (t) => {
    const all = begin(t);
    await all.line.open();
    const call = all.up();
    call.told.gone(code);
    await all.pass(60_000);
    assert.equal(all.phases.at(-1), phase);
    assert.equal(all.made.length, 1);
    assert.equal(all.line.kind, null);
  });
}

test("who leaves while the call is on its way leaves nothing behind", async (t) => {
  const all = begin(t);
  await all.line.open();
  all.line.close();
  assert.equal(all.made[0].closed, true);
  await all.pass(60_000);
  assert.equal(all.made.length, 1);
});

test("a refusal of the lesson itself is told, whatever the way", async (t) => {
  const all = begin(t, { api: { key: async () => { throw Object.assign(new Error("no"), { status: 403 }); } } });
  await all.line.open();
  assert.match(all.phases.at(-1), /^refused/);
  assert.equal(all.made.length, 0);
});

test("no call is tried where only words are read", async (t) => {
  const all = begin(t, { calls: false });
  await all.line.open();
  assert.deepEqual(kinds(all), ["socket"]);
});

test("what was kept is the latest, and bounded", async (t) => {
  const all = begin(t);
  await all.line.open();
  for (let i = 0; i < 2000; i++) all.line.sendSound(i);
  const { frames } = all.up();
  assert.deepEqual([frames[0], frames.at(-1)], [1500, 1999]);
});

test("a long silence while the line is away pushes no word out", async (t) => {
  const all = begin(t);
  await all.line.open();
  all.line.sendSound("word");
  for (let at = 0; at < 1000; at++) all.line.sendSound("quiet", true);
  const call = all.up();
  assert.deepEqual([call.frames[0], call.frames.length], ["word", 500]);
});

test("that its own next call takes the lesson over is nothing to tell", async (t) => {
  const all = begin(t);
  await all.line.open();
  const old = all.up();
  old.told.event({ type: "notice", code: "taken_over", text: "" });
  assert.ok(all.received.includes("notice"), "by another window it is");
  all.received.length = 0;
  old.told.shaky();
  await settled();
  old.told.event({ type: "notice", code: "taken_over", text: "" });
  assert.deepEqual(all.received, []);
});

test("a call that was given up and comes up on the server all the same is no other window", async (t) => {
  const all = begin(t);
  await all.line.open();
  const old = all.up();
  old.told.shaky();
  await settled();
  all.made.at(-1).told.gone(1006);
  old.told.gone(4001);
  assert.equal(all.phases.at(-1), "reconnecting");
});

test("a call on its way that is told of another window takes nothing back", async (t) => {
  const all = begin(t);
  await all.line.open();
  all.made.at(-1).told.gone(4001);
  await settled();
  assert.deepEqual(kinds(all), ["call"]);
  assert.equal(all.phases.at(-1), "taken");
});
