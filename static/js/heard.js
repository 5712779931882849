/** Tells the server what the student has really heard: a few times a second, and at once when it ends. */

const REPORT_MS = 250;

export class Heard {
  #send;
  #last = { id: null, ms: -1, at: 0 };

  constructor(send) {
    this.#send = send;
  }

  /** Heard so far. */
  played(id, ms, at = performance.now()) {
    if (this.#last.id !== id || at - this.#last.at >= REPORT_MS) this.#report(id, ms, at);
  }

  /** Heard to its end. */
  finished(id, ms, at = performance.now()) {
    this.#report(id, ms, at);
  }

  /** Interrupted after so much: told in our words and in the standard's. */
  dropped(id, ms, at = performance.now()) {
    this.#report(id, ms, at);
    this.#send({ type: "conversation.item.truncate", item_id: id, content_index: 0, audio_end_ms: ms });
  }

  #report(id, ms, at) {
    if (this.#last.id === id && this.#last.ms === ms) return;
    this.#last = { id, ms, at };
    this.#send({ type: "output_audio_buffer.played", item_id: id, audio_ms: ms });
  }
}
