/** The tutors' desk: sessions are found, read and corrected, by keyboard. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { SCRIPT, correct, hasSummary, isSound } from "./desk-steps.mjs";
import { ADDRESS, enter, signIn } from "./live.mjs";
import { button, until } from "./stage.mjs";
import { takenLesson } from "./taking.mjs";

const WORDS = ["two quarters", "one half", SCRIPT, "8/12"];

const asTutor = (t, path, view) => enter(t, "tutor", path, view);
const entry = (page, text) => page.locator(".entry", { hasText: text }).first();
const focusedId = (page) => page.evaluate(() => document.activeElement.id);

test("the list is what is worth looking at, and its filters are its address", async (t) => {
  const session = await takenLesson(t, ["no"]);
  const { page, ask } = await asTutor(t, "/tutor");
  await page.getByRole("table").waitFor();
  assert.equal(await page.locator(`a[href="/tutor/sessions/${session}"]`).count(), 1);
  await isSound(page, "the list");

  await button(page, "More filters").click();
  await page.getByRole("combobox", { name: "Student", exact: true }).fill("sam");
  await page.getByRole("option", { name: /Sam Rivera/ }).waitFor();
  await isSound(page, "the list of names");
  await page.keyboard.press("Enter");
  await page.waitForURL(/\/tutor\?student=/);
  await page.getByRole("combobox", { name: "Lesson", exact: true }).fill("fractions as");
  await page.getByRole("option", { name: /Fractions as parts/ }).click();
  await page.waitForURL(/lesson=/);
  await page.getByLabel("Version of the lesson").selectOption("1");
  await page.getByLabel("Minutes, at least").fill("600");
  await page.keyboard.press("Tab");
  await page.getByText("No session fits this.").waitFor();
  await isSound(page, "a list that nothing fits");
  await page.goBack();

  await page.goto(`/tutor?thumbs=down&engine=offline`);
  await page.getByRole("link", { name: "Thumbs down" }).waitFor();
  await page.getByRole("link", { name: "All", exact: true }).click();
  await page.waitForURL(/reviewed=all/);
  assert.match(page.url(), /engine=offline/);
  assert.equal(await page.locator('.view[aria-current="true"]').innerText(), "All");
  await page.getByRole("table").waitFor();
  await page.getByRole("rowheader", { name: "Sam Rivera" }).first().click();
  await page.waitForURL(/\/tutor\/sessions\/.*reviewed=all/);
  await page.locator(".back a").click();
  await page.waitForURL(/\/tutor\?.*reviewed=all/);

  const sees = async (filters) => (await ask("GET", `/api/v1/sessions?${filters}`)).items.map(({ id }) => id);
  assert.ok((await sees("reviewed=false&status=ended")).includes(session));
});

test("a review by keyboard alone: read, correct, publish, summary anew, approve, next", async (t) => {
  const older = await takenLesson(t, ["I like dogs"]);
  const session = await takenLesson(t, WORDS);
  const { page, ask } = await asTutor(t, `/tutor/sessions/${session}`);
  await entry(page, "two quarters").waitFor();
  await hasSummary(ask, session);
  await page.getByText(SCRIPT).first().waitFor();
  await isSound(page, "a session");

  await page.keyboard.press("j");
  await page.keyboard.press("j");
  await page.keyboard.press("j");
  await page.keyboard.press("k");
  await page.keyboard.press("j");
  assert.equal(await focusedId(page), await entry(page, "one half").getAttribute("id"));
  const item = await focusedId(page);
  await page.keyboard.press("e");
  await page.getByLabel("It should read").waitFor();
  await page.keyboard.press("End");
  await page.keyboard.type(" of the pizza");
  await page.locator(".override ins", { hasText: "of the pizza" }).waitFor();
  await isSound(page, "the form of a correction");
  await page.keyboard.press("Escape");
  await page.locator(".override").waitFor({ state: "detached" });
  assert.equal(await focusedId(page), item);
  await page.keyboard.press("e");
  assert.equal(await page.getByLabel("It should read").inputValue(), "one half of the pizza");
  await page.keyboard.press("Control+Enter");
  await page.getByText("Published. The student reads it so from now on.").waitFor();
  assert.equal(await focusedId(page), item);
  await entry(page, "one half of the pizza").getByText(/corrected by/).waitFor();
  await isSound(page, "a corrected session");

  await page.getByText("Words were corrected after this summary was made.").waitFor();
  await page.keyboard.press("r");
  await page.locator(".sentence").first().focus();
  await page.locator('[id="2.narrative.0"]').waitFor();
  await until(async () => (await focusedId(page)) === "2.narrative.0", "the focus stays at the summary");
  assert.equal(await page.getByText("Words were corrected after").count(), 0);
  await page.keyboard.press("s");
  await page.keyboard.press("s");
  await until(async () => (await focusedId(page)) === "2.narrative.0", "the first sentence has the focus");
  assert.ok((await page.locator(".entry.linked").count()) > 0, "what it rests on is marked");
  await page.keyboard.press("j");
  await page.keyboard.press("e");
  await page.getByLabel("It should read").fill("You said which part of the pizza it is.");
  await page.keyboard.press("Control+Enter");
  await page.getByText("Choose at least one reason.").waitFor();
  assert.equal(await page.evaluate(() => document.activeElement.type), "checkbox");
  await isSound(page, "a form with something missing");
  await page.keyboard.press("Space");
  await page.keyboard.press("Control+Enter");
  await page.locator(".sentence", { hasText: "which part of the pizza" }).getByText(/corrected by/).waitFor();
  assert.equal(await focusedId(page), "2.narrative.1");
  await page.keyboard.press("s");
  await until(async () => (await focusedId(page)) === item, "back where one was");

  await page.keyboard.press("a");
  await page.getByText("Marked as reviewed.").waitFor();
  assert.equal((await ask("GET", `/api/v1/sessions/${session}`)).reviewed.by.name, "Tayo Okafor");
  await page.keyboard.press("n");
  await page.waitForURL(`**/tutor/sessions/${older}`);
  await entry(page, "I like dogs").waitFor();
  await until(async () => (await focusedId(page)) === (await page.locator(".entry").first().getAttribute("id")), "the first words have the focus");
  await page.keyboard.press("p");
  await page.waitForURL(`**/tutor/sessions/${session}`);
  await button(page, "Take the review back").click();
  await page.getByText("It counts as not reviewed again.").waitFor();
  await page.keyboard.press("?");
  await page.getByRole("dialog", { name: "Keys" }).waitFor();
  await isSound(page, "the keys");
});

test("the single keys can be switched off", async (t) => {
  const session = await takenLesson(t, ["one"]);
  const { page } = await asTutor(t, `/tutor/sessions/${session}`);
  await entry(page, "one").waitFor();
  await page.keyboard.press("?");
  await page.getByLabel("Use single keys on this device").uncheck();
  await page.keyboard.press("Escape");
  await page.keyboard.press("a");
  await page.keyboard.press("?");
  assert.equal(await page.getByRole("dialog").count(), 0);
  await page.getByRole("button", { name: "Keys of this page" }).click();
  await page.getByLabel("Use single keys on this device").check();
  await page.keyboard.press("Escape");
  await page.keyboard.press("a");
  await page.getByText("Marked as reviewed.").waitFor();
});

test("two correct the same: the second sees the first one's, and loses no word", async (t) => {
  const session = await takenLesson(t, ["tree quarters"]);
  const { page, ask } = await asTutor(t, `/tutor/sessions/${session}`);
  const teacher = await enter(t, "instructor", null);
  const item = await entry(page, "tree quarters").getAttribute("id");
  await page.locator(`#${item} .entry-correct`).click();
  await page.getByLabel("It should read").fill("three quarters");
  await correct(teacher.ask, session, "words", item, { text: "two quarters" }, ["asr_misheard"]);
  await page.keyboard.press("Control+Enter");
  const conflict = page.locator(".override-conflict");
  await conflict.getByText("Ines Weber corrected this meanwhile", { exact: false }).waitFor();
  await isSound(page, "two corrections of the same");
  assert.equal(await page.getByLabel("It should read").inputValue(), "three quarters");
  await button(page, "Publish mine in its place").click();
  await page.locator(`#${item}`, { hasText: "three quarters" }).getByText("corrected by Tayo Okafor").waitFor();
  const { items } = await ask("GET", `/api/v1/sessions/${session}/overrides`);
  assert.deepEqual(items.map(({ state, author }) => [author.name, state]), [["Ines Weber", "superseded"], ["Tayo Okafor", "published"]]);
  assert.equal(items[1].replaces, items[0].id);
  assert.equal(items[1].original.text, "tree quarters");

  await page.locator(".panel > summary", { hasText: "Corrections (2)" }).click();
  await page.getByText("replaced later").waitFor();
  await page.locator(".panel > summary", { hasText: "What the tutor was told" }).click();
  await page.locator(".brief", { hasText: "Platform rules" }).waitFor();
  await page.locator(".panel > summary", { hasText: "Who has read it" }).click();
  await page.locator(".readers", { hasText: "Tayo Okafor" }).waitFor();
  await isSound(page, "all there is to know of a session");
});

