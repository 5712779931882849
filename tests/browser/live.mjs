/**
 * The helper of browser tests against a real server (`*.live.mjs`), started by test_page.py with ADDRESS and
 * PASSWORD of the demo school.
 */

import { after } from "node:test";

import { startBrowser } from "./browser.mjs";

export const { ADDRESS, PASSWORD } = process.env;
const browsers = new Map();
const cookies = new Map();

after(async () => {
  for (const browser of browsers.values()) await (await browser).close();
});

/** A person of the demo school in their own browser window, at `path`; `ask(method, path, body)` is the API as them. */
export async function enter(test, role, path, { microphone = "denied", sound = null, password = PASSWORD, ...view } = {}) {
  const kind = `${microphone} ${sound}`;
  if (!browsers.has(kind)) browsers.set(kind, startBrowser({ microphone, sound }));
  const browser = await browsers.get(kind);
  const page = await browser.page(ADDRESS, view);
  page.setDefaultTimeout(25_000);
  test.after(() => page.context().close());
  const email = role.includes("@") ? role : `${role}@demo.school`;
  await page.goto("/static/css/tokens.css"); // a page of the server's, and no script of ours
  await page.evaluate(signInHere, { email, password });
  if (path) await page.goto(path);
  const signedIn = await signIn(email, password);
  return { page, ask: (...request) => ask(signedIn, ...request) };
}

async function signInHere({ email, password }) {
  const headers = { "content-type": "application/json" };
  await fetch("/api/v1/sign-in", { method: "POST", headers, body: JSON.stringify({ school: "demo", email, password }) });
}

/** The sign-in cookie of a person, for requests without a page; one sign-in serves a whole file of tests. */
export async function signIn(email, password = PASSWORD) {
  if (!cookies.has(email)) cookies.set(email, freshSignIn(email, password));
  return cookies.get(email);
}

async function freshSignIn(email, password) {
  const response = await fetch(`${ADDRESS}/api/v1/sign-in`, {
    method: "POST",
    headers: { "content-type": "application/json", origin: ADDRESS },
    body: JSON.stringify({ school: "demo", email, password }),
  });
  if (!response.ok) throw new Error(`${email} can't sign in: ${await response.text()}`);
  const [name, value] = response.headers.get("set-cookie").split(";")[0].split(/=(.*)/);
  return { cookie: `${name}=${value}`, csrf: (await response.json()).person.csrf };
}

async function ask({ cookie, csrf }, method, path, body) {
  const headers = { cookie, origin: ADDRESS, "x-csrf-token": csrf };
  if (body !== undefined) headers["content-type"] = "application/json";
  const response = await fetch(`${ADDRESS}${path}`, { method, headers, body: body && JSON.stringify(body) });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
  return text ? JSON.parse(text) : null;
}
