import { captionOf } from "../js/captions.js";
import { isBehind } from "../js/items.js";
import { Component, classes, html, useEffect, useLayoutEffect, useRef } from "../lib/html.js";
import { Correction } from "./correction.js";
import { Rich } from "./maths.js";

const NEAR_END = 120; // pixels: who has scrolled further up is reading, and is left alone

/**
 * The conversation, which is also the caption track. Finished sentences are plain content of the log; what
 * is still growing is hidden from screen readers, or they would stutter word by word. With `tools`, what the
 * tutor looked up and noted is told too.
 */
export function Transcript({ items, speech, language, rules, announce, names = NAMES, locale, tools = false }) {
  const box = useRef(null);
  const following = useRef(true);
  const scrolled = (node) => {
    following.current = node.scrollHeight - node.scrollTop - node.clientHeight < NEAR_END;
  };
  useLayoutEffect(() => {
    if (following.current) for (const node of scrollers(box.current)) node.scrollTop = node.scrollHeight;
  });
  useEffect(() => {
    const followPage = () => scrolled(document.scrollingElement);
    window.addEventListener("scroll", followPage);
    return () => window.removeEventListener("scroll", followPage);
  }, []);
  const told = tools ? items : items.filter((item) => !isBehind(item));
  const shown = told.filter((item) => item.text || item.lost || (item.role === "user" && !item.final));
  const unheard = speech === "speaking" && !shown.some((item) => item.role === "user" && !item.final);
  return html`<div class="transcript" ref=${box} onScroll=${({ currentTarget }) => scrolled(currentTarget)} tabindex="0" role="region" aria-label="The conversation">
    ${rules && html`<p class="honest">Your tutor is a computer that follows this lesson's rules. It can mishear you.</p>`}
    <div role="log" aria-live=${announce ? "polite" : "off"} aria-label="What was said">
      <ol class="log" lang=${language}>
        ${shown.map((item) => html`<${Line} key=${item.id} item=${item} language=${language} names=${names} locale=${locale} />`)}
      </ol>
    </div>
    ${unheard && html`<p class="line student growing" aria-hidden="true"><span class="line-name">${names.student}</span>
      <span class="line-words">…</span></p>`}
  </div>`;
}

/** The box scrolls; where there is little height (200 % zoom) it does not, and the page does. */
const scrollers = (box) => [box, document.scrollingElement].filter(Boolean);

const NAMES = { student: "You", ai: "Tutor", system: "" };

/** One item. It is drawn anew only when it changed: twenty times a second, only one does. */
export class Line extends Component {
  shouldComponentUpdate({ item, language }) {
    return item !== this.props.item || language !== this.props.language;
  }

  render({ item, language, names = NAMES, locale }) {
    const { kind, name } = item.reading?.speaker ?? item.speaker;
    const who = name ?? names[kind] ?? "Your school's tutor";
    const side = { student: "student", ai: "tutor", system: "system" }[kind] ?? "human";
    return html`<li class="line ${side} ${classes({ pending: item.typed && !item.saved })}">
      ${who && html`<span class="line-name" dir="auto">${who}<span class="for-screen-reader">: </span></span>`}
      <span class="line-words" dir="auto">${item.reading ? corrected(item, language) : words(item, language)}</span>
      ${item.reading?.corrections.map(({ correction, before, after, was }) => html`<${Correction} key=${correction.id} correction=${correction}
        before=${before} after=${after} titles=${TITLES[correction.kind]} locale=${locale}>
        ${was && html`<p>It was taken for ${names[was] || "somebody else"}.</p>`}<//>`)}
    </li>`;
  }
}

const TITLES = {
  words: ["As it was written down", "Corrected"], answer: ["What the tutor said", "What it should have said"],
};

/** The corrected words; of words that were cut off, as much as was heard. */
function corrected(item, language) {
  const { reading } = item;
  if (reading.isAnother || item.role === "user") return html`<${Rich} text=${reading.text ?? ""} language=${language} />`;
  return words({ ...item, text: reading.text ?? "" }, language);
}

function words(item, language) {
  if (item.lost) return html`<em class="faint">We could not make out the words.</em>`;
  if (item.role === "user" && !item.final) {
    return html`<span aria-hidden="true">${item.text || "…"}</span>`;
  }
  const { said, shown, cut } = captionOf(item);
  const part = (from, to) => html`<${Rich} text=${item.text} from=${from} to=${to} language=${language} />`;
  return html`${part(0, said)}
    ${shown > said && html`<span class="growing" aria-hidden="true">${part(said, shown)}</span>`}
    ${cut && html`<s class="cut"><span class="for-screen-reader"> Not heard: </span>${part(shown, item.text.length)}</s>`}`;
}
