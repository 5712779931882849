/** The school's news in a page: what is passed on, when all is asked for anew, and when the line is given up. */

import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { follow } from "../../static/js/news.js";

const lines = [];
const waits = [];
let heard;
let page;

class Line extends EventTarget {
  closed = false;
  readyState = 1;

  constructor(address) {
    super();
    this.address = address;
    lines.push(this);
  }

  close = () => (this.closed = true);
  say = (name, data = {}) => this.dispatchEvent(Object.assign(new Event(name), { data: JSON.stringify(data) }));
}

beforeEach(() => {
  lines.length = waits.length = 0;
  heard = [];
  page = Object.assign(new EventTarget(), { hidden: false });
});

function begin() {
  return follow({
    hear: (name, about) => heard.push([name, about]),
    refresh: () => heard.push("refresh"),
    closed: (reason) => heard.push(`closed: ${reason}`),
  }, { Source: Line, page, after: (again, ms) => waits.push({ again, ms }) });
}

function look(hidden) {
  page.hidden = hidden;
  page.dispatchEvent(new Event("visibilitychange"));
}

test("news is passed on as it comes", () => {
  begin();
  assert.equal(lines[0].address, "/api/v1/events");
  lines[0].say("open");
  lines[0].say("session.changed", { session_id: "1" });
  lines[0].say("something.new", {});
  assert.deepEqual(heard, [["session.changed", { session_id: "1" }]]);
});

test("after a gap the page asks anew", () => {
  begin();
  for (const name of ["open", "open", "missed"]) lines[0].say(name);
  assert.deepEqual(heard, ["refresh", "refresh"]);
});

test("a hidden window follows nothing, and asks anew when it is seen again", () => {
  begin();
  lines[0].say("open");
  look(true);
  assert.ok(lines[0].closed);
  look(false);
  look(false);
  lines[1].say("open");
  assert.deepEqual([lines.length, heard], [2, ["refresh"]]);
});

test("a window that opens hidden follows once it is seen", () => {
  page.hidden = true;
  begin();
  assert.equal(lines.length, 0);
  look(false);
  lines[0].say("open");
  assert.deepEqual(heard, []);
});

test("who may not come back does not", () => {
  begin();
  lines[0].say("closed", { reason: "signed_out" });
  look(true);
  look(false);
  assert.deepEqual([lines.length, lines[0].closed, heard], [1, true, ["closed: signed_out"]]);
});

test("a refused line is tried again, ever more rarely", () => {
  begin();
  lines[0].say("error"); // cut: the browser tries again by itself
  assert.equal(waits.length, 0);
  for (const round of [0, 1, 2, 3, 4]) {
    lines[round].readyState = 2;
    lines[round].say("error");
    waits[round].again();
  }
  assert.deepEqual(waits.map(({ ms }) => ms), [5_000, 10_000, 20_000, 40_000, 60_000]);
  lines[5].say("open");
  assert.deepEqual(heard, ["refresh"]);
});

test("a view that is left follows no more", () => {
  const stop = begin();
  stop();
  look(true);
  look(false);
  assert.deepEqual([lines.length, lines[0].closed], [1, true]);
});
