/**
 * What is to be played, in order, and how much of it really was.
 *
 * It waits for a small lead before an answer begins, and for a larger one after the network was late.
 * Pausing keeps the exact place; dropping an item is for ever, so that frames which are still on their
 * way can't leak in after an interruption. Nothing here knows the browser: the worklet calls `read`.
 */

const LEAD_MS = 120; // voice.md 5c #6: a lead of 120-200 ms
const LEAD_MAX_MS = 200;
const LEAD_STEP_MS = 40;
const CALM_MS = 20_000; // without a gap for so long, the lead shrinks again
const FADE_MS = 5; // sound that stops at once clicks

export class PlayoutQueue {
  #rate;
  #items = [];
  #dropped = new Set();
  #fade = new Float32Array(0);
  #rise = 0;
  #filling = true;
  #calmFrames = 0;

  constructor(rate) {
    this.#rate = rate;
    this.paused = false;
    this.underruns = 0;
    this.lead_ms = LEAD_MS;
  }

  /** Adds sound to an item; ignored once the item was dropped. */
  push(id, samples) {
    if (this.#dropped.has(id) || samples.length === 0) return;
    const item = this.#find(id) ?? this.#append(id);
    item.chunks.push(samples);
    item.waiting += samples.length;
  }

  /** No more sound comes for this item. */
  end(id) {
    if (this.#dropped.has(id)) return;
    (this.#find(id) ?? this.#append(id)).ended = true;
  }

  /**
   * Throws away all that was not played, and never plays any of it again, nor the items `never`, of which
   * nothing has come yet. Tells how much was heard of each.
   */
  drop(never = []) {
    if (this.#sounds()) this.#fade = this.#faded();
    const gone = this.#items.splice(0);
    for (const id of [...never, ...gone.map((item) => item.id)]) this.#dropped.add(id);
    this.#filling = true;
    this.paused = false;
    return gone.map((item) => this.#position(item));
  }

  pause() {
    if (this.paused) return;
    if (this.#sounds()) this.#fade = this.#faded();
    this.paused = true;
  }

  resume() {
    if (!this.paused) return;
    this.paused = false;
    this.#rise = this.#frames(FADE_MS);
  }

  /** Fills `out` with the next samples; tells which items were played to their end. */
  read(out) {
    out.fill(0);
    const finished = this.paused ? [] : this.#play(out);
    const tail = Math.min(out.length, this.#fade.length);
    for (let i = 0; i < tail; i++) out[i] += this.#fade[i];
    this.#fade = this.#fade.subarray(tail);
    return finished;
  }

  /** Where we are: the item being played, how much of it was, and how much waits. */
  get now() {
    const item = this.#items[0];
    return item ? { ...this.#position(item), waiting_ms: this.#ms(item.waiting) } : null;
  }

  #play(out) {
    const finished = [];
    let at = 0;
    while (at < out.length && this.#items.length > 0) {
      const item = this.#items[0];
      if (this.#filling && !item.ended && item.waiting < this.#frames(this.lead_ms)) break;
      this.#filling = false;
      at += this.#take(item, out, at);
      if (item.waiting > 0) continue;
      this.#filling = true;
      if (item.ended) {
        finished.push(this.#position(item));
        this.#items.shift();
      } else {
        this.#late();
        break;
      }
    }
    this.#calm(at);
    return finished;
  }

  #take(item, out, at) {
    const chunk = item.chunks[0];
    if (!chunk) return 0;
    const take = Math.min(out.length - at, chunk.length - item.offset);
    const risen = this.#frames(FADE_MS);
    for (let i = 0; i < take; i++) {
      const gain = this.#rise > 0 ? 1 - this.#rise-- / risen : 1;
      out[at + i] = chunk[item.offset + i] * gain;
    }
    item.offset += take;
    item.waiting -= take;
    item.played += take;
    if (item.offset === chunk.length) {
      item.chunks.shift();
      item.offset = 0;
    }
    return take;
  }

  #late() {
    this.underruns += 1;
    this.#calmFrames = 0;
    this.lead_ms = Math.min(LEAD_MAX_MS, this.lead_ms + LEAD_STEP_MS);
  }

  #calm(frames) {
    this.#calmFrames += frames;
    if (this.#ms(this.#calmFrames) < CALM_MS) return;
    this.#calmFrames = 0;
    this.lead_ms = Math.max(LEAD_MS, this.lead_ms - LEAD_STEP_MS);
  }

  /** The next few milliseconds, fading to nothing; they do not count as played. */
  #faded() {
    const length = this.#frames(FADE_MS);
    const faded = new Float32Array(length);
    const { chunks, offset } = this.#items[0];
    let at = 0;
    for (const [index, chunk] of chunks.entries()) {
      for (let i = index === 0 ? offset : 0; i < chunk.length && at < length; i++) {
        faded[at] = chunk[i] * (1 - at / length);
        at += 1;
      }
    }
    return faded;
  }

  #sounds() {
    return this.#items.length > 0 && !this.paused && !this.#filling;
  }

  #append(id) {
    const item = { id, chunks: [], offset: 0, waiting: 0, played: 0, ended: false };
    this.#items.push(item);
    return item;
  }

  #find(id) {
    return this.#items.find((item) => item.id === id);
  }

  #position(item) {
    return { id: item.id, played_ms: this.#ms(item.played) };
  }

  #frames(ms) {
    return Math.round((ms * this.#rate) / 1000);
  }

  #ms(frames) {
    return (frames * 1000) / this.#rate;
  }
}
