import assert from "node:assert/strict";
import { test } from "node:test";

import { formulas, pieces } from "../../static/lib/maths.js";
import { spokenMaths } from "../../static/lib/spoken-maths.js";

test("formulas are found however they are written", () => {
  assert.deepEqual(formulas("So \\(x^2\\) is $\\frac{1}{2}$, and 2/4 or $$y$$ and \\[z\\]."),
    ["x^2", "\\frac{1}{2}", "\\tfrac{2}{4}", "y", "z"]);
});

test("prices, dates and paths stay text", () => {
  for (const text of ["It costs $5 and I have $6.", "on 2/4/2026", "1/2/3", "a/b", "km/h", "$5, $6", "24/7/365", "and/or"]) {
    assert.deepEqual(formulas(text), [], text);
  }
});

test("pieces make up the whole sentence again", () => {
  const text = "Is 2/4 the same as $\\frac12$? Yes.";
  const all = pieces(text);
  assert.equal(all.map((piece) => text.slice(piece.start, piece.end)).join(""), text);
});

test("formulas are said as a teacher says them", () => {
  const said = {
    "\\tfrac{2}{4}": "two quarters", "\\frac{1}{2}": "one half", "\\frac{3}{2}": "three halves",
    "\\frac{x+1}{7}": "x plus 1, all over 7", "\\frac{5}{17}": "5 over 17", "x^2 + 3 = 12": "x squared plus 3 equals 12",
    "x^{10}": "x to the power of 10", "2x - 4": "2 x minus 4", "\\sqrt{16}": "the square root of 16",
    "\\sqrt[3]{8}": "root 3 of 8", "6 \\times 7": "6 times 7", "x_1": "x sub 1", "90^\\circ": "90 degrees",
    "\\text{CO}_2": "C O sub 2", "\\left(a\\right)": "open bracket a close bracket",
  };
  for (const [tex, words] of Object.entries(said)) assert.equal(spokenMaths(tex), words, tex);
});

test("Spanish formulas are said in Spanish", () => {
  assert.equal(spokenMaths("x^2 = \\frac{1}{2}", "es"), "x al cuadrado es igual a 1 sobre 2");
});

test("broken formulas end", () => {
  for (const tex of ["\\frac{1", "{{{", "}}", "^", "\\", "\\frac", ""]) assert.equal(typeof spokenMaths(tex), "string");
});
