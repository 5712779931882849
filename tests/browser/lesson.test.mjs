import assert from "node:assert/strict";
import { test } from "node:test";

import { accessibilityFaults } from "./browser.mjs";
import { OPENING, WORD_MS } from "./fake-lesson.mjs";
import { begun, button, control, sent, stage, until } from "./stage.mjs";

const texts = (page) => page.locator('[role="log"] .line-words').allTextContents();

const OPENING_MS = Math.floor((OPENING.split(" ").length * WORD_MS + 99) / 100) * 100;

test("a lesson by voice: asked, heard, answered, and on to the next step", async (t) => {
  const { page, lesson } = await begun(t);
  assert.equal(sent(lesson, "session.update")[0].session.audio.output.binary, true);
  assert.equal(sent(lesson, "response.create").length, 1);
  await page.getByText("step 1 of 6").waitFor();
  await control(page, "listening").waitFor();
  await lesson.hear("two quarters");
  await page.locator(".line.student", { hasText: "two quarters" }).waitFor();
  await page.getByText("step 2 of 6").waitFor();
  await control(page, "listening").waitFor();
  await page.getByText("saved", { exact: true }).waitFor();
  assert.equal(await page.locator('[role="log"] .line').count(), 3);
  assert.deepEqual(page.faults, []);
});

test("the microphone sends 24 kHz, 16 bits, in frames of 20 ms", async (t) => {
  const { lesson } = await begun(t);
  const before = lesson.soundBytes;
  const start = Date.now();
  await new Promise((done) => setTimeout(done, 2000));
  const perSecond = ((lesson.soundBytes - before) * 1000) / (Date.now() - start);
  assert.equal(lesson.soundBytes % 960, 0);
  assert.ok(Math.abs(perSecond / 48_000 - 1) < 0.1, `${perSecond} bytes a second`);
});

test("captions follow the sound, and only finished sentences are for the screen reader", async (t) => {
  const { page } = await begun(t);
  await page.locator(".growing", { hasText: "If a pizza" }).waitFor();
  const line = page.locator('[role="log"] .line-words');
  const early = await line.textContent();
  assert.ok(OPENING.startsWith(early.trim()) && early.length < OPENING.length);
  const announced = await line.evaluate((node) => {
    const copy = node.cloneNode(true);
    for (const hidden of copy.querySelectorAll('[aria-hidden="true"]')) hidden.remove();
    return copy.textContent;
  });
  assert.equal(announced, "Hello!");
  await control(page, "listening").waitFor();
  assert.equal(await line.textContent(), OPENING);
});

test("the server learns what was played, and never more than there was", async (t) => {
  const { page, lesson } = await begun(t);
  await control(page, "listening").waitFor();
  const played = sent(lesson, "output_audio_buffer.played").map((event) => event.audio_ms);
  assert.ok(played.length >= 5 && played.length <= 20, `${played.length} reports`);
  assert.deepEqual(played, [...played].sort((a, b) => a - b));
  assert.equal(played.at(-1), OPENING_MS);
});

for (const [how, interrupt] of Object.entries({
  Escape: (page) => page.keyboard.press("Escape"),
  Space: (page) => page.keyboard.press("Space"),
  "a tap": (page) => page.locator(".control").click(),
})) {
  test(`${how} interrupts the tutor, and the transcript keeps what was heard`, async (t) => {
    const { page, lesson } = await begun(t);
    await page.locator(".growing", { hasText: "pizza" }).waitFor();
    await interrupt(page);
    await until(() => sent(lesson, "conversation.item.truncate").length === 1, "truncate");
    const [{ audio_end_ms: heardMs }] = sent(lesson, "conversation.item.truncate");
    assert.ok(heardMs > 300 && heardMs < OPENING_MS, `${heardMs} ms`);
    assert.equal(sent(lesson, "response.cancel").length, 1);
    await control(page, "listening").waitFor();
    await page.locator("s.cut", { hasText: "you eaten?" }).waitFor();
    const [before] = lesson.played.values();
    await page.waitForTimeout(400);
    assert.equal([...lesson.played.values()][0], before, "nothing is played after an interruption");
  });
}

