import { fieldOf } from "../js/draft-plan.js";
import { html } from "../lib/html.js";

const SOURCES = {
  platform: ["The platform", "The same for every school; nothing below can unset it."],
  school: ["Your school", "From the school's settings."],
  subject: ["The subject", "From the school's settings, for this subject."],
  lesson: ["This lesson", "What you write. Choose a line to go to its field."],
  student: ["The student", "An example; each student's own goes here."],
};

/** What the tutor is told, as its engine gets it, each part with where it comes from. */
export function BriefPane({ parts, onGo, at }) {
  return html`<div class="brief">
    <p class="faint">This is what the tutor gets, word for word, updated after each change.</p>
    ${runs(parts).map(({ source, own }, i) => html`<${Run} key=${`${source} ${i}`} source=${source} parts=${own} onGo=${onGo} at=${at} first=${i === 0} />`)}
  </div>`;
}

function Run({ source, parts, onGo, at }) {
  const [name, about] = SOURCES[source] ?? [source, ""];
  const head = html`<span class="source" data-source=${source}>${name}</span> <span class="faint">${about}</span>`;
  const texts = parts.map(({ path, text }, i) => (path
    ? html`<button type="button" class="brief-line" key=${i} data-here=${at !== null && fieldOf(path) === at} onClick=${() => onGo(path)}><span dir="auto">${text}</span></button>`
    : html`<p class="brief-text" key=${i} dir="auto">${text}</p>`));
  if (source !== "platform") return html`<section class="brief-run"><h3>${head}</h3>${texts}</section>`;
  return html`<details class="brief-run"><summary>${head}</summary>${texts}</details>`;
}

/** Neighbouring parts of one source together. */
export function runs(parts) {
  return parts.reduce((all, part) => {
    const last = all.at(-1);
    if (last?.source === part.source) last.own.push(part);
    else all.push({ source: part.source, own: [part] });
    return all;
  }, []);
}

/** What to mend and what to consider; each leads to its field. */
export function FindingsPane({ findings, onGo }) {
  if (findings.length === 0) {
    return html`<p class="all-well"><strong>Nothing to mend.</strong> The lesson can be published.</p>`;
  }
  const errors = findings.filter(({ severity }) => severity === "error");
  const others = findings.filter(({ severity }) => severity !== "error");
  return html`<div class="findings">
    ${errors.length > 0 && html`<h3>To mend before publishing</h3><${Findings} findings=${errors} onGo=${onGo} />`}
    ${others.length > 0 && html`<h3>To consider</h3><${Findings} findings=${others} onGo=${onGo} />`}
  </div>`;
}

export function Findings({ findings, onGo }) {
  return html`<ul class="finding-list">${findings.map((finding, i) => html`<li key=${i} class="finding" data-severity=${finding.severity}>
    <button type="button" class="link" onClick=${() => onGo(finding.path)}>${finding.place}</button>
    <p dir="auto">${finding.reason}</p>
    <p class="mend" dir="auto">${finding.mend}</p>
  </li>`)}</ul>`;
}
