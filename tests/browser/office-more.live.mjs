/** The school office: settings and the log; by keyboard, on phones, and with any name. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { ADDRESS, enter, signIn } from "./live.mjs";
import { SCRIPT, button, emailOf, field, fresh, isFaultless, sideways } from "./office.mjs";
import { takenLesson } from "./taking.mjs";

const LONG = "Wolfeschlegelsteinhausenbergerdorff-Oluwafunmilayo Abdelrah"; // 60 characters
const NAMES = [LONG, "أمينة عبد الرحمن الجيلاني", "अमीना त्रिपाठी", SCRIPT];

test("settings say what they mean, keep what is typed, and reach the next lesson's tutor", async (t) => {
  const { page, ask } = await enter(t, "admin", "/admin/settings");
  const rules = fresh("Call students by their first name.");
  await field(page, "The school's rules for every tutor").fill(rules);
  await page.reload();
  assert.equal(await field(page, "The school's rules for every tutor").inputValue(), rules);
  await page.getByRole("radio", { name: /Those of all students/ }).check();
  await isFaultless(page);
  await button(page, "Save the settings").click();
  await page.getByText("Saved. It holds from now on.").waitFor();
  const session = await takenLesson(t, ["two quarters"]);
  const brief = await ask("GET", `/api/v1/sessions/${session}/brief`);
  assert.ok(brief.text.includes(rules));
  await ask("PATCH", "/api/v1/settings", { tutors_read: "assigned", rules: "" });
});

test("the audit log tells who did what, in words, by person, kind and day", async (t) => {
  const { page } = await enter(t, "admin", "/admin/audit");
  await page.getByRole("table", { name: /Audit log/ }).waitFor();
  await isFaultless(page);
  await page.getByLabel("What was done").selectOption("sign_in");
  await page.waitForURL(/verb=sign_in/);
  await button(page, "Only by one person").click();
  await field(page, "Whose doings?").fill("ada");
  await isFaultless(page);
  await button(page, /^Ada Lind/).click();
  await page.waitForURL(/actor=/);
  await page.getByText("Only by Ada Lind").waitFor();
  const rows = page.getByRole("row").filter({ hasText: "signed in" });
  assert.ok((await rows.count()) > 0);
  await page.getByLabel("Until").fill("2001-01-01");
  await page.getByLabel("Until").blur();
  await page.getByText("Nothing like this was done.").waitFor();
  await isFaultless(page);
  await button(page, "Show everything").click();
  await page.waitForURL(/\/admin\/audit$/);
});

test("the pages are worked by keyboard alone", async (t) => {
  const { page } = await enter(t, "admin", "/admin");
  const name = fresh("Key Board");
  const press = async (...keys) => {
    for (const key of keys) await page.keyboard.press(key);
  };
  await page.getByRole("link", { name: "New person" }).waitFor();
  await press("n");
  await page.getByRole("heading", { name: "New person" }).waitFor();
  const tabTo = async (label) => {
    for (let steps = 0; steps < 40; steps += 1) {
      const at = await page.evaluate(() => document.activeElement.labels?.[0]?.textContent.trim() ?? document.activeElement.textContent.trim());
      if (at === label) return;
      await press("Tab");
    }
    assert.fail(`no way to “${label}”`);
  };
  await tabTo("Name");
  await page.keyboard.type(name);
  await tabTo("E-mail");
  await page.keyboard.type(emailOf(name));
  await tabTo("Student");
  await press("Space");
  await tabTo("Make the account");
  await press("Enter");
  await page.locator(".secret").waitFor();
  await tabTo("Open the account");
  await press("Enter");
  await page.getByRole("heading", { name, level: 1 }).waitFor();
  await tabTo("Add a parent");
  await press("Enter");
  await page.waitForFunction(() => document.activeElement.id === "guardians-search" && document.activeElement.tagName === "INPUT");
  await page.keyboard.type("pat riv");
  await button(page, /^Pat Rivera/).waitFor();
  await press("Tab", "Enter");
  await page.getByRole("link", { name: "Pat Rivera" }).waitFor();
  await tabTo("New password");
  await press("Enter");
  await page.getByRole("dialog").waitFor();
  await press("Escape");
  assert.equal(await page.evaluate(() => document.activeElement.textContent), "New password");
});

test("any name is only a name, and nothing scrolls sideways", async (t) => {
  const { ask } = await enter(t, "admin", null);
  const head = "name,email,role,class,guardian_email\n";
  const lines = NAMES.map((name, i) => `"${name}",odd${i}@demo.school,student|tutor|parent,"${SCRIPT.slice(0, 60)}",pat.odd@demo.school`);
  const { cookie, csrf } = await signIn("admin@demo.school");
  const response = await fetch(`${ADDRESS}/api/v1/people/import?dry_run=false`, {
    method: "POST", headers: { cookie, origin: ADDRESS, "x-csrf-token": csrf, "content-type": "text/csv" },
    body: `${head}${lines.join("\n")}\n"${SCRIPT}",pat.odd@demo.school,parent,,`,
  });
  const done = await response.json();
  assert.deepEqual(done.problems, []);
  const { items } = await ask("GET", "/api/v1/people?search=odd");
  const odd = items.filter(({ roles }) => roles.includes("student"));
  const [{ id: klass }] = items.find(({ classes }) => classes.length > 0).classes;
  await ask("POST", "/api/v1/assignments", { tutor_id: odd[0].id, student_id: odd[1].id, subject: SCRIPT });
  const filled = ["/admin?search=odd", ...odd.slice(0, 2).map(({ id }) => `/admin/people/${id}`), `/admin/classes/${klass}`, "/admin/care"];
  const others = ["/admin/people/new", "/admin/people/import", "/admin/classes", "/admin/settings", "/admin/audit"];
  for (const [width, paths] of [[320, [...filled, ...others]], [390, filled]]) {
    const { page } = await enter(t, "admin", "/admin", { width, height: 844 });
    for (const path of paths) {
      await page.goto(path);
      await page.locator("h1").first().waitFor();
      await page.locator(".loading").waitFor({ state: "detached" });
      assert.equal(await sideways(page), 0, `${path} at ${width}`);
    }
    assert.deepEqual(page.faults, []);
  }
  const { password } = done.created.find(({ email }) => email === "pat.odd@demo.school");
  const { page } = await enter(t, "pat.odd@demo.school", "/family", { width: 320, height: 640, password });
  await page.getByRole("link", { name: SCRIPT }).waitFor();
  assert.equal(await sideways(page), 0);
  await isFaultless(page);
});
