import assert from "node:assert/strict";
import { test } from "node:test";

import { OPENING } from "./fake-lesson.mjs";
import { begun, button, control, sent, stage, until } from "./stage.mjs";

const lines = (page) => page.locator('[role="log"] .line-words').allTextContents();

test("after a cut the lesson comes back by itself, without doubling", async (t) => {
  const { page, gateway, lesson } = await begun(t);
  await control(page, "listening").waitFor();
  await lesson.hear("two quarters");
  await control(page, "listening").waitFor();
  const before = await lines(page);
  gateway.away = true;
  gateway.cut();
  await control(page, "reconnecting").waitFor();
  await page.getByText("no connection").waitFor();
  await page.waitForTimeout(800);
  gateway.away = false;
  await control(page, "listening").waitFor();
  assert.deepEqual(await lines(page), before);
  assert.equal(lesson.connections, 2);
});

test("what is typed while the line is away arrives once, and is answered", async (t) => {
  const { page, gateway, lesson } = await begun(t);
  await control(page, "listening").waitFor();
  gateway.away = true;
  gateway.cut();
  await control(page, "reconnecting").waitFor();
  await page.getByLabel("Type your answer").fill("one half");
  await page.keyboard.press("Enter");
  await page.locator(".line.pending", { hasText: "one half" }).waitFor();
  gateway.away = false;
  await page.locator(".line.tutor", { hasText: "that is right" }).waitFor();
  const created = sent(lesson, "conversation.item.create");
  assert.equal(new Set(created.map((event) => event.item.id)).size, 1);
  assert.equal(await page.locator(".line.student").count(), 1);
  assert.equal(await page.locator(".line.pending").count(), 0);
});

test("an answer that the cut broke off is asked for again", async (t) => {
  const { page, gateway, lesson } = await begun(t);
  await page.locator(".growing", { hasText: "pizza" }).waitFor();
  gateway.cut();
  await until(() => lesson.connections === 2, "second connection");
  await until(() => sent(lesson, "response.create").length === 2, "asked again");
});

test("a server that goes away is found again when it is back", async (t) => {
  const { page, gateway } = await begun(t);
  await control(page, "listening").waitFor();
  gateway.hangUp(1001);
  await control(page, "reconnecting").waitFor();
  await control(page, "listening").waitFor();
  assert.deepEqual(await lines(page), [OPENING]);
});

test("a lesson taken over by another window waits until it is wanted here", async (t) => {
  const { page, gateway, lesson } = await stage(t);
  await page.evaluate(() => {
    const devices = navigator.mediaDevices, ask = devices.getUserMedia.bind(devices);
    globalThis.tracks = [];
    devices.getUserMedia = async (wish) => {
      const stream = await ask(wish);
      globalThis.tracks.push(...stream.getTracks());
      return stream;
    };
  });
  const tracks = () => page.evaluate(() => globalThis.tracks.map(({ readyState }) => readyState));
  await button(page, "Start").click();
  await control(page, "listening").waitFor();
  gateway.hangUp(4001);
  await page.locator(".control", { hasText: "open in another window" }).waitFor();
  await page.waitForTimeout(500);
  assert.equal(lesson.connections, 1);
  assert.deepEqual(await tracks(), ["ended"], "nobody listens here");
  await page.locator(".control").click();
  await control(page, "listening").waitFor();
  assert.deepEqual(await tracks(), ["ended", "live"]);
});

test("who leaves while the sound is being opened has left", async (t) => {
  const { page, lesson } = await stage(t);
  await page.evaluate(() => {
    const slow = AudioWorklet.prototype.addModule;
    AudioWorklet.prototype.addModule = async function addModule(...all) {
      await new Promise((later) => setTimeout(later, 1000));
      return slow.apply(this, all);
    };
    const devices = navigator.mediaDevices, ask = devices.getUserMedia.bind(devices);
    globalThis.asked = 0;
    devices.getUserMedia = (wish) => {
      globalThis.asked += 1;
      return ask(wish);
    };
  });
  await button(page, "Start").click();
  await page.getByRole("link", { name: "Lessons" }).click();
  await page.getByRole("heading", { name: /Hello/ }).waitFor();
  await page.waitForTimeout(3000);
  assert.equal(lesson.connections, 0);
  assert.equal(await page.evaluate(() => globalThis.asked), 0);
});

test("who was signed out comes to the sign-in, and back to the lesson", async (t) => {
  const { page, gateway, records } = await begun(t);
  records.signedIn = false;
  gateway.hangUp(4002);
  await page.waitForURL(/\/sign-in\?next=/);
  await page.getByLabel("E-mail").fill(records.me.email);
  await page.getByLabel("Password", { exact: true }).fill(records.password);
  await page.keyboard.press("Enter");
  await button(page, "Continue").waitFor();
});

test("a lesson that ended meanwhile shows what it was", async (t) => {
  const { page, gateway, records } = await begun(t);
  await control(page, "listening").waitFor();
  records.sessionState = { status: "ended" };
  gateway.away = true;
  gateway.cut();
  await control(page, "reconnecting").waitFor();
  gateway.away = false;
  await page.getByRole("heading", { name: "This lesson is over" }).waitFor();
  await page.getByText("You corrected yourself").waitFor();
});

test("too many lessons at once is said, and not tried for ever", async (t) => {
  const refusal = "You already have 3 lessons running. Finish or continue one of them first.";
  const { page, records } = await stage(t, { records: { keyRefused: [429, refusal] } });
  await button(page, "Start").click();
  await page.getByText(refusal).waitFor();
  assert.equal(records.calls.filter((call) => call.path.includes("client_secrets")).length, 1);
});

test("a server that can't be reached is told in words, and asked again on a press", async (t) => {
  const { page, gateway } = await stage(t, { path: "/student" });
  await page.getByRole("heading", { name: /Hello/ }).waitFor();
  gateway.away = true;
  await page.getByRole("link", { name: /Fractions as parts/ }).first().click();
  await page.getByText("We can't reach the school's server").waitFor();
  gateway.away = false;
  await button(page, "Try again").click();
  await button(page, "Start").waitFor();
});
