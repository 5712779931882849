/**
 * Reading along with a running lesson: its words as they come, no sound, nothing to say. It comes back by itself
 * when the line breaks, and waits with the lesson while that waits for its student.
 */

import { resumePoint } from "./items.js";
import { NOTHING_YET, reduce } from "./lesson.js";
import { LessonLine } from "./line.js";
import { Store } from "./store.js";
import { readingsOf } from "./things.js";

export class Follower {
  #socket;
  #beat = null;

  constructor({ api, session, Line = LessonLine }) {
    this.store = new Store(reduce, { ...NOTHING_YET, sound: "off" });
    this.#socket = new Line({
      api, lesson: null,
      place: () => ({ session, after: resumePoint(this.state.items) }),
      options: () => ({ type: "realtime" }),
      receive: (event) => this.store.receive(event),
      hear: () => {},
      phase: (phase, refusal) => this.#phase(phase, refusal),
    });
  }

  get state() {
    return this.store.state;
  }

  start() {
    this.#beat = setInterval(() => this.#socket.check(), 1000);
    globalThis.addEventListener?.("online", this.#online);
    return this.#socket.open();
  }

  leave() {
    clearInterval(this.#beat);
    globalThis.removeEventListener?.("online", this.#online);
    this.#socket.close();
  }

  /** Somebody corrected what was said meanwhile: items of the transcript as it is read now. */
  corrected(items) {
    this.store.receive({ type: "page.corrected", readings: readingsOf(items) });
  }

  #phase(phase, refusal) {
    // While the lesson waits for its student, each try to see whether they are back is no news.
    if (phase === "reconnecting" && this.state.phase === "waiting") return;
    this.store.receive({ type: "page.phase", phase, refusal });
  }

  #online = () => this.#socket.hurry();
}
