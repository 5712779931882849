/** A lesson is written by one and by two, tried, published, compared, assigned. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { editor, field, made, named, questions, settled, stepButton } from "./authors.mjs";
import { accessibilityFaults } from "./browser.mjs";
import { enter } from "./live.mjs";
import { button, until } from "./stage.mjs";

/** Texts without what only screen readers are told. */
const written = (nodes) => nodes.map((node) => {
  const copy = node.cloneNode(true);
  for (const told of copy.querySelectorAll(".for-screen-reader")) told.remove();
  return copy.textContent;
});

const draftOf = (ask, id) => ask("GET", `/api/v1/school/lessons/${id}/draft`);

test("a lesson is written, mended, published, assigned, changed, compared and rolled back", async (t) => {
  const { page, ask } = await enter(t, "instructor", "/instructor");
  await page.getByRole("link", { name: "New lesson" }).click();
  await page.getByRole("textbox", { name: "Title" }).fill("Halves of a pizza");
  await button(page, "Create the lesson").click();
  await page.getByRole("heading", { name: "Halves of a pizza" }).waitFor();
  const id = page.url().split("/").at(-1);

  await field(page, "subject").fill("Mathematics");
  await field(page, "goal").fill("Say what a half is.");
  await button(page, "Publish").click();
  await page.getByText(/things? to mend first|is to mend first|are to mend first/).waitFor();
  await page.getByRole("dialog").getByRole("button", { name: "Close" }).click();

  await questions(page).fill("You eat 2 of 4 slices. What part is $\\frac{2}{4}$ of a pizza in words?");
  await page.getByText("On the board:").locator("xpath=..").locator(".katex").first().waitFor();
  await page.getByLabel("Kind").selectOption("number");
  await page.getByLabel("Answer", { exact: true }).fill("1/2");
  await button(page, "Add a hint").click();
  await page.getByLabel("Hint 1").fill("How many slices are there in all?");
  await page.locator('[data-path$=".solution"]').fill("Two of four slices are as much as one of two: a half.");
  await page.getByText("When to move on, praise, patience").click();
  await page.locator('[data-path$=".exit"]').fill("Says that it is a half.");
  await settled(page);
  await page.locator('.pane-tab[data-key="brief"]').click();
  await page.getByRole("button", { name: /Goal: Say what a half is/ }).click();
  assert.equal(await page.evaluate(() => document.activeElement.dataset.path), "goal");

  await button(page, "Publish").click();
  await page.getByLabel("What is new in it?").fill("The first one");
  await page.getByRole("dialog").getByRole("button", { name: "Publish", exact: true }).click();
  await page.getByText("Published as version 1.").waitFor();
  await page.getByRole("link", { name: "Assign it" }).click();
  await page.getByRole("radio", { name: "Everyone at the school" }).check();
  await page.getByLabel("Due").fill("2031-05-04");
  await button(page, "Assign").click();
  await page.getByRole("cell", { name: /May 4, 2031/ }).waitFor();
  await page.getByRole("button", { name: /^Change/ }).click();
  await page.getByRole("dialog").getByLabel("Due").fill("2031-06-05");
  await page.getByRole("dialog").getByRole("button", { name: "Save" }).click();
  await page.getByRole("cell", { name: /June 5, 2031/ }).waitFor();
  await page.getByRole("button", { name: /^Remove/ }).click();
  await page.getByText("Assigned to nobody yet").waitFor();
  await button(page, "Undo").click();
  await page.getByRole("cell", { name: /June 5, 2031/ }).waitFor();

  await page.getByRole("link", { name: "Write", exact: true }).click();
  await field(page, "goal").fill("Say what one half is.");
  await settled(page);
  await button(page, "Publish").click();
  await page.getByRole("dialog").getByRole("button", { name: "Publish", exact: true }).click();
  await page.getByText("Published as version 2.").waitFor();
  await page.getByRole("link", { name: "Versions", exact: true }).click();
  await page.getByRole("link", { name: /What changed ?: version 2/ }).click();
  await page.waitForURL(/left=1&right=2/);
  await page.locator(".change del").first().waitFor();
  assert.match(await page.locator(".change ins").first().innerText(), /one/);
  await named(page, "Publish again", "version 1").click();
  await page.getByRole("dialog").getByText("Halves of a pizza").waitFor();
  await button(page, "Publish version 1").click();
  await page.getByText("Students get version 1 again.").waitFor();
  assert.equal((await ask("GET", `/api/v1/school/lessons/${id}`)).published_number, 1);
  await button(page, "Undo").click();
  await page.getByText("Students get version 2 again.").waitFor();
  assert.equal((await ask("GET", `/api/v1/school/lessons/${id}`)).published_number, 2);
  assert.deepEqual(page.faults, []);
});

