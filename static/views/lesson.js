import { follow } from "../js/news.js";
import { LessonRoom } from "../js/room.js";
import { html, useEffect, useRef, useState } from "../lib/html.js";
import { Frame, Loading, Trouble } from "./frame.js";
import { Ended } from "./lesson-end.js";
import { Ready } from "./lesson-ready.js";
import { Talk } from "./lesson-talk.js";
import { useLoad } from "./load.js";
import { MicCheck } from "./mic-check.js";
import { Trying } from "./trying.js";

/** A lesson from its first look to its end: ready, the microphone check, the talk, what it was. */
export function Lesson({ api, me, prefer, onSignOut, onSignedOut, slug, session }) {
  const load = useLoad(() => api.lesson(slug, session), slug);
  const [stage, setStage] = useState("ready"); // ready | check | room
  const room = useRef(null);
  useEffect(() => () => room.current?.leave(), []);
  const enter = (talking) => {
    room.current = new LessonRoom({
      api, lesson: slug, session: session ?? load.value.live_session_id, preferences: me.preferences,
      told: { session: keepInAddress, signedOut: onSignedOut },
    });
    room.current.start({ talking });
    setStage("room");
  };
  const framed = (content) => html`<${Frame} api=${api} me=${me} onSignOut=${onSignOut}>${load.value?.sandbox
    && html`<${Trying} lesson=${load.value} />`}${content}<//>`;
  if (load.error) {
    return framed(html`<${Trouble} title="We can't open this lesson" text=${load.error.message} onRetry=${load.again} />`);
  }
  if (!load.value) return framed(html`<${Loading} what="Fetching your lesson" />`);
  document.title = `${load.value.title} · Student Connect`;
  if (stage === "room") {
    return html`<${Room} api=${api} me=${me} room=${room.current} lesson=${load.value} prefer=${prefer} onSignOut=${onSignOut} />`;
  }
  const checked = (talking) => {
    prefer({ mic_checked: true });
    enter(talking);
  };
  if (stage === "check") return framed(html`<${MicCheck} onDone=${checked} />`);
  const talk = () => (me.preferences.mic_checked ? enter(true) : setStage("check"));
  return framed(html`<${Ready} lesson=${load.value} continues=${!load.value.sandbox && Boolean(session ?? load.value.live_session_id)}
    onTalk=${talk} onType=${() => enter(false)} onCheck=${() => setStage("check")} />`);
}

function keepInAddress(session) {
  const address = new URL(location.href);
  address.searchParams.set("session", session);
  history.replaceState(history.state, "", address);
}

function Room({ api, me, room, lesson, prefer, onSignOut }) {
  const [state, setState] = useState(room.state);
  useEffect(() => {
    setState(room.state);
    return room.store.subscribe(setState);
  }, [room]);
  useEffect(() => followCorrections(api, room), [room]);
  const framed = (content) => html`<${Frame} api=${api} me=${me} onSignOut=${onSignOut}>${lesson.sandbox
    && html`<${Trying} lesson=${lesson} />`}${content}<//>`;
  if (state.phase === "over") {
    return framed(html`<${Ended} api=${api} me=${me} state=${state} lesson=${lesson} session=${room.sessionId} />`);
  }
  if (state.phase === "refused") {
    return framed(html`<${Trouble} title="This lesson can't be opened now" text=${state.refusal?.message ?? ""} />`);
  }
  return html`<${Talk} api=${api} me=${me} room=${room} state=${state} lesson=${lesson} prefer=${prefer} />`;
}

/** Somebody of the school may put right what was misheard while the lesson still goes on. */
function followCorrections(api, room) {
  const ask = () => room.sessionId && api.transcript(room.sessionId).then(({ items }) => room.corrected(items), () => null);
  if (room.sessionId) ask();
  return follow({
    hear: (name, { session_id: id }) => name === "override.published" && id === room.sessionId && ask(),
    refresh: ask,
  });
}
