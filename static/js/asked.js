/** Answers that were asked for and have not begun: an interruption is meant for them too. Pure. */
export class Asked {
  #waits = 0;
  #unwanted = 0;

  /** Whether any is on its way. */
  get waits() {
    return this.#waits > 0;
  }

  ask() {
    this.#waits += 1;
  }

  /** The student has cut all of them short. */
  cut() {
    this.#unwanted = this.#waits;
  }

  /** One begins, or was refused; returns whether it is one that was cut short. */
  begins() {
    this.#waits = Math.max(0, this.#waits - 1);
    const unwanted = this.#unwanted > 0;
    if (unwanted) this.#unwanted -= 1;
    return unwanted;
  }

  /** The line is gone over which they would have come. */
  forget() {
    this.#waits = this.#unwanted = 0;
  }
}
