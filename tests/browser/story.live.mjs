/**
 * The whole story, in four windows: a teacher writes a lesson and gives it to a student, who talks through it; a
 * tutor reads along, then corrects a misheard answer and the summary; student and parent see what was corrected,
 * and by whom; the teacher changes the lesson and takes that back. SOUND is the WAV that the student speaks.
 */

import assert from "node:assert/strict";
import { test } from "node:test";

import { enter } from "./live.mjs";
import { button, control } from "./stage.mjs";

const { SOUND } = process.env;
const TITLE = "Apples for everybody";
const LATER = "Apples and pears for everybody";
const QUESTION = "Three friends share 12 apples equally. How many apples does each friend get?";
const RIGHT = "four apples, that is four for each of us";
const SENTENCE = "Mia shared apples, and found out by herself how many each friend gets.";

test("a lesson is written, taken, followed, corrected, read at home, and rolled back", { timeout: 220_000 }, async (t) => {
  const family = await newFamily(t);
  const windows = [];
  const window = async (...who) => {
    windows.push(await enter(t, ...who));
    return windows.at(-1).page;
  };
  const teacher = await window("instructor", "/instructor/new");
  await writes(teacher);
  await assigns(teacher, family.student.name);

  const tutor = await window("tutor", "/tutor/live");
  await tutor.getByRole("heading", { name: "Live" }).waitFor();
  const student = await window(family.student.email, "/student", { ...family.student, microphone: "granted", sound: SOUND || null });
  await begins(student);
  await follows(tutor, family.student.name);
  await student.getByText("Tayo Okafor is reading along.").first().waitFor();
  const misheard = await talks(student, tutor);

  await corrects(tutor, family.student.name, misheard);
  await reads(student, misheard);
  const parent = await window(family.parent.email, "/family", family.parent);
  await readsAtHome(parent, family.student.name, misheard);

  await publishesAndRollsBack(teacher, student);
  for (const { page } of windows) assert.deepEqual(page.faults, []);
});

/** A student of the tutor's, and their parent, whom no other test knows. */
async function newFamily(t) {
  const { ask, page } = await enter(t, "admin", null);
  const stamp = Date.now().toString(36);
  const make = async (name, role) => {
    const email = `${role}-${stamp}@demo.school`;
    const { person, password } = await ask("POST", "/api/v1/people", { name, email, roles: [role] });
    return { id: person.id, name, email, password };
  };
  const [student, parent] = [await make(`Mia Quince ${stamp}`, "student"), await make(`Pia Quince ${stamp}`, "parent")];
  const { items: [tutor] } = await ask("GET", "/api/v1/people?role=tutor&search=Tayo");
  await ask("PUT", `/api/v1/people/${parent.id}/children/${student.id}`, {});
  await ask("POST", "/api/v1/assignments", { tutor_id: tutor.id, student_id: student.id });
  await page.close();
  return { student, parent };
}

// ---- the teacher

async function writes(page) {
  await page.getByRole("radio", { name: /^From a template/ }).check();
  await page.getByRole("radio", { name: /^Sharing equally/ }).check();
  await page.getByLabel("Title", { exact: true }).fill(TITLE);
  await button(page, "Create the lesson").click();
  await page.waitForURL(/\/instructor\/lessons\/[0-9a-f-]+$/);
  await step(page, 1).getByLabel("Question").fill(QUESTION);
  await publishes(page, "The first one", 1);
}

const step = (page, number) => page.getByRole("listitem", { name: new RegExp(`^Step ${number}`) });

async function publishes(page, note, number) {
  await page.getByText("All saved").first().waitFor();
  await button(page, "Publish").click();
  const dialog = page.getByRole("dialog", { name: "Publish" });
  await dialog.getByLabel("What is new in it?").fill(note);
  await dialog.getByRole("button", { name: "Publish", exact: true }).click();
  await page.getByText(`Published as version ${number}.`).waitFor();
}

async function assigns(page, name) {
  await page.getByRole("link", { name: "Assign it" }).click();
  await page.getByRole("radio", { name: "A student" }).check();
  await page.getByLabel("Student", { exact: true }).fill(name);
  await page.getByRole("radio", { name }).check();
  await button(page, "Assign").click();
  await page.getByText("Assigned.").waitFor();
}

async function publishesAndRollsBack(teacher, student) {
  await teacher.getByRole("link", { name: "Write" }).click();
  await teacher.getByLabel("Title", { exact: true }).fill(LATER);
  await publishes(teacher, "Pears, too", 2);
  await student.goto("/student");
  await student.getByRole("link", { name: LATER }).waitFor();
  await teacher.getByRole("link", { name: "Versions" }).click();
  await teacher.getByRole("button", { name: /^Publish again/ }).click();
  await button(teacher, "Publish version 1").click();
  await teacher.getByText("Students get version 1 again.").waitFor();
  await student.reload();
  await student.getByRole("link", { name: TITLE, exact: true }).waitFor();
  assert.equal(await student.getByText(LATER).count(), 0);
}

