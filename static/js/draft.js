/**
 * A draft that several people may write at once, field by field, without losing a word. Pure: events and the
 * time go in, a new state comes out; `js/draft-desk.js` does the sending.
 *
 * The state is what the server has (`draft` whole, and in `news` the fields heard of since) and what one has
 * typed and the server has not (`edits`). An edit remembers the value it was made on (`was`), so the server can
 * tell when somebody else changed the same field. At most one save a field is under way; what is typed
 * meanwhile waits. Steps come, go and move one after the other, and fields of a step wait for their step.
 *
 * An edit: `{path, was, now, after, sent, state, due, theirs, by, sentence, base}`
 *   sent    values that were sent and not answered for: a lost answer must not look like somebody else's words
 *   state   "typed", "sending", "conflict" (both texts are shown), "refused" (with the server's sentence)
 *   base    of a step that somebody removed while one typed in it: what was in it before
 */

import { backoffMs } from "./backoff.js";
import { fitted, isStep, isStructure, mergedOrder, orderOf, put, same, stepOf, valueAt } from "./draft-plan.js";

const PAUSE_MS = 400; // of typing, before it is saved
const MOST_AT_ONCE = 4; // saves under way

/** `draft` as the server gives it; `kept` what an earlier visit typed and could not save. */
export function begin(draft, kept = [], at = 0) {
  const edits = kept.map((edit) => edited({ ...edit, state: edit.base ? "conflict" : "typed", due: at }));
  return derived(settle({ draft, news: [], edits, gone: {}, line: null }));
}

export function reduce(state, event) {
  const next = EVENTS[event.type](state, event);
  return next === state ? state : derived(next);
}

const EVENTS = {
  /** One has typed; `wait` false: it is a choice, nothing more follows. */
  typed(state, { path, now, after = null, at, wait = true }) {
    const due = wait ? at + PAUSE_MS : at;
    const step = editAt(state, stepOf(path));
    if (step && step.now !== null && step.state !== "sending" && step.sent.length === 0) {
      return change(state, step.path, { now: put(step.now, path.slice(step.path.length + 1), now), due });
    }
    const rest = isStep(path) && now === null ? withoutFields(state, path) : state;
    const edit = editAt(rest, path);
    if (edit) return retyped(rest, edit, { now, after: after ?? edit.after, due });
    const was = valueAt(step ? state.plan : state.saved, path);
    return same(was, now) ? rest : { ...rest, edits: [...rest.edits, edited({ path, was, now, after, due })] };
  },

  /** One has left the field: what it holds is saved now. */
  left: (state, { path, at }) => (editAt(state, path)?.state === "typed" ? change(state, path, { due: at }) : state),

  /** Nothing waits any longer: one wants to publish, the line is back, the page goes. */
  hurried: (state, { at }) => ({
    ...state, line: state.line && { ...state.line, retryAt: at },
    edits: state.edits.map((edit) => ({ ...edit, due: Math.min(edit.due, at) })),
  }),

  sending(state, { path, now }) {
    const { sent } = editAt(state, path);
    return change(state, path, { state: "sending", now, sent: [...sent, now] });
  },

  saved(state, { path, revision, value, steps }) {
    const edit = editAt(state, path);
    const known = told(state, { path, value, after: edit?.after ?? null, revision, steps });
    if (!edit) return known;
    const next = rebased(known, edit, value);
    if (same(edit.now, edit.sent.at(-1))) return drop(next, path);
    return change(next, path, { was: value, state: "typed", sent: [] });
  },

  /** The server has another value than the edit was made on: `theirs`, by somebody else. */
  conflict(state, { path, theirs, by, revision, at }) {
    const edit = editAt(state, path);
    if (!edit) return state;
    const known = told(state, { path, value: theirs, after: null, revision });
    if (same(theirs, edit.now)) return drop(known, path);
    if (edit.sent.slice(0, -1).some((value) => same(value, theirs))) {
      return change(known, path, { was: theirs, state: "typed", sent: [], due: at });
    }
    const order = path === "step_order" ? mergedOrder(edit.was, edit.now, theirs) : null;
    if (order) return change(known, path, { was: theirs, now: order, state: "typed", sent: [], due: at });
    return settle(change(known, path, { state: "conflict", theirs, by, sent: [] }));
  },

  refused(state, { path, sentence }) {
    const edit = editAt(state, path);
    if (!edit) return state;
    return change({ ...state, line: null }, path, { state: "refused", sentence, sent: edit.sent.slice(0, -1) });
  },

  /** No answer, or not now; `why`: "offline", "busy", "signed-out". What was typed waits. */
  failed(state, { path, why, retryAfterMs = 0, at, random = Math.random }) {
    const attempts = (state.line?.attempts ?? 0) + 1;
    const line = { why, attempts, retryAt: at + Math.max(retryAfterMs, backoffMs(attempts, random)) };
    return settle(change({ ...state, line }, path, { state: "typed" }));
  },

  /** The whole draft as it stands; one that is no newer says nothing. */
  heard(state, { draft }) {
    if (draft.revision <= state.draft.revision) return state;
    const next = { ...state, draft, news: state.news.filter(({ revision }) => revision > draft.revision) };
    const saved = savedOf(next);
    const order = orderOf(state.saved);
    const gone = Object.fromEntries(order.filter((id) => !orderOf(saved).includes(id)).map((id) => [
      `steps.${id}`, { content: valueAt(state.saved, `steps.${id}`), after: order[order.indexOf(id) - 1] ?? null },
    ]));
    return settle({ ...next, gone: { ...state.gone, ...gone } });
  },

  /** What to do about both texts: "mine" is sent over theirs, with "theirs" one's own goes. */
  resolved(state, { path, how, at }) {
    const edit = editAt(state, path);
    if (!edit) return state;
    if (how === "theirs") return drop(state, path);
    const rest = isStep(path) && edit.now === null ? withoutFields(state, path) : state;
    const was = valueAt(state.saved, path);
    return change(rest, path, { was, state: "typed", due: at, theirs: undefined, by: undefined, base: undefined });
  },
};

