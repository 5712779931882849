/** Steps that the tests of the tutors' pages share. */

import assert from "node:assert/strict";

import { accessibilityFaults } from "./browser.mjs";
import { until } from "./stage.mjs";

export const SCRIPT = "<script>alert(1)</script><img src=x onerror=alert(2)>";
const WIDTHS = [320, 390, 768, 1280];

/** Nothing scrolls sideways, axe finds nothing, and no script of anybody's ran. */
export async function isSound(page, what) {
  const { width, height } = page.viewportSize();
  for (const wide of WIDTHS) {
    await page.setViewportSize({ width: wide, height: 844 });
    const over = await page.evaluate(() => document.scrollingElement.scrollWidth - document.scrollingElement.clientWidth);
    assert.ok(over <= 0, `${what} scrolls sideways by ${over} px at ${wide}`);
  }
  await page.setViewportSize({ width, height });
  assert.deepEqual(await accessibilityFaults(page), [], what);
  assert.deepEqual(page.faults, [], what);
}

/** A published correction of somebody's, by the API. */
export async function correct(ask, session, kind, id, content, reasons, more = {}) {
  const path = `/api/v1/sessions/${session}/overrides`;
  const { id: draft } = await ask("POST", path, { target: { kind, id }, new: content, reasons, ...more });
  return ask("POST", `${path}/${draft}/publish`);
}

export async function hasSummary(ask, session, number = 1) {
  await until(async () => (await ask("GET", `/api/v1/sessions/${session}/summary`)).number >= number, "the summary is there");
}
