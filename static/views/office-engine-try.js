import { engineTitle } from "../js/engine-words.js";
import { html, useState } from "../lib/html.js";

/** Says a sentence to each engine, and shows what came back. */
export function Tried({ api }) {
  const [results, setResults] = useState(null);
  const [trouble, setTrouble] = useState(null);
  const [busy, setBusy] = useState(false);
  const check = async () => {
    if (busy) return;
    setBusy(true);
    setTrouble(null);
    try {
      setResults((await api.post("/school/engines/check", {}, { withinMs: 240_000 })).results);
    } catch (error) {
      setTrouble(error.message);
    }
    setBusy(false);
  };
  return html`<section class="card apart" aria-labelledby="try-title"><h2 id="try-title">Do they work?</h2>
    <p>We say one sentence to each engine, typed and aloud. It costs less than a cent and takes up to half a minute for each.</p>
    <div class="actions"><button type="button" class="button" aria-disabled=${busy} onClick=${check}>${busy ? "Trying them…" : "Try the engines"}</button></div>
    <div role="status">
      ${results && html`<ul class="engine-results">${results.map((one) => html`<${Result} key=${one.engine} ...${one} />`)}</ul>`}
    </div>
    ${trouble && html`<p class="form-trouble" role="alert">${trouble}</p>`}
  </section>`;
}

const duration = (ms) => (ms < 1000 ? `${ms} ms` : `${(ms / 1000).toLocaleString("en", { maximumFractionDigits: 1 })} s`);

function Result({ engine, well, sentence, heard, open_ms: open, text_ms: text, voice_ms: voice }) {
  const times = [["open", open], ["first words", text], ["first sound", voice]].filter(([, ms]) => ms !== null);
  return html`<li class="engine-result"><p><b>${engineTitle(engine)}</b> <span class="mark ${well ? "good" : "warn"}">${well ? "Works" : "Does not work"}</span></p>
    <p dir="auto">${sentence}${heard && html` It understood “${heard}”.`}</p>
    ${times.length > 0 && html`<p class="faint">${times.map(([what, ms]) => `${what} after ${duration(ms)}`).join(" · ")}</p>`}
  </li>`;
}
