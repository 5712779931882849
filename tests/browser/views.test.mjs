import assert from "node:assert/strict";
import { test } from "node:test";

import { LESSONS } from "./fake-records.mjs";
import { LESSON, button, control, sent, stage, until } from "./stage.mjs";

test("signing in with a slip is told kindly; without one it leads to the lessons", async (t) => {
  const { page, records } = await stage(t, { path: "/student", records: { signedIn: false } });
  await page.waitForURL(/\/sign-in\?next=%2Fstudent$/);
  await button(page, "Sign in").click();
  await page.getByRole("alert").filter({ hasText: "Please write your e-mail" }).waitFor();
  await page.getByLabel("E-mail").fill(records.me.email);
  await page.getByLabel("Password", { exact: true }).fill("wrong");
  await button(page, "Sign in").click();
  await page.getByRole("alert").filter({ hasText: "don't go together" }).waitFor();
  await page.getByLabel("Password", { exact: true }).fill(records.password);
  await button(page, "Sign in").click();
  await page.getByRole("heading", { name: "Hello, Amina Yusuf" }).waitFor();
  assert.deepEqual(page.faults, []);
});

test("password managers know the form, and the password can be seen", async (t) => {
  const { page } = await stage(t, { path: "/sign-in" });
  const password = page.locator("#password");
  assert.equal(await page.getByLabel("E-mail").getAttribute("autocomplete"), "username");
  assert.equal(await password.getAttribute("autocomplete"), "current-password");
  assert.equal(await page.getByLabel("School").count(), 0);
  await page.getByRole("button", { name: "Show password" }).click();
  assert.equal(await password.getAttribute("type"), "text");
});

test("the school is asked for where the address does not tell it", async (t) => {
  const { page, records } = await stage(t, {
    path: "/sign-in", records: { school: { name: null, school_field: true }, signedIn: false },
  });
  await page.getByLabel("School").fill("demo");
  await page.getByLabel("E-mail").fill(records.me.email);
  await page.getByLabel("Password", { exact: true }).fill(records.password);
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: /Hello/ }).waitFor();
  assert.equal(records.calls.find((call) => call.path.endsWith("/sign-in")).body.school, "demo");
});

test("too many guesses are told with the time to wait", async (t) => {
  const { page, records } = await stage(t, { path: "/sign-in" });
  await page.getByLabel("E-mail").fill(records.me.email);
  await page.getByLabel("Password", { exact: true }).fill("slow down");
  await page.keyboard.press("Enter");
  await page.getByRole("alert").filter({ hasText: "Try again in 2 min" }).waitFor();
});

test("the lessons stand on the home page, the begun one first in line", async (t) => {
  const { page } = await stage(t, { path: "/student" });
  await until(async () => (await page.locator(".lesson-card").count()) === LESSONS.length, "all lessons");
  const primary = page.locator(".button.primary");
  assert.equal(await primary.count(), 1);
  assert.match(await primary.getAttribute("href"), /photosynthesis\?session=0192bbbb/);
  await page.getByRole("link", { name: /Start.*Fractions/ }).click();
  await button(page, "Start").waitFor();
  await page.goBack();
  await page.getByRole("heading", { name: /Hello/ }).waitFor();
});

test("an empty school teaches what comes", async (t) => {
  const { page } = await stage(t, { path: "/student", records: { lessons: [], past: [] } });
  await page.getByText("No lessons yet").waitFor();
  await page.getByText("Nothing yet").waitFor();
});

test("a long past is shown page by page", async (t) => {
  const { page, records } = await stage(t, { path: "/sign-in" });
  records.past = Array.from({ length: 14 }, (_, i) => ({ ...records.past[0], id: `s${i}` }));
  await page.goto("/student");
  await button(page, "Show more").click();
  await until(async () => (await page.locator(".row").count()) === 14, "all rows");
  assert.equal(await button(page, "Show more").count(), 0);
});

test("a past lesson can be read: summary, transcript with what was cut, readers", async (t) => {
  const { page } = await stage(t, { path: "/student/sessions/0192aaaa-0000-7000-8000-000000000001" });
  await page.getByText("You corrected yourself").waitFor();
  await page.locator("s.cut", { hasText: "Can you say it another way?" }).waitFor();
  await page.getByText("Ms Okafor", { exact: true }).waitFor();
  await page.locator(".line.system", { hasText: "On the board: 1 of 2" }).waitFor();
  assert.equal(await page.getByText("The tutor checked").count(), 0, "what the tutor did for itself");
  assert.deepEqual(page.faults, []);
});

test("signing out ends on the sign-in page", async (t) => {
  const { page, records } = await stage(t, { path: "/student" });
  await button(page, "Sign out").click();
  await page.waitForURL(/\/sign-in$/);
  assert.equal(records.signedIn, false);
});

