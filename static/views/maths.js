import { html, useLayoutEffect, useRef, useState } from "../lib/html.js";
import { pieces } from "../lib/maths.js";
import { spokenMaths } from "../lib/spoken-maths.js";

let katex = null;
const loading = [];

/** KaTeX is large; it is fetched when the first formula is drawn. */
function withKatex(use) {
  if (katex) {
    use(katex);
    return;
  }
  loading.push(use);
  if (loading.length > 1) return;
  import("../vendor/katex/katex.min.js").then(() => {
    katex = globalThis.katex;
    for (const waiting of loading.splice(0)) waiting(katex);
  });
}

/** One formula: drawn for eyes, said in words for ears. */
export function Maths({ tex, language, large = false }) {
  const node = useRef(null);
  const [drawn, setDrawn] = useState(false);
  useLayoutEffect(() => {
    withKatex((maths) => {
      if (!node.current) return;
      try {
        maths.render(tex, node.current, { output: "html", trust: false, errorColor: "inherit", displayMode: large, maxExpand: 100 });
        setDrawn(true);
      } catch {
        node.current.textContent = tex;
      }
    });
  }, [tex, large]);
  return html`<span class="maths" data-drawn=${drawn}>
    <span class="maths-drawn" aria-hidden="true" ref=${node}></span>
    <span class="for-screen-reader"> ${spokenMaths(tex, language)} </span>
  </span>`;
}

/** Characters `from` to `to` of a text, its formulas drawn; a formula belongs to where it begins. */
export function Rich({ text, from = 0, to = text.length, language }) {
  return pieces(text).map((piece) => {
    if (piece.tex) {
      const inside = piece.start >= from && piece.start < to;
      return inside ? html`<${Maths} key=${piece.start} tex=${piece.tex} language=${language} />` : null;
    }
    return piece.text.slice(Math.max(0, from - piece.start), Math.max(0, to - piece.start));
  });
}
