import { html } from "../lib/html.js";

/** Before the lesson: what it is, who can read it, and one press to begin (sound needs that press, too). */
export function Ready({ lesson, continues, onTalk, onType, onCheck }) {
  const { title, subject, level, goal, steps, language, hears_speech: hears, readers } = lesson;
  return html`<section class="ready card">
    <p class="card-over"><span dir="auto">${[subject, level].filter(Boolean).join(" · ")}</span></p>
    <h1 dir="auto" lang=${language}>${title}</h1>
    <p class="ready-goal" dir="auto" lang=${language}>${goal}</p>
    <p class="faint">${steps} ${steps === 1 ? "step" : "steps"}. Stop whenever you like; your place is kept.</p>
    ${!hears && html`<p class="note">In this lesson your tutor speaks ${languageName(language)}, but can't
      understand it by ear yet. You type your answers.</p>`}
    <div class="actions">
      <button type="button" class="button primary large" onClick=${hears ? onTalk : onType}>
        ${continues ? "Continue" : "Start"}</button>
      ${hears && html`<button type="button" class="button large" onClick=${onType}>
        ${continues ? "Continue" : "Start"} by typing only</button>`}
    </div>
    ${hears && html`<p><button type="button" class="link" onClick=${onCheck}>Check my microphone first (20 seconds)</button></p>`}
    <p class="readers-line">${readers ?? "Your teacher and tutor can read this lesson."}</p>
  </section>`;
}

export function languageName(tag) {
  try {
    return new Intl.DisplayNames("en", { type: "language" }).of(tag);
  } catch {
    return "this language";
  }
}
