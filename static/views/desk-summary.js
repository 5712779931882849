import { kindOfSection } from "../js/desk-links.js";
import { clock, moment } from "../lib/format.js";
import { Component, classes, html } from "../lib/html.js";
import { Correction } from "./correction.js";
import { Rich } from "./maths.js";
import { OverrideForm } from "./desk-override.js";

const SECTIONS = [["narrative", "What was done"], ["done_well", "Done well"], ["next_steps", "What comes next"]];

/** What the session came to, each sentence with the moments it rests on. */
export function DeskSummary({ record, links, times, marked, current, open, may, reasons, locale, student, desk }) {
  const { card, summary, renewing } = record;
  const sentence = (line) => html`<${Sentence} key=${line.id} line=${line} times=${times} linked=${marked.sentences.has(line.id)}
    current=${line.id === current} form=${open?.at === "sentence" && open.id === line.id ? open.correcting : null} may=${may} reasons=${reasons}
    student=${student} locale=${locale} desk=${desk} />`;
  return html`<section class="desk-summary" aria-labelledby="summary-title">
    <h2 id="summary-title" tabindex="-1">Summary</h2>
    <${Standing} card=${card} summary=${summary} renewing=${renewing} locale=${locale} desk=${desk} />
    ${summary?.status === "ready" && SECTIONS.map(([section, title]) => {
      const lines = links.sentences.filter((line) => line.section === section);
      return lines.length > 0 && html`<section key=${section}><h3>${title}</h3><ol class="sentences">${lines.map(sentence)}</ol></section>`;
    })}
    ${summary?.practice?.length > 0 && html`<section><h3>To practise</h3><ul>${summary.practice.map((part) => html`<li key=${part} dir="auto"><${Rich} text=${part} /></li>`)}</ul></section>`}
    <${Past} summary=${summary} reasons=${reasons} locale=${locale} />
  </section>`;
}

function Standing({ card, summary, renewing, locale, desk }) {
  if (!summary) return html`<p class="faint">Fetching the summary…</p>`;
  if (renewing !== null) return html`<p class="note" role="status">The summary is being made anew…</p>`;
  if (summary.status === "pending") {
    return html`<p class="empty">${card.status === "live" ? "It is written when the lesson is over." : "The summary is being written…"}</p>`;
  }
  const made = html`<p class="faint">Made ${moment(summary.made_at, locale)}${summary.engine === "rules" ? " by fixed rules" : ""}.</p>`;
  if (!summary.stale) return made;
  return html`<div class="note stale"><p>Words were corrected after this summary was made.</p>
    ${card.may.renew && html`<button type="button" class="button" onClick=${desk.renew}>Make the summary anew</button>`}</div>`;
}

class Sentence extends Component {
  shouldComponentUpdate(next) {
    return ["line", "times", "linked", "current", "form", "may", "reasons"].some((name) => next[name] !== this.props[name]);
  }

  render({ line, times, linked, current, form, may, reasons, student, locale, desk }) {
    const { sentence } = line;
    return html`<li id=${line.id} value=${line.number} class="sentence ${classes({ linked, open: form })}" tabindex=${current ? 0 : -1} data-sentence=${line.id}>
      <p class="sentence-text" dir="auto"><${Rich} text=${sentence.text} /></p>
      ${sentence.correction && html`<${Correction} correction=${sentence.correction} before=${sentence.original} after=${sentence.text}
        titles=${["As it was made", "As it is read now"]} reasons=${sentence.correction.reasons.map((code) => reasons.get(code) ?? code)} locale=${locale} />`}
      <p class="entry-foot">
        ${line.items.length > 0 && html`<span>Rests on ${line.items.map((id, i) => html`${i > 0 && ", "}<a key=${id} href="#${id}" tabindex=${current ? 0 : -1}
          onClick=${(event) => desk.toItem(event, id)}><span class="for-screen-reader">what was said at </span>${clock(times.get(id))}</a>`)}</span>`}
        ${may && !form && html`<button type="button" class="link entry-correct" tabindex=${current ? 0 : -1} onClick=${() => desk.open("sentence", line.id)}>Correct<span class="for-screen-reader">: ${sentence.text}</span></button>`}</p>
      ${form && html`<${OverrideForm} correcting=${form} kinds=${[kindOfSection(line.section)]} reasons=${desk.reasons} student=${student} locale=${locale} act=${desk.form} />`}
    </li>`;
  }
}

/** Corrections of what an earlier summary said and this one says no more: somebody meant them. */
function Past({ summary, reasons, locale }) {
  const past = summary?.past_corrections ?? [];
  if (past.length === 0) return null;
  return html`<section><h3>Corrected in an earlier summary</h3>
    <p class="faint">This summary does not say it any more. Correct it here if that is still needed.</p>
    <ul class="sentences">${past.map((one) => html`<li key=${one.id} class="sentence"><p class="sentence-text" dir="auto"><${Rich} text=${one.correction.text ?? ""} /></p>
      <${Correction} correction=${one.correction} before=${one.original} after=${one.correction.text} titles=${["As it was made", "Corrected"]}
        reasons=${one.correction.reasons.map((code) => reasons.get(code) ?? code)} locale=${locale} /></li>`)}</ul></section>`;
}
