import { ENGINES, FIELDS, changesOf, engineTitle, moved, sorted, withEngine } from "../js/engine-words.js";
import { html, useState } from "../lib/html.js";
import { Field, Select } from "./field.js";
import { Loading, Trouble } from "./frame.js";
import { useLoad } from "./load.js";
import { Keys } from "./office-engine-keys.js";
import { Tried } from "./office-engine-try.js";

/** Which tutors teach, in what order, with whose key, and whether they work. */
export function Engines({ api }) {
  const load = useLoad(() => api.get("/school/engines"), "engines");
  if (load.error) return html`<${Trouble} title="The tutor engines did not load" text=${load.error.message} onRetry=${load.again}><span></span><//>`;
  if (!load.value) return html`<${Loading} what="Fetching the tutor engines" />`;
  return html`<div class="engines-page"><h1>Tutor engines</h1>
    <p class="lead">What answers your students. A lesson tries them in this order and goes on with the next one where one fails. What they cost is under <a href="/admin/usage">Use and cost</a>.</p>
    <${Form} key=${JSON.stringify(load.value.values)} api=${api} view=${load.value} onSaved=${load.set} />
    <h2 class="apart">Keys</h2>
    <${Keys} api=${api} keys=${load.value.keys} onChanged=${load.set} />
    <${Tried} api=${api} /></div>`;
}

function Form({ api, view, onSaved }) {
  const [value, setValue] = useState(view.values);
  const [told, setTold] = useState(null);
  const [busy, setBusy] = useState(false);
  const changes = changesOf(view.values, value);
  const changed = Object.keys(changes).length > 0;
  const set = (name, now) => {
    setValue({ ...value, [name]: now });
    setTold(null);
  };
  const save = async (event) => {
    event.preventDefault();
    if (busy || !changed) return;
    setBusy(true);
    try {
      onSaved(await api.patch("/school/engines", changes));
    } catch (error) {
      setTold({ param: error.body?.param, text: error.message });
    }
    setBusy(false);
  };
  return html`<form class="settings" onSubmit=${save} novalidate>
    <${Order} order=${value.order} engines=${view.engines} was=${view.values.order} onChange=${(order) => set("order", order)} />
    ${FIELDS.map((group) => html`<${Group} key=${group.name} ...${group} value=${value} view=${view} trouble=${told} onChange=${set} />`)}
    ${told && html`<p class="form-trouble" role="alert">${told.text}</p>`}
    <div class="actions save-line"><button type="submit" class="button primary" aria-disabled=${busy || !changed}>${busy ? "Saving…" : "Save the engines"}</button>
      ${changed
        ? html`<button type="button" class="button" onClick=${() => setValue(view.values)}>Back to what it was</button><span class="faint">Not saved yet.</span>`
        : html`<span class="faint" role="status">All saved. Lessons that are running keep the engines they have.</span>`}</div>
  </form>`;
}

function Order({ order, engines, was, onChange }) {
  const [used, others] = sorted(order);
  const stateOf = (name) => engines.find((one) => one.name === name) ?? {};
  return html`<section class="card"><h2 id="order-title">Which engines teach</h2>
    <ol class="engine-order" aria-labelledby="order-title">
      ${used.map((name, i) => html`<${Engine} key=${name} name=${name} state=${was.includes(name) ? stateOf(name) : null}>
        ${name !== "offline" && html`
          <button type="button" class="button quiet" aria-disabled=${i === 0} onClick=${() => onChange(moved(order, name, -1))}>Earlier<span class="for-screen-reader"> (${engineTitle(name)})</span></button>
          <button type="button" class="button quiet" aria-disabled=${i === used.length - 2} onClick=${() => onChange(moved(order, name, 1))}>Later<span class="for-screen-reader"> (${engineTitle(name)})</span></button>
          <button type="button" class="button quiet" onClick=${() => onChange(withEngine(order, name, false))}>Leave out<span class="for-screen-reader"> (${engineTitle(name)})</span></button>`}
      <//>`)}
    </ol>
    ${others.length > 0 && html`<h3 id="others-title" class="others-title">Not used</h3>
      <ul class="engine-order" aria-labelledby="others-title">${others.map((name) => html`<${Engine} key=${name} name=${name} state=${null}>
        <button type="button" class="button" onClick=${() => onChange(withEngine(order, name, true))}>Use<span class="for-screen-reader"> ${engineTitle(name)}</span></button><//>`)}</ul>`}
  </section>`;
}

function Engine({ name, state, children }) {
  const words = state && (state.ready ? { kind: "good", text: "Ready" } : { kind: "warn", text: "Not ready" });
  return html`<li class="engine">
    <div class="engine-words"><b>${engineTitle(name)}</b> ${words && html`<span class="mark ${words.kind}">${words.text}</span>`}
      <span class="under">${ENGINES[name]?.about}</span>
      ${state?.problem && html`<span class="field-trouble">${state.problem}</span>`}</div>
    <div class="engine-actions">${children}</div>
  </li>`;
}

function Group({ name, title, fields, value, view, trouble, onChange }) {
  const own = fields.filter(([field]) => view.decided.includes(field)).length;
  return html`<details class="card engine-group" open=${fields.some(([field]) => field === trouble?.param) || undefined}>
    <summary><span class="summary-title">${title}</span> <span class="faint">${own > 0 ? `${own} of ${fields.length} set by your school` : "as the server has it"}</span></summary>
    <div class="two-columns">
      ${fields.map(([field, label, hint, choices]) => html`<${Field} key=${field} id=${`${name}-${field}`} label=${label} hint=${hint} trouble=${trouble?.param === field ? trouble.text : null}>${(control) => (choices
        ? html`<${Select} ...${control} value=${value[field]} options=${choices} onChange=${(now) => onChange(field, now)} />`
        : html`<input ...${control} maxlength="200" autocomplete="off" spellcheck="false" placeholder=${view.server[field]} value=${value[field]} onInput=${(event) => onChange(field, event.target.value)} />`)}<//>`)}
    </div>
    ${fields.some(([, , , choices]) => !choices) && html`<p class="faint">Empty a field to have what the server has.</p>`}
  </details>`;
}
