import assert from "node:assert/strict";
import { test } from "node:test";

import { between, read } from "../../static/lib/call-quality.js";

const report = (inbound = {}, remote = {}, pair = {}) => new Map([
  ["I", { type: "inbound-rtp", kind: "audio", packetsLost: 0, packetsReceived: 0, jitter: 0.004, concealedSamples: 0, silentConcealedSamples: 0, totalSamplesReceived: 0, ...inbound }],
  ["R", { type: "remote-inbound-rtp", kind: "audio", fractionLost: 0, roundTripTime: 0.03, ...remote }],
  ["C", { type: "candidate-pair", nominated: true, currentRoundTripTime: 0.03, ...pair }],
  ["V", { type: "inbound-rtp", kind: "video", packetsLost: 1e6 }],
]);
const judged = (...now) => between(read(report()), read(report(...now)));

test("a call is as good as its worst part", () => {
  assert.equal(judged({ packetsReceived: 250, totalSamplesReceived: 240_000 }), "good");
  assert.equal(judged({ packetsReceived: 240, packetsLost: 12 }), "fair");
  assert.equal(judged({ packetsReceived: 200, packetsLost: 50 }), "poor");
  assert.equal(judged({ jitter: 0.2 }), "poor");
  assert.equal(judged({}, { fractionLost: 0.2 }), "poor");
  assert.equal(judged({}, {}, { currentRoundTripTime: 0.8 }), "fair");
  assert.equal(judged({ totalSamplesReceived: 240_000, concealedSamples: 30_000 }), "poor");
});

test("silence that is not sent is no loss", () => {
  assert.equal(judged({ totalSamplesReceived: 240_000, concealedSamples: 200_000, silentConcealedSamples: 200_000 }), "good");
});

test("only what happened lately counts", () => {
  const [then, now] = [{ packetsLost: 500, packetsReceived: 500 }, { packetsLost: 500, packetsReceived: 750 }];
  assert.equal(between(read(report(then)), read(report(now))), "good");
});

test("a browser that counts nothing is believed to be well", () => {
  assert.equal(between(null, read(new Map())), "good");
});

test("where nothing comes any more, nothing is good", () => {
  const [then, now] = [read(report({ packetsReceived: 250 })), read(report({ packetsReceived: 250 }))];
  assert.equal(between(then, now, { seconds: 1 }), "good");
  assert.equal(between(then, now, { seconds: 2 }), "poor");
  assert.equal(between(null, read(new Map()), { seconds: 5 }), "good");
});

test("two of twelve packets of silence are no bad network", () => {
  assert.equal(judged({ packetsReceived: 10, packetsLost: 2 }), "good");
});

test("speech that waits to be sent makes a call a weak one", () => {
  const reading = read(report({ packetsReceived: 250 }));
  assert.equal(between(null, reading, { seconds: 5, unsentBytes: 40_000 }), "fair");
  assert.equal(between(null, reading, { seconds: 5, unsentBytes: 200_000 }), "poor");
});
