/** Hold-to-talk: the button, the key, and all that can happen while it is down. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { AMINA } from "./fake-records.mjs";
import { button, control, sent, stage, until } from "./stage.mjs";

const me = { ...AMINA, preferences: { ...AMINA.preferences, hold_to_talk: true } };
const PHONE = { width: 390, height: 760, hasTouch: true, isMobile: true };
const idle = (page) => page.locator(".control", { hasText: "Hold to talk" });
const commits = (lesson) => sent(lesson, "input_audio_buffer.commit").length;
const wait = (ms) => new Promise((done) => setTimeout(done, ms));

/** A lesson whose button can be held, with its opening behind it. */
async function ready(t, options) {
  const all = await stage(t, { records: { me }, ...options });
  await button(all.page, "Start").click();
  await control(all.page, "tutor").waitFor();
  await idle(all.page).waitFor();
  await all.page.evaluate(() => document.activeElement.blur());
  return all;
}

/** The mouse goes down on the button, and stays. */
async function press(page) {
  await page.locator("#control").hover();
  await page.mouse.down();
  await control(page, "speaking").waitFor();
}

/** Whether sound goes out now. */
async function sends(lesson) {
  const before = lesson.soundBytes;
  await wait(500);
  return lesson.soundBytes > before + 2000;
}

test("sound goes out only while the key is down, and then the turn is over", async (t) => {
  const { page, lesson } = await ready(t);
  assert.equal(sent(lesson, "session.update")[0].session.audio.input.turn_detection, null);
  assert.equal(await sends(lesson), false);
  const quiet = lesson.soundBytes;
  await page.keyboard.down("Space");
  await control(page, "speaking").waitFor();
  await wait(400);
  await page.keyboard.up("Space");
  await until(() => commits(lesson) === 1, "commit");
  assert.ok(lesson.soundBytes - quiet > 12_000);
});

test("the held key turns the microphone on, or ends a pause, where nothing would be heard", async (t) => {
  const { page, lesson } = await ready(t);
  await button(page, "Mute my microphone").click();
  await control(page, "off").waitFor();
  await page.evaluate(() => document.activeElement.blur());
  await page.keyboard.press("Space");
  await idle(page).waitFor();
  await button(page, "Give me a minute").click();
  await page.getByText("Paused", { exact: true }).waitFor();
  await page.evaluate(() => document.activeElement.blur());
  await page.keyboard.press("Space");
  await idle(page).waitFor();
  assert.deepEqual(sent(lesson, "session.pause").map(({ on }) => on), [true, false]);
  assert.equal(commits(lesson), 0);
});

test("who lets go of the key and presses it again at once is not talked over", async (t) => {
  const { page, lesson } = await ready(t);
  const played = () => [...lesson.played.values()].slice(1);
  await page.evaluate(() => {
    const press = (type) => dispatchEvent(new KeyboardEvent(type, { key: " ", bubbles: true }));
    for (const type of ["keydown", "keyup", "keydown"]) press(type); // before the server can have answered
  });
  await until(() => sent(lesson, "response.cancel").length === 1, "the answer is not wanted yet");
  assert.equal(sent(lesson, "response.cancel")[0].response_id, undefined);
  await wait(1500);
  assert.ok(played().every((ms) => ms === 0), `${played()} ms of it were played`);
  await page.evaluate(() => dispatchEvent(new KeyboardEvent("keyup", { key: " " })));
  await until(() => commits(lesson) === 2, "the second half");
  await control(page, "tutor").waitFor();
  await until(() => played().some((ms) => ms > 300), "that is answered");
});

test("a thumb that drifts on a phone holds on", async (t) => {
  const { page, lesson } = await ready(t, PHONE);
  const cdp = await page.context().newCDPSession(page);
  const { x, y, height } = await page.locator("#control").boundingBox();
  const touch = (type, ...at) => cdp.send("Input.dispatchTouchEvent", { type, touchPoints: at });
  const place = (drift) => ({ x: x + 60 + drift, y: y + height / 2 - drift });
  await touch("touchStart", place(0));
  await control(page, "speaking").waitFor();
  for (let drift = 0; drift <= 60; drift += 5) {
    await touch("touchMove", place(drift));
    await wait(20);
  }
  await wait(300);
  assert.equal(commits(lesson), 0);
  assert.equal(await sends(lesson), true);
  await touch("touchEnd");
  await until(() => commits(lesson) === 1, "commit");
  assert.equal(await sends(lesson), false);
});

test("the button is let go though it has become another while it was down", async (t) => {
  const { page, lesson, gateway } = await ready(t);
  await press(page);
  gateway.away = true;
  gateway.cut();
  await control(page, "reconnecting").waitFor();
  await page.mouse.up();
  gateway.away = false;
  await until(() => commits(lesson) === 1, "what was said is a turn");
  assert.equal(await sends(lesson), false);
});

test("a lesson taken over while the button is down is not taken back by letting go", async (t) => {
  const { page, lesson, gateway } = await ready(t);
  await press(page);
  gateway.hangUp(4001);
  await page.locator(".control", { hasText: "open in another window" }).waitFor();
  await page.mouse.up();
  await wait(500);
  assert.equal(lesson.connections, 1);
  await page.locator("#control").click();
  await until(() => lesson.connections === 2, "a press of its own does");
  await idle(page).waitFor();
  assert.equal(await sends(lesson), false);
});

test("who goes to another window has let go", async (t) => {
  const { page, lesson } = await ready(t);
  await page.keyboard.down("Space");
  await control(page, "speaking").waitFor();
  await page.evaluate(() => dispatchEvent(new Event("blur")));
  await until(() => commits(lesson) === 1, "commit");
  assert.equal(await sends(lesson), false);
});

test("who can press and not hold begins with one press and ends with another", async (t) => {
  const { page, lesson } = await ready(t);
  const click = () => page.evaluate(() => document.getElementById("control").click()); // as a screen reader does
  await click();
  await control(page, "speaking").waitFor();
  assert.equal(await page.locator("#control").getAttribute("aria-pressed"), "true");
  assert.equal(await sends(lesson), true);
  await click();
  await until(() => commits(lesson) === 1, "commit");
  assert.equal(await sends(lesson), false);
});

test("who speaks before the lesson is open is not talked over by its opening", async (t) => {
  const { page, lesson, gateway } = await stage(t, { records: { me } });
  gateway.slowMs = 2500;
  await button(page, "Start").click();
  await button(page, "Mute my microphone").waitFor();
  await page.evaluate(() => document.activeElement.blur());
  await page.keyboard.down("Space");
  assert.equal(lesson.connections, 0);
  await control(page, "speaking").waitFor();
  await wait(500);
  assert.equal(sent(lesson, "response.create").length, 0);
  await page.keyboard.up("Space");
  await until(() => commits(lesson) === 1 && sent(lesson, "response.create").length === 1, "one turn, one answer");
});
