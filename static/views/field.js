import { html } from "../lib/html.js";

/** A labelled control: `label`, perhaps `hint`, perhaps `trouble`; `children` is a function that gets the control's attributes. */
export function Field({ id, label, hint, trouble, children }) {
  const described = [hint && `${id}-hint`, trouble && `${id}-trouble`].filter(Boolean).join(" ") || undefined;
  return html`<div class="field">
    <label for=${id}>${label}</label>
    ${hint && html`<p class="hint" id="${id}-hint">${hint}</p>`}
    ${children({ id, name: id, "aria-describedby": described, "aria-invalid": trouble ? "true" : undefined })}
    ${trouble && html`<p class="field-trouble" id="${id}-trouble">${trouble}</p>`}
  </div>`;
}

/** A choice among few: `options` is `[[value, words]]`. */
export function Select({ value, options, onChange, ...rest }) {
  return html`<select ...${rest} value=${value} onChange=${(event) => onChange(event.target.value)}>
    ${options.map(([one, words]) => html`<option key=${one} value=${one} selected=${one === value}>${words}</option>`)}
  </select>`;
}
