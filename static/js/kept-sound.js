/**
 * Microphone frames that may have to be sent later: the latest, and of a long quiet only its ends, so that silence
 * pushes no word out. Pure.
 */

const HEAD = 10; // frames of 20 ms at the beginning of a quiet: how a word dies away
const TAIL = 15; // and at its end: how the next one begins

export class KeptSound {
  #most;
  #frames = [];
  #quiet = 0; // so many of the last frames, with what was left out of them

  /** @param most how many frames are kept */
  constructor(most) {
    this.#most = most;
  }

  push(frame, isQuiet) {
    this.#quiet = isQuiet ? this.#quiet + 1 : 0;
    this.#frames.push(frame);
    if (this.#quiet > HEAD + TAIL) this.#frames.splice(-1 - TAIL, 1);
    else if (this.#frames.length > this.#most) this.#frames.shift();
  }

  /** Behind what is kept already. */
  add(frames) {
    this.#frames = [...this.#frames, ...frames].slice(-this.#most);
  }

  /** All of it, which is then no longer here. */
  take() {
    this.#quiet = 0;
    return this.#frames.splice(0);
  }
}
