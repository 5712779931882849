import { asTex, crossing, labelled, path, rows, scale, together, written } from "../lib/plane.js";
import { html } from "../lib/html.js";
import { Maths, Rich } from "./maths.js";

const DRAWN = { text: Text, formula: Formula, plot: Plot, points: Plot, number_line: NumberLine, bars: Bars, fraction: Fractions };

/**
 * One thing on the board. A picture is told in words to who can't see it; of a kind that this page does not know
 * yet, the words are all there is.
 */
export function Figure({ figure, language }) {
  const { kind, caption, says, drawing } = figure;
  const Drawing = Object.hasOwn(DRAWN, kind) ? DRAWN[kind] : null;
  return html`<figure class="figure" data-kind=${kind} lang=${language}>
    ${Drawing ? html`<${Drawing} ...${drawing} says=${says} language=${language} />` : html`<p dir="auto">${says}</p>`}
    ${Drawing && caption && html`<figcaption dir="auto"><${Rich} text=${caption} language=${language} /></figcaption>`}
  </figure>`;
}

function Text({ text, language }) {
  return html`<p class="figure-text" dir="auto"><${Rich} text=${text} language=${language} /></p>`;
}

function Formula({ tex, language }) {
  return html`<p class="board-formula"><${Maths} tex=${tex} language=${language} large=${true} /></p>`;
}

// ---- curves and points: units are about pixels of the board beside the lesson

const WIDE = 260;
const HIGH = 220;
const EDGE = { right: 14, top: 14, bottom: 22 };
const DIGIT = 7.5; // width of one, at the size of an axis's numbers

function Plot({ x, y, lines, points, says, language }) {
  const numbers = labelled(y.ticks, 6).map((tick) => [tick, written(tick, language)]);
  const left = 10 + DIGIT * Math.max(...numbers.map(([, number]) => number.length));
  const [right, top, bottom] = [WIDE - EDGE.right, EDGE.top, HIGH - EDGE.bottom];
  const [toX, toY] = [scale(x, left, right), scale(y, bottom, top)];
  const [acrossX, acrossY] = [toX(crossing(x)), toY(crossing(y))];
  const many = lines.length > 1;
  return html`<svg class="drawing" viewBox="0 0 ${WIDE} ${HIGH}" role="img" aria-label=${says}>
      ${x.ticks.map((tick) => html`<line class="grid" x1=${toX(tick)} x2=${toX(tick)} y1=${top} y2=${bottom} />`)}
      ${y.ticks.map((tick) => html`<line class="grid" x1=${left} x2=${right} y1=${toY(tick)} y2=${toY(tick)} />`)}
      <line class="axis" x1=${left} x2=${right} y1=${acrossY} y2=${acrossY} />
      <line class="axis" x1=${acrossX} x2=${acrossX} y1=${top} y2=${bottom} />
      ${labelled(x.ticks, 6).map((tick) => html`<text x=${toX(tick)} y=${bottom + 16} text-anchor="middle">${written(tick, language)}</text>`)}
      ${numbers.map(([tick, number]) => html`<text x=${left - 5} y=${toY(tick) + 4} text-anchor="end">${number}</text>`)}
      <svg x=${left} y=${top} width=${right - left} height=${bottom - top} viewBox="${left} ${top} ${right - left} ${bottom - top}">
        ${lines.map(({ pieces }, i) => pieces.map((piece) => html`<path class="curve" data-number=${i} d=${path(piece, toX, toY)} />`))}
      </svg>
      ${points.map(([px, py]) => html`<circle class="point" cx=${toX(px)} cy=${toY(py)} r="4.5" />`)}
    </svg>
    ${lines.length > 0 && html`<ul class="legend" aria-hidden="true">${lines.map(({ label }, i) => html`<li>
      ${many && html`<svg viewBox="0 0 28 8" width="28" height="8"><path class="curve" data-number=${i} d="M1 4L27 4" /></svg>`}
      <${Label} label=${label} language=${language} /></li>`)}</ul>`}`;
}

function Label({ label, language }) {
  const tex = asTex(label);
  return tex ? html`<${Maths} tex=${tex} language=${language} />` : html`<span>${label.replaceAll("-", "\u2212")}</span>`;
}

// ---- a line of numbers

const LINE_EDGE = 14;
const LABEL_ROOM = 30;
const ROW = 17;

function NumberLine({ axis, marks, says, language }) {
  const toX = scale(axis, LINE_EDGE, WIDE - LINE_EDGE);
  const marked = together(marks);
  const places = marked.map(({ at }) => toX(at));
  const row = rows(places, LABEL_ROOM);
  const at = 12 + ROW * Math.max(1, ...row.map((number) => number + 1));
  return html`<svg class="drawing" viewBox="0 0 ${WIDE} ${at + 28}" role="img" aria-label=${says}>
    <line class="axis" x1=${LINE_EDGE - 8} x2=${WIDE - LINE_EDGE + 8} y1=${at} y2=${at} />
    ${axis.ticks.map((tick) => html`<line class="axis" x1=${toX(tick)} x2=${toX(tick)} y1=${at - 4} y2=${at + 4} />`)}
    ${labelled(axis.ticks, 6).map((tick) => html`<text x=${toX(tick)} y=${at + 20} text-anchor="middle">${written(tick, language)}</text>`)}
    ${marked.map(({ label }, i) => html`<g class="marked">
      <line class="stem" x1=${places[i]} x2=${places[i]} y1=${at} y2=${at - 8 - ROW * row[i]} />
      <circle class="point" cx=${places[i]} cy=${at} r="5" />
      <text x=${places[i]} y=${at - 11 - ROW * row[i]} text-anchor="middle">${label.replaceAll("-", "\u2212")}</text></g>`)}
  </svg>`;
}

// ---- bars, and parts of a whole

function Bars({ bars, axis, says, language }) {
  const length = scale(axis, 0, 100);
  return html`<div class="bars" role="img" aria-label=${says}>${bars.map(({ label, value }) => html`<p class="bar-line">
    <span class="bar-label" dir="auto">${label}</span>
    <svg class="bar" viewBox="0 0 100 10" preserveAspectRatio="none"><rect class="filled" width=${length(value)} height="10" /></svg>
    <span class="bar-value">${written(value, language)}</span></p>`)}</div>`;
}

function Fractions({ fractions, says, language }) {
  return html`<div class="fractions" role="img" aria-label=${says}>${fractions.map(({ top, bottom }) => html`<div class="fraction">
    <span class="fraction-number" aria-hidden="true"><${Maths} tex=${`\\frac{${top}}{${bottom}}`} language=${language} /></span>
    <div class="wholes">${Array.from({ length: Math.max(1, Math.ceil(top / bottom)) }, (_, whole) => html`<${Whole} parts=${bottom} filled=${top - whole * bottom} />`)}</div>
  </div>`)}</div>`;
}

function Whole({ parts, filled }) {
  const wide = 200 / parts;
  return html`<svg class="whole" viewBox="-1 -1 202 36" preserveAspectRatio="none">
    ${Array.from({ length: parts }, (_, i) => html`<rect class=${i < filled ? "filled" : "empty"} x=${i * wide} width=${wide} height="34" />`)}
  </svg>`;
}
