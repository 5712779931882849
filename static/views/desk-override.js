import { isSaved, isTouched, missing, reasonsFor, valueOf } from "../js/override-form.js";
import { KINDS, speakerName } from "../js/session-words.js";
import { moment } from "../lib/format.js";
import { html, useEffect, useRef, useState } from "../lib/html.js";
import { Merged, SideBySide } from "./word-diff.js";

const SPEAKERS = ["student", "ai", "tutor"];
const TITLES = {
  words: "Correct the words", speaker: "Correct who spoke", answer: "Say what the tutor should have said",
  sentence: "Correct the summary", next_step: "Correct the next step",
};

/**
 * A correction, written in the place of what it corrects. `kinds` are those that the thing takes; `act` is
 * `{kind, close, published, dropped}`.
 */
export function OverrideForm({ correcting, kinds, reasons, student, locale, act }) {
  const [, redraw] = useState(null);
  const box = useRef(null);
  const { state } = correcting;
  const { kind, id } = state.thing;
  useEffect(() => correcting.store.subscribe(redraw), [correcting]);
  useEffect(() => {
    const first = box.current.querySelector(".override-value textarea, .override-value input:checked");
    first?.focus();
    if (first?.tagName === "TEXTAREA") first.setSelectionRange(first.value.length, first.value.length);
    box.current.scrollIntoView({ block: "nearest" });
  }, [correcting]);
  const publish = async (how) => {
    const made = await correcting[how]();
    if (made) act.published(made);
    else focusFault(box.current, correcting.state);
  };
  const keys = (event) => {
    if (event.key === "Escape") act.close();
    else if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) publish(state.conflict ? "publishInstead" : "publish");
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  const submit = (event) => {
    event.preventDefault();
    if (!state.conflict) publish("publish");
  };
  const faults = state.tried ? Object.fromEntries(missing(state).map(({ field, sentence }) => [field, sentence])) : {};
  return html`<form class="override" ref=${box} aria-label=${TITLES[kind]} onSubmit=${submit} onKeyDown=${keys} novalidate>
    ${kinds.length > 1 && html`<fieldset class="override-kinds"><legend>What is wrong?</legend>
      <div class="checks">${kinds.map((one) => html`<label class="check" key=${one}><input type="radio" name="kind-${id}" checked=${one === kind}
        onChange=${() => act.kind(one)} /> <span>${KINDS[one]}</span></label>`)}</div></fieldset>`}
    ${state.gone
      ? html`<p class="note" role="alert">${state.gone} Your text is below, to copy from.</p>`
      : state.conflict && html`<${Conflict} state=${state} student=${student} locale=${locale} onInstead=${() => publish("publishInstead")} onLeave=${act.dropped} />`}
    <${Value} state=${state} student=${student} trouble=${faults.value} onChange=${(value) => correcting.write({ type: "value", value })} />
    <${Reasons} id=${id} chosen=${state.reasons} all=${reasonsFor(kind, reasons)} trouble=${faults.reasons}
      onChange=${(code, on) => correcting.write({ type: "reason", code, on })} />
    <${Note} state=${state} trouble=${faults.note} onChange=${(note) => correcting.write({ type: "note", note })} />
    ${state.trouble && html`<p class="form-trouble" role="alert">${state.trouble.sentence}</p>`}
    <div class="override-foot">
      ${!state.conflict && !state.gone && html`<button type="submit" class="button primary" aria-disabled=${state.publishing}>
        ${state.publishing ? "Publishing…" : "Publish"}</button>`}
      <button type="button" class="button" onClick=${act.close}>Close<span class="for-screen-reader">, the draft is kept</span></button>
      ${(state.draft || isTouched(state)) && html`<button type="button" class="button quiet" onClick=${act.dropped}>Throw away</button>`}
      <span class="faint override-kept" role="status">${keptWords(state)}</span>
    </div>
  </form>`;
}

function keptWords(state) {
  if (state.saving) return "Saving your draft…";
  if (state.draft && isSaved(state)) return "Draft saved. Only you see it.";
  return isTouched(state) ? "Kept in this browser." : "";
}

/** To where something has to be done, so that nobody has to look for it. */
function focusFault(form, state) {
  if (!form) return;
  const [fault] = missing(state);
  const where = { value: ".override-value textarea, .override-value input", reasons: ".override-reasons input", note: ".override-note textarea" };
  const selector = state.conflict ? ".override-conflict button" : fault && where[fault.field];
  if (selector) requestAnimationFrame(() => form.querySelector(selector)?.focus());
}

