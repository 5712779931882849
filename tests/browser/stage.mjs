/** The one helper of the browser tests: a fake gateway and a page in Chromium, closed after the test. */

import { after } from "node:test";

import { startBrowser } from "./browser.mjs";
import { startGateway } from "./fake-gateway.mjs";
import { Records } from "./fake-records.mjs";

export const LESSON = "/student/lessons/fractions-as-parts";
const browsers = new Map();

after(async () => {
  for (const browser of browsers.values()) await (await browser).close();
});

/** `{page, gateway, records, lesson}` at `path`; `test` is the node:test context that ends them. */
export async function stage(test, { path = LESSON, records = {}, microphone = "granted", lesson = {}, ...view } = {}) {
  if (!browsers.has(microphone)) browsers.set(microphone, startBrowser({ microphone }));
  const browser = await browsers.get(microphone);
  const gateway = await startGateway({ records: new Records(records), ...lesson });
  const page = await browser.page(gateway.address, view);
  page.setDefaultTimeout(25_000);
  test.after(async () => {
    await page.context().close();
    await gateway.close();
  });
  await page.goto(path);
  return { page, gateway, records: gateway.records, lesson: gateway.lesson };
}

export const button = (page, name) => page.getByRole("button", { name, exact: true });
export const control = (page, state) => page.locator(`.control[data-state="${state}"]`);
export const sent = (lesson, type) => lesson.received.filter((event) => event.type === type);

/** A lesson that has begun, by voice, and whose tutor is speaking. */
export async function begun(test, options) {
  const all = await stage(test, options);
  await button(all.page, "Start").click();
  await control(all.page, "tutor").waitFor();
  return all;
}

/** Waits until `holds()` is true; the test fails with `what` where it never is. */
export async function until(holds, what, { timeout = 25_000 } = {}) {
  const end = Date.now() + timeout;
  while (!(await holds())) {
    if (Date.now() > end) throw new Error(`never: ${what}`);
    await new Promise((again) => setTimeout(again, 20));
  }
}
