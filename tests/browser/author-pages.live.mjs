/** The instructors' pages: lists and beginnings; every page and state without a fault that axe knows. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { editor, field, made, named, stepButton } from "./authors.mjs";
import { accessibilityFaults } from "./browser.mjs";
import { enter } from "./live.mjs";
import { button, until } from "./stage.mjs";

const SCRIPT = "<script>alert(1)</script>";

test("the list is searched and filtered in the address; archiving can be undone", async (t) => {
  const { page, ask } = await enter(t, "instructor", null);
  const title = `Searched for ${process.pid}`;
  await made(ask, title);
  await page.goto("/instructor");
  await page.getByLabel("Search").fill(title.toLowerCase());
  await page.waitForURL(/search=searched\+for\+/);
  await until(async () => (await page.locator("tbody tr").count()) === 1, "one lesson is left");
  await page.getByLabel("Subject").selectOption("Mathematics");
  await page.waitForURL(/subject=Mathematics/);
  await named(page, "Archive", title).click();
  await page.getByText("is archived.").waitFor();
  assert.equal(await page.evaluate(() => document.activeElement.textContent), "Undo");
  await page.keyboard.press("Enter");
  await page.getByText("is back.").waitFor();
  await page.getByRole("link", { name: title, exact: true }).waitFor();
  await page.getByRole("link", { name: /^Duplicate/ }).click();
  await page.getByRole("option", { name: title }).waitFor({ state: "attached" });
  await button(page, "Create the lesson").click();
  await field(page, "title").waitFor();
  await page.goto("/instructor?search=nothing+like+it");
  await page.getByText("No lesson fits.").waitFor();
});

test("a file that is no plan is told by line, and nothing is imported", async (t) => {
  const { page } = await enter(t, "instructor", "/instructor/new");
  await page.getByRole("radio", { name: /^Import/ }).check();
  await page.getByLabel("The plan").fill("title: Bad\nsubject: Mathematics\ngoal:\nsteps:\n  - ask: What?\n    colour: red\n");
  await button(page, "Import the lesson").click();
  const problems = page.getByRole("region", { name: /to mend, nothing is imported yet/ });
  await problems.waitFor();
  await problems.getByRole("button", { name: /^Line 6/ }).first().click();
  const chosen = await page.getByLabel("The plan").evaluate((box) => box.value.slice(box.selectionStart, box.selectionEnd));
  assert.match(chosen, /colour: red/);
});

const PAGES = {
  list: () => "/instructor",
  "an empty list": () => "/instructor?search=nothing+like+it",
  "a new lesson": () => "/instructor/new",
  editor: (id) => `/instructor/lessons/${id}`,
  versions: (id) => `/instructor/lessons/${id}/versions?left=1&right=draft`,
  assignments: (id) => `/instructor/lessons/${id}/assignments`,
  "no such lesson": () => "/instructor/lessons/00000000-0000-7000-8000-000000000000",
};

test("every page: axe finds nothing, nothing scrolls sideways, scripts are only words", async (t) => {
  const { page, ask } = await enter(t, "instructor", null);
  const lesson = await made(ask, `${SCRIPT} ${"Wolfeschlegelsteinhausenbergerdorff".repeat(2)}`.slice(0, 110).replace(SCRIPT, "كسور &lt;b&gt;"));
  const { draft } = await ask("GET", `/api/v1/school/lessons/${lesson.id}`);
  await ask("POST", `/api/v1/school/lessons/${lesson.id}/publish`, { revision: draft.revision, note: SCRIPT });
  await ask("PATCH", `/api/v1/school/lessons/${lesson.id}/draft`, { path: "goal", was: draft.plan.goal, now: `${SCRIPT} $\\href{javascript:alert(1)}{x}$ {{` });
  await ask("POST", `/api/v1/school/lessons/${lesson.id}/assignments`, { everyone: true });
  for (const [name, path] of Object.entries(PAGES)) {
    await page.setViewportSize({ width: 1280, height: 900 });
    await page.goto(path(lesson.id));
    await page.locator("h1").first().waitFor();
    await page.waitForLoadState("networkidle").catch(() => null);
    assert.deepEqual(await accessibilityFaults(page), [], name);
    for (const width of [390, 320]) {
      await page.setViewportSize({ width, height: 800 });
      const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      assert.ok(over <= 0, `${name} scrolls ${over} px sideways at ${width} px`);
    }
    if (name === "editor") assert.deepEqual(await accessibilityFaults(page), [], "editor on a phone");
  }
  assert.deepEqual(page.faults.filter((fault) => !/404/.test(fault)), []);
});

const STATES = {
  "the brief": (page) => page.locator('.pane-tab[data-key="brief"]').click(),
  publish: async (page) => {
    await button(page, "Publish").click();
    await page.getByLabel("What is new in it?").waitFor();
  },
  "try it": (page) => button(page, "Try it").click(),
  "a step removed": (page) => stepButton(page, "Remove", 2).click(),
  "all folded": (page) => button(page, "Fold all").click(),
  "with more of everything": async (page) => {
    await button(page, "Add an answer").first().click();
    await button(page, "Add a hint").first().click();
    await button(page, "Add a misconception").first().click();
    await button(page, "Add a text").click();
    await page.getByText("When to move on, praise, patience").first().click();
  },
};

test("every state of the editor: axe finds nothing", async (t) => {
  const { ask } = await enter(t, "instructor", null);
  const { id } = await made(ask);
  const { page } = await editor(t, "instructor", id);
  for (const [name, go] of Object.entries(STATES)) {
    await page.goto(`/instructor/lessons/${id}`);
    await field(page, "title").waitFor();
    await go(page);
    assert.deepEqual(await accessibilityFaults(page), [], name);
  }
});
