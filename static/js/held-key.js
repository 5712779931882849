/** Hold-to-talk: what it means that the button or the key goes down, and comes up again. */

import { pressOf } from "./control.js";

const LAST_WORD_MS = 150; // between a microphone and a call: what was said when the button went up

export class HeldKey {
  #to;
  #ending = null; // it came up, and the last word is on its way

  /**
   * @param to.state     () => the lesson's
   * @param to.lasts     () => whether what was said last takes a while to come through
   * @param to.hand      (down) => void: keep it in the state
   * @param to.begin     () => void: the student wants to speak
   * @param to.said      () => void: the turn is over
   * @param to.act       (action) => void: a press that can't be for speaking does what it does else
   */
  constructor(to) {
    this.#to = to;
  }

  /** Whether the student is to be heard: also for a moment after the button came up. */
  get isOpen() {
    return this.#to.state().handHeld === true || this.#ending !== null;
  }

  down() {
    const state = this.#to.state();
    if (state.handHeld !== false) return;
    const action = pressOf(state);
    if (action !== "hold") {
      if (action) this.#to.act(action);
      return;
    }
    if (this.#ending === null) this.#to.begin();
    this.#forget(); // pressed again at once: the same turn goes on
    this.#to.hand(true);
  }

  up() {
    if (this.#to.state().handHeld !== true) return;
    if (!this.#to.lasts()) this.end();
    else {
      this.#ending = setTimeout(() => this.end(), LAST_WORD_MS);
      this.#to.hand(false);
    }
  }

  /** The turn is over now. */
  end() {
    this.#forget();
    const { handHeld, paused } = this.#to.state();
    if (handHeld) this.#to.hand(false);
    if (!paused) this.#to.said(); // a pause has ended it already, and no answer is wanted
  }

  close() {
    this.#forget();
  }

  #forget() {
    clearTimeout(this.#ending);
    this.#ending = null;
  }
}
