import { isSaving, isSounding } from "../js/control.js";
import { readingAlong } from "../js/presence.js";
import { html, useEffect, useRef, useState } from "../lib/html.js";
import { Board } from "./board.js";
import { Composer } from "./composer.js";
import { Control } from "./control.js";
import { LessonDialog } from "./lesson-dialogs.js";
import { LessonHead } from "./lesson-head.js";
import { troubleOf } from "../js/audio/trouble.js";
import { Help } from "./mic-check.js";
import { Transcript } from "./transcript.js";
import { Trying } from "./trying.js";

/** The lesson itself. */
export function Talk({ api, me, room, state, lesson, prefer }) {
  const [dialog, setDialog] = useState(null); // null | board | options | ask | finish | readers
  const close = () => setDialog(null);
  const main = useRef(null);
  useEffect(() => main.current.focus(), []);
  useKeys(room, state, dialog !== null);
  const act = (action) => ({
    interrupt: () => room.interrupt(), done: () => room.commit(), resume: () => room.pause(false), listen: () => room.listen(), reopen: () => room.reopen(), unblock: () => room.unblock(),
    type: () => focusOn("composer"),
  })[action]();
  const dismiss = (code) => {
    room.dismiss(code);
    focusOn("control");
  };
  const choose = (preferences) => {
    prefer(preferences);
    room.prefer(preferences);
  };
  const { session, board, figures, progress, items, speech, microphone, trouble, paused } = state;
  const isQuiet = !isSounding(state) && !state.response;
  return html`<a class="skip" href="#composer">Skip to typing</a>
    <div class="lesson">
      ${lesson.sandbox && html`<${Trying} lesson=${lesson} />`}
      <${LessonHead} lesson=${lesson} state=${state} saving=${isSaving(state)} open=${setDialog} hasBoard=${board.length + figures.length > 0} />
      <main class="lesson-main" id="main" tabindex="-1" ref=${main}>
        <div class="lesson-view">
          <h1 class="for-screen-reader" lang=${lesson.language}>${lesson.title}</h1>
          <${Transcript} items=${items} speech=${speech} language=${lesson.language}
            rules=${session?.engine === "offline"} announce=${me.preferences.announce !== false} locale=${me.locale} />
          <${Board} figures=${figures} formulas=${board} goal=${progress?.goal ?? lesson.goal} language=${lesson.language} />
        </div>
        <div class="dock">
          <${Notices} state=${state} dismiss=${dismiss} />
          ${microphone === "refused" && html`<${Refused} trouble=${trouble} room=${room} />`}
          <${Control} state=${state} act=${act} room=${room} />
          <${Composer} onSend=${(text) => room.type(text)} language=${lesson.language} />
          <div class="dock-actions">
            <button type="button" class="button quiet" aria-pressed=${paused} onClick=${() => room.pause(!paused)}>
              ${paused ? "Go on" : "Give me a minute"}</button>
            <button type="button" class="button quiet" aria-disabled=${!isQuiet || items.length === 0}
              onClick=${() => isQuiet && room.repeat()}>Say it again</button>
            <button type="button" class="button quiet" onClick=${() => setDialog("ask")}>Ask a person</button>
          </div>
          ${!lesson.sandbox && html`<p class="lesson-foot"><span dir="auto">${readingAlong(state.people) ?? "Your teacher and tutor can read this lesson."}</span>
            ${" "}<button type="button" class="link" onClick=${() => setDialog("readers")}>Who has?</button></p>`}
        </div>
      </main>
    </div>
    ${dialog && html`<${LessonDialog} name=${dialog} close=${close} api=${api} me=${me} room=${room} state=${state}
      lesson=${lesson} choose=${choose} />`}`;
}

/** What had the focus is gone; it moves to where one goes on. */
function focusOn(id) {
  document.getElementById(id)?.focus();
}

function Notices({ state, dismiss }) {
  return html`<div class="notices" role="status">
    ${state.notices.map(({ code, text }) => html`<p class="notice" key=${code}>
      <span dir="auto">${text}</span>
      <button type="button" class="button quiet" onClick=${() => dismiss(code)}>Close<span class="for-screen-reader"> this message</span></button>
    </p>`)}
  </div>`;
}

function Refused({ trouble, room }) {
  const help = troubleOf(trouble, { userAgent: navigator.userAgent, secure: window.isSecureContext });
  const typing = () => {
    room.mute();
    focusOn("composer");
  };
  return html`<div class="refused">
    <${Help} trouble=${help} />
    <button type="button" class="button" onClick=${() => room.listen()}>Try the microphone again</button>
    <button type="button" class="button quiet" onClick=${typing}>I'll type</button>
  </div>`;
}

/** Space and Escape interrupt the tutor; with hold-to-talk, Space is the button. */
function useKeys(room, state, busy) {
  useEffect(() => {
    const isOwnKey = (event) => event.target.closest?.("input, textarea, select, button, a, summary, dialog");
    const down = (event) => {
      if (busy || event.altKey || event.ctrlKey || event.metaKey) return;
      if (event.key === "Escape") room.interrupt();
      if (event.key !== " " || isOwnKey(event)) return;
      event.preventDefault();
      if (event.repeat) return;
      if (room.state.handHeld !== null) room.hold(true, { key: " " });
      else room.interrupt();
    };
    window.addEventListener("keydown", down);
    return () => window.removeEventListener("keydown", down);
  }, [room, busy]);
}
