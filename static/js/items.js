/** The items of a lesson as the page keeps them: an array in conversation order; every change makes a new one. */

const BLANK = {
  role: "assistant", speaker: { kind: "ai", name: null }, text: "", final: false, saved: false, status: "in_progress",
  sounding: false, playedMs: 0, words: [], heard: null, interrupted: false, response: null, lost: false,
  tool: null, // what the tutor used, where the item notes that
  typed: false, reading: null, // what a person corrected of it: things.js
};

/** An item of the wire in our shape; what the wire does not say is left out. */
export function readItem(wire) {
  const texts = (wire.content ?? []).map((part) => part.transcript ?? part.text ?? null);
  const known = texts.filter((text) => typeof text === "string" && text !== "");
  const item = { id: wire.id, role: wire.role, status: wire.status ?? "completed" };
  item.speaker = speakerOf(wire);
  if (known.length > 0) item.text = known.join(" ");
  const tool = wire.tool?.name ?? wire.tool;
  if (typeof tool === "string") item.tool = tool;
  if (typeof wire.heard === "string") item.heard = wire.heard;
  if (wire.role === "assistant" && (wire.interrupted || wire.status === "incomplete")) item.interrupted = true;
  return item;
}

const BEHIND = new Set(["check_answer", "look_up", "note_progress"]);

/** Whether an item notes only what the tutor did for itself: no student waits for that. */
export function isBehind(item) {
  return BEHIND.has(item.tool?.name ?? item.tool);
}

const KINDS = new Set(["student", "ai", "tutor", "system"]);

/** Who said it: a kind, and the name of a person where the server gives one. */
function speakerOf({ role, speaker }) {
  if (KINDS.has(speaker)) return { kind: speaker, name: null };
  if (typeof speaker === "string" && speaker !== "") return { kind: "tutor", name: speaker };
  if (speaker?.name) return { kind: "tutor", name: speaker.name };
  return { kind: { user: "student", system: "system" }[role] ?? "ai", name: null };
}

/** Puts an item where it belongs: it takes the place of the one with its id, else follows `previous`. */
export function place(items, patch, previous) {
  const old = items.find((item) => item.id === patch.id);
  const item = { ...BLANK, ...old, ...patch };
  const rest = items.filter((other) => other.id !== item.id);
  if (previous === null) return [item, ...rest];
  const after = rest.findIndex((other) => other.id === previous);
  if (after >= 0) return [...rest.slice(0, after + 1), item, ...rest.slice(after + 1)];
  return old ? items.map((other) => (other.id === item.id ? item : other)) : [...rest, item];
}

export function change(items, id, patch) {
  if (!items.some((item) => item.id === id)) return items;
  return items.map((item) => (item.id === id ? { ...item, ...patch(item) } : item));
}

/** After which item a resumed connection should begin: all before it is saved, and the last answer comes anew. */
export function resumePoint(items) {
  const unsaved = items.findIndex((item) => !item.saved);
  const prefix = unsaved < 0 ? items : items.slice(0, unsaved);
  const lastAnswer = prefix.findLastIndex((item) => item.role === "assistant");
  return prefix[lastAnswer - 1]?.id ?? null;
}

/** Typed messages that the server may not have: they are sent again, under the same ids. */
export function unsent(items) {
  return items.filter((item) => item.role === "user" && item.typed && !item.saved);
}
