import { same } from "../js/draft-plan.js";
import { spelled } from "../js/plan-words.js";
import { html } from "../lib/html.js";
import { SideBySide } from "./word-diff.js";

/** Two people wrote in one field: both texts, and three ways on. Other fields are not held up. */
export function Both({ pen, edit, label }) {
  const { path, was, now, theirs, by } = edit;
  const name = nameOf(by, pen.me);
  const canMerge = path !== "step_order" && (typeof now === "string" || Array.isArray(now)) && theirs !== null;
  return html`<section class="both" role="group" aria-label="${label}: two texts">
    <p><strong>${name.whole} changed this while you did.</strong> Both texts are safe; which should stand?</p>
    <${SideBySide} before=${spelledAt(pen, path, now)} after=${spelledAt(pen, path, theirs)} titles=${["Yours", name.their]} language=${pen.language} equal />
    <div class="actions">
      <button type="button" class="button" onClick=${() => pen.resolve(path, "mine")}>${pen.isMerging(path) ? "Save what I wrote" : "Keep mine"}</button>
      <button type="button" class="button" onClick=${() => pen.resolve(path, "theirs")}>Take theirs</button>
      ${canMerge && html`<button type="button" class="button quiet" onClick=${() => pen.merge(path, together(now, theirs))}>Merge by hand</button>`}
    </div>
    ${was !== null && html`<details class="before"><summary>What it was before</summary><p dir="auto">${spelledAt(pen, path, was) || "nothing"}</p></details>`}
  </section>`;
}

/** Where both are put together by hand: all of one's own, then what they have besides. */
export function together(mine, theirs) {
  if (Array.isArray(mine) && Array.isArray(theirs)) return [...mine, ...theirs.filter((entry) => !mine.some((own) => same(own, entry)))];
  return [mine, theirs].filter(Boolean).join("\n");
}

function nameOf(by, me) {
  if (!by) return { whole: "Somebody", their: "Theirs" };
  if (by.id === me.id) return { whole: "You, in another window,", their: "The other window's" };
  return { whole: by.name, their: `${by.name}'s` };
}

/** Orders of steps are told by the steps' questions. */
function spelledAt(pen, path, value) {
  if (path !== "step_order" || !value) return spelled(value);
  return value.map((id, i) => `${i + 1}. ${pen.value(`steps.${id}.ask`) ?? "a new step"}`).join("\n");
}
