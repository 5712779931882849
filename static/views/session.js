import { isBehind, readItem } from "../js/items.js";
import { readingsOf } from "../js/things.js";
import { moment } from "../lib/format.js";
import { html } from "../lib/html.js";
import { Feedback } from "./feedback.js";
import { Loading, Trouble } from "./frame.js";
import { useLoad } from "./load.js";
import { Readers } from "./readers.js";
import { Summary, Times, useSummary } from "./summary.js";
import { Line } from "./transcript.js";

const REASONS = {
  finished: "You finished it.",
  time_limit: "The time was up.",
  ended_by_staff: "Your school ended it.",
  abandoned: "You left, and it was closed later. Everything is kept.",
};

/** One past lesson: the summary, what was said, who has read it. */
export function Session({ api, me, session: id }) {
  const load = useLoad(async () => {
    const [card, { items }] = await Promise.all([api.session(id), api.transcript(id)]);
    return { card, items };
  }, id);
  if (load.error) {
    return html`<${Trouble} title="We can't show this lesson" text=${load.error.message} onRetry=${load.again} />`;
  }
  if (!load.value) return html`<${Loading} what="Fetching the lesson" />`;
  const { card, items } = load.value;
  const readings = readingsOf(items);
  return html`<p class="back"><a href="/student">Your lessons</a></p>
    <h1 dir="auto">${card.lesson.title}</h1>
    <p class="faint">${moment(card.started_at, me.locale)} · step ${card.step} of ${card.steps}.
      ${" "}${card.status === "live" ? "It is still open." : (REASONS[card.end_reason] ?? "")}</p>
    <${Times} wallMs=${card.wall_ms} spokenMs=${card.student_speech_ms} locale=${me.locale} />
    ${card.status === "live" && html`<p><a class="button primary"
      href=${`/student/lessons/${encodeURIComponent(card.lesson.slug)}?session=${card.id}`}>Continue</a></p>`}
    ${card.status === "ended" && html`<${SummaryOf} api=${api} id=${id} locale=${me.locale} />
      ${card.student.id === me.id && html`<${Feedback} api=${api} session=${id} given=${card.feedback} />`}`}
    <section aria-labelledby="said-title">
      <h2 id="said-title">What was said</h2>
      ${items.length === 0 ? html`<p class="empty">Nothing was said.</p>` : html`<ol class="log paper">
        ${items.filter((item) => !isBehind(item)).map((item) => html`<${Line} key=${item.id} item=${recorded(item, readings)} locale=${me.locale} />`)}</ol>`}
      <p class="downloads">Keep a copy:
        ${" "}<a href=${`/api/v1/sessions/${id}/transcript?format=text`} download>as text</a>,
        ${" "}<a href=${`/api/v1/sessions/${id}/transcript?format=vtt`} download>as subtitles</a></p>
    </section>
    <section aria-labelledby="readers-title">
      <h2 id="readers-title">Who can read this</h2>
      <${Readers} api=${api} session=${id} locale=${me.locale} />
    </section>`;
}

function SummaryOf({ api, id, locale }) {
  return html`<${Summary} summary=${useSummary(api, id)} locale=${locale} />`;
}

/** An item of the transcript in the shape that the lesson draws. */
function recorded({ id, role, speaker, status, said, heard, interrupted }, readings) {
  const read = readItem({ id, role, speaker, status, heard, content: [{ text: said }] });
  return {
    text: "", heard: null, words: [], playedMs: 0, ...read, reading: readings.get(id) ?? null,
    interrupted: Boolean(interrupted), final: true, saved: true, lost: role === "user" && !said,
  };
}
