import assert from "node:assert/strict";
import { test } from "node:test";

import { accessibilityFaults } from "./browser.mjs";
import { OPENING } from "./fake-lesson.mjs";
import { LESSONS } from "./fake-records.mjs";
import { LESSON, button, control, stage } from "./stage.mjs";

const start = (page) => button(page, "Start").click();
const talking = async ({ page }) => {
  await start(page);
  await control(page, "listening").waitFor();
};
const opened = (name) => async (all) => {
  await talking(all);
  await button(all.page, name).click();
  await all.page.getByRole("dialog").waitFor();
};
const told = (event) => async (all) => {
  await talking(all);
  all.lesson.emit(event);
  await all.page.waitForTimeout(50);
};

const STATES = {
  "sign-in": { path: "/sign-in" },
  "sign-in refused": {
    path: "/sign-in",
    go: async ({ page }) => {
      await button(page, "Sign in").click();
      await page.getByRole("alert").waitFor();
    },
  },
  home: { path: "/student" },
  "an empty home": { path: "/student", records: { lessons: [], past: [] } },
  "no such lesson": { path: "/student/lessons/nothing" },
  "no such page": { path: "/student/nothing" },
  ready: {},
  "the microphone check": {
    go: async ({ page }) => {
      await page.getByRole("button", { name: /Check my microphone first/ }).click();
      await button(page, "Check my microphone").click();
      await page.getByRole("meter").waitFor();
    },
  },
  "a refused microphone": { microphone: "denied", go: ({ page }) => start(page).then(() => page.getByRole("alert").waitFor()) },
  "the tutor is speaking": { answers: [OPENING], go: ({ page }) => start(page).then(() => page.locator(".growing").waitFor()) },
  "an interrupted answer": {
    answers: [OPENING],
    go: async ({ page }) => {
      await start(page);
      await page.locator(".growing").waitFor();
      await page.keyboard.press("Escape");
      await page.locator("s.cut").waitFor();
    },
  },
  "listening, with formulas": {
    answers: ["Ready?", "So it is 2/4."],
    go: async (all) => {
      await talking(all);
      await all.lesson.hear("two quarters");
      await all.page.locator(".katex").first().waitFor();
    },
  },
  "you are speaking": { go: told({ type: "input_audio_buffer.speech_started", item_id: "x" }) },
  thinking: { go: told({ type: "response.created", response: { id: "r" } }) },
  "a person is with you": { go: told({ type: "floor.changed", holder: "human", person: "Ms Ito", epoch: 2 }) },
  "a notice": { go: told({ type: "notice", code: "time_nearly_over", text: "About 5 minutes left." }) },
  paused: { go: (all) => talking(all).then(() => button(all.page, "Give me a minute").click()) },
  reconnecting: {
    go: async (all) => {
      await talking(all);
      all.gateway.away = true;
      all.gateway.cut();
      await control(all.page, "reconnecting").waitFor();
    },
  },
  "the board as a sheet": { view: { width: 390, height: 844 }, go: opened("Board") },
  options: { go: opened("Options") },
  "ask a person": { go: opened("Ask a person") },
  finish: { go: opened("Finish") },
  readers: { go: opened("Who has?") },
  "trying a draft": {
    records: { lessons: [{ ...LESSONS[0], sandbox: true }] },
    go: async (all) => {
      await all.page.getByText("Trying a draft.").waitFor();
      await talking(all);
      await all.page.getByRole("link", { name: "Back to the draft" }).waitFor();
    },
  },
  "the end": {
    go: async (all) => {
      await talking(all);
      all.lesson.end();
      await all.page.getByText("Done well").waitFor();
    },
  },
  "a past lesson": {
    path: "/student/sessions/0192aaaa-0000-7000-8000-000000000001",
    go: ({ page }) => page.getByText("Done well").waitFor(),
  },
};

for (const [name, { path = LESSON, go, view = {}, ...rest }] of Object.entries(STATES)) {
  test(`axe finds nothing, and the policy is kept: ${name}`, async (t) => {
    const all = await stage(t, { path, lesson: { answers: rest.answers ?? ["Hello! Ready?"] }, ...rest, ...view });
    await all.page.locator("h1").first().waitFor();
    await go?.(all);
    assert.deepEqual(await accessibilityFaults(all.page), []);
    assert.deepEqual(all.page.faults, []);
  });
}

const LONG_NAME = "Wolfeschlegelsteinhausenbergerdorff-Oluwafunmilayo Abdelrahma"; // 61 characters
const NAMES = { long: LONG_NAME, Arabic: "أمينة عبد الرحمن الجيلاني", Hindi: "अमीना त्रिपाठी" };

for (const [width, height, text] of [[320, 640, "normal"], [640, 400, "normal"], [390, 844, "larger"], [1280, 800, "larger"]]) {
  test(`nothing is cut off or scrolls sideways at ${width} × ${height}, words ${text}`, async (t) => {
    const { page, records, lesson } = await stage(t, { width, height });
    records.me.preferences.text_size = text;
    for (const name of Object.values(NAMES)) {
      records.me.name = name;
      await page.goto("/student");
      await page.getByRole("heading", { name }).waitFor();
      assert.equal(await sideways(page), 0, name);
    }
    await page.goto(LESSON);
    await start(page);
    await control(page, "listening").waitFor();
    lesson.emit({ type: "floor.changed", holder: "human", person: LONG_NAME, epoch: 2 });
    await control(page, "human").waitFor();
    assert.equal(await sideways(page), 0);
    assert.deepEqual(await unreachable(page), []);
    await button(page, "Options").click();
    assert.equal(await sideways(page), 0);
  });
}

const sideways = (page) =>
  page.evaluate(() => Math.max(0, document.documentElement.scrollWidth - document.documentElement.clientWidth));

/** Controls of the lesson that can't be brought into view, or are too small for a finger. */
const unreachable = (page) => page.evaluate(() => {
  const bad = [];
  for (const node of document.querySelectorAll(".lesson button, .lesson textarea")) {
    if (node.offsetParent === null) continue;
    node.scrollIntoView({ block: "center" });
    const { top, bottom, left, right, height } = node.getBoundingClientRect();
    const inside = top >= -1 && left >= -1 && bottom <= innerHeight + 1 && right <= innerWidth + 1;
    if (!inside || height < 43.5) bad.push(`${node.textContent} ${JSON.stringify({ top, bottom, left, right, height })}`);
  }
  return bad;
});

test("forced colours keep shapes and focus, reduced motion keeps still", async (t) => {
  const { page } = await stage(t, { forcedColors: "active", reducedMotion: "reduce" });
  await start(page);
  await control(page, "listening").waitFor();
  await page.keyboard.press("Tab");
  const outline = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
  assert.equal(outline, "solid");
  const moving = await page.evaluate(() => [...document.querySelectorAll("*")].filter((node) =>
    getComputedStyle(node).animationName !== "none" || Number.parseFloat(getComputedStyle(node).transitionDuration) > 0).length);
  assert.equal(moving, 0);
});
