import assert from "node:assert/strict";
import { test } from "node:test";

import { Api, Refused } from "../../static/js/api.js";
import { backoffMs } from "../../static/js/backoff.js";
import { Heard } from "../../static/js/heard.js";
import { route, safeNext } from "../../static/js/router.js";
import { toUuid, toWireId } from "../../static/js/session-id.js";
import { quality } from "../../static/js/socket.js";
import { afterClose, afterRefusal } from "../../static/js/line.js";
import { troubleOf } from "../../static/js/audio/trouble.js";
import { isWish, wishes } from "../../static/js/wishes.js";
import { clock, day, duration } from "../../static/lib/format.js";

test("an address means a view", () => {
  assert.deepEqual(route("/student"), { page: "student", view: "home" });
  assert.deepEqual(route("/student/lessons/fractions-as-parts"),
    { page: "student", view: "lesson", lesson: "fractions-as-parts" });
  assert.deepEqual(route("/student/sessions/123/"), { page: "student", view: "session", session: "123" });
  assert.deepEqual(route("/instructor/lessons/1/versions"), { page: "instructor", view: "versions", lesson: "1" });
  assert.deepEqual(route("/admin/people/new"), { page: "admin", view: "new" });
  assert.deepEqual(route("/admin/people/7"), { page: "admin", view: "person", person: "7" });
  assert.deepEqual(route("/student/else"), { view: "missing" });
  assert.equal(route("/student/lessons/%E0%A4%A").view, "lesson");
});

test("signing in leads only to our own pages", () => {
  assert.equal(safeNext("/student/lessons/a?session=1"), "/student/lessons/a?session=1");
  for (const evil of ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)", null]) {
    assert.equal(safeNext(evil), "/", String(evil));
  }
});

test("attempts come ever more rarely, never in step, and never too rarely", () => {
  assert.equal(backoffMs(0, () => 1), 300);
  assert.equal(backoffMs(0, () => 0), 150);
  assert.equal(backoffMs(3, () => 1), 2400);
  assert.equal(backoffMs(50, () => 1), 15_000);
});

test("each close code asks for its own thing", () => {
  const wanted = { 1000: "over", 1001: "retry", 1006: "retry", 1008: "retry-later", 1011: "retry", 4001: "taken", 4002: "signed-out" };
  for (const [code, next] of Object.entries(wanted)) assert.equal(afterClose(Number(code)), next);
});

test("a refusal ends the attempts only where trying again can't help", () => {
  assert.equal(afterRefusal(0, false), "retry");
  assert.equal(afterRefusal(503, true), "retry");
  assert.equal(afterRefusal(429, true), "retry");
  assert.equal(afterRefusal(429, false), "refused");
  assert.equal(afterRefusal(404, true), "refused");
  assert.equal(afterRefusal(409, true), "over");
  assert.equal(afterRefusal(401, true), "signed-out");
  assert.equal(afterRefusal(409, true, "session_waits"), "waiting");
});

test("the line is as good as its worst part", () => {
  assert.equal(quality({ unsentBytes: 0, roundTripMs: 40, gaps: 0 }), "good");
  assert.equal(quality({ unsentBytes: 30_000, roundTripMs: 40, gaps: 0 }), "fair");
  assert.equal(quality({ unsentBytes: 0, roundTripMs: 2000, gaps: 0 }), "poor");
});

test("what was heard is told a few times a second, at its end, and never twice", () => {
  const sent = [];
  const heard = new Heard((event) => sent.push(event));
  for (let at = 0; at <= 1000; at += 50) heard.played("a", at, at);
  heard.finished("a", 1000, 1010);
  heard.finished("a", 1000, 1020);
  assert.deepEqual(sent.map((event) => event.audio_ms), [0, 250, 500, 750, 1000]);
  heard.dropped("b", 320, 2000);
  assert.deepEqual(sent.slice(-2).map((event) => event.type), ["output_audio_buffer.played", "conversation.item.truncate"]);
});

