/** The one large control: what it says, which shape it has, and what a press of it does. Pure. */

/** Whether everything that was said is safe with the school; answers under way don't count. */
export function isSaving(state) {
  return state.items.some((item) => !item.saved && item.final && !item.sounding);
}

export function isSounding(state) {
  return state.replaying || state.items.some((item) => item.sounding && (item.text !== "" || item.playedMs > 0));
}

const PRESSES = "Or press once to begin, and again when you are done.";

const BROKEN = {
  connecting: { name: "connecting", word: "Opening your lesson…", hint: "One moment.", action: null },
  reconnecting: {
    name: "reconnecting", word: "Reconnecting… your lesson is safe",
    hint: "Nothing you said is lost. You can keep typing.", action: null,
  },
  taken: {
    name: "paused", word: "Your lesson is open in another window",
    hint: "Press to continue here instead.", action: "reopen",
  },
};

/** The state of the control: `name` chooses the shape, `action` is what a press does (null: nothing),
 * `keys` is for who has a keyboard, `presses` for who can press and not hold. */
export function controlOf(state) {
  if (Object.hasOwn(BROKEN, state.phase)) return BROKEN[state.phase];
  if (state.sound === "blocked") {
    return { name: "paused", word: "The sound is off", hint: "Press to hear your tutor.", action: "unblock" };
  }
  if (state.paused) {
    return { name: "paused", word: "Paused", hint: "Take your time. Press when you are ready.", action: "resume" };
  }
  if (state.handHeld === true || state.speech === "speaking") {
    return state.handHeld === null
      ? { name: "speaking", word: "You are speaking", hint: "Press when you are done.", action: "done" }
      : { name: "speaking", word: "You are speaking", hint: "Let go when you are done.", presses: PRESSES, action: "hold" };
  }
  if (isSounding(state)) return sounding(state);
  if (state.response || state.speech === "waiting") {
    return { name: "thinking", word: "Thinking", hint: "Your tutor is working out an answer.", action: "interrupt" };
  }
  return quiet(state);
}

/** What the held key is for where it goes down: "hold", another action of the control's, or null. */
export function pressOf({ phase, ended, paused, microphone, session }) {
  if (ended || !["connecting", "open", "reconnecting"].includes(phase)) return null;
  if (paused) return "resume";
  if (session && session.hears_speech === false) return "type";
  if (microphone === "on") return "hold";
  return microphone === "asking" ? null : "listen";
}

function sounding({ floor }) {
  const who = floor.holder === "human" ? personName(floor.person) : "Tutor";
  return { name: "tutor", word: `${who} is speaking`, hint: "Tap to interrupt.", keys: "Or press Space.", action: "interrupt" };
}

function quiet(state) {
  const { floor, microphone, handHeld, session } = state;
  const listening = microphone === "on";
  if (floor.holder === "human") {
    return {
      name: "human", word: `${personName(floor.person)} is with you`,
      hint: listening ? "Speak, or type below." : "Type below to answer.", action: listening ? null : "listen",
    };
  }
  if (floor.holder === "awaiting") {
    return { name: "human", word: "A person is on the way", hint: "You can go on while you wait.", action: null };
  }
  if (session && session.hears_speech === false) {
    return {
      name: "type", word: "Listen, and type your answer",
      hint: "Your tutor can't understand this language by ear yet.", action: "type",
    };
  }
  if (microphone === "asking") {
    return { name: "off", word: "Turning the microphone on…", hint: "Your browser may ask you. Choose Allow.", action: null };
  }
  if (!listening) {
    return { name: "off", word: "Microphone off: you can type", hint: "Press to turn it on.", action: "listen" };
  }
  if (handHeld === false) {
    return { name: "listening", word: "Hold to talk", hint: "Hold this while you speak.", keys: "Or hold Space.", presses: PRESSES, action: "hold" };
  }
  return { name: "listening", word: "Listening", hint: "Speak, or type below.", action: null };
}

function personName(person) {
  return (typeof person === "string" ? person : person?.name) || "A person";
}
