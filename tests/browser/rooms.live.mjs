/** The frame of staff and families: everyone is led to their own rooms, and finds what is theirs there. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { accessibilityFaults } from "./browser.mjs";
import { enter } from "./live.mjs";

const HOMES = { student: "/student", instructor: "/instructor", tutor: "/tutor", parent: "/family", admin: "/admin" };

for (const [role, home] of Object.entries(HOMES)) {
  test(`${role}: the first page leads home, where axe finds nothing`, async (t) => {
    const { page } = await enter(t, role, "/");
    await page.waitForURL(`**${home}`);
    await page.locator("h1").first().waitFor();
    assert.deepEqual(await accessibilityFaults(page), []);
    assert.deepEqual(page.faults, []);
  });
}

test("who is not signed in is asked to, and comes back to where they wanted", async (t) => {
  const { page } = await enter(t, "tutor", null);
  await page.context().clearCookies();
  await page.goto("/tutor/live");
  await page.waitForURL(/\/sign-in\?next=%2Ftutor%2Flive$/);
});
