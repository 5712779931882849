/** The loudspeaker on the audio thread: plays the queue and says how much of it was really played. */

import { WIRE_HZ, toFloat } from "../lib/pcm.js";
import { PlayoutQueue } from "../lib/playout-queue.js";
import { Resampler } from "../lib/resample.js";

const REPORT_MS = 50;

class Playout extends AudioWorkletProcessor {
  #queue = new PlayoutQueue(sampleRate);
  #resamplers = new Map();
  #since = 0;
  #told = "";

  constructor() {
    super();
    this.port.onmessage = ({ data }) => this.#do(data);
  }

  process(_, [[out]]) {
    const finished = this.#queue.read(out);
    for (const position of finished) this.port.postMessage({ type: "finished", ...position });
    this.#since += out.length;
    if (finished.length > 0 || this.#since * 1000 >= REPORT_MS * sampleRate) this.#report();
    return true;
  }

  #do(message) {
    if (message.type === "push") {
      if (!this.#resamplers.has(message.id)) {
        this.#resamplers.set(message.id, new Resampler(WIRE_HZ, sampleRate));
      }
      const samples = toFloat(new Int16Array(message.pcm));
      this.#queue.push(message.id, this.#resamplers.get(message.id).process(samples));
    } else if (message.type === "end") {
      const resampler = this.#resamplers.get(message.id);
      if (resampler) this.#queue.push(message.id, resampler.finish());
      this.#queue.end(message.id);
      this.#resamplers.delete(message.id);
    } else if (message.type === "drop") {
      for (const position of this.#queue.drop(message.never)) {
        this.#resamplers.delete(position.id);
        this.port.postMessage({ type: "dropped", ...position });
      }
    } else if (message.type === "pause") this.#queue.pause();
    else if (message.type === "resume") this.#queue.resume();
    this.#report();
  }

  #report() {
    this.#since = 0;
    const { paused, underruns, now } = this.#queue;
    const report = { type: "position", paused, underruns, now };
    const told = JSON.stringify(report);
    if (told !== this.#told) this.port.postMessage(report);
    this.#told = told;
  }
}

registerProcessor("playout", Playout);
