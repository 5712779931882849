import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";

const VENDOR = new URL("../../static/vendor/", import.meta.url);
const SUMS = [...readFileSync(new URL("VERSIONS", VENDOR), "utf8").matchAll(/^([0-9a-f]{64}) {2}(\S+)$/gm)];

test("vendored files are what was published", () => {
  for (const [, sum, name] of SUMS) {
    assert.equal(createHash("sha256").update(readFileSync(new URL(name, VENDOR))).digest("hex"), sum, name);
  }
});

test("no vendored file is unaccounted for", () => {
  const files = readdirSync(VENDOR, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name !== "VERSIONS" && !entry.name.startsWith("LICENSE"));
  assert.equal(files.length, SUMS.length);
});
