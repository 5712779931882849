/**
 * A spoken lesson on the real server, in a real browser, by a voice that reads a file into the microphone.
 * Started by test_page.py with ADDRESS, PASSWORD and SOUND (a WAV file that answers the first question).
 */

import assert from "node:assert/strict";
import { test } from "node:test";

import { accessibilityFaults, startBrowser } from "./browser.mjs";
import { button, control, until } from "./stage.mjs";

const { ADDRESS, PASSWORD, SOUND } = process.env;
const EMAIL = "student@demo.school";

test("a student signs in, speaks, is understood and answered, and finds it in the record", async (t) => {
  const browser = await startBrowser({ sound: SOUND });
  t.after(() => browser.close());
  const page = await browser.page(ADDRESS);
  try {
    await takeTheLesson(page);
  } catch (error) {
    const said = await page.locator("body").innerText();
    throw new Error(`The page said:\n${said}`, { cause: error });
  }
});

async function takeTheLesson(page) {
  const wire = watch(page);
  await page.goto("/student/lessons/fractions-as-parts");
  await page.getByLabel("E-mail").fill(EMAIL);
  await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
  await button(page, "Sign in").click();
  await button(page, "Start").waitFor();
  assert.deepEqual(await accessibilityFaults(page), []);
  await page.evaluate(prefer, { mic_checked: true, speech_speed: 1.5 });
  await page.reload();
  await button(page, "Start").click();

  await control(page, "tutor").waitFor();
  await control(page, "listening").waitFor({ timeout: 30_000 });
  assert.ok(wire.playedMs > 5000, `${wire.playedMs} ms of the opening were heard`);
  assert.ok(wire.loudest > 1000, "what came is sound, not silence");
  await page.locator(".line.student", { hasText: /two quarters/i }).waitFor({ timeout: 40_000 });
  await page.getByText("step 2 of 6").waitFor();
  await control(page, "tutor").waitFor();
  await until(() => wire.playedMs > 500 && wire.playedMs < 5000, "the answer is heard");
  await page.keyboard.press("Escape");
  await page.locator("s.cut").waitFor();
  assert.deepEqual(await accessibilityFaults(page), []);

  const session = new URL(page.url()).searchParams.get("session");
  await button(page, "Finish").click();
  await button(page, "Finish the lesson").click();
  await page.getByRole("heading", { name: "You stopped here for today" }).waitFor();
  await page.getByRole("heading", { name: "What you did" }).waitFor({ timeout: 20_000 });

  const card = await page.evaluate(ask, `/api/v1/sessions/${session}`);
  assert.equal(card.status, "ended");
  assert.ok(card.student_speech_ms > 400 && card.student_speech_ms < 4000, `${card.student_speech_ms} ms of the student`);
  assert.ok(card.tutor_speech_ms > 5000, `${card.tutor_speech_ms} ms of the tutor`);
  const { items } = await page.evaluate(ask, `/api/v1/sessions/${session}/transcript`);
  assert.deepEqual(items.slice(0, 3).map((item) => item.role), ["assistant", "user", "assistant"]);
  assert.match(items[1].said, /two quarters/i);
  assert.equal(items[0].heard, items[0].said);
  assert.ok(items[2].interrupted && items[2].heard.length < items[2].said.length, "what was heard is kept");

  await page.getByRole("link", { name: "Read what was said" }).click();
  await page.getByRole("heading", { name: "What was said" }).waitFor();
  assert.deepEqual(await accessibilityFaults(page), []);
  assert.deepEqual(page.faults, []);
}

/** What goes over the lesson's socket: how much was played, and how loud the loudest sample was. */
function watch(page) {
  const wire = { playedMs: 0, loudest: 0 };
  page.on("websocket", (socket) => {
    socket.on("framesent", ({ payload }) => {
      const event = typeof payload === "string" ? JSON.parse(payload) : {};
      if (event.type === "output_audio_buffer.played") wire.playedMs = event.audio_ms;
    });
    socket.on("framereceived", ({ payload }) => {
      if (typeof payload === "string") return;
      for (let at = 0; at + 1 < payload.length; at += 200) {
        wire.loudest = Math.max(wire.loudest, Math.abs(payload.readInt16LE(at)));
      }
    });
  });
  return wire;
}

async function ask(address) {
  return (await fetch(address)).json();
}

/** Choices of an earlier day: the microphone is checked, and the tutor speaks fast. */
async function prefer(preferences) {
  const me = await (await fetch("/api/v1/me")).json();
  const headers = { "content-type": "application/json", "x-csrf-token": me.csrf };
  const body = JSON.stringify({ preferences });
  await fetch("/api/v1/me", { method: "PATCH", headers, body });
}