test("the first lesson begins with a microphone check, and one hears oneself", async (t) => {
  const { page, records, lesson } = await stage(t, { records: {} });
  records.me.preferences = {};
  await page.reload();
  await button(page, "Start").click();
  await button(page, "Check my microphone").click();
  await page.getByRole("meter").waitFor();
  await page.getByText("Good, we hear you.").waitFor();
  await until(async () => Number(await page.getByRole("meter").getAttribute("aria-valuenow")) > 0, "level");
  await button(page, "Yes, start the lesson").click();
  await control(page, "tutor").waitFor();
  await until(() => records.me.preferences.mic_checked === true, "remembered");
  assert.equal(sent(lesson, "response.create").length, 1);
  assert.deepEqual(page.faults, []);
});

for (const [microphone, title] of [["denied", "did not let us use the microphone"], ["absent", "can't find a microphone"]]) {
  test(`a microphone that is ${microphone} is explained, and the lesson goes on by typing`, async (t) => {
    const { page, lesson } = await stage(t, { microphone });
    await button(page, "Start").click();
    await page.getByRole("alert").filter({ hasText: title }).waitFor();
    await page.locator('.line.tutor').waitFor();
    await page.getByRole("button", { name: "I'll type" }).click();
    await page.getByLabel("Type your answer").fill("one half");
    await button(page, "Send").click();
    await page.locator(".line.student", { hasText: "one half" }).waitFor();
    await page.locator(".line.tutor", { hasText: "that is right" }).waitFor();
    assert.equal(lesson.soundBytes, 0);
  });
}

test("scripts in names, goals and answers are only words", async (t) => {
  const evil = '<img src=x onerror=alert(1)><script>alert(2)</script>';
  const lessons = structuredClone(LESSONS);
  Object.assign(lessons[0], { title: evil, goal: `${evil} $\\href{javascript:alert(3)}{x}$`, subject: evil });
  const { page, records, lesson } = await stage(t, {
    path: "/student", records: { lessons },
    lesson: { answers: [`${evil} $\\htmlClass{a}{b}$ $\\href{javascript:alert(4)}{x}$ <svg onload=alert(5)>`] },
  });
  records.me.name = evil;
  await page.reload();
  await page.getByRole("heading", { name: `Hello, ${evil}` }).waitFor();
  await page.goto(LESSON);
  await button(page, "Start").click();
  await control(page, "listening").waitFor();
  lesson.emit({ type: "notice", code: "x", text: evil });
  lesson.emit({ type: "floor.changed", holder: "human", person: evil, epoch: 2 });
  await page.locator(".notice", { hasText: "<script>" }).waitFor();
  await page.locator('[role="log"]', { hasText: "<svg onload=alert(5)>" }).waitFor();
  assert.equal(await page.locator("img, svg[onload], #app script, a[href^=javascript]").count(), 0);
  assert.deepEqual(page.faults, []);
});

test("the whole way by keyboard alone", async (t) => {
  const { page, records, lesson } = await stage(t, { path: "/student", records: { signedIn: false } });
  await page.getByLabel("E-mail").waitFor();
  await tabTo(page, "E-mail");
  await page.keyboard.type(records.me.email);
  await page.keyboard.press("Tab");
  await page.keyboard.type(records.password);
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: /Hello/ }).waitFor();
  await tabTo(page, "Start: Fractions as parts");
  await page.keyboard.press("Enter");
  await button(page, "Start").waitFor();
  await tabTo(page, "Start");
  await page.keyboard.press("Enter");
  await control(page, "tutor").waitFor();
  await page.keyboard.press("Escape");
  await tabTo(page, "Type your answer");
  await page.keyboard.type("one half");
  await page.keyboard.press("Enter");
  await page.locator(".line.tutor", { hasText: "that is right" }).waitFor();
  await tabTo(page, "Finish");
  await page.keyboard.press("Enter");
  await page.getByRole("dialog").waitFor();
  await page.keyboard.press("Escape");
  // Not by role: a dialog that is closed has none, and may still be on its way out.
  await page.locator("dialog").waitFor({ state: "detached" });
  assert.equal(await focused(page), "Finish", "the focus comes back");
  await page.keyboard.press("Enter");
  await page.getByRole("dialog").waitFor();
  await tabTo(page, "Finish the lesson");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "You stopped here for today" }).waitFor();
  assert.equal(await focused(page), "You stopped here for today");
  assert.equal(sent(lesson, "session.end").length, 1);
});

/** What has the focus: its label, or its words. */
function focused(page) {
  return page.evaluate(() => {
    const node = document.activeElement;
    return (node.labels?.[0] ?? node).textContent.replace(/\s+/g, " ").trim();
  });
}

async function tabTo(page, name) {
  for (let i = 0; i < 40; i++) {
    if ((await focused(page)) === name) return;
    await page.keyboard.press("Tab");
  }
  throw new Error(`no way by Tab to ${name}; at last: ${await focused(page)}`);
}