test("the two names of a session are the same session", () => {
  const uuid = "0192cccc-0000-7000-8000-00000000beef";
  assert.equal(toUuid(toWireId(uuid)), uuid);
});

test("the student's choices become wishes that the lesson may grant", () => {
  const plain = wishes({}, "on");
  assert.deepEqual(plain.output_modalities, ["audio"]);
  assert.equal(plain.audio.output.binary, true);
  assert.equal(plain.audio.input.turn_detection.type, "server_vad");
  assert.deepEqual(wishes({ tutor_voice: false }, "on").output_modalities, ["text"]);
  assert.deepEqual(wishes({}, "off").output_modalities, ["text"]);
  assert.equal(wishes({ hold_to_talk: true }, "on").audio.input.turn_detection, null);
  assert.equal(wishes({ speech_speed: 0.8 }, "on").audio.output.speed, 0.8);
  assert.equal(isWish({ speech_speed: 0.8 }), true);
  assert.equal(isWish({ volume: 0.5, text_size: "large" }), false);
});

test("each trouble with the microphone has its own words, and typing is always offered", () => {
  const names = ["NotAllowedError", "NotFoundError", "NotReadableError", "unplugged", "TypeError"];
  const titles = new Set(names.map((name) => troubleOf(name).title));
  titles.add(troubleOf("NotAllowedError", { secure: false }).title);
  assert.equal(titles.size, names.length + 1);
  for (const name of names) assert.match(troubleOf(name).steps.join(" "), /typing|browser/i);
  const steps = (userAgent) => troubleOf("NotAllowedError", { userAgent }).steps[0];
  assert.notEqual(steps("Mozilla/5.0 (iPhone) Safari"), steps("Mozilla/5.0 Firefox/140.0"));
});

test("durations are said in words", () => {
  assert.equal(duration(42_000), "42 seconds");
  assert.equal(duration(754_000), "13 minutes");
  assert.equal(duration(3_600_000 + 120_000), "1 hour 2 minutes");
  assert.equal(clock(75_500), "1:15");
});

test("days near today have names", () => {
  const now = new Date("2026-11-21T10:00:00");
  assert.equal(day("2026-11-20T23:00:00", "en", now), "Yesterday");
  assert.equal(day("2026-11-21T01:00:00", "en", now), "Today");
  assert.match(day("2026-03-01T01:00:00", "en", now), /March 1, 2026/);
});

function answering(status, body, headers = {}) {
  const calls = [];
  const fetcher = async (address, request) => {
    calls.push({ address, ...request });
    return new Response(body === null ? null : JSON.stringify(body), { status, headers });
  };
  return { api: new Api(fetcher), calls };
}

test("changes carry the token that only our pages know", async () => {
  const { api, calls } = answering(200, { csrf: "c1", preferences: {} });
  await api.me();
  await api.prefer({ text_size: "large" });
  assert.equal(calls[0].headers["x-csrf-token"], undefined);
  assert.equal(calls[1].headers["x-csrf-token"], "c1");
  assert.equal(calls[1].headers["content-type"], "application/json");
});

test("both shapes of refusal are read as one", async () => {
  const problem = answering(429, { detail: "Wait." }, { "retry-after": "7" });
  await assert.rejects(problem.api.lessons(), (error) => error instanceof Refused && error.message === "Wait." && error.retryAfterS === 7);
  const openai = answering(404, { error: { message: "No such lesson.", code: "lesson_not_found" } });
  await assert.rejects(openai.api.key("x"), { message: "No such lesson.", code: "lesson_not_found", status: 404 });
});

test("no answer at all is told kindly, and one without a body is fine", async () => {
  const away = new Api(async () => {
    throw new TypeError("fetch failed");
  });
  await assert.rejects(away.me(), { status: 0 });
  assert.equal(await answering(204, null).api.signOut(), null);
});
