import { Component, html, useState } from "../lib/html.js";
import { Answers, Hints, Misconceptions } from "./author-parts.js";
import { Amount, Lines, Words, asText, fieldId } from "./author-field.js";
import { Lost } from "./author-lost.js";

/**
 * One step as a card. It is drawn anew only when something of it changed: with sixty steps, typing would be slow.
 * So its handlers must not depend on what the other steps are.
 */
export class StepCard extends Component {
  shouldComponentUpdate(next) {
    return this.props.step !== next.step || looks(this.props) !== looks(next);
  }

  render(props) {
    return html`<${Card} ...${props} />`;
  }
}

/** Everything but the step's own content that its card shows. */
function looks({ pen, step, number, count, open }) {
  const path = `steps.${step.id}`;
  const decided = pen.decided.filter((field) => field.startsWith(path));
  return JSON.stringify([number, count, open, pen.language, decided, pen.findingsIn(path), pen.editsIn(path)]);
}

/** Its head moves, folds and removes it, its body is the form. */
function Card({ pen, step, number, count, open, onFold, onMove, onRemove, grip }) {
  const path = `steps.${step.id}`;
  const edit = pen.edit(path);
  const id = fieldId(path);
  const problems = pen.findingsIn(path).filter(({ severity }) => severity === "error").length;
  return html`<li class="step" id=${id} data-step=${step.id} data-open=${open} tabindex="-1" aria-labelledby="${id}-title" onKeyDown=${moves(onMove)}>
    <header class="step-head">
      <span class="grip" aria-hidden="true" title="Drag to move" ...${grip}><i></i><i></i><i></i></span>
      <h3 id="${id}-title">Step ${number}${!open && html`<span class="step-gist" dir="auto" lang=${pen.language}>${asText(step.ask) || "no question yet"}</span>`}
        ${problems > 0 && html`<span class="mark danger">${problems} to mend</span>`}</h3>
      <div class="step-ways">
        <${Way} id="${id}-up" number=${number} off=${number === 1} act=${() => onMove(-1)}>Up<//>
        <${Way} id="${id}-down" number=${number} off=${number === count} act=${() => onMove(1)}>Down<//>
        <button type="button" class="way-button" id="${id}-fold" aria-expanded=${open} aria-controls="${id}-body" onClick=${onFold}>${open ? "Fold" : "Unfold"}<span
          class="for-screen-reader">: step ${number}</span></button>
        <${Way} id="${id}-remove" number=${number} act=${onRemove}>Remove<//>
      </div>
    </header>
    ${edit?.state === "conflict" && html`<${Lost} pen=${pen} edit=${edit} number=${number} />`}
    ${edit?.state === "refused" && html`<p class="field-trouble" role="alert">Not saved: ${edit.sentence}</p>`}
    <div class="step-body" id="${id}-body" hidden=${!open}>${open && html`<${Body} pen=${pen} path=${path} step=${step} />`}</div>
  </li>`;
}

function Way({ id, number, off = false, act, children }) {
  return html`<button type="button" class="way-button" id=${id} aria-disabled=${off} onClick=${() => !off && act()}>${children}<span
    class="for-screen-reader">: step ${number}</span></button>`;
}

/** Alt and Shift with an arrow move the step from anywhere in it. */
const moves = (onMove) => (event) => {
  if (!event.altKey || !event.shiftKey || !["ArrowUp", "ArrowDown"].includes(event.key)) return;
  event.preventDefault();
  onMove(event.key === "ArrowUp" ? -1 : 1, { stay: true });
};

function Body({ pen, path, step }) {
  const at = (name) => `${path}.${name}`;
  const asksChoice = (step.answers ?? []).some(({ kind }) => kind === "choice") || step.choices || pen.edit(at("choices"));
  return html`
    <${Words} pen=${pen} path=${at("say")} label="Explain first" hint="What the tutor says before asking. May stay empty." />
    <${Words} pen=${pen} path=${at("ask")} label="Question" hint="One question, short enough to be spoken." />
    ${asksChoice && html`<${Lines} pen=${pen} path=${at("choices")} label="Choices" hint="One a line; the tutor reads them out." />`}
    <${Answers} pen=${pen} path=${at("answers")} />
    <${Hints} pen=${pen} path=${at("hints")} />
    <${Words} pen=${pen} path=${at("solution")} label="Worked solution" hint="Said only when the hints are used up." />
    <${Misconceptions} pen=${pen} path=${at("misconceptions")} />
    <${More} pen=${pen} path=${path} step=${step} />`;
}

function More({ pen, path, step }) {
  const at = (name) => `${path}.${name}`;
  const filled = ["exit", "praise", "patience_s"].some((name) => step[name] !== undefined || pen.edit(at(name)) || pen.findings(at(name)).length > 0);
  const [open, setOpen] = useState(filled);
  return html`<details class="more" open=${open} onToggle=${(event) => setOpen(event.target.open)}>
    <summary>When to move on, praise, patience</summary>
    <${Words} pen=${pen} path=${at("exit")} label="Move on when" hint="What the student has shown." rows=${1} />
    <${Words} pen=${pen} path=${at("praise")} label="Praise" hint="Said to a right answer." rows=${1} />
    <${Amount} pen=${pen} path=${at("patience_s")} label="Patience" placeholder="as the lesson" hint="Seconds of silence that end an answer, from 0.2 to 10." />
  </details>`;
}
