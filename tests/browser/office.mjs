/** What the tests of the office and of families share. */

import assert from "node:assert/strict";

import { accessibilityFaults } from "./browser.mjs";
import { ADDRESS } from "./live.mjs";

export const SCRIPT = "<script>alert(1)</script><img src=x onerror=alert(2)>";

export const button = (page, name) => page.getByRole("button", { name, exact: typeof name === "string" });
export const field = (page, name) => page.getByLabel(name, { exact: true });
export const sideways = (page) => page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);

export async function isFaultless(page) {
  assert.deepEqual(await accessibilityFaults(page), []);
  assert.deepEqual(page.faults, []);
}

/** A name of this test's own, and an address to go with it. */
export const fresh = (name) => `${name} ${Math.random().toString(36).slice(2, 8)}`;
export const emailOf = (name) => `${name.toLowerCase().replaceAll(" ", ".")}@demo.school`;

/** Whether one may sign in like this: the status of the answer. */
export async function signInStatus(email, password) {
  const headers = { "content-type": "application/json", origin: ADDRESS };
  const body = JSON.stringify({ school: "demo", email, password });
  return (await fetch(`${ADDRESS}/api/v1/sign-in`, { method: "POST", headers, body })).status;
}

export async function personId(ask, search) {
  const { items } = await ask("GET", `/api/v1/people?search=${encodeURIComponent(search)}`);
  assert.ok(items.length > 0, search);
  return items[0].id;
}