test("a barge-in by voice stops the sound at once and tells what was heard", async (t) => {
  const { page, lesson } = await begun(t);
  await page.locator(".growing", { hasText: "pizza" }).waitFor();
  lesson.hear("wait", { answer: false });
  await control(page, "speaking").waitFor();
  await until(() => sent(lesson, "conversation.item.truncate").length === 1, "truncate");
  await page.locator("s.cut").waitFor();
});

test("a cough only pauses the tutor, who goes on from the same place", async (t) => {
  const { page, lesson } = await begun(t);
  await page.locator(".growing", { hasText: "pizza" }).waitFor();
  const [id] = lesson.played.keys();
  lesson.emit({ type: "output_audio_buffer.paused", item_id: id });
  await page.waitForTimeout(400);
  const paused = lesson.played.get(id);
  await page.waitForTimeout(400);
  assert.equal(lesson.played.get(id), paused);
  lesson.emit({ type: "output_audio_buffer.resumed", item_id: id });
  await control(page, "listening").waitFor();
  assert.equal(lesson.played.get(id), OPENING_MS);
  assert.equal(await page.locator("s.cut").count(), 0);
});

test("typing works at any time, is pending until saved, and interrupts", async (t) => {
  const { page, lesson } = await begun(t);
  await page.getByLabel("Type your answer").fill("Is it 2/4?");
  await page.keyboard.press("Enter");
  await page.locator(".line.student .maths").waitFor();
  const [{ item }] = sent(lesson, "conversation.item.create");
  assert.match(item.id, /^[A-Za-z0-9_.:-]{1,128}$/);
  assert.deepEqual(item.content, [{ type: "input_text", text: "Is it 2/4?" }]);
  assert.equal(sent(lesson, "response.create").length, 2);
  await page.locator(".line.tutor", { hasText: "another way" }).waitFor();
  assert.equal(await page.getByLabel("Type your answer").inputValue(), "");
});

test("an item that is not yet saved says so", async (t) => {
  const { page, lesson } = await begun(t);
  await control(page, "listening").waitFor();
  lesson.say("One more thing.", { saveLate: 1500 });
  await page.getByText("saving…").waitFor();
  await page.getByText("saved", { exact: true }).waitFor();
});

test("formulas are drawn, stand on the board, and are said in words", async (t) => {
  const { page, lesson } = await begun(t, { lesson: { answers: ["Now $\\frac{3}{4} + x^2$ please."] } });
  await control(page, "listening").waitFor();
  await page.locator(".board .katex").waitFor();
  await page.locator(".board .for-screen-reader", { hasText: "three quarters plus x squared" }).waitFor();
  await page.locator('[role="log"] .katex').waitFor();
  assert.deepEqual(page.faults, []);
  lesson.emit({ type: "lesson.progress", step: 2, steps: 6, goal: "Compare.", status: "asking" });
  await page.locator(".board .katex").waitFor({ state: "detached" });
});

test("give me a minute stops the tutor, and afterwards it asks again", async (t) => {
  const { page, lesson } = await begun(t);
  await button(page, "Give me a minute").click();
  await control(page, "paused").waitFor();
  const quiet = lesson.soundBytes;
  await page.waitForTimeout(300);
  assert.ok(lesson.soundBytes - quiet < 3000, "the microphone rests");
  await control(page, "paused").click();
  await control(page, "tutor").waitFor();
  assert.deepEqual(sent(lesson, "session.pause").map((event) => event.on), [true, false]);
});

test("who goes on at once is asked again all the same", async (t) => {
  const { page, lesson } = await begun(t);
  lesson.cancelMs = 600;
  await button(page, "Give me a minute").click();
  await button(page, "Go on").click();
  await until(() => sent(lesson, "response.create").length === 2, "the answer that was cut");
  await control(page, "tutor").waitFor();
  await page.waitForTimeout(1500);
  assert.equal(sent(lesson, "response.create").length, 2);
});

test("the last answer can be heard again, from the page itself", async (t) => {
  const { page, lesson } = await begun(t, { lesson: { answers: ["Yes, it is. You may rest for a moment now."] } });
  await control(page, "listening").waitFor();
  const reports = lesson.received.length;
  await button(page, "Say it again").click();
  await control(page, "tutor").waitFor();
  await control(page, "listening").waitFor();
  assert.equal(lesson.received.length, reports, "the server is not bothered");
});

