/**
 * The lesson's line: a key, a connection, and patience. A call is tried first, where the browser has WebRTC and
 * the server takes calls; else, or where it is not up soon, a socket. It comes back by itself to the same session,
 * after the last item the page is sure of, and says what it does by `phase(name, refusal)`.
 */

import { backoffMs } from "./backoff.js";
import { LessonCall } from "./call.js";
import { KeptSound } from "./kept-sound.js";
import { toWireId } from "./session-id.js";
import { LessonSocket } from "./socket.js";

const KEY_SPARE_S = 30;
const PROBE_MS = 10_000; // quiet for so long: ask for a sign of life
const DEAD_MS = 10_000; // no sign of life for so long: the line is dead
const CALL_MS = 4_000; // not up in so long, a call gives way to a socket: five seconds in all
const SILENT_MS = 3_000; // a call whose sound, even silence, stops coming for so long is looked after
const CARRIED_MS = 1_000; // so lately heard from, a call carried all that was said
const GIVEN_UP_MS = 5_000; // a call of ours that was given up may still come up on the server, and take over
const BRIEF_MS = 60_000; // calls that break so soon are not worth a third
const KEPT_FRAMES = 500; // ten seconds of speech, kept while there is no line
const RECENT_FRAMES = 400; // eight seconds of it, kept while a call carries it
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

export class LessonLine {
  #to;
  #make;
  #now;
  #key = null;
  #attempt = 0;
  #timer = null;
  #active = null; // proven by `session.created`
  #coming = null; // on its way
  #deadline = null;
  #calls;
  #brief = 0; // calls that broke soon
  #unasked = 0; // offers that reached nobody
  #since = 0;
  #gaveUpAt = -Infinity;
  #track = null;
  #kept = new KeptSound(KEPT_FRAMES); // frames that wait
  #voice = null; // of the call that is on its way
  #recent = new KeptSound(RECENT_FRAMES); // [time, frame, whether it is quiet]: what a call has carried lately
  #lastSign = 0;
  #lastSound = null; // null: this browser does not tell
  #lookedAfter = false;
  #probedAt = null;
  #closed = false;

  /**
   * @param to.api         gives keys
   * @param to.lesson      the lesson's slug; null where the session alone is named
   * @param to.calls       whether calls are tried at all
   * @param to.place       () => ({session, after}): where to come back to
   * @param to.options     (kind) => the `session` of session.update; kind is "call" or "socket"
   * @param to.receive     (event) => void
   * @param to.hear        (item id, ArrayBuffer) => void
   * @param to.voice       ({stream, receiver} or null) => void: the tutor's over a call; null over a socket
   * @param to.phase       (name, refusal) => void
   */
  constructor(to, { Call = LessonCall, Socket = LessonSocket, now = () => performance.now() } = {}) {
    this.#to = to;
    this.#make = { call: Call, socket: Socket };
    this.#now = now;
    this.#calls = Boolean(to.calls);
    this.roundTripMs = 0;
  }

  get unsentBytes() {
    return this.#active?.unsentBytes ?? 0;
  }

  /** "call", "socket", or null while there is no line. */
  get kind() {
    return this.#active?.kind ?? null;
  }

  /** When the connection of now was proven, in milliseconds of the page. */
  get since() {
    return this.#since;
  }

  /** What the browser counts of a call; null where there is none. */
  async stats() {
    return this.kind === "call" ? this.#active.stats() : null;
  }

