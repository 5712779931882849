/**
 * A lesson as the page knows it: `reduce(state, event)` is pure. Events are the server's (realtime.md) and
 * the page's own, whose types begin with `page.`. An unknown event leaves the state as it was, since an
 * older page meets a newer server at every deploy.
 */

import { formulas } from "../lib/maths.js";
import { change, place, readItem } from "./items.js";

const QUIET_ERRORS = new Set([
  "response_cancel_not_active", "conversation_already_has_active_response",
  "input_audio_buffer_commit_empty",
]);
const QUIET_NOTICES = new Set(["paused", "resumed"]); // the control says it already
const POOR = {
  code: "poor_connection",
  text: "Your connection is poor just now, so your tutor may sound broken. Nothing is lost: read the words, or type.",
};
const NOTICES = 3;
const FIGURES = 4; // of the open step; the server remembers as many

export const NOTHING_YET = {
  phase: "idle", // idle | connecting | open | reconnecting | taken | refused | over
  refusal: null,
  line: null, // call | socket
  quality: "good", // good | fair | poor
  session: null,
  items: [],
  response: null,
  speech: "none", // none | speaking | waiting
  held: false, // output paused because voice is suspected
  microphone: "off", // off | asking | on | refused
  trouble: null, // why the microphone was refused
  sound: "on", // on | off | blocked
  replaying: false, // the last answer, once more
  handHeld: null, // hold-to-talk: null when not in use, else whether the button is down
  paused: false,
  progress: null,
  floor: { holder: "ai", person: null, epoch: 0 },
  people: [], // who reads along
  board: [], // formulas of the tutor's words
  figures: [], // what the tutor shows, oldest first
  notices: [],
  ended: null,
  summary: null,
};

export function reduce(state, event) {
  const handler = Object.hasOwn(HANDLERS, event.type) ? HANDLERS[event.type] : null;
  return handler ? { ...state, ...handler(state, event) } : state;
}

function changed(state, id, patch) {
  return { items: change(state.items, id, patch) };
}

function grow(state, event, sounding) {
  const add = (item) => ({
    text: item.text + event.delta,
    sounding: item.sounding || (sounding && state.sound === "on" && !item.interrupted),
    words: [...item.words, ...timesOf(event).map(([at, ms]) => [item.text.length + at, ms])],
  });
  const items = known(state, event.item_id, event.response_id);
  return { ...onBoard({ ...state, items: change(items, event.item_id, add) }, event.item_id) };
}

/** When each word sounds; without word times, when the sentence begins. */
function timesOf({ words = [], at_ms = null }) {
  return words.length > 0 || at_ms === null ? words : [[0, at_ms]];
}

function known(state, id, response) {
  return state.items.some((item) => item.id === id) ? state.items : place(state.items, { id, response });
}

function finish(state, event, text) {
  if (typeof text !== "string") return {};
  const items = change(state.items, event.item_id, () => ({ text, final: true }));
  return onBoard({ ...state, items }, event.item_id);
}

/** The board shows the formulas of the tutor's latest words that had any, until the step is over. */
function onBoard(state, id) {
  const item = state.items.find((other) => other.id === id);
  const found = item ? formulas(item.text) : [];
  const board = found.length === 0 || String(found) === String(state.board) ? state.board : found;
  return { items: state.items, board };
}

function interrupt(state, concerns) {
  const cut = (item) => (concerns(item) && item.sounding ? { ...item, sounding: false, interrupted: true } : item);
  return { items: state.items.map(cut), held: false };
}

function over(item, status) {
  if (status !== "cancelled") return { ...item, final: true };
  return { ...item, final: true, interrupted: item.interrupted || item.sounding, sounding: false };
}

function notify(state, code, text) {
  const others = state.notices.filter((notice) => notice.code !== code);
  return { notices: [...others, { code, text }].slice(-NOTICES) };
}

function heardAgain(state) {
  return state.notices.filter(({ code }) => code !== "microphone_silent");
}

