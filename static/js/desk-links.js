/** Which sentences of a summary rest on which items of the conversation, seen from both sides. */

/**
 * The sentences in reading order, `{id, number, section, sentence, items}` with `items` as they stand in the
 * conversation, and by item the sentences that rest on it.
 */
export function linksOf(summary, items) {
  const order = new Map(items.map((item, i) => [item.id, i]));
  const parts = summary?.status === "ready"
    ? [["narrative", summary.narrative], ["done_well", summary.done_well ? [summary.done_well] : []], ["next_steps", summary.next_steps]]
    : [];
  const sentences = parts.flatMap(([section, all]) => all.map((sentence) => ({
    id: sentence.id, section, sentence,
    items: [...new Set(sentence.item_ids)].filter((id) => order.has(id)).sort((a, b) => order.get(a) - order.get(b)),
  }))).map((line, i) => ({ ...line, number: i + 1 }));
  const byItem = new Map();
  for (const line of sentences) {
    for (const id of line.items) byItem.set(id, [...(byItem.get(id) ?? []), line]);
  }
  return { sentences, byItem };
}

/** The kind of correction that a sentence takes. */
export const kindOfSection = (section) => (section === "next_steps" ? "next_step" : "sentence");

/** The neighbour of `current` among `ids`, `by` places on; where there is none, the end stays. */
export function stepFrom(ids, current, by) {
  const at = ids.indexOf(current);
  if (at < 0) return ids[by > 0 ? 0 : ids.length - 1] ?? null;
  return ids[Math.max(0, Math.min(ids.length - 1, at + by))];
}
