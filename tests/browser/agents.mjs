/**
 * OpenAI's own client for browsers (`@openai/agents-realtime`), on a page of another origin, holds a lesson over a
 * call. Started by test_page.py with ADDRESS, a KEY of `client_secrets`, ORIGIN, CLIENT (the package's bundle) and
 * ANSWER, a file that is said.
 */

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { test } from "node:test";

import { startBrowser } from "./browser.mjs";
import { giveMouth, loudest, say } from "./mouth.mjs";
import { until } from "./stage.mjs";

const { ADDRESS, ANSWER, CLIENT, KEY, ORIGIN } = process.env;

test("a lesson by voice and in writing, with interruptions", async (t) => {
  const page = await portal(t);
  await page.evaluate(begin, { url: `${ADDRESS}/v1/realtime/calls`, apiKey: KEY });
  const types = () => page.evaluate(() => globalThis.told.map(({ type }) => type));
  const happened = async (type, times = 1) => until(async () => (await types()).filter((one) => one === type).length >= times, type);
  const said = () => page.evaluate(() => globalThis.history_.map(({ role, content }) => [role, content[0]?.transcript ?? content[0]?.text]));

  await page.evaluate(() => globalThis.session.transport.requestResponse());
  await happened("output_audio_buffer.started");
  await until(async () => (await loudest(page, 1)) > 0.05, "the tutor is heard");
  await page.waitForTimeout(2000);
  await say(page, ANSWER);
  await happened("conversation.item.truncated");
  await happened("conversation.item.input_audio_transcription.completed");
  await until(async () => (await said()).some(([role, words]) => role === "user" && /two quarters/i.test(words)), "the spoken answer");
  await happened("output_audio_buffer.started", 2);

  await page.evaluate(() => globalThis.session.interrupt());
  await happened("output_audio_buffer.cleared", 2);
  await until(async () => (await loudest(page, 0.5)) < 0.01, "silence");
  await page.evaluate(() => globalThis.session.sendMessage("hint"));
  await happened("output_audio_buffer.started", 3);
  await until(async () => (await said()).some(([role, words]) => role === "user" && words === "hint"), "the typed one");

  assert.deepEqual(await page.evaluate(() => globalThis.told.filter(({ type }) => type === "error")), []);
  assert.deepEqual(await page.evaluate(() => globalThis.troubles), []);
  await page.evaluate(() => globalThis.session.close());
});

/** A page that is not the server's, with the client. */
async function portal(t) {
  const browser = await startBrowser();
  t.after(() => browser.close());
  const client = await readFile(CLIENT);
  const web = createServer(({ url }, response) => (url === "/client.js"
    ? response.setHeader("content-type", "text/javascript").end(client)
    : response.setHeader("content-type", "text/html").end("<!doctype html><script src=/client.js></script><button>Begin</button>")));
  await new Promise((ready) => web.listen(new URL(ORIGIN).port, "127.0.0.1", ready));
  t.after(() => web.close());
  const page = await browser.page(ORIGIN);
  await giveMouth(page);
  await page.goto("/");
  await page.getByRole("button", { name: "Begin" }).click(); // so that the browser lets sound through
  return page;
}

async function begin(connection) {
  const { RealtimeAgent, RealtimeSession } = globalThis.OpenAIAgentsRealtime;
  const session = new RealtimeSession(new RealtimeAgent({ name: "Tutor" }), { model: "fractions-as-parts" });
  Object.assign(globalThis, { session, told: [], troubles: [], history_: [] });
  session.transport.on("*", (event) => globalThis.told.push(event));
  session.on("error", (trouble) => globalThis.troubles.push(String(trouble.error ?? trouble)));
  session.on("history_updated", (history) => { globalThis.history_ = history; });
  await session.connect(connection);
}
