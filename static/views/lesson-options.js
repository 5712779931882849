import { html, useMemo, useState } from "../lib/html.js";
import { LevelMeter, SoundDevice } from "./sound-devices.js";

/** How the lesson should sound and look. Each choice works at once and is remembered. */
export function Options({ preferences, choose, hears, room, listens }) {
  const [chosen, setChosen] = useState(preferences);
  const set = (name, value) => {
    setChosen({ ...chosen, [name]: value });
    choose({ [name]: value });
  };
  const radio = (name, fallback, title, choices) => html`<fieldset class="choice">
    <legend>${title}</legend>
    ${choices.map(([value, label]) => html`<label key=${label}><input type="radio" name=${name}
      checked=${(chosen[name] ?? fallback) === value} onChange=${() => set(name, value)} /> <span>${label}</span></label>`)}
  </fieldset>`;
  const check = (name, fallback, label, hint) => html`<label class="check-line">
    <input type="checkbox" checked=${chosen[name] ?? fallback} onChange=${(event) => set(name, event.target.checked)} />
    <span>${label}${hint && html`<small>${hint}</small>`}</span></label>`;
  const use = (kind, id) => room.useDevice(kind, id);
  const follow = useMemo(() => (listener) => room.followLevel(listener), [room]);
  return html`<div class="options">
    ${radio("speech_speed", 1, "How fast your tutor speaks", [[1, "Normal"], [0.8, "Slower"], [0.65, "Slowest"]])}
    ${radio("text_size", "normal", "Size of the words", [["normal", "Normal"], ["large", "Large"], ["larger", "Larger"]])}
    <div class="choice"><label for="volume">How loud your tutor is</label>
      <input id="volume" type="range" min="0" max="1" step="0.05" value=${Math.min(1, chosen.volume ?? 1)}
        aria-valuetext=${`${Math.round(100 * Math.min(1, chosen.volume ?? 1))} percent`}
        onChange=${(event) => set("volume", Number(event.target.value))} /></div>
    <${SoundDevice} devices=${room.devices} kind="audiooutput" choose=${use} />
    ${hears && html`<${SoundDevice} devices=${room.devices} kind="audioinput" choose=${use} />`}
    ${listens && html`<div class="choice"><p class="choice-name">How well your microphone hears you</p><${LevelMeter} follow=${follow} /></div>`}
    ${check("tutor_voice", true, "My tutor speaks aloud", "Without it, the answers only appear as text.")}
    ${hears && check("hold_to_talk", false, "Hold to talk", "The microphone listens only while you hold the button or the Space key.")}
    ${check("announce", true, "My screen reader reads what was said", "Turn it off if it talks over your tutor.")}
  </div>`;
}