  async open() {
    this.#closed = false;
    clearTimeout(this.#timer);
    this.#to.phase(this.#to.place().session ? "reconnecting" : "connecting");
    try {
      await this.#freshKey();
      if (!this.#closed && !this.#coming && !this.#active) this.#connect();
    } catch (refusal) {
      if (!this.#closed) this.#refused(refusal);
    }
  }

  /** Sends an event; false where there is no line and it was not sent. */
  send(event) {
    if (!this.#active) return false;
    this.#active.send(event);
    return true;
  }

  /** 20 ms of microphone: sent where no track carries it; while the line is away the last seconds are kept. */
  sendSound(pcm, isQuiet = false) {
    if (this.#closed) return; // the lesson is elsewhere, or over
    if (this.#active?.talking) this.#recent.push([this.#now(), pcm, isQuiet], isQuiet);
    else if (this.#active) this.#active.sendSound([pcm]);
    else this.#kept.push(pcm, isQuiet);
  }

  /** Once the line is proven: what waited goes out. Returns whether there was any. */
  flushSound() {
    const waited = this.#kept.take();
    this.#active.sendSound(waited);
    this.#active.talk(this.#track);
    return waited.length > 0;
  }

  /** The microphone's track that a call may let through; null: nothing is to be heard now. */
  talk(track) {
    if (track === this.#track) return;
    this.#track = track;
    this.#active?.talk(track);
  }

  /** The tutor's sound, or its silence, came over a call just now. */
  sounds() {
    this.#lastSound = this.#now();
    this.#lookedAfter = false;
  }

  /** The network is back, or another: tries at once, and a call is worth trying again. */
  hurry() {
    if (this.#closed) return;
    this.#calls = Boolean(this.#to.calls);
    this.#brief = this.#unasked = 0;
    if (this.#active) this.#renew();
    else if (!this.#coming) {
      this.#attempt = 0;
      this.open();
    }
  }

  /** Asks for a sign of life when it was quiet; called each second. */
  check() {
    if (!this.#active) return;
    const now = this.#now();
    const silent = this.kind === "call" && this.#lastSound !== null && now - this.#lastSound > SILENT_MS;
    if (silent && !this.#lookedAfter) {
      this.#lookedAfter = true;
      this.#renew();
    }
    const quiet = now - this.#lastSign;
    if (this.#probedAt !== null && now - this.#probedAt > DEAD_MS) this.#active.lost();
    else if (this.unsentBytes > UNSENT_LIMIT && quiet > DEAD_MS) this.#active.lost();
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
  }

  /** A second connection while the first may still serve; the old one goes when the new one is up. */
  async #renew() {
    if (!this.#calls || this.#coming) return;
    try {
      await this.#freshKey();
    } catch {
      return; // the old one breaks, and `open` says why there is none
    }
    if (this.#active && !this.#coming && !this.#closed) this.#connect();
  }

  #connect() {
    const kind = this.#calls ? "call" : "socket";
    const place = { lesson: this.#to.lesson, ...this.#to.place() };
    const line = { connection: null };
    this.#voice = null;
    const is = (which) => which !== null && which === line.connection;
    line.connection = this.#coming = new this.#make[kind]({ key: this.#key, place }, {
      event: (event) => {
        const ours = is(this.#active) && this.#coming && event.code === "taken_over"; // by our own next one
        if ((is(this.#active) && !ours) || is(this.#coming)) this.#event(line.connection, event);
      },
      sound: (id, pcm) => is(this.#active) && this.#to.hear(id, pcm),
      voice: (stream, receiver) => is(this.#coming) && (this.#voice = { stream, receiver }),
      shaky: () => is(this.#active) && this.#renew(),
      gone: (code, why) => {
        if (is(this.#coming)) this.#failed(kind, why, code);
        else if (is(this.#active)) this.#gone(code);
      },
    });
    this.#deadline = setTimeout(() => this.#coming?.lost(), kind === "call" ? CALL_MS : DEAD_MS);
  }

  #event(connection, event) {
    // Before this sign of the new line counts: what the old one did not carry is kept by its own last one.
    if (event.type === "session.created") this.#opened(connection);
    this.#lastSign = this.#now();
    if (event.type === "session.updated" && this.#probedAt !== null) {
      this.roundTripMs = this.#lastSign - this.#probedAt;
      this.#probedAt = null;
    }
    this.#to.receive(event);
  }

  #opened(connection) {
    clearTimeout(this.#deadline);
    clearTimeout(this.#timer);
    if (this.#active) {
      this.#keepUnheard();
      this.#to.phase("reconnecting"); // what the old one was in the middle of is over
      this.#active.close();
    }
    this.#coming = null;
    this.#active = connection;
    this.#attempt = this.#unasked = 0;
    this.#to.voice?.(this.#voice);
    this.#since = this.#probedAt = this.#now();
    this.send({ type: "session.update", session: this.#to.options(connection.kind) });
  }

  /** What a call that went away may not have carried: all since the last sound that came over it. */
  #keepUnheard() {
    const unheard = this.#recent.take();
    const since = this.#lastSound === null ? Infinity : Math.max(this.#lastSound, this.#lastSign);
    this.#lastSound = null;
    if (this.#now() - since < CARRIED_MS) return;
    for (const [at, pcm, isQuiet] of unheard) if (at > since) this.#kept.push(pcm, isQuiet);
  }

  #end(phase, refusal) {
    this.#drop();
    this.#closed = true;
    this.#kept.take();
    this.#to.phase(phase, refusal);
  }

  #drop() {
    clearTimeout(this.#deadline);
    this.#coming?.close();
    this.#active?.close();
    this.#coming = this.#active = this.#probedAt = null;
    this.#recent.take();
  }

  /** It never was up. */
  #failed(kind, why, code) {
    clearTimeout(this.#deadline);
    this.#coming = null;
    if (this.#active) this.#gaveUpAt = this.#now();
    const next = afterClose(code);
    if (!this.#active && (next === "taken" || next === "signed-out")) this.#end(next);
    else if (kind === "call" && this.#callless(why)) {
      if (!this.#active) this.#connect();
    } else if (!this.#active) {
      // A browser is told nothing of a refusal before the upgrade; a new key brings the reason.
      this.#key = null;
      this.#again(0);
    }
  }

  /** Whether it goes on without calls for this visit, or until another network. */
  #callless(why) {
    if (why?.status === 401) return false;
    if (why?.status === 0 && ++this.#unasked < 2) return false;
    this.#calls = false;
    return true;
  }

  /** The one that served is gone. */
  #gone(code) {
    const own = code === TAKEN && this.#now() - this.#gaveUpAt < GIVEN_UP_MS;
    const next = own ? "retry" : afterClose(code);
    const brief = this.kind === "call" && this.#now() - this.#since < BRIEF_MS;
    if (next === "retry") this.#keepUnheard();
    this.#active = this.#probedAt = null;
    if (this.#coming && next !== "signed-out" && next !== "over") this.#to.phase("reconnecting");
    else if (next === "over" || next === "taken" || next === "signed-out") this.#end(next);
    else {
      if (brief && ++this.#brief >= 2) this.#calls = false;
      this.#again(next === "retry-later" ? 5000 : 0);
    }
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
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.open(), wait);
  }
}
