/**
 * Changes the sample rate of a stream: a windowed sinc, in phases, with memory between calls.
 *
 * The position of an output sample is kept as a fraction of whole numbers, so that an hour of speech
 * drifts by nothing.
 */

const HALF_WIDTH = 16; // zero crossings on each side; stop band below -60 dB with a Blackman window

function gcd(a, b) {
  return b === 0 ? a : gcd(b, a % b);
}

function blackman(x) {
  return 0.42 + 0.5 * Math.cos(Math.PI * x) + 0.08 * Math.cos(2 * Math.PI * x);
}

/** One filter a phase: how much each neighbour counts for an output that lies between two inputs. */
function filters(phases, cutoff, reach) {
  const taps = 2 * reach;
  const table = [];
  for (let phase = 0; phase < phases; phase++) {
    const filter = new Float32Array(taps);
    let sum = 0;
    for (let tap = 0; tap < taps; tap++) {
      const distance = tap - reach + 1 - phase / phases;
      const angle = Math.PI * distance * cutoff;
      const sinc = distance === 0 ? 1 : Math.sin(angle) / angle;
      const inside = Math.abs(distance) < reach;
      filter[tap] = inside ? sinc * blackman(distance / reach) : 0;
      sum += filter[tap];
    }
    table.push(filter.map((weight) => weight / sum));
  }
  return table;
}

export class Resampler {
  #step;
  #phases;
  #table;
  #history;
  #whole = 0;
  #phase = 0;

  constructor(fromHz, toHz) {
    const common = gcd(fromHz, toHz);
    this.#phases = toHz / common;
    this.#step = fromHz / common;
    const cutoff = Math.min(1, toHz / fromHz) * 0.94;
    const reach = Math.ceil(HALF_WIDTH * Math.max(1, fromHz / toHz));
    this.#table = fromHz === toHz ? null : filters(this.#phases, cutoff, reach);
    this.reach = fromHz === toHz ? 0 : reach;
    this.#history = new Float32Array(Math.max(0, this.reach - 1));
  }

  /** The next samples at the new rate. What needs samples still to come waits for the next call. */
  process(input) {
    if (!this.#table) return input;
    const samples = new Float32Array(this.#history.length + input.length);
    samples.set(this.#history);
    samples.set(input, this.#history.length);
    const taps = 2 * this.reach;
    const output = [];
    while (this.#whole + taps <= samples.length) {
      const filter = this.#table[this.#phase];
      let value = 0;
      for (let tap = 0; tap < taps; tap++) value += filter[tap] * samples[this.#whole + tap];
      output.push(value);
      this.#phase += this.#step;
      this.#whole += Math.floor(this.#phase / this.#phases);
      this.#phase %= this.#phases;
    }
    const used = Math.min(this.#whole, samples.length);
    this.#history = samples.slice(used);
    this.#whole -= used;
    return Float32Array.from(output);
  }

  /** The last samples, after which nothing more comes. */
  finish() {
    return this.process(new Float32Array(this.reach));
  }
}