test("options work at once and are remembered", async (t) => {
  const { page, lesson, records } = await begun(t);
  await button(page, "Options").click();
  await page.getByLabel("Slower", { exact: true }).check();
  await page.getByLabel("Larger").check();
  assert.equal(sent(lesson, "session.update").at(-1).session.audio.output.speed, 0.8);
  assert.equal(await page.locator("html").getAttribute("data-text"), "larger");
  await until(() => records.me.preferences.text_size === "larger", "saved preference");
  await page.getByLabel("My tutor speaks aloud").uncheck();
  assert.deepEqual(sent(lesson, "session.update").at(-1).session.output_modalities, ["text"]);
});

test("asking for a person reaches the school, with the reason", async (t) => {
  const { page, lesson } = await begun(t);
  await button(page, "Ask a person").click();
  await page.getByLabel(/What would you like help with/).fill("I am lost");
  await page.getByRole("dialog").getByRole("button", { name: "Ask a person" }).click();
  await page.getByText("Nobody can join right now").waitFor();
  assert.deepEqual(sent(lesson, "floor.ask").map((event) => event.reason), ["I am lost"]);
});

test("finishing asks first, then shows what was covered and what comes next", async (t) => {
  const { page, lesson } = await begun(t);
  await button(page, "Finish").click();
  assert.equal(sent(lesson, "session.end").length, 0);
  await button(page, "Finish the lesson").click();
  await page.getByRole("heading", { name: "You stopped here for today" }).waitFor();
  await page.getByText("13 minutes together").waitFor();
  await page.getByText("You corrected yourself").waitFor();
  await page.getByText("Cut a sheet of paper").waitFor();
  await page.getByRole("link", { name: "Read what was said" }).click();
  await page.getByRole("heading", { name: "What was said" }).waitFor();
});

test("who can read the lesson, and who has, is told", async (t) => {
  const { page } = await begun(t);
  await button(page, "Who has?").click();
  await page.getByRole("dialog").getByText("Ms Okafor", { exact: true }).waitFor();
});

test("whoever reads along is named, in the conversation too", async (t) => {
  const { page, lesson } = await begun(t);
  const item = { id: "note_1", type: "message", role: "system", speaker: "system", status: "completed",
    content: [{ type: "input_text", text: "Tayo Okafor is reading along." }] };
  lesson.emit({ type: "conversation.item.added", previous_item_id: "nothing", item });
  lesson.emit({ type: "presence", people: [{ name: "Tayo Okafor", role: "tutor" }] });
  await page.locator(".line.system", { hasText: "Tayo Okafor is reading along." }).waitFor();
  await page.locator(".lesson-foot", { hasText: "Tayo Okafor is reading along." }).waitFor();
  lesson.emit({ type: "presence", people: [] });
  await page.locator(".lesson-foot", { hasText: "Your teacher and tutor can read this lesson." }).waitFor();
});

test("a lesson in a language that the ears don't know is listened to and typed", async (t) => {
  const { page, lesson } = await stage(t, {
    path: "/student/lessons/conversacion-en-espanol", lesson: { hearsSpeech: false, answers: ["¡Hola! ¿Cómo te llamas?"] },
  });
  await page.getByText("You type your answers").waitFor();
  await button(page, "Start").click();
  await control(page, "type").waitFor();
  assert.equal(await page.locator('[role="log"] ol').getAttribute("lang"), "es");
  assert.equal(lesson.soundBytes, 0);
  await until(() => lesson.played.size > 0, "the tutor speaks");
});

test("the rule-based tutor says that it is one", async (t) => {
  const { page } = await begun(t);
  await page.getByText("Your tutor is a computer that follows this lesson's rules").waitFor();
});

test("leaving for the other lessons keeps the place, and silences everything", async (t) => {
  const { page, lesson } = await begun(t);
  await page.getByRole("link", { name: "Lessons" }).click();
  await page.getByRole("heading", { name: /Hello/ }).waitFor();
  const before = lesson.soundBytes;
  await page.waitForTimeout(300);
  assert.equal(lesson.soundBytes, before);
  assert.equal(sent(lesson, "session.end").length, 0);
  assert.deepEqual(page.faults, []);
});

