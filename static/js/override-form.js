/**
 * A correction while it is written: `reduce(state, event)` is pure. Nothing that happens to it takes a typed word
 * away: not a refusal, not somebody else's correction of the same.
 *
 * A thing to correct: `{kind, id, recorded, current, base}`. `recorded` is what was recorded and `current` what
 * readers get now (a text, or for the kind "speaker" who spoke); `base` is the correction in force, or null.
 */

/** What is nearly always the reason; of the other kinds nothing is. */
const USUAL_REASONS = { words: ["asr_misheard"], speaker: ["speaker_swap"] };
const OTHER = "other";

/**
 * @param kept   what this browser kept of an earlier try, `{value, reasons, note, replaces}`, or null
 * @param draft  one's own draft on the server, or null
 */
export function openForm(thing, { kept = null, draft = null } = {}) {
  const drafted = draft && contentOf(draft);
  const before = kept ?? drafted;
  const fresh = { value: thing.current ?? "", reasons: USUAL_REASONS[thing.kind] ?? [], note: "" };
  const replaces = thing.base?.id ?? null;
  return {
    thing, ...(before ? { value: before.value, reasons: before.reasons, note: before.note } : fresh), replaces,
    draft: draft?.id ?? null,
    saved: drafted && fingerprint(drafted),
    saving: false,
    publishing: false,
    tried: false, // to publish it: now it may say what is missing
    trouble: null, // {sentence, param}
    // Somebody else's correction that came first: `{published}`, null where the original is in force again.
    conflict: before && (before.replaces ?? null) !== replaces ? { published: asOverride(thing) } : null,
    gone: null, // why there is nothing to correct any more, in words
  };
}

export function reduce(state, event) {
  switch (event.type) {
    case "value": return edited(state, { value: event.value });
    case "note": return edited(state, { note: event.note });
    case "reason": return edited(state, { reasons: withReason(state.reasons, event.code, event.on) });
    case "saving": return { ...state, saving: true };
    case "saved": return { ...state, saving: false, draft: event.draft, saved: event.fingerprint };
    case "publishing": return { ...state, publishing: true, tried: true, trouble: null };
    case "tried": return { ...state, tried: true };
    case "refused": return { ...state, saving: false, publishing: false, trouble: event.trouble };
    case "lost": return { ...state, draft: null, saved: null };
    case "gone": return { ...state, saving: false, publishing: false, draft: null, gone: event.sentence };
    case "conflict": return { ...state, saving: false, publishing: false, conflict: { published: event.published }, trouble: null };
    case "build": return onTopOf(state);
    default: return state;
  }
}

function edited(state, patch) {
  return { ...state, ...patch, trouble: null };
}

function withReason(reasons, code, on) {
  const others = reasons.filter((one) => one !== code);
  return on ? [...others, code] : others;
}

/** From now on the correction is made on the other one's; or on the original, where that is in force. */
function onTopOf(state) {
  const theirs = state.conflict?.published;
  const base = theirs ? { id: theirs.id, by: theirs.author, at: theirs.published_at, reasons: theirs.reasons } : null;
  const current = theirs ? valueOf(theirs.new) : state.thing.recorded;
  return {
    ...state, conflict: null, replaces: theirs?.id ?? null, thing: { ...state.thing, base, current },
    // A draft can be put on another correction, but not back on the original: there a new one is begun.
    draft: theirs ? state.draft : null, saved: theirs ? state.saved : null,
  };
}

/** The correction in force as the API would tell of it. */
function asOverride({ kind, current, base }) {
  if (!base) return null;
  const content = kind === "speaker" ? { speaker: current } : { text: current };
  return { id: base.id, author: base.by, published_at: base.at, reasons: base.reasons ?? [], new: content };
}

/** What keeps it from being published: `[{field, sentence}]`. */
export function missing({ thing, value, reasons, note }) {
  const found = [];
  if (value.trim() === "") found.push({ field: "value", sentence: "Write what should stand there." });
  else if (value === (thing.current ?? "")) {
    const sentence = thing.kind === "speaker" ? "Choose who spoke, if it was somebody else." : "It says what it said before. Change something first.";
    found.push({ field: "value", sentence });
  }
  if (reasons.length === 0) found.push({ field: "reasons", sentence: "Choose at least one reason." });
  else if (reasons.includes(OTHER) && note.trim() === "") found.push({ field: "note", sentence: "Say in the note what the reason is." });
  return found;
}

/** Whether anything was written that is worth keeping. */
export function isTouched({ thing, value, reasons, note }) {
  return value !== (thing.current ?? "") || note.trim() !== "" || String(reasons) !== String(USUAL_REASONS[thing.kind] ?? []);
}

/** Whether the server can take it as a draft: it wants one that could be published. */
export function isSavable(state) {
  return missing(state).length === 0 && state.conflict === null && state.gone === null;
}

export function isSaved(state) {
  return state.saved === fingerprint(state);
}

/** What is sent; `replaces` only where there is one. */
export function bodyOf({ thing, value, reasons, note, replaces }) {
  const content = thing.kind === "speaker" ? { speaker: value } : { text: value };
  return { new: content, reasons, note: note.trim(), ...(replaces && { replaces }) };
}

function contentOf({ new: content, reasons, note, replaces }) {
  return { value: valueOf(content), reasons, note: note ?? "", replaces };
}

/** Says whether two states hold the same. */
export function fingerprint({ value, reasons, note, replaces }) {
  return JSON.stringify([value, [...reasons].sort(), note.trim(), replaces ?? null]);
}

export function valueOf({ text, speaker }) {
  return text ?? speaker ?? "";
}

/** The reasons that fit a kind, the usual ones first, "other" last. */
export function reasonsFor(kind, reasons) {
  return reasons.filter(({ kinds }) => kinds.includes(kind));
}