// ---- the student

async function begins(page) {
  await page.evaluate(prefer, { mic_checked: true, speech_speed: 1.5 });
  await page.reload();
  await page.getByRole("link", { name: TITLE }).click();
  await button(page, SOUND ? "Start" : "Start by typing only").click();
  await page.locator(".line.tutor").first().waitFor();
}

/** By voice, then in writing to the end; what the ears made of the voice is for the tutor to correct. */
async function talks(page, tutor) {
  if (!SOUND) await types(page, "for apples");
  const spoken = page.locator(".line.student .line-words").first();
  await spoken.filter({ hasText: /\w/ }).waitFor({ timeout: 60_000 });
  const misheard = (await spoken.textContent()).trim();
  await tutor.locator(".line.student", { hasText: misheard }).waitFor();
  await control(page, "listening").or(control(page, "type")).waitFor({ timeout: 30_000 });
  if (await page.getByText("step 1 of 2").isVisible()) await types(page, "4");
  await page.getByText("step 2 of 2").waitFor();
  await tutor.getByText("step 2 of 2").waitFor();
  await types(page, "4");
  await tutor.locator(".line.tutor", { hasText: "Today you shared things equally." }).waitFor();
  await button(page, "Finish").click();
  await button(page, "Finish the lesson").click();
  await page.getByRole("heading", { name: "What you did" }).waitFor({ timeout: 20_000 });
  return misheard;
}

async function types(page, text) {
  await page.locator("#composer").fill(text);
  await button(page, "Send").click();
  await page.locator(".line.student", { hasText: text }).last().waitFor();
}

async function reads(page, misheard) {
  await page.getByRole("link", { name: "Read what was said" }).click();
  const line = page.locator(".line.student", { hasText: RIGHT });
  await line.getByText("corrected by Tayo Okafor").click();
  await line.getByText(misheard, { exact: true }).waitFor();
  const summary = page.locator(".summary");
  await summary.getByText(SENTENCE).first().waitFor();
  await summary.getByText("corrected by Tayo Okafor").waitFor();
  await page.locator(".readers").getByText("Tayo Okafor").waitFor();
}

// ---- the tutor

async function follows(page, name) {
  await page.getByRole("link", { name }).click();
  await page.getByRole("heading", { name: new RegExp(`^${name}`) }).waitFor();
  await page.locator(".follow-line", { hasText: "Live" }).waitFor();
  await page.locator(".line.tutor", { hasText: "Today we share things" }).waitFor();
  await page.getByText("step 1 of 2").waitFor();
}

async function corrects(page, name, misheard) {
  await page.getByRole("heading", { name: "This lesson is over" }).waitFor();
  await page.getByRole("link", { name: "Review it" }).click();
  const entry = page.locator(".entry.student", { hasText: misheard }).first();
  await correct(entry, /^Correct/, RIGHT, "The words were misheard");
  const sentence = page.locator(".desk-summary .sentence").first();
  await correct(sentence, /^Correct/, SENTENCE, "The summary leaves out something that matters");
  await button(page, "Mark as reviewed a").click();
  await page.getByText("Marked as reviewed.").waitFor();
  assert.equal(await page.locator(".desk").getByText("corrected by Tayo Okafor").count(), 2, name);
}

async function correct(thing, verb, text, reason) {
  await thing.getByRole("button", { name: verb }).click();
  await thing.getByLabel("It should read").fill(text);
  await thing.getByRole("checkbox", { name: reason }).check();
  await thing.getByRole("button", { name: "Publish" }).click();
  await thing.getByText("corrected by Tayo Okafor").waitFor();
}

// ---- the parent

async function readsAtHome(page, child, misheard) {
  await page.getByRole("link", { name: child }).click();
  const lesson = page.getByRole("article", { name: TITLE });
  await lesson.getByText(SENTENCE).waitFor();
  await lesson.getByText("Corrected by Tayo Okafor").first().waitFor();
  await lesson.getByText("by Tayo Okafor", { exact: false }).first().waitFor();
  await lesson.locator(".corrections ins", { hasText: RIGHT }).waitFor();
  await lesson.locator(".corrections del", { hasText: misheard }).waitFor();
}

/** Choices of an earlier day: the microphone is checked, and the tutor speaks fast. */
async function prefer(preferences) {
  const me = await (await fetch("/api/v1/me")).json();
  const headers = { "content-type": "application/json", "x-csrf-token": me.csrf };
  await fetch("/api/v1/me", { method: "PATCH", headers, body: JSON.stringify({ preferences }) });
}
