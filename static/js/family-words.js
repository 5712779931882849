/** What families read of corrections. */

const KINDS = {
  words: "What was said", speaker: "Who was speaking", answer: "What the tutor should have said", sentence: "The summary", next_step: "What comes next",
};
const SPEAKERS = { student: "your child", ai: "the computer tutor", tutor: "a tutor of the school", system: "a note" };

/** A correction in words: `{title, was, now}`; `was` is null where it is not shown. */
export function correctionWords({ kind, was, now, private: isPrivate }, child) {
  const spoken = (one) => (kind === "speaker" ? (one === "student" ? child : SPEAKERS[one] ?? one) : one);
  return {
    title: KINDS[kind] ?? "Something",
    was: isPrivate ? null : (was === null ? "(not understood)" : spoken(was)),
    now: spoken(now) ?? "",
    isPrivate,
  };
}

/** The corrections that are not of a sentence that stands there corrected already. */
export function otherCorrections(session) {
  const shown = new Set([...session.narrative, ...session.next_steps, session.done_well].filter((one) => one?.correction).map((one) => one.correction.at));
  return session.corrections.filter(({ kind, at }) => !((kind === "sentence" || kind === "next_step") && shown.has(at)));
}
