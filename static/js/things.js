/** What of a session can be corrected, and how: things for `override-form.js`. */

const KINDS_OF = { student: ["words", "speaker"], ai: ["answer", "words", "speaker"], tutor: ["words", "speaker"], system: [] };

/** The corrections that an item takes, the likeliest first: by who spoke as it was recorded. */
export function kindsOf(item) {
  if (item.role === "system") return [];
  return KINDS_OF[item.original?.speaker ?? item.speaker] ?? [];
}

export function thingOfItem(item, kind) {
  const base = (item.corrections ?? []).find((one) => one.kind === kind) ?? null;
  if (kind === "speaker") {
    return { kind, id: item.id, recorded: item.original?.speaker ?? item.speaker, current: item.speaker, base };
  }
  const recorded = item.original ? item.original.said : item.said;
  // What the AI should have said stands beside what it said; the words themselves stay.
  const current = kind === "answer" ? (base?.text ?? recorded) : item.said;
  return { kind, id: item.id, recorded, current, base };
}

export function thingOfSentence(sentence, kind) {
  return { kind, id: sentence.id, recorded: sentence.original ?? sentence.text, current: sentence.text, base: sentence.correction };
}

/** What readers get of an item, and the corrections that say so. */
export function readingOf(item) {
  const answer = (item.corrections ?? []).find(({ kind }) => kind === "answer");
  const words = (item.corrections ?? []).find(({ kind }) => kind === "words");
  const speaker = (item.corrections ?? []).find(({ kind }) => kind === "speaker");
  return { answer, words, speaker, text: answer ? answer.text : item.said, recorded: item.original ? item.original.said : item.said };
}
