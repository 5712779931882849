/** One's own corner of every page: the password is changed by oneself, by keyboard, on a phone too. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { enter } from "./live.mjs";
import { button, emailOf, field, fresh, isFaultless, sideways } from "./office.mjs";

const NEW = "three quiet green apples";

test("somebody gets a password from the office and chooses their own", async (t) => {
  const { ask } = await enter(t, "admin", null);
  const name = fresh("Kim Novak");
  const { password, person } = await ask("POST", "/api/v1/people", { name, email: emailOf(name), roles: ["student"] });
  const { page } = await enter(t, person.email, "/student", { password, width: 390, height: 800 });
  await page.getByRole("button", { name: /^Your account/ }).focus();
  await page.keyboard.press("Enter");
  await field(page, "The one you have now").waitFor();
  await isFaultless(page);
  assert.equal(await sideways(page), 0);
  await field(page, "The one you have now").fill("a guess");
  await field(page, "The new one").fill(NEW);
  await page.keyboard.press("Enter");
  await page.getByText("is another one. Write it once more.").waitFor();
  assert.equal(await field(page, "The one you have now").evaluate((node) => node === document.activeElement), true);
  await field(page, "The one you have now").fill(password);
  await field(page, "The new one").fill("12345678");
  await page.keyboard.press("Enter");
  await page.getByText("That is among the first that people try.", { exact: false }).waitFor();
  await isFaultless(page);
  await field(page, "The new one").fill(NEW);
  await page.keyboard.press("Enter");
  await page.getByText("Your password is changed.").waitFor();
  await page.keyboard.press("Escape");
  await button(page, "Sign out").click();
  await page.waitForURL(/\/sign-in$/);
  const again = await enter(t, person.email, "/student", { password: NEW });
  await again.page.getByRole("heading", { level: 1 }).waitFor();
  assert.match(again.page.url(), /\/student$/);
});
