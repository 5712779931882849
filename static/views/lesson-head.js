import { html } from "../lib/html.js";

const LINES = { good: "good", fair: "weak", poor: "poor" };

/** The top line: what, how far, whether it is safe, and the way out. */
export function LessonHead({ lesson, state, saving, open, hasBoard }) {
  const { phase, quality, progress } = state;
  const isOpen = phase === "open";
  const kept = saving ? "saving…" : state.items.some((item) => item.saved) ? "saved" : "";
  return html`<header class="lesson-head">
    <p class="lesson-title" dir="auto" lang=${lesson.language}>${lesson.title}</p>
    ${progress && html`<${Steps} ...${progress} />`}
    <p class="lesson-line" data-quality=${isOpen ? quality : "none"} data-saving=${saving} data-line=${state.line}>
      <span class="line-saved">${kept}</span>${kept && html`<span aria-hidden="true"> · </span>`}
      <span class="line-bars" aria-hidden="true"><i></i><i></i><i></i></span> ${isOpen
        ? html`<span class=${quality === "good" ? "line-extra" : ""}>${LINES[quality]}<span class="line-extra"> connection</span></span>`
        : "no connection"}</p>
    <div class="lesson-ways">
      ${!lesson.sandbox && html`<a class="button quiet" href="/student">Lessons</a>`}
      <button type="button" class="button quiet board-button" onClick=${() => open("board")}>Board${hasBoard
        ? html`<span class="dot" aria-hidden="true"></span>` : ""}</button>
      <button type="button" class="button quiet" onClick=${() => open("options")}>Options</button>
      <button type="button" class="button quiet" onClick=${() => open("finish")}>Finish</button>
    </div>
  </header>`;
}

const MANY = 12; // dots beyond this are noise

export function Steps({ step, steps }) {
  return html`<p class="steps">step ${step} of ${steps}
    ${steps <= MANY && html`<span class="steps-dots" aria-hidden="true">${Array.from({ length: steps }, (_, i) =>
      html`<i key=${i} data-on=${i < step}></i>`)}</span>`}</p>`;
}
