import assert from "node:assert/strict";
import { test } from "node:test";

import { FIELDS, changesOf, limitOf, minutes, money, months, moved, quantityWords, sorted, standingWords, unitWords, withEngine } from "../../static/js/engine-words.js";
import { entryWords } from "../../static/js/office-words.js";

const ORDER = ["nova-sonic", "cascade", "offline"];

test("the built-in tutor stays last, whatever is moved", () => {
  assert.deepEqual(sorted(ORDER), [ORDER, ["openai-realtime"]]);
  assert.deepEqual(sorted([]), [["offline"], ["nova-sonic", "openai-realtime", "cascade"]]);
  assert.deepEqual(moved(ORDER, "cascade", -1), ["cascade", "nova-sonic", "offline"]);
  assert.deepEqual(moved(ORDER, "cascade", 1), ORDER);
  assert.deepEqual(moved(ORDER, "nova-sonic", -1), ORDER);
  assert.deepEqual(moved(ORDER, "offline", -1), ORDER);
  assert.deepEqual(withEngine(ORDER, "openai-realtime", true), ["nova-sonic", "cascade", "openai-realtime", "offline"]);
  assert.deepEqual(withEngine(ORDER, "cascade", false), ["nova-sonic", "offline"]);
});

test("only what changed is sent, and an emptied field is as the server has it", () => {
  const was = { order: ORDER, nova_voice: "lupe", openai_voice: "marin", bedrock_endpoint: "https://x.example" };
  assert.deepEqual(changesOf(was, { ...was, order: [...ORDER] }), {});
  const now = { ...was, order: ["offline"], nova_voice: "", bedrock_endpoint: "" };
  assert.deepEqual(changesOf(was, now), { order: ["offline"], nova_voice: null, bedrock_endpoint: "" });
});

test("every field of the form has a name of its own", () => {
  const names = FIELDS.flatMap(({ fields }) => fields.map(([name]) => name));
  assert.equal(new Set(names).size, names.length);
});

test("money is never nothing where there was some, and unknown where nobody knows", () => {
  assert.deepEqual([0, 1, 266, 1_500, 123_456, 1_234_567_891, null].map(money),
    ["$0", "$0.000001", "$0.000266", "$0.0015", "$0.12", "$1,234.57", "unknown"]);
});

test("quantities are told in what people count", () => {
  assert.equal(quantityWords("audio_in_ms", 90_000), "1.5 min");
  assert.equal(quantityWords("audio_tokens_out", 12_345), "12,345 tokens");
  assert.equal(quantityWords("characters", 7), "7 characters");
  assert.equal(minutes(7_230_000), "121 min");
  assert.equal(unitWords("audio_tokens_in"), "Speech heard");
  assert.equal(unitWords("new_unit"), "new unit");
});

test("how far a limit is used up is a sentence", () => {
  assert.equal(standingWords({ name: "sessions", limit: 30, used: 24 }), "24 of 30 lessons at the same time");
  assert.equal(standingWords({ name: "money_month", limit: 5_000_000, used: 4_100_000 }), "$4.10 of $5.00 this month");
});

test("a limit is a number or nothing", () => {
  assert.deepEqual(["", " ", "12", "0"].map((text) => limitOf(text)), [null, null, 12, 0]);
  assert.deepEqual(["1.5", "x", "-1", "1e999"].map((text) => limitOf(text)), [undefined, undefined, undefined, undefined]);
  assert.deepEqual(["12.5", "0,5"].map((text) => limitOf(text, 1_000_000)), [12_500_000, 500_000]);
});

test("one looks back a year, across the end of one", () => {
  const all = months(new Date("2026-02-28T23:59:00Z"));
  assert.deepEqual([all.length, all[0], all[2]], [12, ["2026-02", "February 2026"], ["2025-12", "December 2025"]]);
});

test("the log tells what was changed of engines, keys and limits", () => {
  const words = (thing, id, verb = "change") => entryWords({ verb, thing, thing_id: id, about: null, actor: null });
  assert.deepEqual(words("setting", "engine_nova_voice"), { did: "changed", what: "tutor engines: nova voice", href: "/admin/engines" });
  assert.deepEqual(words("setting", "limit_sessions"), { did: "changed", what: "a limit: lessons at the same time", href: "/admin/usage" });
  assert.deepEqual(words("engine_key", "aws", "delete"), { did: "deleted", what: "the key for AWS", href: "/admin/engines" });
  assert.deepEqual(words("engines", "engines", "try"), { did: "tried", what: "the tutor engines", href: "/admin/engines" });
});
