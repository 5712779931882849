/** What comes of the tutors' work: students see corrections, and running lessons are followed. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { SCRIPT, correct, hasSummary, isSound } from "./desk-steps.mjs";
import { enter } from "./live.mjs";
import { button, until } from "./stage.mjs";
import { takeLesson, takenLesson } from "./taking.mjs";

test("the student sees who corrected what, and says in two taps how it went", async (t) => {
  const session = await takenLesson(t, ["too quarters"]);
  const { ask } = await enter(t, "tutor", null);
  await hasSummary(ask, session);
  const { items } = await ask("GET", `/api/v1/sessions/${session}/transcript`);
  await correct(ask, session, "words", items[0].id, { text: "two quarters" }, ["asr_misheard"], { note: "for staff only" });
  await correct(ask, session, "answer", items[1].id, { text: "Right, two quarters!" }, ["missed_mistake"]);
  const { narrative } = await ask("GET", `/api/v1/sessions/${session}/summary`);
  await correct(ask, session, "sentence", narrative[0].id, { text: "You found two quarters." }, ["summary_omits"]);

  const { page } = await enter(t, "student", `/student/sessions/${session}`);
  const mine = page.locator(".line.student", { hasText: "two quarters" });
  await mine.getByText("corrected by Tayo Okafor").click();
  await mine.getByText("As it was written down").waitFor();
  await mine.locator("del", { hasText: "too" }).waitFor();
  await page.locator(".line.tutor .line-words", { hasText: "Right, two quarters!" }).waitFor();
  await page.locator(".summary", { hasText: "You found two quarters." }).getByText("corrected by Tayo Okafor").first().waitFor();
  assert.equal(await page.getByText("for staff only").count(), 0);
  await button(page, "It did not help").click();
  await page.getByLabel("Do you want to say more?", { exact: false }).fill("It did not hear me.");
  await button(page, "Send").click();
  await page.getByText("Your teacher and tutor can read it.").waitFor();
  await isSound(page, "a past lesson with corrections");
  await page.reload();
  assert.equal(await page.locator('.feedback-choice[aria-pressed="true"]').innerText(), "It did not help");

  const tutor = await enter(t, "tutor", `/tutor/sessions/${session}`);
  await tutor.page.getByText("“It did not hear me.”").waitFor();
  assert.equal((await ask("GET", "/api/v1/sessions?thumbs=down")).items[0].id, session);
});

test("a student whose lesson still runs sees the correction come", async (t) => {
  const { page } = await enter(t, "student", "/student/lessons/fractions-as-parts");
  await page.getByRole("button", { name: /by typing only/ }).click();
  await page.locator("#composer").fill("tree quarters");
  await page.keyboard.press("Enter");
  await page.locator(".line.student", { hasText: "tree quarters" }).waitFor();
  await page.waitForURL(/session=/);
  const session = new URL(page.url()).searchParams.get("session");
  const { ask } = await enter(t, "tutor", null);
  let items = [];
  await until(async () => {
    ({ items } = await ask("GET", `/api/v1/sessions/${session}/transcript`));
    return items.some(({ said }) => said === "tree quarters");
  }, "it is saved");
  await correct(ask, session, "words", items.find(({ said }) => said === "tree quarters").id, { text: "three quarters" }, ["asr_misheard"]);
  await page.locator(".line.student", { hasText: "three quarters" }).getByText("corrected by Tayo Okafor").waitFor();
  await isSound(page, "a lesson with a correction");
  await button(page, "Finish").click();
  await button(page, "Finish the lesson").click();
  await button(page, "It helped me").click();
  await page.getByText("Thank you.").waitFor();
  await isSound(page, "the end of a lesson");
});

test("the running lessons come and go by themselves; one is followed word by word, through a broken line", async (t) => {
  const { page } = await enter(t, "tutor", "/tutor/live");
  await page.locator("h1", { hasText: "Live" }).waitFor();
  await page.getByText("This list keeps itself up to date.").waitFor();
  const taken = await takeLesson(t);
  await taken.say("two quarters");
  const row = page.locator(`a[href="/tutor/live/${taken.session}"]`);
  await row.waitFor();
  await isSound(page, "the running lessons");

  const lines = [];
  await page.routeWebSocket(/\/v1\/realtime/, (line) => {
    lines.push(line);
    line.connectToServer();
  });
  await row.click();
  await page.locator(".line.student", { hasText: "two quarters" }).waitFor();
  await page.getByText("can see that you do", { exact: false }).waitFor();
  await taken.say(SCRIPT);
  await page.getByText(SCRIPT).waitFor();
  await isSound(page, "a followed lesson");
  await lines[0].close({ code: 1011, reason: "a tunnel" });
  await until(() => lines.length > 1, "it comes back");
  await taken.say("one half");
  await page.locator(".line.student", { hasText: "one half" }).waitFor();
  assert.equal(await page.locator(".line.student", { hasText: "two quarters" }).count(), 1);
  await taken.finish();
  await page.getByRole("heading", { name: "This lesson is over" }).waitFor();
  await isSound(page, "the end of a followed lesson");
  await page.getByRole("link", { name: "Review it" }).click();
  await page.waitForURL(`**/tutor/sessions/${taken.session}`);
});
