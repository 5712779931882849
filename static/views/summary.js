import { duration } from "../lib/format.js";
import { html, useEffect, useState } from "../lib/html.js";
import { Correction } from "./correction.js";
import { Rich } from "./maths.js";

const PATIENCE = 15;
const EVERY_MS = 2000;

/** The summary from the record, asked for until it is written; null while it is not. */
export function useSummary(api, session) {
  const [summary, setSummary] = useState(null);
  useEffect(() => {
    if (!session) return undefined;
    let timer = null;
    let tries = 0;
    const ask = async () => {
      const answer = await api.summary(session).catch(() => null);
      if (answer?.status === "ready") setSummary(answer);
      else if (++tries < PATIENCE) timer = setTimeout(ask, EVERY_MS);
      else setSummary({ missing: true });
    };
    ask();
    return () => clearTimeout(timer);
  }, [session]);
  return summary;
}

const MARK = html`<sup class="correction-mark" lang="en"><span aria-hidden="true">✓</span><span class="for-screen-reader"> (corrected)</span></sup>`;

/** What was covered, one thing done well, what comes next, practice. */
export function Summary({ summary, language, locale }) {
  if (!summary) return html`<p class="loading" role="status">Writing the summary of your lesson…</p>`;
  if (summary.missing) {
    return html`<p class="empty">The summary is not written yet. You will find it with this lesson a little later.</p>`;
  }
  const text = (part) => html`<${Rich} text=${part} language=${language} />`;
  const corrected = (sentence) => html`<${Corrected} sentence=${sentence} locale=${locale} />`;
  return html`<div class="summary" lang=${language}>
    <section><h2 lang="en">What you did</h2><p dir="auto">${summary.narrative.map((sentence) => html`${text(sentence.text)}${sentence.correction && MARK} `)}</p>
      ${summary.narrative.map(corrected)}</section>
    ${summary.done_well && html`<section class="well"><h2 lang="en">Done well</h2>
      <p dir="auto">${text(summary.done_well.text)}</p>${corrected(summary.done_well)}</section>`}
    ${list("What comes next", summary.next_steps, (step) => html`${text(step.text)}${corrected(step)}`, (step) => step.id ?? step.text)}
    ${list("To practise", summary.practice, text)}
  </div>`;
}

/** A person put it right: who, and what it said before. */
function Corrected({ sentence, locale }) {
  if (!sentence.correction) return null;
  return html`<div lang="en"><${Correction} correction=${sentence.correction} before=${sentence.original ?? ""} after=${sentence.text}
    titles=${["As it was", "Corrected"]} locale=${locale} /></div>`;
}

function list(title, parts, draw, keyOf = (part) => part) {
  if (!parts || parts.length === 0) return null;
  return html`<section><h2 lang="en">${title}</h2>
    <ul>${parts.map((part) => html`<li key=${keyOf(part)} dir="auto">${draw(part)}</li>`)}</ul></section>`;
}

export function Times({ wallMs, spokenMs, locale }) {
  return html`<p class="times">${duration(wallMs, locale)} together${spokenMs > 0
    ? `, and you spoke for ${duration(spokenMs, locale)}` : ""}.</p>`;
}
