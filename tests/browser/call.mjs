/**
 * A lesson over a call (WebRTC) on the real server, in a real browser. Started by test_page.py with ADDRESS and
 * PASSWORD; DEAD and DEAD_PASSWORD of a server whose calls lead nowhere; AGAIN and ANSWER, files that are said; and
 * HEARD, where what the page heard is written.
 */

import assert from "node:assert/strict";
import { test } from "node:test";

import { startBrowser } from "./browser.mjs";
import { giveMouth, keepHeard, loudest, say } from "./mouth.mjs";
import { button, control, until } from "./stage.mjs";

const { ADDRESS, DEAD, PASSWORD, DEAD_PASSWORD, AGAIN, ANSWER, HEARD } = process.env;
const LESSON = "/student/lessons/fractions-as-parts";

async function enter(t, address, { password = PASSWORD, hold_to_talk = false } = {}) {
  const browser = await startBrowser();
  t.after(() => browser.close());
  const page = await browser.page(address);
  page.setDefaultTimeout(20_000);
  await giveMouth(page);
  page.sockets = [];
  page.on("websocket", (socket) => page.sockets.push({ at: Date.now(), url: socket.url() }));
  page.requests = [];
  page.on("request", (request) => page.requests.push(`${request.method()} ${new URL(request.url()).pathname}`));
  await page.goto(LESSON);
  await page.getByLabel("E-mail").fill("student@demo.school");
  await page.getByLabel("Password", { exact: true }).fill(password);
  await button(page, "Sign in").click();
  await button(page, "Start").waitFor();
  await page.evaluate(prefer, { mic_checked: true, speech_speed: 1.5, hold_to_talk });
  await page.reload();
  await button(page, "Start").click();
  return page;
}

const over = (page, line) => page.locator(`.lesson-line[data-line="${line}"]`);
const calls = (page) => page.requests.filter((request) => request === "POST /v1/realtime/calls").length;

test("a voice lesson over a call: two barge-ins, a network that goes away, and what was heard is kept", async (t) => {
  const page = await enter(t, ADDRESS);
  try {
    await takeTheLesson(page);
  } catch (error) {
    throw new Error(`The page said:\n${await page.locator("body").innerText()}`, { cause: error });
  }
});

async function takeTheLesson(page) {
  await over(page, "call").waitFor();
  await control(page, "tutor").waitFor();
  await page.locator(".growing", { hasText: /\w+ \w+ \w+/ }).waitFor();
  assert.equal(page.sockets.filter(({ url }) => url.includes("realtime")).length, 0, "it is a call, and no socket");
  await until(async () => (await loudest(page, 1)) > 0.05, "the tutor is heard");

  await page.waitForTimeout(2500);
  const first = say(page, AGAIN);
  await page.locator("s.cut").waitFor();
  await first;
  await control(page, "tutor").waitFor();
  await page.waitForTimeout(1500);
  await say(page, ANSWER);
  await page.locator(".line.student", { hasText: /two quarters/i }).waitFor();
  await until(async () => (await page.locator("s.cut").count()) >= 2, "the second barge-in");
  await control(page, "listening").waitFor({ timeout: 30_000 });

  const session = new URL(page.url()).searchParams.get("session");
  const before = await page.locator('[role="log"] .line').allTextContents();
  await page.context().setOffline(true);
  await page.evaluate(() => globalThis.house.peers.at(-1).close()); // which "offline" spares
  await page.waitForTimeout(3000);
  await page.context().setOffline(false);
  await until(() => calls(page) === 2, "a second call");
  await control(page, "listening").waitFor();
  assert.equal(new URL(page.url()).searchParams.get("session"), session);
  assert.deepEqual(await page.locator('[role="log"] .line').allTextContents(), before, "nothing is doubled, nothing lost");
  await over(page, "call").waitFor();
  await say(page, ANSWER);
  await page.getByText("step 2 of 6").waitFor();
  await control(page, "tutor").waitFor();

  await keepHeard(page, HEARD);
  await button(page, "Finish").click();
  await button(page, "Finish the lesson").click();
  await page.getByRole("heading", { name: "You stopped here for today" }).waitFor();
  const { items } = await page.evaluate(async (path) => (await fetch(path)).json(), `/api/v1/sessions/${session}/transcript`);
  const [opening] = items;
  assert.ok(opening.interrupted && opening.heard.length > 0 && opening.heard.length < opening.said.length, opening.heard);
  assert.deepEqual(page.faults, []);
}

