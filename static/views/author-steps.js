import { moved, orderOf, valueAt } from "../js/draft-plan.js";
import { gripOf } from "../js/drag.js";
import { html, useLayoutEffect, useRef, useState } from "../lib/html.js";
import { Both } from "./author-conflict.js";
import { asText, fieldId } from "./author-field.js";
import { StepCard } from "./author-step.js";
import { Undo } from "./undo.js";

const MOST = 60;
const MANY = 4; // steps, beyond which they begin folded

/** The steps: in order, each a card; moved by drag or by key, removed with a way back. */
export function Steps({ pen, plan, folds }) {
  const order = orderOf(plan);
  const list = useRef(null);
  const [removed, setRemoved] = useState(null); // {id, content, place, after}
  const [drag, setDrag] = useState(null); // {id, place}
  const focus = useStillFocus();

  const now = useRef(null); // cards keep the handlers they were drawn with
  now.current = { order, plan };

  const place = (id, to, then) => {
    const { order: known } = now.current;
    if (to < 0 || to >= known.length || known.indexOf(id) === to) return;
    pen.type("step_order", moved(known, id, to), { wait: false });
    pen.announce(`Step ${known.indexOf(id) + 1} is now step ${to + 1} of ${known.length}.`);
    if (then) focus.next(then);
  };
  const move = (id) => (by, { stay = false } = {}) =>
    place(id, now.current.order.indexOf(id) + by, stay ? null : `${fieldId(`steps.${id}`)}-${by < 0 ? "up" : "down"}`);
  const add = () => {
    const id = newId();
    pen.type(`steps.${id}`, {}, { after: order.at(-1), wait: false });
    folds.open(id);
    focus.next(fieldId(`steps.${id}.ask`));
    pen.announce(`Step ${order.length + 1} added.`);
  };
  const remove = (id) => () => {
    const { order: known, plan: whole } = now.current;
    const at = known.indexOf(id);
    setRemoved({ id, content: valueAt(whole, `steps.${id}`), place: at, after: known[at - 1] ?? null });
    pen.type(`steps.${id}`, null, { wait: false });
  };
  const putBack = () => {
    const { id, content, after, place: at } = removed;
    pen.type(`steps.${id}`, content, { after, wait: false });
    if (!after && order.length > 0) pen.type("step_order", [id, ...order], { wait: false });
    setRemoved(null);
    focus.next(`${fieldId(`steps.${id}`)}-remove`);
    pen.announce(`Step ${at + 1} is back.`);
  };
  const grip = (id) => gripOf(id, {
    rows: () => [...list.current.querySelectorAll(":scope > .step")].map((row) => [row.dataset.step, row]),
    told: setDrag, dropped: (dragged, to) => place(dragged, to),
  });
  const orderEdit = pen.edit("step_order");
  const undo = removed && html`<li key="removed"><${Undo} onUndo=${putBack} onClose=${() => {
    setRemoved(null);
    focus.next("add-step");
  }}>Step ${removed.place + 1} removed${removed.content.ask ? html`: “${asText(removed.content.ask)}”` : ""}<//></li>`;
  const cards = order.map((id, i) => html`<${StepCard} key=${id} pen=${pen} step=${plan.steps[i]} number=${i + 1} count=${order.length}
    open=${folds.isOpen(id)} onFold=${() => folds.toggle(id)} onMove=${move(id)} onRemove=${remove(id)} grip=${grip(id)} />`);
  const others = order.filter((id) => id !== drag?.id);
  return html`
    ${orderEdit?.state === "conflict" && html`<${Both} pen=${pen} edit=${orderEdit} label="Order of the steps" />`}
    ${order.length === 0 && !removed && html`<p class="empty">No steps yet. A step is one question, with what leads a student to its answer.</p>`}
    <ol class="steps-list" ref=${list} data-dragging=${drag !== null} data-dragged=${drag?.id}>
      ${withDrop(removed ? cards.toSpliced(removed.place, 0, undo) : cards, drag && (others[drag.place] ?? null), drag)}
    </ol>
    ${order.length < MOST
      ? html`<button type="button" class="button add" id="add-step" onClick=${add}>Add a step</button>`
      : html`<p class="faint" id="add-step" tabindex="-1">A lesson has at most ${MOST} steps.</p>`}`;
}

/** The line where the dragged step would come to stand: before the step `before`, else at the end. */
function withDrop(rows, before, drag) {
  if (!drag || drag.place === null) return rows;
  const line = html`<li key="drop" class="drop" aria-hidden="true"></li>`;
  const at = rows.findIndex(({ key }) => key === before);
  return rows.toSpliced(at < 0 ? rows.length : at, 0, line);
}

/** Which steps are unfolded; many begin folded. */
export function useFolds(order) {
  const [state, setState] = useState(() => new Map(order.length > MANY ? order.slice(1).map((id) => [id, false]) : []));
  const set = (id, open) => setState((known) => new Map(known).set(id, open));
  const isOpen = (id) => state.get(id) ?? true;
  return {
    isOpen, open: (id) => set(id, true), toggle: (id) => set(id, !isOpen(id)),
    all: (open, ids) => setState(new Map(ids.map((id) => [id, open]))),
  };
}

/** What has the focus keeps it when its step moves; `next(id)` gives it to something that is about to be drawn. */
function useStillFocus() {
  const wanted = useRef(null);
  const before = document.activeElement;
  useLayoutEffect(() => {
    const lost = before !== document.activeElement && before?.isConnected && document.activeElement === document.body;
    const next = (wanted.current && document.getElementById(wanted.current)) || (lost ? before : null);
    if (next) {
      wanted.current = null;
      next.focus({ preventScroll: lost });
    }
  });
  return { next: (id) => void (wanted.current = id) };
}

const newId = () => Array.from(crypto.getRandomValues(new Uint8Array(8)), (byte) => (byte % 36).toString(36)).join("");