/** The saves to send now, oldest first: `{path, was, now, after}`. */
export function ready(state, at) {
  if (state.line && state.line.retryAt > at) return [];
  const free = MOST_AT_ONCE - state.edits.filter((edit) => edit.state === "sending").length;
  return state.edits.filter((edit) => edit.state === "typed" && edit.due <= at && !isBlocked(state, edit))
    .slice(0, Math.max(0, free))
    .map(({ path, was, now, after }) => ({ path, was, now: path === "step_order" ? fitted(now, was) : now, after }));
}

/** When `ready` will have something, if nothing happens meanwhile; null: never. */
export function wakeAt(state) {
  const due = state.edits.filter((edit) => edit.state === "typed" && !isBlocked(state, edit)).map((edit) => edit.due);
  return due.length === 0 ? null : Math.max(Math.min(...due), state.line?.retryAt ?? 0);
}

/** What to keep on this computer until the server has it. */
export const unsaved = (state) => state.edits.map(({ path, was, now, after, sent, base }) => ({ path, was, now, after, sent, base }));

/** The latest revision of the draft that anything was heard of. */
export const revisionOf = (state) => Math.max(state.draft.revision, ...state.news.map(({ revision }) => revision));

export const conflicts = (state) => state.edits.filter((edit) => edit.state === "conflict");

/** The edits of a step and of its fields. */
export const editsIn = (state, path) => state.edits.filter((edit) => edit.path === path || stepOf(edit.path) === path);

export const editAt = (state, path) => state.edits.find((edit) => edit.path === path);

/** In one word, how safe everything is: "saved", "saving", "unsaved" (a trouble), "conflict", "refused". */
export function standing(state) {
  const states = new Set(state.edits.map((edit) => edit.state));
  if (state.line && state.edits.some((edit) => edit.state === "typed" && !isBlocked(state, edit))) return "unsaved";
  return ["conflict", "refused"].find((one) => states.has(one)) ?? (states.size > 0 ? "saving" : "saved");
}

/** `saved`: what the server has; `plan`: that with one's own edits, which is what one sees. */
function derived(state) {
  const saved = savedOf(state);
  const shows = (edit) => !(edit.state === "conflict" && isStep(edit.path) && edit.now === null);
  const plan = state.edits.filter(shows).reduce((all, { path, now, after }) => put(all, path, now, after), saved);
  return { ...state, saved, plan };
}

function savedOf({ draft, news }) {
  return [...news].sort((one, other) => one.revision - other.revision).reduce((plan, { path, value, after, steps }) => {
    const next = put(plan, path, value, after);
    return steps ? put(next, "step_order", steps) : next;
  }, draft.plan);
}

