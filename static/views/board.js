import { html } from "../lib/html.js";
import { Figure } from "./figure.js";
import { Maths } from "./maths.js";

/** What we look at together: what the tutor shows, newest first, the formulas of its words, and the goal. */
export function Board({ figures, formulas, goal, language }) {
  return html`<aside class="board" tabindex="0" aria-labelledby="board-title">
    <h2 id="board-title">Board</h2>
    <${BoardContent} figures=${figures} formulas=${formulas} goal=${goal} language=${language} />
  </aside>`;
}

export function BoardContent({ figures, formulas, goal, language }) {
  const shown = new Set(figures.map(({ drawing }) => drawing.tex));
  return html`<div class="board-content">
    ${figures.toReversed().map((figure) => html`<${Figure} key=${figure.id} figure=${figure} language=${language} />`)}
    ${formulas.filter((tex) => !shown.has(tex)).map((tex) => html`<p class="board-formula" key=${tex}><${Maths} tex=${tex} language=${language} large=${true} /></p>`)}
    <p class="board-goal" dir="auto" lang=${language}>${goal}</p>
  </div>`;
}
