import { KINDS, MODES, THUMBS, endWords, engineWords, speakerName } from "../js/session-words.js";
import { valueOf } from "../js/override-form.js";
import { clock, duration, moment } from "../lib/format.js";
import { html, useState } from "../lib/html.js";
import { useLoad } from "./load.js";
import { Readers } from "./readers.js";
import { SideBySide } from "./word-diff.js";

/** What else there is to know of a session: durations, engine, the student's word, corrections, readers, the brief. */
export function DeskSide({ api, record, links, reasons, times, locale, me, desk }) {
  const { card, overrides } = record;
  const others = overrides?.filter(({ state, author }) => state !== "draft" || author.id === me.id) ?? [];
  return html`<section class="desk-facts" aria-labelledby="facts-title"><h2 id="facts-title">About this session</h2>
      <${Facts} card=${card} locale=${locale} />
    </section>
    <${Panel} title=${`Corrections (${others.length})`}><${History} overrides=${others} links=${links} times=${times} reasons=${reasons} student=${card.student.name} locale=${locale} desk=${desk} /><//>
    <${Panel} title="Who has read it"><${Readers} api=${api} session=${card.id} locale=${locale}
      sentence="The student can see who has opened what was said, and so can you." /><//>
    ${card.may.review && html`<${Panel} title="What the tutor was told"><${Brief} api=${api} id=${card.id} /><//>`}`;
}

/** A part that is made when it is opened. */
function Panel({ title, children }) {
  const [opened, setOpened] = useState(false);
  return html`<details class="panel" onToggle=${(event) => event.target.open && setOpened(true)}>
    <summary><h2>${title}</h2></summary>
    ${opened && html`<div class="panel-body">${children}</div>`}
  </details>`;
}

function Facts({ card, locale }) {
  const row = (name, value) => html`<div key=${name}><dt>${name}</dt><dd>${value}</dd></div>`;
  const long = (ms) => duration(ms, locale);
  const { feedback } = card;
  return html`<dl class="facts">
    ${row("Lesson", html`<span dir="auto">${card.lesson.title}</span>, ${card.version ? `version ${card.version}` : "a trial of a draft"}`)}
    ${row("Began", html`${moment(card.started_at, locale)}, ${MODES[card.mode]}`)}
    ${row("Together", long(card.wall_ms))}
    ${card.student_speech_ms > 0 && row("The student spoke", long(card.student_speech_ms))}
    ${card.tutor_speech_ms > 0 && row("The tutor spoke", long(card.tutor_speech_ms))}
    ${card.mode === "voice" && row("Silence", long(card.silence_ms))}
    ${row("Ended", endWords(card))}
    ${row("Tutor engine", engineWords(card.engines) || "none yet")}
    ${row("The student said", feedback ? html`${THUMBS[feedback.helpful ? "up" : "down"]}${feedback.comment && html`: <span dir="auto">“${feedback.comment}”</span>`}` : "nothing yet")}
  </dl>`;
}

const STATES = { published: "in force", superseded: "replaced later", draft: "your draft, not published" };

/** All corrections, the newest first; what they replaced is under them. */
function History({ overrides, links, times, reasons, student, locale, desk }) {
  if (overrides.length === 0) return html`<p class="empty">Nothing was corrected yet. Choose “Correct” beside what was said, or press <kbd>e</kbd>.</p>`;
  const newest = [...overrides].sort((one, other) => (other.published_at ?? other.changed_at).localeCompare(one.published_at ?? one.changed_at));
  return html`<ol class="history">${newest.map((one) => html`<${Past} key=${one.id} override=${one} links=${links} times=${times} reasons=${reasons}
    student=${student} locale=${locale} desk=${desk} />`)}</ol>`;
}

function Past({ override, links, times, reasons, student, locale, desk }) {
  const { target: { kind, id }, original, new: content, author, state, note } = override;
  const words = (one) => (kind === "speaker" ? speakerName(one.speaker, student) : valueOf(one));
  const why = override.reasons.map((code) => reasons.get(code) ?? code).join(" · ");
  return html`<li class="past">
    <p><strong>${KINDS[kind]}</strong> <${Where} id=${id} links=${links} times=${times} desk=${desk} />
      ${" "}<span class="mark ${state === "published" ? "good" : ""}">${STATES[state]}</span></p>
    <${SideBySide} before=${words(original)} after=${words(content)} titles=${["As it was recorded", "Corrected"]} />
    <p class="faint"><span dir="auto">${author.name}</span>, ${moment(override.published_at ?? override.changed_at, locale)} · ${why}${override.replaces ? " · on an earlier correction" : ""}</p>
    ${note && html`<p class="faint">Note: <span dir="auto">${note}</span></p>`}
    ${state === "draft" && html`<button type="button" class="button" onClick=${() => desk.resume(override)}>Go on with it</button>`}
  </li>`;
}

function Where({ id, links, times, desk }) {
  if (times.has(id)) return html`<span>at <a href="#${id}" onClick=${(event) => desk.toItem(event, id)}>${clock(times.get(id))}</a></span>`;
  const line = links.sentences.find((one) => one.id === id);
  if (line) return html`<span>in <a href="#${id}" onClick=${(event) => desk.toSentence(event, id)}>sentence ${line.number}</a></span>`;
  return html`<span class="faint">of an earlier summary</span>`;
}

function Brief({ api, id }) {
  const load = useLoad(() => api.get(`/sessions/${id}/brief`), id);
  if (load.error) return html`<p role="alert">${load.error.message}</p>`;
  if (!load.value) return html`<p class="faint">Fetching it…</p>`;
  const { hash, text } = load.value;
  return html`<p class="faint">Exactly this. Its fingerprint is <code class="hash">${hash.slice(0, 12)}</code>.</p>
    <pre class="brief" tabindex="0" dir="auto" role="region" aria-label="What the tutor was told">${text}</pre>`;
}
