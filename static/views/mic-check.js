import { Devices } from "../js/audio/devices.js";
import { Microphone } from "../js/audio/microphone.js";
import { openSound } from "../js/audio/sound.js";
import { troubleOf } from "../js/audio/trouble.js";
import { html, useEffect, useMemo, useRef, useState } from "../lib/html.js";
import { LevelMeter, SoundDevice } from "./sound-devices.js";

const RECORD_MS = 4000;
const HEARD_LEVEL = 0.35; // about -43 dBFS: a quiet voice at arm's length
const SILENT_MS = 6000;
const SENTENCE = "Hello, I am ready for my lesson.";

/**
 * Twenty seconds before the first lesson: say a sentence, see the level, hear oneself back. `onDone(talking)`
 * goes on, by voice or by typing; nothing that is recorded here leaves the page.
 */
export function MicCheck({ onDone }) {
  const [stage, setStage] = useState("ask"); // ask | listening | recorded | trouble
  const [trouble, setTrouble] = useState(null);
  const [hint, setHint] = useState("");
  const devices = useMemo(() => new Devices(), []);
  const meter = useRef(null); // told of each level
  const follow = useMemo(() => (listener) => {
    meter.current = listener;
    return () => { meter.current = null; };
  }, []);
  const parts = useRef({ context: null, microphone: null, frames: [], loudest: 0, timers: [] });

  const close = () => {
    const { context, microphone, timers } = parts.current;
    for (const timer of timers) clearTimeout(timer);
    microphone?.close();
    context?.close();
    parts.current = { context: null, microphone: null, frames: [], loudest: 0, timers: [] };
  };
  useEffect(() => close, []);
  const words = useRef(null);
  useEffect(() => words.current.focus(), [stage]);

  const hear = (pcm, level) => {
    const now = parts.current;
    now.frames.push(pcm);
    now.loudest = Math.max(now.loudest, level);
    meter.current?.(level);
    if (now.loudest >= HEARD_LEVEL && !now.heard) {
      now.heard = true;
      setHint("Good, we hear you.");
      now.frames = now.frames.slice(-25);
      now.timers.push(setTimeout(recorded, RECORD_MS));
    }
  };
  const recorded = () => {
    parts.current.microphone.close();
    setStage("recorded");
    playBack();
  };
  const playBack = () => play(parts.current.context, parts.current.frames);
  const listen = async () => {
    close();
    setHint("");
    try {
      parts.current.context = await openSound(devices.chosen("audiooutput"));
      parts.current.microphone = new Microphone(parts.current.context);
      await parts.current.microphone.open(hear, () => fail("unplugged"), devices.chosen("audioinput"));
      setStage("listening");
      parts.current.timers.push(setTimeout(() => {
        if (!parts.current.heard) setHint(silentHint(parts.current.microphone.label));
      }, SILENT_MS));
    } catch (error) {
      fail(error.name);
    }
  };
  const choose = (kind, id) => {
    devices.choose(kind, id);
    if (kind === "audioinput") listen();
    else parts.current.context?.setSinkId?.(id).then(playBack, () => null);
  };
  const fail = (name) => {
    close();
    setTrouble(troubleOf(name, { userAgent: navigator.userAgent, secure: window.isSecureContext }));
    setStage("trouble");
  };

  return html`<section class="check card">
    <div tabindex="-1" ref=${words}>
      <h1>Can your tutor hear you?</h1>
      ${stage === "ask" && html`<p>A quick check of your microphone. Your browser may ask you; choose “Allow”.
        Nothing you say here is sent or kept.</p>`}
      ${stage === "listening" && html`<p>Please say:</p><p class="check-sentence">“${SENTENCE}”</p>
        <${LevelMeter} follow=${follow} />`}
      ${stage === "recorded" && html`<p>This is how you sound. Could you understand yourself?</p>`}
      ${stage === "trouble" && html`<${Help} trouble=${trouble} />`}
    </div>
    <p class="check-hint" role="status">${stage === "listening" ? hint : ""}</p>
    ${stage === "listening" && html`<${SoundDevice} devices=${devices} kind="audioinput" choose=${choose} />`}
    ${stage === "recorded" && html`<${SoundDevice} devices=${devices} kind="audiooutput" choose=${choose} />`}
    <${Choices} stage=${stage} listen=${listen} again=${playBack} onDone=${onDone} />
  </section>`;
}

function silentHint(label) {
  const named = label ? ` We listen to “${label}”.` : "";
  return `I can't hear you yet. Is the right microphone chosen, and not muted?${named}`;
}

function Choices({ stage, listen, again, onDone }) {
  const typing = html`<button type="button" class="button" onClick=${() => onDone(false)}>Go on by typing</button>`;
  if (stage === "recorded") {
    return html`<div class="actions">
      <button type="button" class="button primary" onClick=${() => onDone(true)}>Yes, start the lesson</button>
      <button type="button" class="button" onClick=${again}>Play it again</button>
      <button type="button" class="button" onClick=${listen}>Try once more</button>${typing}</div>`;
  }
  const words = { ask: "Check my microphone", trouble: "Try the microphone again" }[stage];
  return html`<div class="actions">
    ${words && html`<button type="button" class="button primary" onClick=${listen}>${words}</button>`}${typing}</div>`;
}

/** What is wrong with the microphone, and what helps. */
export function Help({ trouble }) {
  return html`<div class="help" role="alert">
    <h2>${trouble.title}</h2>
    <ul>${trouble.steps.map((step) => html`<li key=${step}>${step}</li>`)}</ul>
  </div>`;
}

function play(context, frames) {
  if (!context || frames.length === 0) return;
  const samples = frames.flatMap((pcm) => Array.from(new Int16Array(pcm), (value) => value / 32_768));
  const buffer = context.createBuffer(1, samples.length, 24_000);
  buffer.copyToChannel(Float32Array.from(samples), 0);
  const source = context.createBufferSource();
  source.buffer = buffer;
  source.connect(context.destination);
  source.start();
}
