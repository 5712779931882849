/** What a session is, in words of its staff. */

export const ENDED = {
  finished: "Finished", time_limit: "Time was up", ended_by_staff: "Ended by the school", abandoned: "Left early",
};
export const ENGINES = {
  "offline": "Offline tutor", "cascade": "Speech and language model", "openai-realtime": "OpenAI Realtime", "nova-sonic": "Nova Sonic",
};
export const THUMBS = { up: "It helped", down: "It did not help", none: "Said nothing" };
export const MODES = { voice: "by voice", text: "in writing" };
export const KINDS = {
  words: "The words", speaker: "Who spoke", answer: "What the tutor should have said", sentence: "The summary", next_step: "The next step",
};

export function engineWords(engines) {
  return engines.map((engine) => ENGINES[engine] ?? engine).join(", then ");
}

/** "Finished", "Left early"; of a running one that it runs. */
export function endWords({ status, end_reason: reason }) {
  return status === "live" ? "Running" : (ENDED[reason] ?? "Over");
}

/** Who spoke, by name where there is one. */
export function speakerName(speaker, student) {
  return { student: student, ai: "Tutor (computer)", tutor: "Tutor (person)", system: "Note" }[speaker] ?? speaker;
}

/** A list's length, honestly: the pages that are not here yet are not counted. */
export function countWords({ items, next_cursor: more }, noun = "session") {
  const nouns = items.length === 1 ? noun : `${noun}s`;
  return more ? `The first ${items.length} ${nouns}. There are more.` : `${items.length} ${nouns}.`;
}
