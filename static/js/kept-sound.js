/**
 * Microphone frames that may have to be sent later: the latest. Where there are more than fit, the longest quiet is
 * cut in its middle before a word is pushed out. Pure.
 */

const HEAD = 10; // frames of 20 ms of a quiet that stay: how a word dies away
const TAIL = 15; // and how the next one begins

export class KeptSound {
  #most;
  #frames = []; // [frame, whether it is quiet]

  /** @param most how many frames are kept */
  constructor(most) {
    this.#most = most;
  }

  push(frame, isQuiet) {
    this.#frames.push([frame, isQuiet]);
    if (this.#frames.length > this.#most) this.#frames.splice(this.#spare(), 1);
  }

  /** All of it, which is then no longer here. */
  take() {
    return this.#frames.splice(0).map(([frame]) => frame);
  }

  /** Where the frame is that is missed least. */
  #spare() {
    let longest = HEAD + TAIL;
    let spare = 0;
    for (let at = 0, quiet = 0; at < this.#frames.length; at++) {
      quiet = this.#frames[at][1] ? quiet + 1 : 0;
      if (quiet > longest) [longest, spare] = [quiet, at - TAIL];
    }
    return spare;
  }
}
