/** The microphone on the audio thread: any rate in, frames of 20 ms at 24 kHz out, with their level. */

import { Framer, WIRE_HZ, level, toInt16 } from "../lib/pcm.js";
import { Resampler } from "../lib/resample.js";

class Capture extends AudioWorkletProcessor {
  #resampler = new Resampler(sampleRate, WIRE_HZ);
  #framer = new Framer();

  process([channels]) {
    const [samples] = channels;
    if (samples) this.#framer.push(this.#resampler.process(samples), (frame) => this.#post(frame));
    return true;
  }

  #post(frame) {
    const pcm = toInt16(frame).buffer;
    this.port.postMessage({ pcm, level: level(frame) }, [pcm]);
  }
}

registerProcessor("capture", Capture);
