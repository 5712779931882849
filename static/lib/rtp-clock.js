/**
 * Which part of an answer sounds: the server says at which RTP timestamp a piece of an item begins, the
 * browser at which one it is now. Nothing here knows the browser; times `at` are milliseconds of any steady
 * clock, and serve where the end of a piece is only known by when the server told of it.
 */

const TICKS_PER_MS = 48; // RFC 7587, 4.1: Opus has a clock of 48 kHz, whatever is sent
const MARKS = 32;

export class RtpClock {
  #last = null; // the newest timestamp seen, without its wrap at 32 bits
  #marks = [];

  /** A piece of `id` begins: `ms` of the item were sent before it, its first packet is `rtp`. */
  mark({ id, ms, rtp, at }) {
    this.hold(at);
    this.#marks.push({ id, ms, rtp: this.#unwrapped(rtp), at, end: Infinity, last: false });
    if (this.#marks.length > MARKS) this.#marks.shift();
  }

  /** Nothing more is sent of the newest piece for now. */
  hold(at) {
    const mark = this.#marks.at(-1);
    if (mark && mark.end === Infinity) mark.end = mark.rtp + Math.max(0, at - mark.at) * TICKS_PER_MS;
  }

  /** Nothing more is sent of its item at all; `rtp`, where it is known, is where it ended. */
  stop(at, rtp = null) {
    const mark = this.#marks.at(-1);
    if (!mark) return;
    this.hold(at);
    mark.last = true;
    if (rtp !== null) mark.end = Math.max(mark.rtp, this.#unwrapped(rtp));
  }

  /** What was heard by the time that `rtp` sounds: `[{id, ms, over}]`, oldest first. */
  heard(rtp) {
    return this.#advance(this.#unwrapped(rtp));
  }

  /** The same where the browser does not tell: by the time since a piece began, and `lateMs` on its way. */
  guess(at, lateMs) {
    const mark = this.#marks.findLast((one) => at - one.at >= lateMs);
    return mark ? this.#advance(mark.rtp + (at - mark.at - lateMs) * TICKS_PER_MS) : [];
  }

  clear() {
    this.#marks = [];
  }

  get waits() {
    return this.#marks.length > 0;
  }

  #advance(now) {
    const heard = [];
    while (this.#marks.length > 1 && this.#marks[1].rtp <= now) {
      const mark = this.#marks.shift();
      if (mark.id !== this.#marks[0].id) heard.push(position(mark, this.#marks[0].rtp, true));
    }
    const [mark] = this.#marks;
    if (!mark || now < mark.rtp) return heard;
    const over = mark.last && now >= mark.end;
    if (over) this.#marks.shift();
    return [...heard, position(mark, now, over)];
  }

  /** RFC 3550, 5.1: a timestamp has 32 bits and wraps; the nearest of its meanings is meant. */
  #unwrapped(rtp) {
    this.#last = this.#last === null ? rtp : this.#last + ((rtp - this.#last) | 0);
    return this.#last;
  }
}

function position({ id, ms, rtp, end }, now, over) {
  return { id, ms: Math.round(ms + (Math.min(now, end) - rtp) / TICKS_PER_MS), over };
}
