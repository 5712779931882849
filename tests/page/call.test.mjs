import assert from "node:assert/strict";
import { test } from "node:test";

import { LessonCall } from "../../static/js/call.js";

globalThis.location ??= new URL("https://school.example/student/lessons/fractions");
globalThis.MediaStream ??= class {
  constructor(tracks) { this.tracks = tracks; }
};

class FakePeer {
  connectionState = "new";
  senders = [];

  constructor(configuration) {
    this.configuration = configuration;
    FakePeer.last = this;
  }

  addTransceiver(kind, { direction }) {
    this.transceiver = { kind, direction };
    const sender = { track: null, replaceTrack: async (track) => void (sender.track = track) };
    this.sender = sender;
    return { sender };
  }

  createDataChannel(label) {
    const sent = [];
    this.channel = { label, readyState: "connecting", bufferedAmount: 0, sent, send: (text) => sent.push(JSON.parse(text)) };
    return this.channel;
  }

  createOffer = async () => ({ type: "offer", sdp: "v=0 offer" });
  setLocalDescription = async (description) => void (this.localDescription = description);
  setRemoteDescription = async (description) => void (this.remoteDescription = description);
  getStats = async () => new Map();
  close() { this.connectionState = "closed"; }

  become(state) {
    this.connectionState = state;
    this.onconnectionstatechange();
  }
}

const settled = () => new Promise((done) => setImmediate(done));

async function call({ status = 201, ice = [], Peer = FakePeer, fetcher = null } = {}) {
  const all = { events: [], gone: [], shaky: 0, voices: [], requests: [] };
  const answer = () => new Response(status === 201 ? "v=0 answer" : "{}", { status, headers: { location: "/v1/realtime/calls/c1" } });
  all.call = new LessonCall({
    key: { value: "ek_1", ice_servers: ice },
    place: { lesson: "fractions", session: "0192cccc-0000-7000-8000-00000000beef", after: "item_3" },
  }, {
    event: (event) => all.events.push(event),
    voice: (...voice) => all.voices.push(voice),
    shaky: () => { all.shaky += 1; },
    gone: (code, why) => all.gone.push([code, why]),
  }, {
    Peer,
    fetcher: fetcher ?? (async (address, request) => {
      all.requests.push({ address: String(address), ...request });
      return answer();
    }),
  });
  await settled();
  all.peer = FakePeer.last;
  all.open = () => {
    all.peer.channel.readyState = "open";
    return all.peer.channel;
  };
  all.hear = (event) => all.peer.channel.onmessage({ data: JSON.stringify(event) });
  return all;
}

test("the page offers its voice and the events' channel, with the key, to the session it comes back to", async () => {
  const ice = [{ urls: ["stun:stun.example"] }];
  const { peer, requests: [request] } = await call({ ice });
  assert.deepEqual(peer.configuration, { iceServers: ice });
  assert.deepEqual(peer.transceiver, { kind: "audio", direction: "sendrecv" });
  assert.equal(peer.channel.label, "oai-events");
  const { pathname, searchParams } = new URL(request.address);
  assert.equal(pathname, "/v1/realtime/calls");
  assert.deepEqual(Object.fromEntries(searchParams),
    { model: "fractions", session: "sess_0192cccc00007000800000000000beef", after: "item_3" });
  assert.equal(request.body, "v=0 offer");
  assert.equal(request.headers.authorization, "Bearer ek_1");
  assert.equal(request.headers["content-type"], "application/sdp");
  assert.deepEqual(peer.remoteDescription, { type: "answer", sdp: "v=0 answer" });
});

test("no call, and why", async () => {
  assert.equal((await call({ status: 501 })).gone[0][1].status, 501);
  assert.equal((await call({ fetcher: async () => { throw new TypeError("away"); } })).gone[0][1].status, 0);
  const none = await call({ Peer: null });
  assert.equal(none.gone.length, 1);
  assert.equal(none.gone[0][1].status, null);
});

test("what was said before goes first, and the track waits for it", async () => {
  const all = await call();
  const channel = all.open();
  all.call.sendSound(Array.from({ length: 20 }, (_, i) => new Int16Array(480).fill(i).buffer));
  assert.deepEqual(channel.sent.map(({ type }) => type), ["input_audio_buffer.append", "input_audio_buffer.append"]);
  const bytes = channel.sent.map(({ audio }) => Buffer.from(audio, "base64"));
  assert.deepEqual(bytes.map(({ length }) => length), [15 * 960, 5 * 960]);
  assert.equal(bytes[1].readInt16LE(4 * 960), 19);
  channel.bufferedAmount = 20_000;
  all.call.talk("track");
  await settled();
  assert.equal(all.call.talking, false);
  channel.bufferedAmount = 0;
  channel.onbufferedamountlow();
  await settled();
  assert.equal(all.peer.sender.track, "track");
  assert.equal(all.call.talking, true);
});