test("two write one draft at once: nothing typed is lost, and both see what was typed", async (t) => {
  const one = await editor(t, "instructor", (await made((await enter(t, "instructor", null)).ask)).id);
  const id = one.page.url().split("/").at(-1);
  const other = await editor(t, "admin", id);
  const goal = (page) => field(page, "goal");

  // Different fields: they meet without a word.
  await field(one.page, "opening").fill("Hello from one.");
  await field(other.page, "closing").fill("Goodbye from the other.");
  await until(async () => (await field(one.page, "closing").inputValue()) === "Goodbye from the other.", "the other's words come");
  await until(async () => (await field(other.page, "opening").inputValue()) === "Hello from one.", "one's words come");

  // The same field: both texts side by side, and other fields go on.
  await goal(other.page).fill("The other's goal, with many words.");
  await goal(one.page).fill("One's goal, with other words.");
  const asks = (who) => who.page.locator(".both").count();
  await until(async () => (await asks(one)) + (await asks(other)) > 0, "somebody is asked");
  const [asked, first] = (await asks(one)) > 0 ? [one, other] : [other, one];
  const texts = await asked.page.locator(".both .side-text").evaluateAll(written);
  assert.deepEqual(texts.toSorted(), ["One's goal, with other words.", "The other's goal, with many words."]);
  assert.deepEqual(await accessibilityFaults(asked.page), []);
  await field(asked.page, "level").fill("Year 6");
  await until(async () => (await field(first.page, "level").inputValue()) === "Year 6", "other fields go on");
  await button(asked.page, "Merge by hand").click();
  const merged = await goal(asked.page).inputValue();
  assert.match(merged, /One's goal[^]*The other's goal|The other's goal[^]*One's goal/);
  await goal(asked.page).fill("One's and the other's goal.");
  await button(asked.page, "Save what I wrote").click();
  await settled(asked.page);
  await until(async () => (await goal(first.page).inputValue()) === "One's and the other's goal.", "the merged text comes");
  assert.equal((await draftOf(one.ask, id)).plan.goal, "One's and the other's goal.");
});

test("who is offline goes on writing; over a reload nothing is lost, and what both changed is asked", async (t) => {
  const one = await editor(t, "instructor", (await made((await enter(t, "instructor", null)).ask)).id);
  const id = one.page.url().split("/").at(-1);
  const other = await editor(t, "admin", id);
  await one.page.context().setOffline(true);
  await field(one.page, "goal").fill("Typed offline.");
  await field(one.page, "opening").fill("Typed offline, too.");
  await one.page.getByText("Your words are kept on this computer").first().waitFor();
  assert.deepEqual(await accessibilityFaults(one.page), []);
  await field(other.page, "goal").fill("Typed meanwhile.");
  await settled(other.page);
  await one.page.context().setOffline(false);
  await one.page.reload();
  await one.page.locator(".both").waitFor();
  await until(async () => (await field(other.page, "opening").inputValue()) === "Typed offline, too.", "what nobody else changed is saved");
  assert.deepEqual(await one.page.locator(".both .side-text").evaluateAll(written), ["Typed offline.", "Typed meanwhile."]);
  await button(one.page, "Keep mine").click();
  await settled(one.page);
  await until(async () => (await field(other.page, "goal").inputValue()) === "Typed offline.", "the kept text comes");
  assert.equal((await draftOf(one.ask, id)).plan.goal, "Typed offline.");
});

