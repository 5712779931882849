import assert from "node:assert/strict";
import { test } from "node:test";

import { CallSound } from "../../static/js/audio/call-sound.js";

class FakeAudio {
  muted = false;
  volume = 1;
  play = async () => {};
}

function begin(t) {
  t.mock.timers.enable({ apis: ["setTimeout", "setInterval"] });
  const all = { told: [] };
  const audio = new FakeAudio();
  globalThis.Audio = function () { return audio; };
  t.after(() => delete globalThis.Audio);
  const tell = (what) => (...values) => all.told.push([what, ...values]);
  all.sound = new CallSound({
    played: tell("played"), finished: tell("finished"), dropped: tell("dropped"), guessed: tell("guessed"),
    sounds: () => {}, blocked: tell("blocked"), latencyMs: () => 0,
  });
  all.sound.hear("stream", { getSynchronizationSources: () => [] });
  t.after(() => all.sound.close());
  return Object.assign(all, { audio, pass: (ms) => t.mock.timers.tick(ms) });
}

test("after an interruption the next answer is heard, though word of its sound is late", (t) => {
  const all = begin(t);
  all.sound.drop();
  assert.equal(all.audio.muted, true);
  all.sound.expect();
  all.pass(299);
  assert.equal(all.audio.muted, true, "the end of the one before may still be on its way");
  all.pass(1);
  assert.equal(all.audio.muted, false);
});

test("an answer that is cut short before it sounds stays silent", (t) => {
  const all = begin(t);
  all.sound.expect();
  all.pass(100);
  all.sound.drop();
  all.pass(1000);
  assert.equal(all.audio.muted, true);
});

test("sound that is told of is heard at once", (t) => {
  const all = begin(t);
  all.sound.drop();
  all.sound.expect();
  all.sound.started({ item_id: "i1", audio_ms: 0, rtp_timestamp: 1 });
  assert.equal(all.audio.muted, false);
});
