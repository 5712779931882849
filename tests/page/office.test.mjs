import assert from "node:assert/strict";
import { test } from "node:test";

import { correctionWords, otherCorrections } from "../../static/js/family-words.js";
import { careState, count, detailWords, entryWords, roleWords } from "../../static/js/office-words.js";
import { example, outcomeWords, passwordFile } from "../../static/js/roster-file.js";
import { day, dayWithin } from "../../static/lib/format.js";

const ID = "0192cccc-0000-7000-8000-00000000beef";
const NOW = new Date("2026-03-02T12:00:00Z");

test("roles are told in their order, as people say them", () => {
  assert.equal(roleWords(["tutor", "instructor"]), "Teacher, tutor");
  assert.equal(roleWords(["admin"]), "Administrator");
  assert.equal(roleWords([]), "");
});

test("an assignment stands where its dates say, too", () => {
  const on = { status: "active", starts_at: "2026-03-01T00:00:00Z", ends_at: null };
  assert.deepEqual(careState(on, NOW), { words: "Active", kind: "good" });
  assert.equal(careState({ ...on, starts_at: "2026-03-03T00:00:00Z" }, NOW).words, "Not begun yet");
  assert.equal(careState({ ...on, ends_at: "2026-03-02T00:00:00Z" }, NOW).words, "Over");
  assert.equal(careState({ ...on, status: "paused" }, NOW).words, "Paused");
  assert.equal(careState({ ...on, status: "completed" }, NOW).words, "Completed");
});

test("an entry of the log is a sentence, with the way to what it is about", () => {
  const words = (entry) => entryWords({ thing_id: ID, about: null, actor: { id: "x" }, ...entry });
  assert.deepEqual(words({ verb: "create", thing: "person", about: "Zoë" }),
    { did: "made the account of", what: "Zoë", href: `/admin/people/${ID}` });
  assert.deepEqual(words({ verb: "deactivate", thing: "person", about: "Zoë" }),
    { did: "switched off", what: "Zoë", href: `/admin/people/${ID}` });
  assert.deepEqual(words({ verb: "change", thing: "setting", thing_id: "rules" }),
    { did: "changed", what: "the school's rules for tutors", href: "/admin/settings" });
  assert.deepEqual(words({ verb: "sign_in", thing: "person", about: "Zoë", actor: { id: ID } }), { did: "signed in", what: "", href: null });
  assert.deepEqual(words({ verb: "refuse_sign_in", thing: "person", about: "Zoë", actor: null }),
    { did: "was refused at sign-in", what: "Zoë", href: `/admin/people/${ID}` });
  assert.deepEqual(words({ verb: "refuse_change_password", thing: "person", about: "Zoë", actor: { id: ID } }),
    { did: "gave a wrong password to change it", what: "", href: null });
  assert.deepEqual(words({ verb: "refuse_sign_in", thing: "person", thing_id: "unknown", actor: null }), { did: "was refused at sign-in", what: "", href: null });
  assert.deepEqual(words({ verb: "publish", thing: "override" }), { did: "published", what: "a correction", href: null });
  assert.deepEqual(words({ verb: "new_verb", thing: "new_thing", thing_id: "javascript:alert(1)" }), { did: "new verb", what: "new thing", href: null });
});

test("what an entry keeps is told in short", () => {
  assert.equal(detailWords({ roles: { was: ["student"], now: ["instructor", "tutor"] } }), "roles: student → teacher, tutor");
  assert.equal(detailWords({ name: true, classes: [ID, ID], person: ID }), "name · classes: 2 · person: 0192cccc…");
  assert.equal(detailWords({ was: "assigned", now: "school" }), "assigned → school");
  assert.equal(detailWords({ classes: [] }), "");
  assert.equal(detailWords(null), "");
});

test("a file of passwords opens in a spreadsheet as what it is", () => {
  const file = passwordFile([{ name: "=HYPERLINK(\"x\")", email: "a@b", password: "abcd-efgh" }, { name: "Zoë, \"Z\"", email: "z@b", password: "p" }]);
  assert.equal(file, "name,email,password\r\n\"'=HYPERLINK(\"\"x\"\")\",a@b,abcd-efgh\r\n\"Zoë, \"\"Z\"\"\",z@b,p\r\n");
  assert.match(example(), /^name,email,role,grade_level,class,guardian_email,tutor_email\r\n/);
});

test("what an import comes to is a sentence", () => {
  assert.equal(outcomeWords({ create: 1, update: 0, unchanged: 1 }), "1 new person, 1 stays as it is");
  assert.equal(outcomeWords({ create: 2000, update: 3, unchanged: 4 }, true), "2,000 new people, 3 brought up to date, 4 stay as they are");
  assert.equal(outcomeWords({ create: 0, update: 0, unchanged: 0 }), "nobody");
  assert.equal(count(1, "class", "classes"), "1 class");
});

test("families read corrections as people say them, and nothing private", () => {
  const base = { at: "2026-03-02T00:00:00Z", private: false };
  assert.deepEqual(correctionWords({ ...base, kind: "words", was: null, now: "two" }, "Sam"),
    { title: "What was said", was: "(not understood)", now: "two", isPrivate: false });
  assert.equal(correctionWords({ ...base, kind: "speaker", was: "ai", now: "student" }, "Sam").now, "Sam");
  assert.equal(correctionWords({ ...base, kind: "sentence", was: "secret", now: "–", private: true }, "Sam").was, null);
  const correction = { at: "1" };
  const session = {
    narrative: [{ correction }, { correction: null }], next_steps: [], done_well: null,
    corrections: [{ kind: "sentence", at: "1" }, { kind: "sentence", at: "2" }, { kind: "words", at: "1" }],
  };
  assert.deepEqual(otherCorrections(session).map(({ kind, at }) => `${kind} ${at}`), ["sentence 2", "words 1"]);
});

test("a day is written as the sentence wants it", () => {
  assert.equal(day("2026-03-02T08:00:00", "en", NOW), "Today");
  assert.equal(dayWithin("2026-03-01T08:00:00", "en", NOW), "yesterday");
  assert.equal(dayWithin("2026-02-01T08:00:00", "en", NOW), "February 1, 2026");
});
