/** A list's filters live in its address, so that links can be shared and Back works. */

export function readFilters(search, names) {
  const query = new URLSearchParams(search);
  return Object.fromEntries(names.map((name) => [name, query.get(name) ?? ""]));
}

/** The address of the same page with other filters; what is empty is left out. */
export function addressWith(path, filters) {
  const given = Object.entries(filters).filter(([, value]) => value !== "" && value !== null && value !== undefined);
  return given.length === 0 ? path : `${path}?${new URLSearchParams(given)}`;
}
