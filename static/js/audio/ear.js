/** The lesson's microphone: off, being asked for, on or refused; and its level, for whoever shows it. */

import { Microphone } from "./microphone.js";

export class Ear {
  #to;
  #make;
  #microphone = null;
  #levels = new Set();

  /**
   * @param to.hear     (pcm, level) => void, fifty times a second
   * @param to.become   (microphone, trouble) => void: "off", "asking", "on", or "refused" with the reason's name
   */
  constructor(to, { make = (context) => new Microphone(context) } = {}) {
    this.#to = to;
    this.#make = make;
  }

  /** What a call lets through; null while it is not on. */
  get track() {
    return this.#microphone?.track ?? null;
  }

  /** Tells the level (0..1), fifty times a second. Returns how to stop that. */
  follow(listener) {
    this.#levels.add(listener);
    return () => this.#levels.delete(listener);
  }

  level(level) {
    for (const listener of this.#levels) listener(level);
  }

  /** Asks for the microphone; what it was before is let go. */
  async open(context, device) {
    this.#to.become("asking");
    this.#close();
    const microphone = this.#make(context);
    this.#microphone = microphone;
    try {
      await microphone.open(this.#to.hear, () => this.#refused("unplugged"), device);
      this.#to.become("on");
    } catch (error) {
      if (microphone === this.#microphone) this.#refused(error.name); // else it was turned off meanwhile
    }
  }

  turnOff() {
    this.#close();
    this.#to.become("off");
  }

  #refused(trouble) {
    this.#close();
    this.#to.become("refused", trouble);
  }

  #close() {
    this.#microphone?.close();
    this.#microphone = null;
    this.level(0);
  }
}
