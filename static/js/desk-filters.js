/**
 * Which sessions a list shows. The address has them as people say them (days, minutes, "yes"), the API as it asks
 * for them (moments, milliseconds). What is usual is left out of an address: `/tutor` is what is worth looking at.
 */

import { addressWith, readFilters } from "./address.js";

const USUAL = { reviewed: "no", status: "ended" };
const CHOICES = {
  reviewed: ["no", "yes", "all"],
  status: ["ended", "live", "all"],
  thumbs: ["up", "down", "none"],
  ended: ["finished", "time_limit", "ended_by_staff", "abandoned"],
};
const DAY = /^\d{4}-\d\d-\d\d$/;
const ID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i;
const MINUTE_MS = 60_000;
const NAMES = ["student", "lesson", "version", "from", "to", "min", "max", "engine", "ended", "reviewed", "thumbs", "status"];
const LONGEST_ENGINE = 64;

const FITS = {
  student: (value) => ID.test(value),
  lesson: (value) => ID.test(value),
  version: isWhole, min: isWhole, max: isWhole,
  from: isDay, to: isDay,
  engine: (value) => value.length <= LONGEST_ENGINE,
};

/** The lists that one comes for most, as changes to the others. */
export const VIEWS = [
  { key: "todo", title: "To review", changes: {} },
  { key: "down", title: "Thumbs down", changes: { thumbs: "down" } },
  { key: "left", title: "Left early", changes: { ended: "abandoned" } },
  { key: "done", title: "Reviewed", changes: { reviewed: "yes" } },
  { key: "all", title: "All", changes: { reviewed: "all", status: "all" } },
];
const OF_VIEWS = { ...USUAL, thumbs: "", ended: "" };

/** The filters of an address; what makes no sense counts as not there. */
export function readSessionFilters(search) {
  const filters = readFilters(search, NAMES);
  for (const [name, value] of Object.entries(filters)) {
    const fits = CHOICES[name] ? CHOICES[name].includes(value) : FITS[name](value);
    if (value === "" || !fits) filters[name] = USUAL[name] ?? "";
  }
  if (!filters.lesson) filters.version = "";
  return filters;
}

export function sessionsAddress(filters, path = "/tutor") {
  const kept = { ...filters, version: filters.lesson ? filters.version : "" };
  const unusual = Object.entries(kept).filter(([name, value]) => value !== (USUAL[name] ?? ""));
  return addressWith(path, Object.fromEntries(unusual));
}

/** The same list seen another way: who, which lesson and when stay. */
export function throughView(filters, view) {
  return { ...filters, ...OF_VIEWS, ...view.changes };
}

export function isView(filters, view) {
  return Object.entries({ ...OF_VIEWS, ...view.changes }).every(([name, value]) => filters[name] === value);
}

/** As the API takes them. */
export function askedFor({ student, lesson, version, from, to, min, max, engine, ended, reviewed, thumbs, status }) {
  const asked = {
    student, lesson, version, engine, thumbs,
    from: momentOf(from), to: momentOf(to, 1),
    min_ms: min && Number(min) * MINUTE_MS, max_ms: max && Number(max) * MINUTE_MS,
    end_reason: ended,
    reviewed: { yes: "true", no: "false" }[reviewed],
    status: status === "all" ? "" : status,
  };
  return Object.fromEntries(Object.entries(asked).filter(([, value]) => value !== "" && value !== undefined && value !== null));
}

/** How many filters are set that the views do not speak of. */
export function narrowing(filters) {
  return NAMES.filter((name) => !(name in OF_VIEWS) && filters[name] !== "");
}

function isWhole(value) {
  return /^\d{1,6}$/.test(value) && Number(value) > 0;
}

function isDay(value) {
  return DAY.test(value) && !Number.isNaN(Date.parse(value));
}

/** When a day begins where the reader is; with `later`, so many days after it. */
function momentOf(day, later = 0) {
  if (!day) return "";
  const [year, month, date] = day.split("-").map(Number);
  return new Date(year, month - 1, date + later).toISOString();
}