test("a lesson that was begun goes on at a reload, from the address", async (t) => {
  const { page, lesson } = await begun(t);
  await control(page, "listening").waitFor();
  assert.match(page.url(), /session=0192cccc-0000-7000-8000-00000000beef/);
  await page.reload();
  await button(page, "Continue").click();
  await control(page, "listening").waitFor();
  assert.deepEqual(await texts(page), [OPENING]);
  assert.equal(lesson.connections, 2);
  assert.equal(sent(lesson, "response.create").length, 1, "nothing is asked twice");
});

const FRACTION = {
  kind: "fraction", caption: "A pizza", says: "A pizza. 2 of 4 equal parts are filled.",
  drawing: { fractions: [{ top: 2, bottom: 4 }] },
};
const PLOT = {
  kind: "plot", caption: "<img src=x onerror=alert(1)>", says: "A plot of y = x^2, for x from 0 to 2.",
  drawing: {
    x: { from: 0, to: 2, ticks: [0, 1, 2] }, y: { from: 0, to: 4, ticks: [0, 2, 4] },
    lines: [{ label: "y = x^2", pieces: [[[0, 0], [1, 1], [2, 4]]] }], points: [[1, 1]],
  },
};

test("what the tutor shows is drawn, told in words, there again after a reload, and gone with its step", async (t) => {
  const { page, lesson } = await begun(t);
  await control(page, "listening").waitFor();
  lesson.show(FRACTION);
  lesson.show(PLOT);
  const board = page.locator(".board");
  await board.getByRole("img", { name: FRACTION.says }).waitFor();
  assert.equal(await board.locator(".whole .filled").count(), 2);
  assert.ok(await board.locator("path.curve").first().getAttribute("d"));
  await board.getByText(PLOT.caption).waitFor();
  await page.locator('[role="log"] .line.system', { hasText: "2 of 4 equal parts" }).waitFor();
  assert.deepEqual(await accessibilityFaults(page), []);

  await page.reload();
  await button(page, "Continue").click();
  await board.getByRole("img", { name: PLOT.says }).waitFor();
  assert.equal(await board.locator(".figure").count(), 2);
  lesson.step += 1;
  lesson.progress();
  await until(async () => (await board.locator(".figure").count()) === 0, "the board is wiped");
  assert.deepEqual(page.faults, []);
});

test("who reads along sees the board, and what the tutor does for itself; the student does not", async (t) => {
  const tutor = {
    id: "p9", name: "Tayo Okafor", email: "tutor@demo.school", roles: ["tutor"], locale: "en", preferences: {},
    school: { id: "t1", slug: "demo", name: "Riverside School" }, csrf: "csrf-1",
  };
  const { page, lesson } = await stage(t, { path: "/tutor/live/0192bbbb-0000-7000-8000-000000000002", records: { me: tutor } });
  await page.locator('.follow-line[data-phase="open"]').waitFor();
  lesson.show(FRACTION);
  lesson.use("check_answer", "The tutor checked the answer.");
  await page.locator(".follow-board").getByRole("img", { name: FRACTION.says }).waitFor();
  for (let n = 0; n < 3; n += 1) lesson.show({ ...FRACTION, caption: `Pizza ${n}` });
  await page.getByText("Pizza 2").waitFor();
  await page.setViewportSize({ width: 390, height: 844 });
  const over = await page.evaluate(() => document.scrollingElement.scrollWidth - document.scrollingElement.clientWidth);
  assert.ok(over <= 0, `scrolls sideways by ${over} px`);
  await page.locator(".line.system", { hasText: "The tutor checked the answer." }).waitFor();
  assert.deepEqual(await accessibilityFaults(page), []);

  const student = await begun(t);
  await control(student.page, "listening").waitFor();
  student.lesson.use("check_answer", "The tutor checked the answer.");
  student.lesson.show(FRACTION);
  await student.page.locator(".line.system", { hasText: "On the board" }).waitFor();
  assert.equal(await student.page.getByText("The tutor checked").count(), 0);
});
