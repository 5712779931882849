/** The school office: tutor engines and their keys, what lessons use and cost, limits. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { enter } from "./live.mjs";
import { button, field, isFaultless, sideways } from "./office.mjs";

const KEY = "sk-test-of-the-page-4242";

test("the office chooses engines, and is told what is missing", async (t) => {
  const { page, ask } = await enter(t, "admin", "/admin/engines");
  t.after(() => ask("PATCH", "/api/v1/school/engines", { order: null, nova_voice: null }));
  await button(page, "Use Amazon Nova 2 Sonic").click();
  await button(page, "Use A language model").focus();
  await page.keyboard.press("Enter");
  await button(page, "Earlier (A language model)").click();
  await page.locator("summary", { hasText: "Amazon" }).click();
  await page.locator("#amazon-nova_voice").fill("a voice");
  await button(page, "Save the engines").click();
  await page.getByText(/it must be a voice's name/).first().waitFor();
  await isFaultless(page, { refused: 1 });
  await page.locator("#amazon-nova_voice").fill("lupe");
  await button(page, "Save the engines").click();
  await page.getByText("All saved.").waitFor();
  await page.getByText(/There are no AWS credentials/).waitFor();
  const { values, decided } = await ask("GET", "/api/v1/school/engines");
  assert.deepEqual(values.order, ["cascade", "nova-sonic", "offline"]);
  assert.deepEqual(decided, ["nova_voice", "order"]);
  await isFaultless(page);
});

test("a key goes in, is never shown, and is taken away after a question", async (t) => {
  const { page, ask } = await enter(t, "admin", "/admin/engines");
  t.after(() => ask("DELETE", "/api/v1/school/engines/keys/openai").catch(() => null)); // it is gone already
  await page.setViewportSize({ width: 390, height: 844 });
  await button(page, "Give a key for OpenAI").click();
  await button(page, "Save the key").click();
  await page.getByText("Fill in: API key.").waitFor();
  await field(page, "API key").fill(KEY);
  await isFaultless(page);
  await button(page, "Save the key").click();
  await page.getByText(/ending in/).waitFor();
  assert.ok(!(await page.content()).includes(KEY));
  await page.reload();
  await page.getByText("4242").waitFor();
  assert.ok((await sideways(page)) <= 0);
  await button(page, "Remove it (OpenAI)").click();
  await isFaultless(page);
  await button(page, "Remove the key").click();
  await button(page, "Give a key for OpenAI").waitFor();
});

test("the engines are tried with a sentence", async (t) => {
  const { page } = await enter(t, "admin", "/admin/engines");
  await button(page, "Try the engines").click();
  await page.getByText("Works", { exact: true }).waitFor();
  await page.getByText(/It said: /).waitFor();
  await isFaultless(page);
});

test("limits are typed, kept and told once they are near", async (t) => {
  const { page, ask } = await enter(t, "admin", "/admin/usage");
  t.after(() => ask("PATCH", "/api/v1/school/limits", { minutes_day: null, money_month_micros: null }));
  await field(page, "US dollars a month").fill("a lot");
  await button(page, "Save the limits").click();
  await page.getByText("Write a number, or nothing.").waitFor();
  await field(page, "US dollars a month").fill("12.50");
  await page.keyboard.press("Enter");
  await page.getByText("Saved. It holds for the next lesson.").waitFor();
  await page.getByText(/of \$12\.50 this month/).waitFor();
  await isFaultless(page);
  const { limits } = await ask("GET", "/api/v1/school/limits");
  assert.equal(limits.money_month_micros, 12_500_000);
  await page.setViewportSize({ width: 390, height: 844 });
  assert.ok((await sideways(page)) <= 0);
  await field(page, "Month").selectOption({ index: 5 });
  await page.getByText("No lessons in this month.").waitFor();
  await isFaultless(page);
  await ask("PATCH", "/api/v1/school/limits", { minutes_day: 0 });
  await page.goto("/admin/classes");
  await page.getByText("A limit is reached.").waitFor();
  await isFaultless(page);
});
