import { day, duration } from "../lib/format.js";
import { classes, html } from "../lib/html.js";
import { Loading, Trouble } from "./frame.js";
import { useLoad } from "./load.js";
import { More } from "./more.js";

/** The student's home: the lessons to do, then what was done. */
export function Home({ api, me }) {
  const lessons = useLoad(() => api.lessons(), "lessons");
  const sessions = useLoad(() => api.sessions({ status: "ended", limit: 10 }), "sessions");
  if (lessons.error) {
    return html`<${Trouble} title="Your lessons did not load" text=${lessons.error.message} onRetry=${lessons.again}> <//>`;
  }
  if (!lessons.value) return html`<${Loading} what="Fetching your lessons" />`;
  return html`<h1>Hello, <span dir="auto">${me.name}</span></h1>
    <section aria-labelledby="lessons-title">
      <h2 id="lessons-title">Your lessons</h2>
      <${Lessons} api=${api} page=${lessons.value} locale=${me.locale} onMore=${lessons.set} />
    </section>
    <section aria-labelledby="sessions-title">
      <h2 id="sessions-title">What you did before</h2>
      <${Sessions} api=${api} load=${sessions} locale=${me.locale} />
    </section>`;
}

function Lessons({ api, page, locale, onMore }) {
  if (page.items.length === 0) {
    return html`<p class="empty">No lessons yet. Your teacher will put them here; come back a little later.</p>`;
  }
  const open = page.items.filter((lesson) => lesson.status !== "done");
  const first = (open.find((lesson) => lesson.live_session_id) ?? open[0])?.id;
  return html`<ul class="cards">
      ${page.items.map((lesson) => html`<${Lesson} key=${lesson.id} lesson=${lesson} next=${lesson.id === first} locale=${locale} />`)}
    </ul>
    <${More} page=${page} ask=${(cursor) => api.lessons(cursor)} onMore=${onMore} />`;
}

const VERBS = { new: "Start", in_progress: "Continue", done: "Do it again" };
const MARKS = { new: "New", in_progress: "Started", done: "Done" };

function Lesson({ lesson, next, locale }) {
  const { slug, title, subject, level, goal, steps, status, live_session_id: live, due_at: due } = lesson;
  const address = `/student/lessons/${encodeURIComponent(slug)}${live ? `?session=${live}` : ""}`;
  return html`<li class="card lesson-card" data-status=${status} lang=${lesson.language}>
    <p class="card-over" lang="en">
      <span dir="auto">${[subject, level].filter(Boolean).join(" · ")}</span>
      <span class="mark" data-status=${status}>${MARKS[status]}</span>
    </p>
    <h3 dir="auto">${title}</h3>
    <p class="card-text" dir="auto">${goal}</p>
    <div class="card-foot" lang="en">
      <span class="faint">${steps} ${steps === 1 ? "step" : "steps"}${due ? ` · by ${day(due, locale)}` : ""}</span>
      <a class=${classes({ button: true, primary: next })} href=${address}>${VERBS[status]}
        <span class="for-screen-reader">: ${title}</span></a>
    </div>
  </li>`;
}

function Sessions({ api, load, locale }) {
  if (load.error) return html`<p class="empty" role="alert">${load.error.message}</p>`;
  if (!load.value) return html`<${Loading} what="Looking" />`;
  if (load.value.items.length === 0) {
    return html`<p class="empty">Nothing yet. After your first lesson you can read here what you and your tutor said.</p>`;
  }
  return html`<ul class="rows">
      ${load.value.items.map((session) => html`<li class="row" key=${session.id}>
        <a href=${`/student/sessions/${session.id}`} dir="auto">${session.lesson.title}</a>
        <span class="faint">${factsOf(session, locale)}</span>
      </li>`)}
    </ul>
    <${More} page=${load.value} ask=${(cursor) => api.sessions({ status: "ended", limit: 10, cursor })} onMore=${load.set} />`;
}

function factsOf({ started_at: started, wall_ms: wall, step, steps }, locale) {
  return `${day(started, locale)} · ${duration(wall, locale)} · step ${step} of ${steps}`;
}
