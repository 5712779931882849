/** When to try again: soon at first, then ever more rarely, and never all students at the same instant. */

const FIRST_MS = 300;
const LONGEST_MS = 15_000;

export function backoffMs(attempt, random = Math.random) {
  const longest = Math.min(LONGEST_MS, FIRST_MS * 2 ** attempt);
  return Math.round(longest * (0.5 + random() / 2));
}
