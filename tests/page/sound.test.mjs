import assert from "node:assert/strict";
import { test } from "node:test";

import { Framer, level, toFloat, toInt16 } from "../../static/lib/pcm.js";
import { Resampler } from "../../static/lib/resample.js";

const tone = (hz, rate, seconds) =>
  Float32Array.from({ length: rate * seconds }, (_, i) => 0.5 * Math.sin((2 * Math.PI * hz * i) / rate));
const power = (samples) => samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length;

function resample(input, from, to, chunk) {
  const resampler = new Resampler(from, to);
  const out = [];
  for (let at = 0; at < input.length; at += chunk) out.push(...resampler.process(input.subarray(at, at + chunk)));
  out.push(...resampler.finish());
  return Float32Array.from(out);
}

for (const [from, to] of [[48_000, 24_000], [44_100, 24_000], [16_000, 24_000], [24_000, 48_000], [24_000, 44_100]]) {
  test(`speech keeps its length, loudness and pitch from ${from} to ${to} Hz`, () => {
    const out = resample(tone(1000, from, 1), from, to, 128);
    assert.ok(Math.abs(out.length - to) <= 40, `${out.length} samples`);
    const middle = out.subarray(to / 4, (3 * to) / 4);
    assert.ok(Math.abs(power(middle) / 0.125 - 1) < 0.01);
    const wanted = tone(1000, to, 1).subarray(to / 4, (3 * to) / 4);
    const error = power(middle.map((sample, i) => sample - wanted[i]));
    assert.ok(error / 0.125 < 1e-3, `error ${error}`);
  });
}

test("what the lower rate can't carry is taken out, not folded back", () => {
  const out = resample(tone(15_000, 48_000, 1), 48_000, 24_000, 128);
  assert.ok(power(out.subarray(2400, 21_600)) / 0.125 < 1e-5);
});

test("the size of the pieces makes no difference", () => {
  const input = tone(440, 44_100, 0.5);
  assert.deepEqual(resample(input, 44_100, 24_000, 128), resample(input, 44_100, 24_000, 1000));
});

test("an equal rate passes through", () => {
  const input = tone(440, 24_000, 0.1);
  assert.equal(new Resampler(24_000, 24_000).process(input), input);
});

test("samples survive the way to the wire and back, and loud ones are limited", () => {
  const back = toFloat(toInt16(Float32Array.of(0, 0.25, -0.25, 2, -2)));
  for (const [i, wanted] of [0, 0.25, -0.25, 1, -1].entries()) assert.ok(Math.abs(back[i] - wanted) < 1e-4);
});

test("frames have one length, whatever comes", () => {
  const framer = new Framer(480);
  const frames = [];
  for (const size of [100, 1000, 128, 128, 85]) {
    framer.push(new Float32Array(size).fill(size), (frame) => frames.push(frame.slice()));
  }
  assert.deepEqual(frames.map((frame) => frame.length), [480, 480, 480]);
  assert.equal(frames[0][99], 100);
  assert.equal(frames[0][100], 1000);
});

test("the level is nothing for silence, little for a whisper, full for a loud voice", () => {
  assert.equal(level(new Float32Array(480)), 0);
  const whisper = level(new Float32Array(480).fill(0.004));
  assert.ok(whisper > 0.1 && whisper < 0.4);
  assert.equal(level(new Float32Array(480).fill(0.5)), 1);
});
