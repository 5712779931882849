import { Follower } from "../js/follower.js";
import { follow } from "../js/news.js";
import { readingAlong } from "../js/presence.js";
import { engineWords, speakerName } from "../js/session-words.js";
import { duration } from "../lib/format.js";
import { html, useEffect, useMemo, useState } from "../lib/html.js";
import { Figure } from "./figure.js";
import { Loading, Trouble } from "./frame.js";
import { Steps } from "./lesson-head.js";
import { useLoad } from "./load.js";
import { Transcript } from "./transcript.js";

const LINES = {
  idle: "Opening…", connecting: "Opening…", open: "Live", reconnecting: "The line is broken. Trying again…",
  waiting: "The student has lost the connection. It goes on here when they are back.",
};

/** A running lesson, word by word. One reads along; to say something comes later. */
export function Follow({ api, me, place, retitle }) {
  const id = place.session;
  const load = useLoad(() => api.session(id), id);
  const card = load.value;
  useEffect(() => {
    if (card) retitle(`${card.student.name}, live`);
  }, [card?.id]);
  const ways = html`<a class="button" href="/tutor/live">Running lessons</a>`;
  if (load.error) return html`<${Trouble} title="We can't show this lesson" text=${load.error.message} onRetry=${load.again}>${ways}<//>`;
  if (!card) return html`<${Loading} what="Opening the lesson" />`;
  if (card.status === "ended") return html`<${Over} card=${card} me=${me} />`;
  return html`<${Room} key=${id} api=${api} me=${me} card=${card} ways=${ways} />`;
}

function Room({ api, me, card, ways }) {
  const follower = useMemo(() => new Follower({ api, session: card.id }), [card.id]);
  const [state, setState] = useState(follower.state);
  useEffect(() => {
    const unsubscribe = follower.store.subscribe(setState);
    follower.start();
    const correct = () => api.transcript(card.id).then(({ items }) => follower.corrected(items), () => null);
    const stop = follow({ hear: (name, about) => name === "override.published" && about.session_id === card.id && correct(), refresh: correct });
    if (card.corrections > 0) correct();
    return () => {
      unsubscribe();
      stop();
      follower.leave();
    };
  }, [follower]);
  const names = { student: card.student.name, ai: speakerName("ai"), system: "" };
  if (state.phase === "over") return html`<${Over} card=${card} me=${me} ended=${state.ended} items=${state.items} names=${names} />`;
  if (state.phase === "refused" || state.phase === "signed-out" || state.phase === "taken") {
    const text = state.refusal?.message ?? state.notices.at(-1)?.text ?? "Sign in again, or ask your school's office.";
    return html`<${Trouble} title="You can't follow this lesson any longer" text=${text}>${ways}<//>`;
  }
  const { progress, people, figures } = state;
  const others = people.filter(({ name }) => name !== me.name);
  return html`<div class="follow"><p class="back"><a href="/tutor/live">Live</a></p>
    <header class="desk-head follow-head">
      <div class="desk-title"><h1><span dir="auto">${card.student.name}</span><span class="desk-lesson" dir="auto">${card.lesson.title}</span></h1></div>
      <p class="follow-line" role="status" data-phase=${state.phase}><span class="follow-dot" aria-hidden="true"></span>${LINES[state.phase] ?? "Opening…"}</p>
      ${progress && html`<${Steps} ...${progress} />`}
    </header>
    ${figures.length > 0 && html`<section class="follow-board" tabindex="0" aria-label="On the board">
      ${figures.toReversed().map((figure) => html`<${Figure} key=${figure.id} figure=${figure} />`)}</section>`}
    <${Transcript} items=${state.items} speech=${state.speech} announce=${true} names=${names} locale=${me.locale} tools=${true} />
    <footer class="follow-foot">
      <p>You read along. <bdi>${card.student.name}</bdi> can see that you do.${others.length > 0 && html` <span dir="auto">${readingAlong(others)}</span>`}
        ${state.session && html` <span class="faint">${engineWords([state.session.engine])}</span>`}</p>
      ${state.notices.map(({ code, text }) => html`<p key=${code} class="note" dir="auto">${text}</p>`)}
    </footer></div>`;
}

function Over({ card, me, ended, items, names }) {
  return html`<div class="follow"><p class="back"><a href="/tutor/live">Live</a></p>
    <section class="card follow-over" role="status">
      <h1>This lesson is over</h1>
      <p><bdi>${card.student.name}</bdi>: <span dir="auto">${card.lesson.title}</span>${ended && `, ${duration(ended.duration_ms, me.locale)}`}.</p>
      <div class="actions"><a class="button primary" href=${`/tutor/sessions/${card.id}`}>Review it</a><a class="button" href="/tutor/live">Running lessons</a></div>
    </section>
    ${items?.length > 0 && html`<${Transcript} items=${items} speech="none" announce=${false} names=${names} locale=${me.locale} tools=${true} />`}</div>`;
}
