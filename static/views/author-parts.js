import { KINDS } from "../js/plan-words.js";
import { html } from "../lib/html.js";
import { Entries } from "./author-entries.js";
import { LinesBox, asText, rowsOf } from "./author-field.js";
import { Select } from "./field.js";

/** The lists of a plan: hints, accepted answers, misconceptions, material. */

export function Hints({ pen, path }) {
  return html`<${Entries} pen=${pen} path=${path} label="Hints, in the order they are given" one="Hint" most=${6} blank="" isBlank=${(hint) => hint.trim?.() === ""}
    hint="From a nudge to nearly there; none gives the answer away."
    row=${(hint, change, ids, i) => html`<${Box} id=${ids()} label="Hint ${i + 1}" hidden value=${hint} onChange=${change} pen=${pen} />`} />`;
}

const NO_ANSWER = { kind: "words", text: "" };

export function Answers({ pen, path }) {
  return html`<${Entries} pen=${pen} path=${path} label="Accepted answers" one="Answer" most=${12} least=${1} blank=${NO_ANSWER}
    isBlank=${({ kind, text, also }) => kind !== "open" && !text && !also?.length}
    hint="Numbers and formulas are compared by value: 2/4 takes 1/2 and 0.5 too."
    row=${(answer, change, ids) => html`<${Answer} answer=${answer} change=${change} ids=${ids} pen=${pen} />`} />`;
}

function Answer({ answer, change, ids, pen }) {
  const { kind, text, also = [] } = answer;
  const set = (name, value) => change(keep({ ...answer, [name]: value }, ["kind", "text"]));
  return html`<div class="answer">
    <div class="part"><label for=${ids("kind")}>Kind</label>
      <${Select} id=${ids("kind")} value=${kind} options=${Object.entries(KINDS)} onChange=${(value) => set("kind", value)} /></div>
    ${kind !== "open" && html`
      <div class="part grow"><label for=${ids("text")}>Answer</label>
        <input id=${ids("text")} maxlength="200" dir="auto" lang=${pen.language} autocomplete="off" value=${asText(text)} onInput=${(event) => set("text", event.target.value)} /></div>
      <div class="part whole"><label for=${ids("also")}>Other ways to say it <span class="faint">one a line</span></label>
        <${LinesBox} control=${{ id: ids("also") }} rows=${1} language=${pen.language} value=${also} onChange=${(value) => set("also", value)} /></div>`}
  </div>`;
}

export function Misconceptions({ pen, path }) {
  return html`<${Entries} pen=${pen} path=${path} label="Misconceptions" one="Misconception" most=${12} blank=${{ says: [], response: "" }}
    isBlank=${({ says = [], response }) => says.length === 0 && !response}
    hint="Wrong answers that tell what went wrong, and what the tutor says to them."
    row=${(wrong, change, ids) => html`<div class="misconception">
      <div class="part"><label for=${ids("says")}>If they say <span class="faint">one a line</span></label>
        <${LinesBox} control=${{ id: ids("says") }} rows=${2} language=${pen.language} value=${wrong.says ?? []} onChange=${(says) => change({ ...wrong, says })} /></div>
      <${Box} id=${ids("response")} label="The tutor answers" value=${wrong.response} onChange=${(response) => change({ ...wrong, response })} pen=${pen} />
    </div>`} />`;
}

export function Material({ pen, path }) {
  return html`<${Entries} pen=${pen} path=${path} label="Material" one="Text" most=${20} blank=${{ source: "", text: "" }} isBlank=${({ source, text }) => !source && !text}
    hint="Texts the tutor may use, each with where it is from."
    row=${(text, change, ids) => html`<div class="material">
      <div class="part"><label for=${ids("source")}>Where it is from</label>
        <input id=${ids("source")} maxlength="200" dir="auto" lang=${pen.language} value=${asText(text.source)} onInput=${(event) => change({ ...text, source: event.target.value })} /></div>
      <${Box} id=${ids("text")} label="Text" rows=${4} max=${20_000} value=${text.text} onChange=${(now) => change({ ...text, text: now })} pen=${pen} />
    </div>`} />`;
}

function Box({ id, label, hidden = false, value, onChange, pen, rows = 2, max = 600 }) {
  return html`<div class="part whole"><label for=${id} class=${hidden ? "for-screen-reader" : ""}>${label}</label>
    <textarea id=${id} rows=${rowsOf(value, rows, 50)} maxlength=${max} dir="auto" lang=${pen.language} value=${asText(value)}
      onInput=${(event) => onChange(event.target.value)}></textarea></div>`;
}

/** Without what is empty, except the names that always stand. */
function keep(entry, always) {
  return Object.fromEntries(Object.entries(entry).filter(([name, value]) => always.includes(name) || (value !== "" && value.length !== 0)));
}
