/** Where things stand in a drawing: numbers of an axis to units of the picture. No DOM. */

/** A scale from the numbers of `axis`, `{from, to, ticks}`, to places between `start` and `end`. */
export function scale({ from, to }, start, end) {
  const span = to - from || 1;
  return (value) => round(start + ((value - from) / span) * (end - start));
}

/** As many of the ticks as have room for their numbers, the zero among them if it is there. */
export function labelled(ticks, most) {
  const every = Math.ceil(ticks.length / most);
  const zero = Math.max(0, ticks.indexOf(0));
  return ticks.filter((_, i) => (i - zero) % every === 0);
}

/** Where the other axis crosses: at zero, or at the edge that is nearest to it. */
export function crossing({ from, to }) {
  return Math.min(Math.max(0, from), to);
}

/** The `d` of a path through points. */
export function path(points, toX, toY) {
  return points.map(([x, y], i) => `${i === 0 ? "M" : "L"}${toX(x)} ${toY(y)}`).join("");
}

/** Rows for marks that would stand on each other: each takes the first row where it has room. */
export function rows(places, room) {
  const ends = [];
  const order = places.map((_, i) => i).sort((a, b) => places[a] - places[b]);
  const row = [];
  for (const i of order) {
    const free = ends.findIndex((end) => places[i] - end >= room);
    row[i] = free >= 0 ? free : ends.length;
    ends[row[i]] = places[i];
  }
  return row;
}

/** A number as it is written beside an axis: large ones in short, `80M`. */
export function written(value, locale) {
  const size = Math.abs(value);
  const how = size >= 1e5 ? { notation: "compact", maximumFractionDigits: 1 }
    : size > 0 && size < 1e-3 ? { notation: "scientific", maximumFractionDigits: 1 }
      : { maximumFractionDigits: 4, useGrouping: false };
  return new Intl.NumberFormat(locale, how).format(value).replaceAll("-", "\u2212");
}

/** Marks by place: those of the same place are one, `1/2 = 2/4`. */
export function together(marks) {
  const labels = new Map();
  for (const { at, label } of marks) labels.set(at, [...(labels.get(at) ?? []), label]);
  return [...labels].map(([at, same]) => ({ at, label: [...new Set(same)].join(" = ") }));
}

/** A function's name as a formula; null where it is more than letters, numbers and signs. */
export function asTex(label) {
  if (!/^[\dxyf().=+\-*/^ ]+$/.test(label) || /\^[^\dx]/.test(label)) return null;
  return label.replace(/\^(\d+(?:\.\d+)?)/g, "^{$1}").replaceAll("*", " \\cdot ");
}

function round(value) {
  return Math.round(value * 10) / 10;
}
