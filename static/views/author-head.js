import { html } from "../lib/html.js";
import { State } from "./author-lessons.js";

/** The lesson's own head and sections, on each of its pages. */
export function LessonNav({ lesson, current, title, children }) {
  const base = `/instructor/lessons/${lesson.id}`;
  const links = [[base, "Write"], [`${base}/versions`, "Versions"], [`${base}/assignments`, "Assignments"]];
  return html`<p class="back"><a href="/instructor">Lessons</a></p>
    <div class="page-head lesson-top">
      <div><h1 dir="auto">${title || "Without a title"}</h1><p class="lesson-state"><${State} lesson=${lesson} /></p></div>
      ${children}
    </div>
    <nav class="sub-tabs" aria-label="Of this lesson">${links.map(([href, words]) => html`<a key=${href} class="tab" href=${href}
      aria-current=${words === current ? "page" : undefined}>${words}</a>`)}</nav>`;
}

const WORDS = {
  saved: "All saved",
  saving: "Saving…",
  conflict: "Somebody changed the same text",
  refused: "One field can't be saved as it is",
};
const REASONS = {
  offline: "Not saved yet: we can't reach the school's server. Your words are kept on this computer, and we keep trying.",
  busy: "Not saved yet: the server is busy. Your words are kept on this computer, and we keep trying.",
  "signed-out": "Not saved yet: you are signed out. Your words are kept on this computer.",
};

/** How safe the draft is, in words; `where` needs a decision, `onGo` leads there. */
export function SaveState({ standing, line, where, keeps, onGo, onRetry }) {
  const text = standing === "unsaved" ? REASONS[line.why] : [WORDS[standing], where].filter(Boolean).join(": ");
  const signIn = `/sign-in?next=${encodeURIComponent(location.pathname)}`;
  return html`<div class="save-state" data-standing=${standing}>
    <span class="save-mark" aria-hidden="true"></span><span>${text}
      ${standing !== "saved" && !keeps && html` <strong>This browser can't keep your words: don't close the page.</strong>`}</span>
    ${standing === "unsaved" && (line.why === "signed-out"
      ? html`<a class="button" href=${signIn}>Sign in</a>`
      : html`<button type="button" class="button quiet" onClick=${onRetry}>Try now</button>`)}
    ${["conflict", "refused"].includes(standing) && html`<button type="button" class="button quiet" onClick=${onGo}>Go there</button>`}
  </div>`;
}

/** What a screen reader hears of saving: only when something is wrong, and when it is well again. */
export function announcement(before, now, line) {
  if (before === now) return null;
  if (now === "unsaved") return REASONS[line.why];
  if (now === "conflict" || now === "refused") return `${WORDS[now]}.`;
  return now === "saved" && before === "unsaved" ? "All saved." : null;
}
