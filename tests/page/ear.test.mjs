import assert from "node:assert/strict";
import { test } from "node:test";

import { Ear } from "../../static/js/audio/ear.js";
import { Microphone } from "../../static/js/audio/microphone.js";

function begin() {
  const all = { became: [], made: [] };
  all.ear = new Ear({ hear: () => {}, become: (...to) => all.became.push(to.filter(Boolean).join(" ")) }, {
    make: () => {
      const microphone = { closed: false, close: () => { microphone.closed = true; } };
      microphone.open = (hear, lost, device) => new Promise((allow, refuse) => Object.assign(microphone, {
        hear, lost, device, refuse, allow: () => { microphone.track = "track"; allow(); },
      }));
      all.made.push(microphone);
      return microphone;
    },
  });
  return all;
}

test("it is asked for, on, and off; its level falls back to nothing", async () => {
  const all = begin();
  const levels = [];
  const stop = all.ear.follow((level) => levels.push(level));
  const opening = all.ear.open("context", "usb");
  assert.deepEqual([all.became, all.made[0].device, all.ear.track], [["asking"], "usb", null]);
  all.made[0].allow();
  await opening;
  assert.equal(all.ear.track, "track");
  all.ear.level(0.5);
  all.ear.turnOff();
  assert.deepEqual([all.became, levels, all.ear.track], [["asking", "on", "off"], [0, 0.5, 0], null]);
  assert.equal(all.made[0].closed, true);
  stop();
  all.ear.level(0.7);
  assert.equal(levels.length, 3);
});

test("why there is none is told, also when it is unplugged later", async () => {
  const all = begin();
  const opening = all.ear.open("context", "");
  all.made[0].refuse(Object.assign(new Error("no"), { name: "NotAllowedError" }));
  await opening;
  const again = all.ear.open("context", "");
  all.made[1].allow();
  await again;
  all.made[1].lost();
  assert.deepEqual(all.became, ["asking", "refused NotAllowedError", "asking", "on", "refused unplugged"]);
});

test("who turns it off while the browser still asks is not told that it was refused", async () => {
  const all = begin();
  const opening = all.ear.open("context", "");
  all.ear.turnOff();
  all.made[0].refuse(Object.assign(new Error("closed"), { name: "AbortError" }));
  await opening;
  assert.deepEqual(all.became, ["asking", "off"]);
});

test("a microphone that is allowed after it was closed is closed at once", async (t) => {
  const track = { stop: t.mock.fn() };
  const stream = { getTracks: () => [track], getAudioTracks: () => [track] };
  let allow;
  const devices = { getUserMedia: () => new Promise((done) => { allow = () => done(stream); }) };
  const before = Object.getOwnPropertyDescriptor(globalThis, "navigator") ?? { configurable: true, value: undefined };
  Object.defineProperty(globalThis, "navigator", { configurable: true, value: { mediaDevices: devices } });
  t.after(() => Object.defineProperty(globalThis, "navigator", before));
  const microphone = new Microphone({});
  const opening = microphone.open(() => {}, () => {});
  microphone.close();
  allow();
  await assert.rejects(opening, { name: "AbortError" });
  assert.equal(track.stop.mock.callCount(), 1);
  assert.deepEqual([microphone.on, microphone.track], [false, null]);
});
