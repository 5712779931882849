import { choosesOutput } from "../js/audio/devices.js";
import { html, useEffect, useRef, useState } from "../lib/html.js";
import { Select } from "./field.js";

const NAMES = { audioinput: "Microphone", audiooutput: "Loudspeaker" };

/**
 * Which microphone or, where the browser lets one choose, which loudspeaker: `kind` is the browser's name for it.
 * `choose(kind, id)` uses it at once. Nothing is drawn where there is no choice.
 */
export function SoundDevice({ devices, kind, choose }) {
  const [found, setFound] = useState([]);
  const [chosen, setChosen] = useState(() => devices.chosen(kind));
  useEffect(() => {
    let here = true;
    const look = () => devices.list().then((all) => here && setFound(all[kind]));
    look();
    const end = devices.follow(look);
    return () => {
      here = false;
      end();
    };
  }, [devices, kind]);
  if (found.length === 0 || (kind === "audiooutput" && !choosesOutput())) return null;
  const set = (id) => {
    setChosen(id);
    choose(kind, id);
  };
  return html`<div class="choice"><label for=${kind}>${NAMES[kind]}</label>
    <${Select} id=${kind} value=${found.some(({ id }) => id === chosen) ? chosen : ""} onChange=${set}
      options=${[["", "The one this device chooses"], ...found.map(({ id, label }) => [id, label])]} /></div>`;
}

/** A bar as long as the voice is loud. `follow(listener)` tells the level, 0 to 1; it returns what ends that. */
export function LevelMeter({ follow }) {
  const bar = useRef(null);
  useEffect(() => follow((level) => {
    bar.current?.style.setProperty("--level", level.toFixed(2));
    bar.current?.setAttribute("aria-valuenow", String(Math.round(level * 100)));
  }), [follow]);
  return html`<div class="meter" role="meter" aria-label="Microphone level" aria-valuemin="0" aria-valuemax="100"
    aria-valuenow="0" ref=${bar}><span class="meter-bar"></span></div>`;
}