const HANDLERS = {
  // ---- the session
  "session.created": (state, { session }) => ({
    session, phase: "open", refusal: null, people: [],
    // What the server had not saved when the line broke comes again, or never was.
    items: session.resumed ? state.items.filter((item) => item.saved || item.typed) : state.items,
  }),
  "session.updated": (state, { session }) => ({ session }),
  "lesson.progress": (state, { step, steps, goal, status }) => ({
    progress: { step, steps, goal, status },
    ...(state.progress && state.progress.step !== step ? { board: [], figures: [] } : {}),
  }),
  "board.show": (state, { item_id: id, kind, caption, says, drawing }) => ({
    figures: [...state.figures.filter((figure) => figure.id !== id), { id, kind, caption, says, drawing }].slice(-FIGURES),
  }),
  "floor.changed": (state, { holder, person, epoch }) => ({ floor: { holder, person, epoch } }),
  presence: (state, { people }) => ({ people }),
  "engine.changed": (state, event) => ({ session: { ...state.session, engine: event.new } }),
  notice: (state, { code, text }) => (QUIET_NOTICES.has(code) ? {} : notify(state, code, text)),
  error: (state, { error }) => (QUIET_ERRORS.has(error?.code) ? {} : notify(state, error?.code, error?.message)),
  "session.ended": (state, { reason, duration_ms, spoken_ms }) => ({
    ended: { reason, duration_ms, spoken_ms }, phase: "over", speech: "none", response: null,
  }),
  "session.summary": (state, { narrative, next_steps }) => ({ summary: { narrative, next_steps } }),

  // ---- items
  "conversation.item.added": (state, { item, previous_item_id }) => ({
    items: place(state.items, readItem(item), previous_item_id),
  }),
  "conversation.item.done": (state, { item, previous_item_id }) => {
    const read = { ...readItem(item), saved: true, final: true };
    if (read.role === "user") read.lost = !read.text;
    const items = place(state.items, read, previous_item_id);
    return read.role === "assistant" ? onBoard({ ...state, items }, item.id) : { items };
  },
  "conversation.item.truncated": (state, { item_id, heard }) =>
    changed(state, item_id, () => ({ interrupted: true, sounding: false, heard: heard ?? null })),

  // ---- the student's voice
  "input_audio_buffer.speech_started": (state) => ({
    speech: "speaking", notices: heardAgain(state),
  }),
  "input_audio_buffer.speech_stopped": () => ({ speech: "waiting" }),
  "input_audio_buffer.committed": (state) => ({
    speech: state.speech === "none" ? "none" : "waiting", notices: heardAgain(state),
  }),
  "input_audio_buffer.cleared": () => ({ speech: "none" }),
  "conversation.item.input_audio_transcription.delta": (state, { item_id, delta }) =>
    changed(state, item_id, (item) => ({ text: item.text + delta })),
  "conversation.item.input_audio_transcription.completed": (state, { item_id, transcript }) => ({
    ...changed(state, item_id, () => ({ text: transcript, final: true, lost: transcript === "" })),
    speech: state.speech === "waiting" ? "none" : state.speech,
  }),
  "conversation.item.input_audio_transcription.failed": (state, { item_id }) => ({
    ...changed(state, item_id, () => ({ text: "", final: true, lost: true })),
    speech: state.speech === "waiting" ? "none" : state.speech,
  }),

  // ---- the tutor's answer
  "response.created": (state, { response }) => ({
    response: response.id, speech: state.speech === "waiting" ? "none" : state.speech,
  }),
  "response.output_item.added": (state, { response_id, item }) => ({
    items: place(state.items, { ...readItem(item), response: response_id }),
  }),
  "response.output_audio_transcript.delta": (state, event) => grow(state, event, true),
  "response.output_text.delta": (state, event) => grow(state, event, false),
  "response.output_audio_transcript.done": (state, event) => finish(state, event, event.transcript),
  "response.output_text.done": (state, event) => finish(state, event, event.text),
  "response.done": (state, { response }) => ({
    response: null,
    items: state.items.map((item) => (item.response === response.id ? over(item, response.status) : item)),
  }),
  "output_audio_buffer.paused": () => ({ held: true }),
  "output_audio_buffer.resumed": () => ({ held: false }),
  "output_audio_buffer.cleared": (state, { response_id }) =>
    interrupt(state, (item) => item.response === response_id),

  // ---- the page itself
  "page.phase": (state, { phase, refusal = null }) => ({
    phase: state.ended ? "over" : phase, refusal,
    ...(phase === "open" ? {} : { speech: "none", response: null, ...interrupt(state, () => true) }),
  }),
  "page.line": (state, { line }) => ({ line }),
  "page.quality": (state, { quality }) => ({
    quality, notices: quality === "good" ? state.notices.filter(({ code }) => code !== POOR.code) : state.notices,
  }),
  "page.poor": (state) => notify(state, POOR.code, POOR.text),
  "page.microphone": (state, { microphone, trouble = null }) => ({
    microphone, trouble, speech: microphone === "on" ? state.speech : "none",
  }),
  "page.sound": (state, { sound }) => ({
    sound,
    items: sound === "on" ? state.items : state.items.map((item) => ({ ...item, sounding: false })),
  }),
  "page.hand": (state, { handHeld }) => ({ handHeld }),
  "page.paused": (state, { on }) => ({ paused: on }),
  "page.typed": (state, { id, text }) => ({
    items: place(state.items, {
      id, text, role: "user", speaker: { kind: "student", name: null }, typed: true, final: true,
      status: "completed",
    }),
  }),
  "page.played": (state, { id, ms }) =>
    changed(state, id, (item) => ({ playedMs: Math.max(item.playedMs, ms) })),
  "page.finished": (state, { id, ms }) =>
    changed(state, id, (item) => ({ playedMs: Math.max(item.playedMs, ms), sounding: false })),
  "page.interrupted": (state) => ({ ...interrupt(state, () => true), replaying: false }),
  "page.replaying": (state, { on }) => ({ replaying: on }),
  "page.notice": (state, { code, text }) => notify(state, code, text),
  "page.corrected": (state, { readings }) => ({
    items: state.items.map((item) => (readings.has(item.id) ? { ...item, reading: readings.get(item.id) } : item)),
  }),
  "page.dismissed": (state, { code }) => ({ notices: state.notices.filter((notice) => notice.code !== code) }),
};