test("over a call only what the student lets through is heard: a key held, a microphone on", async (t) => {
  const page = await enter(t, ADDRESS, { hold_to_talk: true });
  const said = page.locator(".line.student");
  await over(page, "call").waitFor();
  await page.locator(".control", { hasText: "Hold to talk" }).waitFor({ timeout: 40_000 });
  await say(page, ANSWER);
  await page.waitForTimeout(2500);
  assert.equal(await said.count(), 0, "nothing is heard while the key is up");

  await page.evaluate(() => document.activeElement.blur());
  await page.keyboard.down("Space");
  await control(page, "speaking").waitFor();
  await say(page, ANSWER);
  await page.keyboard.up("Space");
  await said.filter({ hasText: /two quarters/i }).waitFor();
  await page.getByText("step 2 of 6").waitFor();
  await page.locator(".control", { hasText: "Hold to talk" }).waitFor({ timeout: 40_000 });
  await page.keyboard.down("Space");
  await control(page, "speaking").waitFor();
  await say(page, AGAIN);
  await page.keyboard.up("Space");
  await said.filter({ hasText: /repeat the question/i }).waitFor();
  await control(page, "tutor").waitFor();
  await page.locator(".control", { hasText: "Hold to talk" }).waitFor({ timeout: 40_000 });

  // Let go and pressed again at once, it is one turn.
  await page.evaluate(() => document.activeElement.blur());
  await page.keyboard.down("Space");
  const saying = say(page, ANSWER);
  await page.waitForTimeout(600);
  await page.keyboard.up("Space");
  await page.keyboard.down("Space");
  await saying;
  await control(page, "speaking").waitFor();
  await page.keyboard.up("Space");
  await until(async () => (await said.count()) === 3, "one turn");
  await page.locator(".control", { hasText: "Hold to talk" }).waitFor({ timeout: 40_000 });
  assert.equal(await said.count(), 3);

  // A microphone that gives nothing is told of as soon as the key comes up.
  await page.keyboard.down("Space");
  await page.waitForTimeout(800);
  await page.keyboard.up("Space");
  await page.getByText("I can't hear you yet").waitFor();
  assert.equal(await said.count(), 3, "and is no turn");

  await button(page, "Options").click();
  await page.getByLabel("Hold to talk").uncheck();
  await button(page, "Close").click();
  await control(page, "listening").waitFor();
  await button(page, "Mute my microphone").click();
  await control(page, "off").waitFor();
  await say(page, ANSWER);
  await page.waitForTimeout(2500);
  assert.equal(await said.count(), 3, "nothing is heard while the microphone is off");

  await control(page, "off").click();
  await control(page, "listening").waitFor();
  await say(page, ANSWER);
  await until(async () => (await said.count()) === 4, "what is said with the microphone on again");
  assert.equal(page.sockets.filter(({ url }) => url.includes("realtime")).length, 0, "all of it over the call");
  await button(page, "Finish").click();
  await button(page, "Finish the lesson").click();
  await page.getByRole("heading", { name: "You stopped here for today" }).waitFor();
  assert.deepEqual(page.faults, []);
});

test("a call that leads nowhere gives way to a socket within five seconds, and no word is lost", async (t) => {
  const page = await enter(t, DEAD, { password: DEAD_PASSWORD });
  const began = Date.now();
  await until(() => page.evaluate(() => Boolean(globalThis.house.mouth)), "the microphone");
  await say(page, ANSWER);
  await until(() => page.sockets.some(({ url }) => url.includes("realtime")), "a socket");
  const { at } = page.sockets.find(({ url }) => url.includes("realtime"));
  assert.ok(at - began < 5000, `${at - began} ms`);
  await over(page, "socket").waitFor();
  await page.locator(".line.student", { hasText: /two quarters/i }).waitFor();
  await until(() => page.requests.some((request) => request.startsWith("DELETE /v1/realtime/calls/")), "hung up");
  assert.equal(calls(page), 1);
  assert.deepEqual(page.faults, []);
});

/** Choices of an earlier day: the microphone is checked, and the tutor speaks fast. */
async function prefer(preferences) {
  const me = await (await fetch("/api/v1/me")).json();
  const headers = { "content-type": "application/json", "x-csrf-token": me.csrf };
  await fetch("/api/v1/me", { method: "PATCH", headers, body: JSON.stringify({ preferences }) });
}
