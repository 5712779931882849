/** What parents see of their children's lessons, on a real server. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { enter } from "./live.mjs";
import { SCRIPT, fresh, isFaultless, sideways } from "./office.mjs";
import { takenLesson } from "./taking.mjs";

test("a parent reads what a reviewed lesson came to, corrected, and by whom", async (t) => {
  const tutor = (await enter(t, "tutor", null)).ask;
  const session = await takenLesson(t, ["two quarters", "1/2", "help"]);
  const path = `/api/v1/sessions/${session}`;
  const praise = fresh("You did very well.");
  let summary = await tutor("GET", `${path}/summary`);
  for (let tries = 0; summary.status !== "ready" && tries < 50; tries += 1) {
    await new Promise((done) => setTimeout(done, 100));
    summary = await tutor("GET", `${path}/summary`);
  }
  const correct = async (kind, id, text, reason) => {
    const body = { target: { kind, id }, new: { text }, reasons: [reason], note: "For the staff room." };
    const { id: override } = await tutor("POST", `${path}/overrides`, body);
    await tutor("POST", `${path}/overrides/${override}/publish`);
  };
  const { items } = await tutor("GET", `${path}/transcript`);
  const said = items.filter(({ speaker }) => speaker === "student")[0];
  await correct("words", said.id, "two fourths", "asr_misheard");
  await correct("sentence", summary.narrative[1].id, `${SCRIPT} ${praise}`, "summary_omits");
  const { page } = await enter(t, "parent", "/family", { width: 390, height: 844 });
  await page.getByRole("heading", { name: "My children" }).waitFor();
  await isFaultless(page);
  await page.getByRole("link", { name: "Sam Rivera" }).click();
  await page.getByRole("heading", { name: "Sam Rivera", level: 1 }).waitFor();
  assert.equal(await page.getByText(praise).count(), 0, "not before somebody has reviewed it");
  await tutor("POST", `${path}/review`, { reviewed: true });
  await page.reload();
  const lesson = page.getByRole("article").first();
  await lesson.getByText("by Tayo Okafor").first().waitFor();
  await lesson.getByText(`${SCRIPT} ${praise}`).waitFor();
  await lesson.getByText("What it said before").first().click();
  await lesson.getByText(summary.narrative[1].text).waitFor();
  await lesson.locator("ins", { hasText: "two fourths" }).waitFor();
  await lesson.locator("del", { hasText: "two quarters" }).waitFor();
  assert.equal(await page.getByText("For the staff room.").count(), 0);
  await isFaultless(page);
  assert.equal(await sideways(page), 0);
});
