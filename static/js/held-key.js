/** Hold-to-talk: what it means that the button or the key goes down, and comes up again. */

import { pressOf } from "./control.js";

const LAST_WORD_MS = 150; // between a microphone and a call: what was said when the button went up

export class HeldKey {
  #to;
  #ending = null; // it came up, and the last word is on its way
  #stopWaiting = null; // for it to come up

  /**
   * @param to.state     () => the lesson's
   * @param to.lasts     () => whether what was said last takes a while to come through
   * @param to.release   (done, by) => stop: `onRelease`
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

  /** `by`: what came down, as of `onRelease`. */
  down(by) {
    const state = this.#to.state();
    if (state.handHeld !== false) return;
    const action = pressOf(state);
    if (action !== "hold") {
      if (action) this.#to.act(action);
      return;
    }
    if (this.#ending === null) this.#to.begin();
    this.#forget(); // pressed again at once: the same turn goes on
    this.#stopWaiting = this.#to.release(() => this.up(), by);
    this.#to.hand(true);
  }

  up() {
    if (this.#to.state().handHeld !== true) return;
    this.#forget();
    if (!this.#to.lasts()) this.end();
    else {
      this.#ending = setTimeout(() => this.end(), LAST_WORD_MS);
      this.#to.hand(false);
    }
  }

  /** The turn is over now. */
  end() {
    this.close();
    if (!this.#to.state().paused) this.#to.said(); // a pause has ended it already, and no answer is wanted
  }

  /** The lesson does not go on here: nobody speaks. */
  close() {
    this.#forget();
    if (this.#to.state().handHeld) this.#to.hand(false);
  }

  #forget() {
    clearTimeout(this.#ending);
    this.#stopWaiting?.();
    this.#ending = this.#stopWaiting = null;
  }
}
