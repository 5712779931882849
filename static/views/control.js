import { controlOf } from "../js/control.js";
import { html, useEffect, useRef } from "../lib/html.js";
import { Icon } from "./icons.js";

const CLICK_MS = 50; // a click follows the end of the press it belongs to
const ANNOUNCED = new Set(["reconnecting", "paused", "off", "human"]);

/** The one large control. A press does what its hint says; the ring follows the real level. */
export function Control({ state, act, room }) {
  const control = controlOf(state);
  const ring = useRef(null);
  useEffect(() => room.followLevel((level) => ring.current?.style.setProperty("--level", level.toFixed(2))), [room]);
  const holding = control.action === "hold";
  const press = usePress(control, act, room);
  return html`<div class="control-place">
    <button type="button" class="control" data-state=${control.name} ref=${ring} id="control"
      aria-disabled=${control.action ? undefined : "true"} aria-pressed=${holding ? state.handHeld : undefined} ...${press}>
      <span class="control-shape"><${Icon} name=${shapeOf(control)} /></span>
      <span class="control-words">
        <span class="control-word">${control.word}</span>
        <span class="control-hint"> ${control.hint}${control.keys && html`<span class="control-keys"> ${control.keys}</span>`}</span>
        ${control.presses && html`<span class="for-screen-reader"> ${control.presses}</span>`}
      </span>
    </button>
    ${state.microphone === "on" && html`<button type="button" class="mute" onClick=${() => room.mute()}>
      <${Icon} name="off" size=${28} /><span>Mute</span><span class="for-screen-reader"> my microphone</span></button>`}
    <p class="for-screen-reader" role="status">${ANNOUNCED.has(control.name) ? `${control.word}. ${control.hint}` : ""}</p>
  </div>`;
}

function shapeOf({ name, word }) {
  return word === "Hold to talk" ? "hold" : name;
}

/**
 * A press does the control's action, or holds it as long as a mouse, finger or key is down. Some can only press: for
 * them one press begins, and another ends.
 */
function usePress(control, act, room) {
  const held = useRef(false); // this press was for holding, and not for what the control has become by its end
  const holding = control.action === "hold";
  const down = (by) => {
    held.current = holding;
    if (holding) room.hold(true, by);
  };
  const later = () => setTimeout(() => { held.current = false; }, CLICK_MS);
  return {
    onPointerDown: (event) => {
      if (event.button !== 0) return;
      down({ pointer: event.pointerId });
      try {
        if (holding) event.currentTarget.setPointerCapture(event.pointerId);
      } catch { /* a pointer that some program made up can't be captured, and needs not */ }
    },
    onPointerUp: later,
    onPointerCancel: later,
    onKeyDown: (event) => {
      if ((event.key !== " " && event.key !== "Enter") || event.repeat) return;
      down({ key: event.key });
    },
    onKeyUp: later,
    onContextMenu: (event) => holding && event.preventDefault(),
    onClick: () => {
      if (held.current || !control.action) return;
      if (holding) room.hold(room.state.handHeld === false);
      else act(control.action);
    },
  };
}
