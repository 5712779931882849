/** Who reads along with a lesson, in a sentence; null while nobody does. */
export function readingAlong(people) {
  const names = people.map(({ name }) => name);
  if (names.length === 0) return null;
  if (names.length === 1) return `${names[0]} is reading along.`;
  if (names.length > 3) return `${names.length} people are reading along.`;
  return `${names.slice(0, -1).join(", ")} and ${names.at(-1)} are reading along.`;
}
