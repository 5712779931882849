import { captionOf } from "../js/captions.js";
import { speakerName } from "../js/session-words.js";
import { kindsOf } from "../js/things.js";
import { clock } from "../lib/format.js";
import { Component, classes, html } from "../lib/html.js";
import { Correction } from "./correction.js";
import { Rich } from "./maths.js";
import { OverrideForm } from "./desk-override.js";

const SIDES = { student: "student", ai: "tutor", tutor: "human", system: "system" };

/** One thing said, as its reviewer sees it. Drawn anew only when something of it changed. */
export class Entry extends Component {
  shouldComponentUpdate(next) {
    return ["item", "linked", "current", "lines", "form", "reasons", "may"].some((name) => next[name] !== this.props[name]);
  }

  render({ item, student, locale, linked, current, lines, form, reasons, may, desk }) {
    const kinds = may ? kindsOf(item) : [];
    const side = SIDES[item.speaker] ?? "human";
    const corrections = item.corrections ?? [];
    return html`<li id=${item.id} class="entry line ${side} ${classes({ linked, open: form })}" tabindex=${current ? 0 : -1} data-item=${item.id}>
      <p class="entry-head"><span class="line-name" dir="auto">${speakerName(item.speaker, student)}</span>
        <span class="entry-times"><span class="for-screen-reader">at </span>${clock(item.started_ms)}</span>
        ${item.sure === false && html`<span class="mark warn">not sure of the words</span>`}
        ${item.interrupted && html`<span class="mark">interrupted</span>`}
        ${kinds.length > 0 && !form && html`<button type="button" class="link entry-correct" tabindex=${current ? 0 : -1} onClick=${() => desk.open("item", item.id)}>
          Correct<span class="for-screen-reader"> what ${speakerName(item.speaker, student)} said at ${clock(item.started_ms)}</span></button>`}</p>
      <p class="line-words ${classes({ unsure: item.sure === false })}" dir="auto"><${Words} item=${item} /></p>
      <${NotHeard} item=${item} />
      ${corrections.map((one) => html`<${Corrected} key=${one.id} item=${item} correction=${one} student=${student} reasons=${reasons} locale=${locale} />`)}
      ${lines && html`<p class="entry-foot">In the summary: ${lines.map((line, i) => html`${i > 0 && ", "}<a key=${line.id} href="#${line.id}" tabindex=${current ? 0 : -1}
        onClick=${(event) => desk.toSentence(event, line.id)}>${line.number}<span class="for-screen-reader">: ${line.sentence.text}</span></a>`)}</p>`}
      ${form && html`<${OverrideForm} correcting=${form} kinds=${kinds} reasons=${desk.reasons} student=${student} locale=${locale} act=${desk.form} />`}
    </li>`;
  }
}

function Words({ item }) {
  if (item.tool?.words) return html`<${Rich} text=${item.tool.words} />`;
  if (!item.said) return html`<em class="faint">The words could not be made out.</em>`;
  const { said, cut } = captionOf({ text: item.said, heard: item.heard, words: [], playedMs: 0, interrupted: item.interrupted && item.heard !== null, final: true });
  return html`<${Rich} text=${item.said} to=${said} />${cut && html`<s class="cut"><span class="for-screen-reader"> Not heard: </span><${Rich} text=${item.said} from=${said} /></s>`}`;
}

/** Where what was heard is no beginning of the words, both are told. */
function NotHeard({ item: { said, heard, interrupted } }) {
  if (heard === null || !said || heard === said) return null;
  const isBeginning = interrupted && said.startsWith(heard);
  if (isBeginning) return null;
  return html`<p class="faint">${heard === "" ? "The student heard nothing of it." : html`The student heard: <span dir="auto">“<${Rich} text=${heard} />”</span>`}</p>`;
}

function Corrected({ item, correction, student, reasons, locale }) {
  const recorded = item.original ? item.original.said : item.said;
  const why = correction.reasons.map((code) => reasons.get(code) ?? code);
  const shared = { correction, reasons: why, locale };
  if (correction.kind === "answer") {
    return html`<div class="should"><p class="should-title">The tutor should have said</p>
      <p class="should-words" dir="auto"><${Rich} text=${correction.text} /></p>
      <${Correction} ...${shared} before=${recorded} after=${correction.text} titles=${["What it said", "What it should have said"]} /></div>`;
  }
  if (correction.kind === "speaker") {
    return html`<${Correction} ...${shared}><p>It was recorded as <span dir="auto">${speakerName(item.original?.speaker, student)}</span>'s words.</p><//>`;
  }
  return html`<${Correction} ...${shared} before=${recorded} after=${item.said} titles=${["As it was recorded", "As it is read now"]} />`;
}
