/** Dates as people choose them, and the moments they mean. */

/** The moment a day (`2026-11-25`, or "") begins here; null for none. */
export const beginOf = (day) => (day ? new Date(`${day}T00:00:00`).toISOString() : null);

/** The last second of a day here; null for none. */
export const endOf = (day) => (day ? new Date(`${day}T23:59:59`).toISOString() : null);

/** The day here of a moment, as a date field takes it. */
export function dayOf(moment) {
  if (!moment) return "";
  const date = new Date(moment);
  return [date.getFullYear(), date.getMonth() + 1, date.getDate()].map((part) => String(part).padStart(2, "0")).join("-");
}
