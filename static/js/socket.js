/**
 * The lesson's connection: a key, a WebSocket, and patience. It comes back by itself to the same session,
 * after the last item the page is sure of, and says what it does by `phase(name, refusal)`.
 */

import { backoffMs } from "./backoff.js";
import { toWireId } from "./session-id.js";

const KEY_SPARE_S = 30;
const PROBE_MS = 10_000; // quiet for so long: ask for a sign of life
const DEAD_MS = 10_000; // no sign of life for so long: the line is dead
const KEPT_FRAMES = 250; // five seconds of microphone, kept while the line is away
const UNSENT_LIMIT = 240_000; // five seconds of sound that the network did not take
const WAITING_MS = 4_000;
const ENDED = 1000;
const LIMIT = 1008;
const TAKEN = 4001;
const SIGNED_OUT = 4002;

/** What a close code asks for. */
export function afterClose(code) {
  if (code === ENDED) return "over";
  if (code === SIGNED_OUT) return "signed-out";
  if (code === TAKEN) return "taken";
  return code === LIMIT ? "retry-later" : "retry";
}

/** What a refused key asks for. A limit is waited out by a lesson that runs; a new one is told of it. */
export function afterRefusal(status, running, code = null) {
  if (code === "session_waits") return "waiting"; // who reads along waits with it
  if (status === 0 || status >= 500 || (status === 429 && running)) return "retry";
  return { 401: "signed-out", 409: "over" }[status] ?? "refused";
}

/** How good the line is, from what waits to be sent and how long a question takes. */
export function quality({ unsentBytes, roundTripMs, gaps }) {
  if (unsentBytes > 96_000 || roundTripMs > 1500 || gaps > 3) return "poor";
  return unsentBytes > 24_000 || roundTripMs > 500 || gaps > 0 ? "fair" : "good";
}

export class LessonSocket {
  #to;
  #socket = null;
  #key = null;
  #attempt = 0;
  #timer = null;
  #soundOf = null;
  #kept = [];
  #ready = false;
  #lastSign = 0;
  #probedAt = null;
  #closed = false;

  /**
   * @param to.api         gives keys
   * @param to.lesson      the lesson's slug; null where the session alone is named
   * @param to.place       () => ({session, after}): where to come back to
   * @param to.options     () => the `session` of session.update
   * @param to.receive     (event) => void
   * @param to.hear        (item id, ArrayBuffer) => void
   * @param to.phase       (name, refusal) => void
   */
  constructor(to) {
    this.#to = to;
    this.roundTripMs = 0;
  }

  get unsentBytes() {
    return this.#socket?.bufferedAmount ?? 0;
  }

