/** Sound as numbers: 16-bit samples on the wire, floats in the browser. */

export const WIRE_HZ = 24_000; // realtime.md: audio/pcm is 24 kHz, mono, 16-bit, little-endian
export const FRAME_SAMPLES = 480; // 20 ms

export function toInt16(samples) {
  const pcm = new Int16Array(samples.length);
  for (let i = 0; i < samples.length; i++) {
    const value = Math.max(-1, Math.min(1, samples[i]));
    pcm[i] = Math.round(value < 0 ? value * 32_768 : value * 32_767);
  }
  return pcm;
}

export function toFloat(pcm) {
  const samples = new Float32Array(pcm.length);
  for (let i = 0; i < pcm.length; i++) samples[i] = pcm[i] / 32_768;
  return samples;
}

/** Loudness as people feel it: 0 at -60 dBFS and below, 1 at -12 dBFS and above. */
export function level(samples) {
  let sum = 0;
  for (let i = 0; i < samples.length; i++) sum += samples[i] * samples[i];
  const decibel = 10 * Math.log10(sum / Math.max(1, samples.length) + 1e-12);
  return Math.max(0, Math.min(1, (decibel + 60) / 48));
}

/** Cuts a stream into frames of equal length; what is left over begins the next one. */
export class Framer {
  #frame;
  #filled = 0;

  constructor(size = FRAME_SAMPLES) {
    this.#frame = new Float32Array(size);
  }

  push(samples, emit) {
    let at = 0;
    while (at < samples.length) {
      const take = Math.min(samples.length - at, this.#frame.length - this.#filled);
      this.#frame.set(samples.subarray(at, at + take), this.#filled);
      this.#filled += take;
      at += take;
      if (this.#filled === this.#frame.length) {
        emit(this.#frame);
        this.#filled = 0;
      }
    }
  }
}