test("without a track nothing goes out, at once", async () => {
  const all = await call();
  all.open();
  all.call.talk("track");
  all.call.talk(null);
  assert.equal(all.call.talking, false);
  await settled();
  assert.equal(all.peer.sender.track, null);
  assert.equal(all.call.talking, false);
});

test("an event in pieces is one event", async () => {
  const all = await call();
  const event = { type: "session.created", event_id: "e", session: { id: "s" } };
  const text = JSON.stringify(event);
  const piece = (index, data) => ({ type: "event.piece", event_id: "e", index, count: 2, data });
  all.hear(piece(0, text.slice(0, 20)));
  assert.deepEqual(all.events, []);
  all.hear(piece(1, text.slice(20)));
  assert.deepEqual(all.events, [event]);
});

for (const [said, code] of [
  [{ type: "notice", code: "taken_over", text: "" }, 4001], [{ type: "notice", code: "signed_out", text: "" }, 4002],
  [{ type: "session.ended", reason: "finished" }, 1000], [{ type: "notice", code: "going_away", text: "" }, 1006],
  [{ type: "notice", code: "toString", text: "" }, 1006],
]) {
  test(`a channel that closes after ${said.code ?? said.type} means ${code}`, async () => {
    const all = await call();
    all.open();
    all.hear(said);
    all.peer.channel.onclose();
    assert.equal(all.peer.connectionState, "closed");
    all.peer.become("failed");
    assert.deepEqual(all.gone.map(([one]) => one), [code], "told once");
  });
}

test("a network that is away for a moment is told, and one that stays away is the end", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const all = await call();
  all.peer.become("disconnected");
  assert.equal(all.shaky, 1);
  t.mock.timers.tick(4000);
  all.peer.become("connected");
  t.mock.timers.tick(10_000);
  assert.deepEqual(all.gone, []);
  all.peer.become("disconnected");
  t.mock.timers.tick(5000);
  assert.deepEqual(all.gone.map(([code]) => code), [1006]);
});

test("leaving hangs up, even where the page goes away, and tells nobody", async () => {
  const all = await call();
  all.call.close();
  all.call.close();
  const { address, method, keepalive } = all.requests[1];
  assert.deepEqual([new URL(address).pathname, method, keepalive], ["/v1/realtime/calls/c1", "DELETE", true]);
  assert.equal(all.requests.length, 2);
  assert.deepEqual(all.gone, []);
});

test("a call that was left before the server answered is hung up all the same", async () => {
  let answer;
  const requests = [];
  const all = await call({ fetcher: (address, request) => {
    requests.push(request.method);
    return request.method === "POST" ? new Promise((done) => { answer = done; }) : Promise.resolve(new Response());
  } });
  all.call.close();
  answer(new Response("v=0", { status: 201, headers: { location: "/v1/realtime/calls/c2" } }));
  await settled();
  assert.deepEqual(requests, ["POST", "DELETE"]);
  assert.equal(all.peer.remoteDescription, undefined);
});

test("on a slow line speech does not wait for ever behind what was kept", async (t) => {
  let now = 0;
  t.mock.method(performance, "now", () => now);
  const { call: line } = await call();
  const { channel, sender } = FakePeer.last;
  channel.readyState = "open";
  channel.bufferedAmount = 300_000;
  line.talk("microphone");
  await settled();
  line.sendSound([new ArrayBuffer(960)]);
  await settled();
  assert.equal(sender.track, null);
  now = 1600;
  line.sendSound([new ArrayBuffer(960)]);
  await settled();
  assert.equal(sender.track, "microphone");
  assert.equal(line.talking, true);
  line.talk(null);
  now = 10_000;
  line.talk("microphone");
  await settled();
  assert.equal(line.talking, false, "each time it waits anew");
});

test("a lesson that goes on in another window ends the call, whether or not the end arrives", async () => {
  const all = await call();
  FakePeer.last.channel.onmessage({ data: JSON.stringify({ type: "notice", code: "taken_over", text: "" }) });
  assert.deepEqual(all.gone, [[4001, undefined]]);
});
