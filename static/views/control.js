import { controlOf } from "../js/control.js";
import { html, useEffect, useRef } from "../lib/html.js";
import { Icon } from "./icons.js";

const ANNOUNCED = new Set(["reconnecting", "paused", "off", "human"]);

/** The one large control. A press does what its hint says; the ring follows the real level. */
export function Control({ state, act, room }) {
  const control = controlOf(state);
  const ring = useRef(null);
  useEffect(() => room.followLevel((level) => ring.current?.style.setProperty("--level", level.toFixed(2))), [room]);
  const holding = control.action === "hold";
  const press = { onClick: () => control.action && !holding && act(control.action) };
  return html`<div class="control-place">
    <button type="button" class="control" data-state=${control.name} ref=${ring} id="control"
      aria-disabled=${control.action ? undefined : "true"} ...${holding ? holdable(room) : press}>
      <span class="control-shape"><${Icon} name=${shapeOf(control)} /></span>
      <span class="control-words">
        <span class="control-word">${control.word}</span>
        <span class="control-hint"> ${control.hint}${control.keys && html`<span class="control-keys"> ${control.keys}</span>`}</span>
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

/** Held by mouse, finger or key; letting go anywhere ends it. */
function holdable(room) {
  const isKey = (event) => event.key === " " || event.key === "Enter";
  return {
    onPointerDown: (event) => {
      event.currentTarget.setPointerCapture(event.pointerId);
      room.hold(true);
    },
    onPointerUp: () => room.hold(false),
    onPointerCancel: () => room.hold(false),
    onBlur: () => room.hold(false),
    onContextMenu: (event) => event.preventDefault(),
    onKeyDown: (event) => isKey(event) && !event.repeat && room.hold(true),
    onKeyUp: (event) => isKey(event) && room.hold(false),
  };
}