test("another one's correction appears by itself; a draft thrown away can be had back", async (t) => {
  const session = await takenLesson(t, ["a hole"]);
  const { page, ask } = await asTutor(t, `/tutor/sessions/${session}`);
  const teacher = await enter(t, "instructor", null);
  await entry(page, "a hole").waitFor();
  const tutor = page.locator(".entry.tutor").first();
  const id = await tutor.getAttribute("id");
  await correct(teacher.ask, session, "answer", id, { text: "Welcome! A whole has equal parts." }, ["off_plan"]);
  await tutor.getByText("The tutor should have said").waitFor();
  await tutor.focus();
  await page.keyboard.press("e");
  await page.getByLabel("Who spoke", { exact: true }).check();
  await page.getByLabel("Sam Rivera", { exact: true }).check();
  await page.keyboard.press("Escape");
  await until(async () => (await ask("GET", `/api/v1/sessions/${session}/overrides`)).items.some(({ state }) => state === "draft"), "the draft is on the server");
  await page.keyboard.press("e");
  assert.equal(await page.getByLabel("Sam Rivera", { exact: true }).isChecked(), true);
  await button(page, "Throw away").click();
  await page.getByText("Your correction is thrown away.").waitFor();
  await button(page, "Undo").click();
  assert.equal(await page.getByLabel("Sam Rivera", { exact: true }).isChecked(), true);
});