test("a step that somebody removes while another writes in it is not lost", async (t) => {
  const one = await editor(t, "instructor", (await made((await enter(t, "instructor", null)).ask)).id);
  const id = one.page.url().split("/").at(-1);
  const other = await editor(t, "admin", id);
  await one.page.context().setOffline(true);
  await questions(one.page).nth(1).fill("My own question?");
  await stepButton(other.page, "Remove", 2).click();
  await settled(other.page);
  await one.page.context().setOffline(false);
  await button(one.page, "Put the step back").click();
  await settled(one.page);
  const { plan } = await draftOf(one.ask, id);
  assert.deepEqual(plan.steps.map(({ ask }) => ask)[1], "My own question?");
  assert.equal(plan.steps.length, 3);
});

test("everything by keys: steps move, go and come back, and the focus stays", async (t) => {
  const { page, ask } = await editor(t, "instructor", (await made((await enter(t, "instructor", null)).ask)).id);
  const id = page.url().split("/").at(-1);
  const focused = () => page.evaluate(() => document.activeElement.textContent || document.activeElement.dataset.path);
  const order = async () => (await draftOf(ask, id)).plan.steps.map((step) => /\d/.exec(step.ask)[0]).join("");
  await stepButton(page, "Down", 1).focus();
  await page.keyboard.press("Enter");
  await page.getByText("Step 1 is now step 2 of 3.").waitFor();
  assert.equal(await focused(), "Down: step 2");
  await page.keyboard.press("Enter");
  assert.equal(await focused(), "Down: step 3");
  await settled(page);
  assert.equal(await order(), "231");
  await questions(page).nth(2).focus();
  await page.keyboard.press("Alt+Shift+ArrowUp");
  await settled(page);
  assert.equal(await order(), "213");
  assert.match(await focused(), /\.ask$/);
  await page.keyboard.type("Now ");
  assert.match(await questions(page).nth(1).inputValue(), /Now/);
  await stepButton(page, "Remove", 2).focus();
  await page.keyboard.press("Enter");
  assert.equal(await focused(), "Undo");
  await settled(page);
  assert.equal(await order(), "23");
  await page.keyboard.press("Enter");
  assert.equal(await focused(), "Remove: step 2");
  await settled(page);
  assert.equal(await order(), "213");
  await stepButton(page, "Fold", 1).focus();
  await page.keyboard.press("Enter");
  assert.equal(await focused(), "Unfold: step 1");
  await page.keyboard.press("?");
  await page.getByRole("dialog").getByText("Try it as a student").waitFor();
  await page.keyboard.press("Escape");
  await page.keyboard.press("p");
  await page.getByRole("heading", { name: "Publish" }).waitFor();
  await page.keyboard.press("Escape");
  assert.equal(await focused(), "Unfold: step 1");
});

test("steps are dragged by their grips", async (t) => {
  const { page, ask } = await editor(t, "instructor", (await made((await enter(t, "instructor", null)).ask)).id, { height: 1000 });
  const id = page.url().split("/").at(-1);
  const grip = page.locator(".grip").nth(2);
  await grip.scrollIntoViewIfNeeded();
  const from = await grip.boundingBox();
  await page.mouse.move(from.x + 5, from.y + 5);
  await page.mouse.down();
  const first = await page.locator(".step").first().boundingBox();
  await page.mouse.move(first.x + 20, first.y + 2, { steps: 5 });
  await page.locator(".drop").waitFor();
  await page.mouse.up();
  await settled(page);
  assert.deepEqual((await draftOf(ask, id)).plan.steps.map((step) => /\d/.exec(step.ask)[0]).join(""), "312");
});

test("the draft is tried on the student's own page, which says so and leads back", async (t) => {
  const { page } = await editor(t, "instructor", (await made((await enter(t, "instructor", null)).ask)).id);
  const address = page.url();
  await button(page, "Try it").click();
  await button(page, "Try by typing").click();
  await page.getByText("Trying a draft.").waitFor();
  assert.match(page.url(), /\/student\/lessons\/[^/]+\?session=/);
  assert.deepEqual(await accessibilityFaults(page), []);
  await page.getByRole("button", { name: /by typing only/ }).click();
  await page.locator("#composer").waitFor();
  await page.getByText("Trying a draft.").waitFor();
  await page.getByRole("link", { name: "Back to the draft" }).click();
  await page.waitForURL(address);
});
