/** Starts Chromium and gives pages that note every violation of the policy, script error and outside request. */

import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { chromium } from "playwright-core";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const QUIET = [
  "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync", "--autoplay-policy=user-gesture-required",
];

/**
 * @param microphone "granted" (a fake device; `sound` is the WAV file it plays), "denied" or "absent"
 */
export async function startBrowser({ microphone = "granted", sound = null } = {}) {
  const devices = microphone === "absent" ? [] : ["--use-fake-device-for-media-stream"];
  if (sound) devices.push(`--use-file-for-fake-audio-capture=${sound}%noloop`);
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", headless: true, args: [...QUIET, ...devices],
  });
  return {
    close: () => browser.close(),
    page: (address, options) => openPage(browser, address, { microphone, ...options }),
  };
}

async function openPage(browser, address, { microphone, width = 1280, height = 800, dark = false, ...rest } = {}) {
  const context = await browser.newContext({
    viewport: { width, height }, colorScheme: dark ? "dark" : "light", baseURL: address, ...rest,
  });
  if (microphone === "granted") await context.grantPermissions(["microphone"], { origin: address });
  const page = await context.newPage();
  const faults = [];
  page.on("console", (message) => {
    if (/Content Security Policy/i.test(message.text())) faults.push(message.text());
  });
  page.on("pageerror", (error) => faults.push(String(error)));
  page.on("dialog", (dialog) => {
    faults.push(`a script opened a dialog: ${dialog.message()}`);
    dialog.dismiss();
  });
  page.on("request", (request) => {
    if (!request.url().startsWith(address) && !/^(data|blob):/.test(request.url())) faults.push(`outside: ${request.url()}`);
  });
  await page.addInitScript(() => {
    document.addEventListener("securitypolicyviolation", (event) =>
      console.error(`Content Security Policy: ${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`));
  });
  return Object.assign(page, { faults });
}

const RULES = { type: "tag", values: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] };
const COLOURS = { type: "rule", values: ["color-contrast"] };

/** What axe finds on the page as it stands: rule and place of each fault. In the dark only colours differ. */
export async function accessibilityFaults(page) {
  const faults = await axe(page, RULES);
  await page.emulateMedia({ colorScheme: "dark" });
  faults.push(...(await axe(page, COLOURS)));
  await page.emulateMedia({ colorScheme: "light" });
  return faults;
}

async function axe(page, runOnly) {
  if (!(await page.evaluate(() => "axe" in globalThis))) await page.evaluate(AXE);
  const { violations } = await page.evaluate((rules) => globalThis.axe.run(document, { runOnly: rules }), runOnly);
  return violations.flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.target} ${node.failureSummary}`));
}
