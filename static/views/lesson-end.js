import { html, useEffect, useRef } from "../lib/html.js";
import { Feedback } from "./feedback.js";
import { Icon } from "./icons.js";
import { Summary, Times, useSummary } from "./summary.js";

const REASONS = {
  finished: "You stopped here for today",
  time_limit: "The time for this lesson is up",
  ended_by_staff: "Your school ended this lesson",
  abandoned: "This lesson was closed after you had left",
};

/** After the lesson: what it was, and what comes next. */
export function Ended({ api, me, state, lesson, session }) {
  const recorded = useSummary(api, session);
  const title = useRef(null);
  const whole = state.progress?.status === "lesson_done";
  useEffect(() => title.current.focus(), []);
  const { ended, summary: told } = state;
  const summary = recorded && !recorded.missing ? recorded : (fromSocket(told) ?? recorded);
  return html`<section class="ended card">
    <p class="ended-mark"><${Icon} name="over" size=${56} /></p>
    <h1 tabindex="-1" ref=${title}>${whole ? "You finished this lesson" : (REASONS[ended?.reason] ?? "This lesson is over")}</h1>
    <p class="faint" dir="auto" lang=${lesson.language}>${lesson.title}</p>
    ${ended && html`<${Times} wallMs=${ended.duration_ms} spokenMs=${ended.spoken_ms} locale=${me.locale} />`}
    ${session && !lesson.sandbox && html`<${Feedback} api=${api} session=${session} />`}
    <${Summary} summary=${summary} language=${lesson.language} locale=${me.locale} />
    <div class="actions">
      ${lesson.sandbox
        ? html`<a class="button primary" href=${`/instructor/lessons/${lesson.id}`}>Back to the draft</a>`
        : html`<a class="button primary" href="/student">Your lessons</a>`}
      ${session && html`<a class="button" href=${`/student/sessions/${session}`}>Read what was said</a>`}
    </div>
  </section>`;
}

/** What the lesson's own connection told, until the record has more. */
function fromSocket(told) {
  if (!told) return null;
  const sentences = typeof told.narrative === "string" ? [{ text: told.narrative }] : told.narrative;
  const steps = (told.next_steps ?? []).map((step) => (typeof step === "string" ? { text: step } : step));
  return { narrative: sentences, next_steps: steps, done_well: null, practice: [] };
}