function Value({ state: { thing, value }, student, trouble, onChange }) {
  const name = `value-${thing.kind}-${thing.id}`;
  const described = trouble ? `${name}-trouble` : undefined;
  if (thing.kind === "speaker") {
    return html`<fieldset class="override-value" aria-describedby=${described}><legend>Who spoke?</legend>
      <div class="checks">${SPEAKERS.map((speaker) => html`<label class="check" key=${speaker}><input type="radio" name=${name} checked=${speaker === value}
        onChange=${() => onChange(speaker)} /> <span dir="auto">${speakerName(speaker, student)}</span></label>`)}</div>
      ${trouble && html`<p class="field-trouble" id=${described}>${trouble}</p>`}</fieldset>`;
  }
  const changed = value !== (thing.current ?? "") && value.trim() !== "";
  return html`<div class="field override-value">
    <label for=${name}>${thing.kind === "answer" ? "The tutor should have said" : "It should read"}</label>
    <textarea id=${name} rows="2" maxlength="8000" dir="auto" value=${value} aria-describedby=${described} aria-invalid=${trouble ? "true" : undefined}
      onInput=${(event) => onChange(event.target.value)}></textarea>
    ${trouble && html`<p class="field-trouble" id=${described}>${trouble}</p>`}
    ${changed && html`<p class="override-change"><span class="side-title">What changes: </span><${Merged} before=${thing.current ?? ""} after=${value} /></p>`}
  </div>`;
}

function Reasons({ id, chosen, all, trouble, onChange }) {
  const name = `reasons-${id}`;
  return html`<fieldset class="override-reasons" aria-describedby=${trouble ? `${name}-trouble` : undefined}>
    <legend>Why?</legend>
    <div class="reasons">${all.map(({ code, words }) => html`<label class="check" key=${code}><input type="checkbox" checked=${chosen.includes(code)}
      onChange=${(event) => onChange(code, event.target.checked)} /> <span>${words}</span></label>`)}</div>
    ${trouble && html`<p class="field-trouble" id="${name}-trouble">${trouble}</p>`}
  </fieldset>`;
}

function Note({ state: { thing, note, reasons }, trouble, onChange }) {
  const name = `note-${thing.kind}-${thing.id}`;
  const described = [`${name}-hint`, trouble && `${name}-trouble`].filter(Boolean).join(" ");
  return html`<div class="field override-note">
    <label for=${name}>Note${reasons.includes("other") ? "" : html` <span class="faint">(if you like)</span>`}</label>
    <p class="hint" id="${name}-hint">For colleagues. Students and parents don't see it.</p>
    <textarea id=${name} rows="1" maxlength="2000" dir="auto" value=${note} aria-describedby=${described} aria-invalid=${trouble ? "true" : undefined}
      onInput=${(event) => onChange(event.target.value)}></textarea>
    ${trouble && html`<p class="field-trouble" id="${name}-trouble">${trouble}</p>`}
  </div>`;
}

/** Somebody else's correction came first. Nothing of one's own is lost: it stands beside theirs. */
function Conflict({ state: { conflict: { published }, value, thing }, student, locale, onInstead, onLeave }) {
  const words = (text) => (thing.kind === "speaker" ? speakerName(text, student) : text);
  if (!published) {
    return html`<section class="override-conflict" role="alert"><p>What you corrected is as it was recorded again. Your words are below.</p>
      <div class="actions"><button type="button" class="button primary" onClick=${onInstead}>Publish mine</button></div></section>`;
  }
  const { author: { name }, published_at: at } = published;
  return html`<section class="override-conflict" role="alert">
    <p><strong dir="auto">${name}</strong> corrected this meanwhile (${moment(at, locale)}). Nothing is lost: choose what readers shall get, or change your words below first.</p>
    <${SideBySide} before=${words(valueOf(published.new))} after=${words(value)} titles=${[`${name}'s, which readers get now`, "Yours"]} />
    <div class="actions">
      <button type="button" class="button primary" onClick=${onInstead}>Publish mine in its place</button>
      <button type="button" class="button" onClick=${onLeave}>Leave theirs, drop mine</button>
    </div>
  </section>`;
}
