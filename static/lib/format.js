/** Times as people say them. */

export function duration(ms, locale = "en") {
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return unit(seconds, "second", locale);
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return unit(minutes, "minute", locale);
  const rest = minutes % 60;
  const hours = unit(Math.floor(minutes / 60), "hour", locale);
  return rest === 0 ? hours : `${hours} ${unit(rest, "minute", locale)}`;
}

export function clock(ms) {
  const seconds = Math.floor(ms / 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

export function day(iso, locale = "en", now = new Date()) {
  const words = dayWithin(iso, locale, now);
  return words.charAt(0).toLocaleUpperCase(locale) + words.slice(1);
}

/** A day in the middle of a sentence: "today", "yesterday", "3 March 2026". */
export function dayWithin(iso, locale = "en", now = new Date()) {
  const date = new Date(iso);
  const midnight = (moment) => new Date(moment).setHours(0, 0, 0, 0);
  const days = Math.round((midnight(date) - midnight(now)) / 86_400_000);
  if (Math.abs(days) <= 1) return formatter("RelativeTimeFormat", locale, { numeric: "auto" }).format(days, "day");
  return formatter("DateTimeFormat", locale, { day: "numeric", month: "long", year: "numeric" }).format(date);
}

export function moment(iso, locale = "en", now = new Date()) {
  const time = formatter("DateTimeFormat", locale, { hour: "numeric", minute: "2-digit" }).format(new Date(iso));
  return `${day(iso, locale, now)}, ${time}`;
}

function unit(value, name, locale) {
  return formatter("NumberFormat", locale, { style: "unit", unit: name, unitDisplay: "long" }).format(value);
}

const formatters = new Map();

/** Made once for each way of saying something: making one takes longer than using it a hundred times. */
function formatter(kind, locale, options) {
  const name = `${kind} ${locale} ${Object.values(options)}`;
  if (!formatters.has(name)) formatters.set(name, new Intl[kind](locale, options));
  return formatters.get(name);
}
