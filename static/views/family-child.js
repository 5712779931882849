import { correctionWords, otherCorrections } from "../js/family-words.js";
import { day, dayWithin, duration } from "../lib/format.js";
import { html } from "../lib/html.js";
import { Loading, Trouble } from "./frame.js";
import { useLoad } from "./load.js";
import { Rich } from "./maths.js";
import { More } from "./more.js";

/** What one child's lessons came to. */
export function Child({ api, me, place, retitle }) {
  const path = `/children/${encodeURIComponent(place.child)}/sessions`;
  const load = useLoad(async () => {
    const [children, page] = await Promise.all([api.get("/children"), api.get(path)]);
    const child = children.items.find(({ id }) => id === place.child);
    retitle(child?.name ?? "Lessons");
    return { ...page, child, all: children.shows_all };
  }, place.child);
  if (load.error) return html`<${Trouble} title="We can't show these lessons" text=${load.error.message} onRetry=${load.again}><a class="button" href="/family">My children</a><//>`;
  if (!load.value) return html`<${Loading} what="Fetching the lessons" />`;
  const { items, child, all } = load.value;
  const name = child?.name ?? "your child";
  return html`<div><p class="back"><a href="/family">My children</a></p>
    <h1 dir="auto">${name}</h1>
    ${items.length === 0
      ? html`<p class="empty">Nothing to read yet. ${all ? "After the first lesson you find here what it came to." : "You find a lesson here once somebody of the school has been through it."}</p>`
      : html`<div><p class="lead">What the lessons came to. The texts are written to <span dir="auto">${name}</span>.</p>
        ${items.map((session) => html`<${Lesson} key=${session.id} session=${session} child=${name} locale=${me.locale} />`)}
        <${More} page=${load.value} ask=${(cursor) => api.get(path, { cursor })} onMore=${(next) => load.set({ ...next, child, all })} /></div>`}</div>`;
}

function Lesson({ session, child, locale }) {
  const { lesson, started_at: at, wall_ms: wall, student_speech_ms: spoken, step, steps, narrative, next_steps: next, done_well: well, reviewed } = session;
  const title = `lesson-${session.id}`;
  const corrections = otherCorrections(session);
  return html`<article class="card family-lesson" aria-labelledby=${title}>
    <header><h2 id=${title} dir="auto">${lesson.title}</h2>
      <p class="faint">${day(at, locale)} · ${duration(wall, locale)}${spoken > 0 && `, ${duration(spoken, locale)} of speaking`} · step ${step} of ${steps}</p>
      <p class="family-state">${reviewed
        ? html`<span class="mark good">Reviewed</span> <span class="faint">by <span dir="auto">${reviewed.by.name}</span>, ${dayWithin(reviewed.at, locale)}</span>`
        : html`<span class="mark warn">Not reviewed yet</span> <span class="faint">a computer wrote this, and nobody has checked it</span>`}</p></header>
    ${narrative.length === 0 ? html`<p class="empty">The summary is not written yet.</p>` : html`
      <section><h3>What happened</h3>
        ${narrative.map((one) => html`<${Sentence} key=${one.id} sentence=${one} locale=${locale} />`)}</section>`}
    ${well && html`<section class="well"><h3>Done well</h3><${Sentence} sentence=${well} locale=${locale} /></section>`}
    ${next.length > 0 && html`<section><h3>What comes next</h3>
      <ul>${next.map((one) => html`<li key=${one.id}><${Sentence} sentence=${one} locale=${locale} /></li>`)}</ul></section>`}
    ${corrections.length > 0 && html`<section><h3>What was corrected</h3>
      <ul class="corrections">${corrections.map((one) => html`<${Correction} key=${`${one.kind} ${one.at}`} correction=${one} child=${child} locale=${locale} />`)}</ul></section>`}
  </article>`;
}

/** A sentence as it stands now; where somebody corrected it, who did, and what stood there before. */
function Sentence({ sentence: { text, original, correction }, locale }) {
  if (!correction) return html`<p dir="auto"><${Rich} text=${text} /></p>`;
  return html`<div class="corrected"><p dir="auto"><${Rich} text=${text} /></p>
    <p class="faint">✓ Corrected by <span dir="auto">${correction.by.name}</span>, ${dayWithin(correction.at, locale)}</p>
    ${original !== null && html`<details><summary>What it said before</summary><p><del dir="auto"><${Rich} text=${original} /></del></p></details>`}</div>`;
}

function Correction({ correction, child, locale }) {
  const { title, was, now, isPrivate } = correctionWords(correction, child);
  return html`<li><p class="correction-title">${title}</p>
    <p>${isPrivate ? html`<span class="faint">Something private was taken out.</span> ` : html`<del dir="auto"><${Rich} text=${was} /></del> <span aria-hidden="true">→</span><span class="for-screen-reader">is now</span> `}<ins dir="auto"><${Rich} text=${now} /></ins></p>
    <p class="faint">✓ Corrected by <span dir="auto">${correction.by.name}</span>, ${dayWithin(correction.at, locale)}</p></li>`;
}
