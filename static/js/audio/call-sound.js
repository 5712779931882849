/**
 * The tutor's voice over a call. The browser plays it as it comes; here it is silenced at once where it must be,
 * and what of each item was heard is told as `Playout` does.
 */

import { RtpClock } from "../../lib/rtp-clock.js";

const TICK_MS = 50;
const BEHIND_MS = 300; // so long after an answer begins, nothing of the one before it is on its way any more
const LATE_MS = 150; // on its way and in the browser's buffer, where the browser does not tell
const END_MS = 250; // where an item ends is reckoned; the server knows its length, and counts no more than that
const STRAY_MS = 3000; // an item whose last packet was lost is over all the same

export class CallSound {
  #audio = null;
  #receiver = null;
  #clock = new RtpClock();
  #told;
  #timer = null;
  #unmute = null;
  #now = null; // the item that sounds: {id, ms}
  #stamp = null;
  #stoppedAt = null;
  #volume = 1;
  #sink = "";

  /**
   * @param told.played, told.finished, told.dropped   as of `Playout`
   * @param told.guessed    (id, ms, over) => void: the same where it is only guessed, and not for the server
   * @param told.sounds     () => void: sound or silence came
   * @param told.blocked    () => void: the browser wants a press first
   * @param told.latencyMs  () => how much later a sample is heard than it is given away
   */
  constructor(told) {
    this.#told = told;
  }

  /** A call is up: this is the tutor's side of it. */
  hear(stream, receiver) {
    this.#audio ??= Object.assign(new Audio(), { autoplay: true });
    this.#receiver = receiver;
    this.#stamp = null;
    this.#clock = new RtpClock();
    this.#audio.srcObject = stream;
    this.#sound();
    this.volume = this.#volume;
    this.output = this.#sink;
    clearInterval(this.#timer);
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
    this.play();
  }

  /** No call any more. */
  close() {
    clearInterval(this.#timer);
    clearTimeout(this.#unmute);
    if (this.#audio) this.#audio.srcObject = null;
    this.#receiver = this.#now = null;
    this.#clock.clear();
  }

  play() {
    return this.#audio?.play().catch((error) => error.name === "NotAllowedError" && this.#told.blocked());
  }

  set volume(value) {
    this.#volume = value;
    if (this.#audio) this.#audio.volume = Math.min(1, value);
  }

  /** The id of a loudspeaker; "" is the browser's choice. */
  set output(id) {
    this.#sink = id;
    if (this.#audio?.setSinkId && this.#audio.sinkId !== id) this.#audio.setSinkId(id).catch(() => null);
  }

  /** An answer begins. Its sound may be here before `started` is, which is not lost but late on a bad network. */
  expect() {
    clearTimeout(this.#unmute);
    this.#unmute = setTimeout(() => this.#sound(), BEHIND_MS);
  }

  started({ item_id: id, audio_ms: ms, rtp_timestamp: rtp }) {
    if (!this.#audio) return;
    this.#sound();
    this.#stoppedAt = null;
    if (id !== undefined && Number.isInteger(rtp)) this.#clock.mark({ id, ms, rtp, at: performance.now() });
  }

  stopped({ rtp_timestamp: rtp }) {
    this.#stoppedAt = performance.now();
    this.#clock.stop(this.#stoppedAt, rtp ?? null);
  }

  paused() {
    this.#clock.hold(performance.now());
  }

  /** Silence at once, until something new begins; `told.dropped` says how much was heard. */
  drop() {
    clearTimeout(this.#unmute);
    if (this.#audio) this.#audio.muted = true;
    this.#tick();
    this.#clock.clear();
    if (this.#now) this.#told.dropped(this.#now.id, this.#now.ms);
    this.#now = null;
  }

  #sound() {
    clearTimeout(this.#unmute);
    if (this.#audio) this.#audio.muted = false;
  }

  #tick() {
    const source = this.#receiver?.getSynchronizationSources?.()[0];
    const told = Number.isInteger(source?.rtpTimestamp);
    if (told && source.rtpTimestamp !== this.#stamp) {
      this.#stamp = source.rtpTimestamp;
      this.#told.sounds();
    }
    if (!this.#clock.waits) return;
    const now = performance.now();
    if (this.#stoppedAt !== null && now - this.#stoppedAt > STRAY_MS) this.#stray();
    const heard = told ? this.#clock.heard(source.rtpTimestamp) : this.#clock.guess(now, LATE_MS);
    for (const { id, ms, over } of heard) this.#heard(id, ms, over, told);
  }

  #heard(id, ms, over, told) {
    const latency = this.#told.latencyMs();
    const sounding = { id, ms: Math.max(0, ms - latency) };
    this.#now = over ? null : sounding;
    if (!told) this.#told.guessed(id, over ? ms : sounding.ms, over);
    else if (over) setTimeout(() => this.#told.finished(id, ms + END_MS), latency);
    else this.#told.played(id, sounding.ms);
  }

  #stray() {
    this.#clock.clear();
    if (this.#now) this.#told.finished(this.#now.id, this.#now.ms + END_MS);
    this.#now = null;
  }
}