test("copies are there in three forms, of one session and of a list", async (t) => {
  const session = await takenLesson(t, ["two quarters"]);
  const { page } = await asTutor(t, `/tutor/sessions/${session}`);
  await button(page, "Take a copy").click();
  const { cookie } = await signIn("tutor@demo.school");
  const forms = { CSV: /text\/csv/, JSON: /application\/json/, WebVTT: /text\/vtt/ };
  for (const [name, type] of Object.entries(forms)) await comesAs(page, name, cookie, type);
  await isSound(page, "copies");
  await page.goto("/tutor?status=all");
  await button(page, "Take a copy of these").click();
  for (const [name, type] of Object.entries({ ...forms, WebVTT: /zip/ })) await comesAs(page, name, cookie, type);
});

async function comesAs(page, name, cookie, type) {
  const address = await page.getByRole("link", { name, exact: true }).getAttribute("href");
  const answer = await fetch(`${ADDRESS}${address}`, { headers: { cookie } });
  assert.equal(answer.status, 200, address);
  assert.match(answer.headers.get("content-type"), type);
  assert.ok((await answer.arrayBuffer()).byteLength > 100);
}

test("what was not heard, not sure, and named in other scripts is shown as it is", async (t) => {
  const session = await takenLesson(t, ["two quarters", "one half"]);
  const { page } = await asTutor(t, null);
  const arabic = "نصف البيتزا";
  await page.route("**/api/v1/sessions/*/transcript", async (route) => {
    const answer = await route.fetch();
    const body = await answer.json();
    Object.assign(body.items[0], { said: arabic, sure: false, kind: "audio" });
    Object.assign(body.items[1], { interrupted: true, status: "incomplete", heard: body.items[1].said.slice(0, 20) });
    Object.assign(body.items[2], { said: null });
    Object.assign(body.items[3], { heard: "something else" });
    await route.fulfill({ response: answer, json: body });
  });
  await page.goto(`/tutor/sessions/${session}`);
  await entry(page, arabic).getByText("not sure of the words").waitFor();
  await page.locator("s.cut").waitFor();
  await page.getByText("The words could not be made out.").waitFor();
  await page.getByText("The student heard:", { exact: false }).waitFor();
  await isSound(page, "hard words");
});

test("five thousand sessions are a list like any other", async (t) => {
  const { page } = await asTutor(t, null);
  await page.route("**/api/v1/sessions?*", (route) => {
    const page = Number(new URL(route.request().url()).searchParams.get("cursor") ?? 0);
    route.fulfill({ json: { items: Array.from({ length: 1000 }, (_, i) => card(page * 1000 + i)), next_cursor: page < 4 ? String(page + 1) : null } });
  });
  await page.goto("/tutor");
  const count = page.locator(".results > p").first(); // to look through thousands of rows for a text takes Playwright a minute
  for (const many of [1000, 2000, 3000, 4000]) {
    await count.filter({ hasText: `The first ${many} sessions. There are more.` }).waitFor();
    await page.evaluate(() => [...document.querySelectorAll("main p button")].find((one) => one.textContent === "Show more").click());
  }
  await count.filter({ hasText: "5000 sessions." }).waitFor();
  assert.equal(await page.locator("tbody tr").count(), 5000);
  assert.deepEqual(page.faults, []);
});

const card = (number) => ({
  id: `0192aaaa-0000-7000-8000-${String(number).padStart(12, "0")}`, lesson: { id: "0192aaaa-0000-7000-8000-00000000000a", slug: "x", title: SCRIPT },
  version: 2, student: { id: "0192aaaa-0000-7000-8000-00000000000b", name: `Ana María de los Ángeles Fernández-Castellanos y Montenegro ${number}` },
  status: "ended", mode: "voice", started_at: new Date(1.76e12 - number * 6e5).toISOString(), ended_at: null, end_reason: "finished", wall_ms: 754_000,
  student_speech_ms: 1, tutor_speech_ms: 1, silence_ms: 1, step: 2, steps: 6, engines: ["offline"], has_summary: true, reviewed: null,
  thumbs: number % 3 ? null : "down", corrections: number % 4,
});

test("what is not there for one is told, and where to go", async (t) => {
  const { page } = await asTutor(t, "/tutor/sessions/0192aaaa-0000-7000-8000-000000000000");
  await page.getByRole("heading", { name: "We can't show this session" }).waitFor();
  await isSound(page, "no such session");
  await page.goto("/tutor/live/0192aaaa-0000-7000-8000-000000000000");
  await page.getByRole("heading", { name: "We can't show this lesson" }).waitFor();
  await isSound(page, "no such lesson");
});
