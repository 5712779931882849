import { entriesOf } from "../js/lines.js";
import { same } from "../js/draft-plan.js";
import { formulas } from "../lib/maths.js";
import { html, useState } from "../lib/html.js";
import { Both } from "./author-conflict.js";
import { Select } from "./field.js";
import { Rich } from "./maths.js";
import { Undo } from "./undo.js";

export const fieldId = (path) => `field ${path}`.replaceAll(/[ .]/g, "-");

/**
 * A field of the draft: its label, the control, its formulas as they will look and sound, what is wrong with it, and
 * both texts where somebody else changed it too. `pen` writes: `value(path)`, `type(path, now, options)`,
 * `leave(path)`, `edit(path)`, `findings(path)`, `language`. `children(control, value)` draws the control.
 */
export function Written({ pen, path, label, hint, speech = false, group = false, children }) {
  const id = fieldId(path);
  const value = pen.value(path);
  const edit = pen.edit(path);
  const findings = pen.findings(path);
  const refused = edit?.state === "refused" ? edit.sentence : null;
  const described = [hint && `${id}-hint`, (findings.length > 0 || refused) && `${id}-trouble`].filter(Boolean).join(" ") || undefined;
  const wrong = refused || findings.some(({ severity }) => severity === "error");
  const control = {
    id, "aria-describedby": described, "aria-invalid": wrong ? "true" : undefined, onBlur: () => pen.leave(path),
    "data-path": path,
  };
  const body = html`
    ${hint && html`<p class="hint" id="${id}-hint">${hint}</p>`}
    ${children(control, value)}
    ${speech && html`<${Formulas} text=${value} language=${pen.language} />`}
    ${(refused || findings.length > 0) && html`<div class="field-findings" id="${id}-trouble">
      ${refused && html`<p class="field-trouble">Not saved: ${refused}</p>`}
      ${findings.map((finding) => html`<${Finding} key=${`${finding.rule} ${finding.path}`} finding=${finding} />`)}
    </div>`}
    ${edit?.state === "conflict" && html`<${Both} pen=${pen} edit=${edit} label=${label} />`}
    ${pen.hasTaken(path) && html`<${Undo} onUndo=${() => pen.untake(path, true)} onClose=${() => pen.untake(path, false)}>This is their text now.<//>`}`;
  return group
    ? html`<fieldset class="field written" id=${id} tabindex="-1" aria-describedby=${described}><legend class="label">${label}</legend>${body}</fieldset>`
    : html`<div class="field written"><label for=${id}>${label}</label>${body}</div>`;
}

function Finding({ finding: { severity, reason, mend } }) {
  return html`<p class=${severity === "error" ? "field-trouble" : "field-advice"}>
    <span class="finding-kind">${severity === "error" ? "To mend" : "To consider"}:</span> ${reason} ${mend}</p>`;
}

/** What students will see and hear of the formulas in a text. */
function Formulas({ text, language }) {
  if (typeof text !== "string" || formulas(text).length === 0) return null;
  return html`<p class="preview" dir="auto" lang=${language}><span class="preview-title" lang="en">On the board: </span><${Rich} text=${text} language=${language} /></p>`;
}

/** Text of any length; the box grows with it. */
export function Words({ pen, path, label, hint, max = 600, rows = 2 }) {
  return html`<${Written} pen=${pen} path=${path} label=${label} hint=${hint} speech>${(control, value) => html`<textarea ...${control}
    rows=${rowsOf(value, rows)} maxlength=${max} dir="auto" lang=${pen.language} value=${asText(value)}
    onInput=${(event) => pen.type(path, textOf(event))}></textarea>`}<//>`;
}

/** A line of text. */
export function Line({ pen, path, label, hint, max = 200, list }) {
  return html`<${Written} pen=${pen} path=${path} label=${label} hint=${hint} speech>${(control, value) => html`<input ...${control}
    maxlength=${max} dir="auto" autocomplete="off" list=${list} value=${asText(value)} onInput=${(event) => pen.type(path, textOf(event))} />`}<//>`;
}

/** Short entries, one a line. */
export function Lines({ pen, path, label, hint, rows = 2 }) {
  return html`<${Written} pen=${pen} path=${path} label=${label} hint=${hint}>${(control, value) => html`<${LinesBox} control=${control}
    rows=${rows} language=${pen.language} value=${value ?? []} onChange=${(entries) => pen.type(path, entries.length > 0 ? entries : null)} />`}<//>`;
}

/** The box of `Lines`: it holds what is being typed, empty lines too, and gives entries. */
export function LinesBox({ control, value, onChange, rows, language, label }) {
  const [text, setText] = useState(value.join("\n"));
  const shown = same(entriesOf(text), value) ? text : value.join("\n");
  const type = (event) => {
    setText(event.target.value);
    onChange(entriesOf(event.target.value));
  };
  return html`<textarea ...${control} aria-label=${label} rows=${rowsOf(shown, rows)} dir="auto" lang=${language} value=${shown} onInput=${type}></textarea>`;
}

/** A number, typed; what is no number is kept as typed, and the findings say so. */
export function Amount({ pen, path, label, hint, placeholder }) {
  return html`<${Written} pen=${pen} path=${path} label=${label} hint=${hint}>${(control, value) => html`<${AmountBox} control=${control}
    placeholder=${placeholder} value=${value} onChange=${(now) => pen.type(path, now)} />`}<//>`;
}

function AmountBox({ control, value, onChange, placeholder }) {
  const [text, setText] = useState(asText(value));
  const shown = same(amountOf(text), value) ? text : asText(value);
  const type = (event) => {
    setText(event.target.value);
    onChange(amountOf(event.target.value));
  };
  return html`<input ...${control} class="amount" inputmode="decimal" autocomplete="off" maxlength="20" placeholder=${placeholder} value=${shown} onInput=${type} />`;
}

/** "1.5" and "1,5" are 1.5, "" is null, anything else itself. */
export function amountOf(text) {
  const plain = text.trim();
  if (plain === "") return null;
  return /^\d+([.,]\d*)?$/.test(plain) ? Number(plain.replace(",", ".")) : plain;
}

export function Choice({ pen, path, label, hint, options, fallback }) {
  return html`<${Written} pen=${pen} path=${path} label=${label} hint=${hint}>${(control, value) => html`<${Select} ...${control}
    value=${value ?? fallback} options=${options} onChange=${(now) => pen.type(path, now, { wait: false })} />`}<//>`;
}

export const asText = (value) => (value === null || value === undefined ? "" : String(value));

/** What an input holds, for the draft: nothing is null. */
export const textOf = (event) => event.target.value || null;

/** Rows that show a text whole, in boxes as wide as the form's. */
export function rowsOf(value, least, width = 62) {
  const lines = asText(value).split("\n").reduce((sum, line) => sum + Math.max(1, Math.ceil(line.length / width)), 0);
  return Math.min(Math.max(lines, least), 16);
}
