import { html } from "../lib/html.js";
import { spelled } from "../js/plan-words.js";
import { SideBySide } from "./word-diff.js";

/** Somebody removed the step one is writing in, or changed the step one removed: one decides. */
export function Lost({ pen, edit, number }) {
  const { path, was, now, theirs, by } = edit;
  const name = by?.id === pen.me.id ? "You, in another window," : (by?.name ?? "Somebody");
  const removed = now === null;
  const actions = removed
    ? [["mine", "Remove it anyway"], ["theirs", "Keep the step"]]
    : [["mine", "Put the step back"], ["theirs", "Let it go"]];
  return html`<section class="both" role="group" aria-label="Step ${number}: decide">
    <p><strong><span dir="auto">${name}</span> ${removed ? "changed this step while you removed it." : "removed this step while you wrote in it."}</strong>
      ${" "}${removed ? "It is still there." : "Your words are safe, and nobody else sees them."}</p>
    ${removed && html`<${SideBySide} before=${spelled(was)} after=${spelled(theirs)} titles=${["As you removed it", "As it is now"]} language=${pen.language} />`}
    <div class="actions">${actions.map(([how, words]) => html`<button type="button" class="button" key=${how} onClick=${() => pen.resolve(path, how)}>${words}</button>`)}</div>
  </section>`;
}