/** One field as the server has it; a draft that is newer knows better. */
function told(state, fact) {
  if (fact.revision <= state.draft.revision) return { ...state, line: null };
  const others = state.news.filter(({ path }) => isStructure(path) || path !== fact.path);
  return { ...state, line: null, news: [...others, fact] };
}

/** Against what the server has: edits that it has are done, conflicts that are none end, and lost steps are kept. */
function settle(state) {
  const saved = savedOf(state);
  let next = { ...state, saved };
  for (const edit of state.edits) {
    const { path, was, now, sent, base, state: how } = edit;
    if (how === "sending") continue;
    const theirs = valueAt(saved, path);
    const step = stepOf(path);
    if (base) next = theirs === null ? next : spread(drop(next, path), edit);
    else if (step && valueAt(saved, step) === null) next = stranded(next, step);
    else if (same(theirs, now)) next = drop(next, path);
    else if (sent.some((value) => same(value, theirs))) next = change(next, path, { was: theirs, sent: [] });
    else if (how === "conflict") next = change(next, path, same(theirs, was) ? { state: "typed" } : { theirs });
  }
  return next;
}

/** The step is gone, and one had typed in it: it is kept whole, and one is asked. */
function stranded(state, path) {
  if (editAt(state, path)) return state;
  const mine = state.edits.filter((edit) => stepOf(edit.path) === path && edit.state !== "sending");
  const { content = {}, after = null } = state.gone[path] ?? {};
  const now = mine.reduce((step, edit) => put(step, edit.path.slice(path.length + 1), edit.now), content);
  const kept = edited({ path, was: null, now, after, base: content, state: "conflict", theirs: null, by: state.draft.changed_by });
  return { ...state, edits: [...state.edits.filter((edit) => !mine.includes(edit)), kept] };
}

/** The fields in which a whole step is another than it was, as edits of their own. */
function spread(state, { path, base, now, due }) {
  const changed = [...new Set([...Object.keys(base), ...Object.keys(now)])].filter((name) => !same(base[name], now[name]));
  const edits = changed.map((name) => edited({ path: `${path}.${name}`, was: base[name] ?? null, now: now[name] ?? null, due }));
  return { ...state, edits: [...state.edits, ...edits] };
}

/** What one's own save means for edits that were made on what was there before it. */
function rebased(state, { path, after }, value) {
  const step = stepOf(path);
  const within = (order) => orderOf(put({ steps: order.map((id) => ({ id })) }, path, value, after));
  const edits = state.edits.map((other) => {
    if (step && other.path === step && other.was !== null) {
      return { ...other, was: put(other.was, path.slice(step.length + 1), value) };
    }
    if (!isStep(path) || other.path !== "step_order") return other;
    return { ...other, was: within(other.was), now: within(other.now) };
  });
  return { ...state, edits };
}

function retyped(state, edit, { now, after, due }) {
  if (edit.state === "conflict") return change(state, edit.path, { now });
  if (edit.state === "sending") return change(state, edit.path, { now, after, due });
  if (edit.sent.length > 0) return change(state, edit.path, { now, after, due, state: "typed", sentence: undefined });
  if (same(edit.was, now)) return drop(state, edit.path);
  if (!isStep(edit.path) || edit.was === null || now === null) {
    return change(state, edit.path, { now, after, due, state: "typed", sentence: undefined });
  }
  return spread(drop(state, edit.path), { ...edit, base: edit.was, now, due }); // it was to go, and stays after all
}

function isBlocked(state, edit) {
  const step = stepOf(edit.path);
  if (step) return editAt(state, step) !== undefined;
  if (!isStructure(edit.path)) return false;
  const others = state.edits.filter((other) => other !== edit && isStructure(other.path));
  const fields = state.edits.filter((other) => stepOf(other.path) === edit.path);
  if ([...others, ...fields].some((other) => other.state === "sending")) return true;
  return others.some((other) => other.state === "typed" && state.edits.indexOf(other) < state.edits.indexOf(edit));
}

/** A step that goes takes along what was typed in it and not sent. */
function withoutFields(state, path) {
  return { ...state, edits: state.edits.filter((edit) => stepOf(edit.path) !== path || edit.state === "sending") };
}

const edited = (edit) => ({ after: null, sent: [], state: "typed", due: 0, ...edit });

function change(state, path, parts) {
  return { ...state, edits: state.edits.map((edit) => (edit.path === path ? { ...edit, ...parts } : edit)) };
}

const drop = (state, path) => ({ ...state, edits: state.edits.filter((edit) => edit.path !== path) });
