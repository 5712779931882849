import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

const CSS = readFileSync(new URL("../../static/css/tokens.css", import.meta.url), "utf8");
const [light, dark] = CSS.split("@media (prefers-color-scheme: dark)").map((part) =>
  Object.fromEntries([...part.matchAll(/--([\w-]+):\s*(#[0-9a-f]{6})/g)].map(([, name, value]) => [name, value])));

/** WCAG 2.2: (L1 + 0.05) / (L2 + 0.05) of relative luminances. */
function contrast(one, other) {
  const [high, low] = [luminance(one), luminance(other)].sort((a, b) => b - a);
  return (high + 0.05) / (low + 0.05);
}

function luminance(colour) {
  const [red, green, blue] = [1, 3, 5].map((at) => {
    const value = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

const TEXT = [
  ...["surface", "raised", "sunken"].flatMap((under) => ["ink", "ink-soft", "accent"].map((over) => [over, under])),
  ["accent-ink", "accent"], ["ink", "accent-soft"], ["ink-soft", "accent-soft"], ["accent", "accent-soft"],
  ["student", "surface"], ["tutor", "surface"], ["human", "human-soft"], ["ink", "student-soft"], ["ink-soft", "student-soft"],
  ["ink", "warn-soft"], ["warn", "warn-soft"], ["ink-soft", "warn-soft"], ["warn", "raised"], ["ink", "danger-soft"],
  ["ink", "human-soft"], ["ink-soft", "human-soft"],
];
const LINES = [["control-line", "surface"], ["control-line", "raised"], ["accent", "raised"], ["student", "raised"],
  ["human", "raised"], ["warn", "raised"], ["focus", "surface"]];

for (const [mode, tokens] of Object.entries({ light, dark })) {
  test(`text and lines stand out, ${mode}`, () => {
    for (const [over, under] of TEXT) {
      assert.ok(contrast(tokens[over], tokens[under]) >= 4.5, `${over} on ${under}`);
    }
    for (const [over, under] of LINES) assert.ok(contrast(tokens[over], tokens[under]) >= 3, `${over} on ${under}`);
  });
}

test("dark redefines every colour", () => {
  assert.deepEqual(Object.keys(dark).sort(), Object.keys(light).sort());
});