  async open() {
    this.#closed = false;
    clearTimeout(this.#timer);
    this.#to.phase(this.#to.place().session ? "reconnecting" : "connecting");
    try {
      this.#connect(await this.#freshKey());
    } catch (refusal) {
      if (!this.#closed) this.#refused(refusal);
    }
  }

  /** Sends an event; false where there is no line and it was not sent. */
  send(event) {
    if (!this.#ready) return false;
    this.#socket.send(JSON.stringify(event));
    return true;
  }

  /** Sends 20 ms of microphone; while the line is away the last seconds are kept, and follow later. */
  sendSound(pcm) {
    if (this.#ready) this.#socket.send(pcm);
    else if (this.#kept.push(pcm) > KEPT_FRAMES) this.#kept.shift();
  }

  /** Once the line is proven: what waited goes out. */
  flushSound() {
    for (const pcm of this.#kept.splice(0)) this.#socket.send(pcm);
  }

  /** Tries at once: the network is back, or the student asked. */
  hurry() {
    if (this.#socket || this.#closed) return;
    this.#attempt = 0;
    this.open();
  }

  /** Asks for a sign of life when it was quiet; called each second. */
  check(now = performance.now()) {
    if (!this.#ready) return;
    const quiet = now - this.#lastSign;
    if (this.#probedAt !== null && now - this.#probedAt > DEAD_MS) this.#lost();
    else if (this.unsentBytes > UNSENT_LIMIT && quiet > DEAD_MS) this.#lost();
    else if (this.#probedAt === null && quiet > PROBE_MS) {
      this.#probedAt = now;
      this.send({ type: "session.update", session: { type: "realtime" } });
    }
  }

  close() {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#drop();
  }

  async #freshKey() {
    const left = (this.#key?.expires_at ?? 0) - Date.now() / 1000;
    const { session } = this.#to.place();
    if (left < KEY_SPARE_S) this.#key = await this.#to.api.key(this.#to.lesson, session ? toWireId(session) : null);
    return this.#key.value;
  }

  #end(phase, refusal) {
    this.#closed = true;
    this.#kept = [];
    this.#to.phase(phase, refusal);
  }

  #connect(key) {
    if (this.#closed) return;
    const { session, after } = this.#to.place();
    const address = new URL("/v1/realtime", location.href);
    address.protocol = location.protocol === "https:" ? "wss:" : "ws:";
    if (this.#to.lesson) address.searchParams.set("model", this.#to.lesson);
    if (session) address.searchParams.set("session", toWireId(session));
    if (session && after) address.searchParams.set("after", after);
    const socket = new WebSocket(address, ["realtime", `openai-insecure-api-key.${key}`]);
    socket.binaryType = "arraybuffer";
    socket.onmessage = ({ data }) => this.#message(data);
    socket.onclose = ({ code }) => this.#gone(socket, code);
    this.#socket = socket;
    this.#timer = setTimeout(() => this.#ready || this.#lost(), DEAD_MS);
  }

  #message(data) {
    this.#lastSign = performance.now();
    if (typeof data !== "string") {
      this.#to.hear(this.#soundOf, data);
      return;
    }
    const event = JSON.parse(data);
    if (event.type === "session.created") this.#opened();
    if (event.type === "session.updated" && this.#probedAt !== null) {
      this.roundTripMs = this.#lastSign - this.#probedAt;
      this.#probedAt = null;
    }
    if (event.type === "response.output_audio.delta") this.#soundOf = event.item_id;
    this.#to.receive(event);
  }

  #opened() {
    clearTimeout(this.#timer);
    this.#ready = true;
    this.#attempt = 0;
    this.#probedAt = this.#lastSign;
    this.send({ type: "session.update", session: this.#to.options() });
  }

  #lost() {
    const socket = this.#socket;
    this.#drop();
    this.#gone(socket, 1006);
  }

  #drop() {
    const socket = this.#socket;
    this.#socket = null;
    this.#ready = false;
    this.#probedAt = null;
    if (!socket) return;
    socket.onmessage = socket.onclose = null;
    socket.close();
  }

  #gone(socket, code) {
    if (this.#socket !== socket && this.#socket !== null) return;
    const opened = this.#ready;
    this.#drop();
    clearTimeout(this.#timer);
    if (this.#closed) return;
    const next = afterClose(code);
    if (next === "over" || next === "taken" || next === "signed-out") {
      this.#end(next);
      return;
    }
    // A browser is told nothing of a refusal before the upgrade; a new key brings the reason.
    if (!opened) this.#key = null;
    this.#again(next === "retry-later" ? 5000 : 0);
  }

  #refused(refusal) {
    const next = afterRefusal(refusal.status, Boolean(this.#to.place().session), refusal.code);
    if (next === "waiting") this.#again(WAITING_MS, "waiting");
    else if (next === "retry") this.#again((refusal.retryAfterS ?? 0) * 1000);
    else this.#end(next, refusal);
  }

  #again(atLeastMs, phase = "reconnecting") {
    this.#to.phase(phase);
    const wait = Math.max(atLeastMs, backoffMs(this.#attempt++));
    this.#timer = setTimeout(() => this.open(), wait);
  }
}
