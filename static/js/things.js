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

/**
 * What the student reads of an item: its text, and how each correction of it came about, `{correction, before,
 * after, titles?, was?}`. An answer that should have been given stands in the place of what was said.
 */
export function readingOf(item) {
  const corrections = item.corrections ?? [];
  const recorded = item.original ? item.original.said : item.said;
  const answer = corrections.find(({ kind }) => kind === "answer");
  const told = corrections.map((correction) => {
    if (correction.kind === "speaker") return { correction, was: item.original?.speaker ?? item.speaker };
    return { correction, before: recorded ?? "", after: correction.text };
  });
  return { text: answer ? answer.text : item.said, isAnother: answer !== undefined, corrections: told };
}

/** By id, the readings of those items that somebody corrected. */
export function readingsOf(items) {
  const corrected = items.filter(({ corrections }) => corrections?.length > 0);
  return new Map(corrected.map((item) => [item.id, { ...readingOf(item), speaker: speakerOf(item) }]));
}

/** Who spoke, where that was corrected; else the item itself knows better. */
function speakerOf({ speaker, corrections }) {
  return corrections.some(({ kind }) => kind === "speaker") ? { kind: speaker, name: null } : null;
}
