/** Looks after a lesson's line: once a second whether it lives and how good it is, and at once where the network changes. */

import { between, read } from "../lib/call-quality.js";
import { quality } from "./socket.js";

const GAP_MEMORY_MS = 15_000;
const WINDOW = 5; // seconds that a call is judged by
const POOR = 5; // seconds of it before it is put into words

export class LineWatch {
  #line;
  #told;
  #beat = null;
  #readings = [];
  #since = null;
  #last = "good";
  #poor = 0;
  #network = globalThis.navigator?.connection ?? null;
  #over = this.#network?.type;

  /**
   * @param told.gaps     (withinMs) => how often sound over a socket came too late
   * @param told.quality  (good | fair | poor) => void, when it changes
   * @param told.poor     () => void: it has been poor for a while
   */
  constructor(line, told) {
    this.#line = line;
    this.#told = told;
  }

  start() {
    this.#beat = setInterval(() => this.#everySecond(), 1000);
    window.addEventListener("online", this.#changed);
    this.#network?.addEventListener?.("change", this.#moved);
  }

  stop() {
    clearInterval(this.#beat);
    window.removeEventListener("online", this.#changed);
    this.#network?.removeEventListener?.("change", this.#moved);
  }

  #changed = () => this.#line.hurry();

  /** Told of every guess at the speed, too; only another kind of network makes a call worth making anew. */
  #moved = () => {
    const { type } = this.#network;
    if (type === this.#over) return;
    this.#over = type;
    if (type !== "none") this.#line.hurry();
  };

  async #everySecond() {
    this.#line.check();
    const now = (await this.#ofCall()) ?? this.#ofSocket();
    this.#poor = now === "poor" ? this.#poor + 1 : 0;
    if (this.#poor === POOR) this.#told.poor();
    if (now !== this.#last) this.#told.quality(now);
    this.#last = now;
  }

  async #ofCall() {
    const report = await this.#line.stats()?.catch(() => null);
    if (!report) {
      this.#readings = [];
      return null;
    }
    if (this.#since !== this.#line.since) this.#readings = []; // another call counts anew
    this.#since = this.#line.since;
    const reading = read(report);
    this.#readings.push(reading);
    if (this.#readings.length > WINDOW + 1) this.#readings.shift();
    if (this.#readings.length < 2) return "good";
    const seconds = this.#readings.length - 1;
    return between(this.#readings[0], reading, { seconds, unsentBytes: this.#line.unsentBytes });
  }

  #ofSocket() {
    const { unsentBytes, roundTripMs } = this.#line;
    return quality({ unsentBytes, roundTripMs, gaps: this.#told.gaps(GAP_MEMORY_MS) });
  }
}
