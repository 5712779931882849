/**
 * Puts an event together that was too long for one message of a data channel: the server cuts it into
 * `event.piece`s of one `event_id`. Bounded: what would be longer than any event of ours is thrown away.
 */

const WHOLES = 4; // under way at once
const LONGEST = 4 * 1024 * 1024;

export class Pieces {
  #wholes = new Map();

  /** The whole event once its last piece is here, else null. */
  add({ event_id: id, index, count, data }) {
    if (typeof data !== "string" || !(Number.isInteger(count) && index >= 0 && index < count)) return null;
    const whole = this.#wholes.get(id) ?? { pieces: new Map(), length: 0 };
    if (!whole.pieces.has(index)) {
      whole.pieces.set(index, data);
      whole.length += data.length;
    }
    this.#wholes.delete(id);
    if (whole.length > LONGEST) return null;
    if (whole.pieces.size < count) {
      this.#wholes.set(id, whole);
      if (this.#wholes.size > WHOLES) this.#wholes.delete(this.#wholes.keys().next().value);
      return null;
    }
    const text = Array.from({ length: count }, (_, i) => whole.pieces.get(i)).join("");
    try {
      return JSON.parse(text);
    } catch {
      return null;
    }
  }
}
