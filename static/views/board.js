import { html } from "../lib/html.js";
import { Maths } from "./maths.js";

/** What we look at together: the formulas of the current question, and what the lesson is about. */
export function Board({ formulas, goal, language }) {
  return html`<aside class="board" aria-labelledby="board-title">
    <h2 id="board-title">Board</h2>
    <${BoardContent} formulas=${formulas} goal=${goal} language=${language} />
  </aside>`;
}

export function BoardContent({ formulas, goal, language }) {
  return html`<div class="board-content">
    ${formulas.map((tex) => html`<p class="board-formula" key=${tex}><${Maths} tex=${tex} language=${language} large=${true} /></p>`)}
    <p class="board-goal" dir="auto" lang=${language}>${goal}</p>
  </div>`;
}
