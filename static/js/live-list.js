/**
 * The running sessions of one's students: `reduce(state, event)` is pure. News has ids only; what to ask for is
 * gathered for a moment, so that a school that begins at nine does not ask for every lesson at once.
 */

const JUST_ENDED = 5; // that stay in sight, since somebody may have been watching
export const MANY = 8; // sessions that changed at once: the whole list is asked for

export const NOTHING_YET = {
  running: null, // cards, newest first; null until the list is here
  over: [], // cards of those that ended while one looked
  more: null, // the cursor of what did not fit
  wanted: [], // ids to ask for
  whole: false, // or the whole list
};

export function reduce(state, event) {
  switch (event.type) {
    case "list": {
      const here = new Set(event.page.items.map(({ id }) => id));
      return { ...state, running: event.page.items, more: event.page.next_cursor, over: state.over.filter(({ id }) => !here.has(id)) };
    }
    case "more": {
      const known = new Set(state.running.map(({ id }) => id));
      return { ...state, running: [...state.running, ...event.page.items.filter(({ id }) => !known.has(id))], more: event.page.next_cursor };
    }
    case "card": return withCard(state, event.card);
    case "gone": return without(state, event.id);
    case "news": return hear(state, event);
    case "refresh": return { ...state, whole: true };
    case "asked": return { ...state, wanted: [], whole: false };
    default: return state;
  }
}

function hear(state, { name, about }) {
  if (name !== "session.changed" && name !== "session.reviewed") return state;
  const known = [...(state.running ?? []), ...state.over].some(({ id }) => id === about.session_id);
  if (state.wanted.includes(about.session_id)) return state;
  if (!known && about.status !== "live") return state; // ended elsewhere: not of this list
  const wanted = [...state.wanted, about.session_id];
  return wanted.length > MANY ? { ...state, wanted: [], whole: true } : { ...state, wanted };
}

function withCard(state, card) {
  const rest = without(state, card.id);
  if (card.status !== "live") {
    const was = state.running?.some(({ id }) => id === card.id) || state.over.some(({ id }) => id === card.id);
    return was ? { ...rest, over: [card, ...rest.over].slice(0, JUST_ENDED) } : rest;
  }
  const running = [...(rest.running ?? []), card];
  running.sort((one, other) => other.started_at.localeCompare(one.started_at) || other.id.localeCompare(one.id));
  return { ...rest, running };
}

function without(state, id) {
  const others = (cards) => cards.filter((card) => card.id !== id);
  return { ...state, running: state.running && others(state.running), over: others(state.over) };
}
