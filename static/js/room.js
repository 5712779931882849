/**
 * The lesson room: brings together what the student does, the connection, the microphone and the tutor's
 * voice. Everything that can be decided without them is in `lesson.js` and `control.js`.
 */

import { Asked } from "./asked.js";
import { CallSound } from "./audio/call-sound.js";
import { Devices } from "./audio/devices.js";
import { Ear } from "./audio/ear.js";
import { Playout } from "./audio/playout.js";
import { openSound } from "./audio/sound.js";
import { isSounding } from "./control.js";
import { Heard } from "./heard.js";
import { HeldKey } from "./held-key.js";
import { resumePoint, unsent } from "./items.js";
import { NOTHING_YET, reduce } from "./lesson.js";
import { LessonLine } from "./line.js";
import { LineWatch } from "./line-watch.js";
import { onRelease } from "./release.js";
import { toUuid } from "./session-id.js";
import { Store } from "./store.js";
import { readingsOf } from "./things.js";
import { isWish, wishes } from "./wishes.js";

const SETTLE_MS = 1200; // after a resume: time for the replay before a question is asked again
const QUIET = 0.25; // of a level: -48 dBFS, below speech near a microphone
const ASK = "ask"; // the event id of all `response.create`: a refusal names it
const CLOSED = new Set(["taken", "over", "refused", "signed-out"]); // phases in which the lesson does not go on here

export class LessonRoom {
  #context = null;
  #playout = null;
  #callSound;
  #ear = new Ear({
    hear: (pcm, level) => this.#heard(pcm, level),
    become: (microphone, trouble) => this.#do({ type: "page.microphone", microphone, trouble }),
  });
  #line;
  #watch;
  #heardSound = new Heard((event) => this.#send(event));
  #settle = null;
  #silenced = null;
  #finishing = false;
  #left = false;
  #wanted = null; // why a person was asked for, while there was no line
  #asked = new Asked();
  #key = new HeldKey({
    state: () => this.state,
    lasts: () => this.#line.kind === "call",
    release: onRelease,
    hand: (handHeld) => this.#hand(handHeld),
    begin: () => this.interrupt(),
    said: () => this.#said(),
    act: (action) => this.#press(action),
  });
  #listened = false; // the microphone was on when the lesson went elsewhere
  #sessionId;

  /**
   * @param told.session    (id) => void: keep it in the address
   * @param told.signedOut  () => void
   */
  constructor({ api, lesson, session, preferences, told, devices = new Devices() }) {
    this.store = new Store(reduce, NOTHING_YET);
    this.devices = devices;
    this.preferences = preferences;
    this.#sessionId = session;
    this.told = told;
    this.#callSound = new CallSound({
      played: (id, ms) => this.#sounded("page.played", "played", id, ms),
      finished: (id, ms) => this.#sounded("page.finished", "finished", id, ms),
      dropped: (id, ms) => this.#sounded("page.played", "dropped", id, ms),
      guessed: (id, ms, over) => this.#do({ type: over ? "page.finished" : "page.played", id, ms }),
      sounds: () => this.#line.sounds(),
      blocked: () => this.#do({ type: "page.sound", sound: "blocked" }),
      latencyMs: () => Math.round(1000 * (this.#context?.outputLatency || this.#context?.baseLatency || 0)),
    });
    this.#line = new LessonLine({
      api, lesson, calls: true,
      place: () => ({ session: this.#sessionId, after: resumePoint(this.state.items) }),
      options: (kind) => wishes(this.preferences, this.state.sound, kind),
      receive: (event) => this.#receive(event),
      hear: (id, pcm) => this.#playout?.push(id, pcm),
      voice: (voice) => this.#voice(voice),
      phase: (phase, refusal) => this.#phase(phase, refusal),
    });
    this.#watch = new LineWatch(this.#line, {
      gaps: (withinMs) => this.#playout?.recentGaps(withinMs) ?? 0,
      quality: (quality) => this.#do({ type: "page.quality", quality }),
      poor: () => this.#do({ type: "page.poor" }),
    });
  }

  get sessionId() {
    return this.#sessionId;
  }

  get state() {
    return this.store.state;
  }

  /** Tells the microphone's level (0..1), fifty times a second; it is too lively for the state. */
  followLevel(listener) {
    return this.#ear.follow(listener);
  }

  /** Called by a press of the student's, so that the browser lets sound through. */
  async start({ talking }) {
    this.#do({ type: "page.hand", handHeld: this.preferences.hold_to_talk ? false : null });
    this.#watch.start();
    window.addEventListener("pagehide", this.#hidden);
    window.addEventListener("pageshow", this.#shown);
    await this.#openSound();
    if (this.#left) return this.leave(); // gone while the sound was opened
    const line = this.#line.open();
    if (talking) await this.listen();
    await line;
  }

  /** Leaves without ending the lesson: it waits on the server. */
  leave() {
    this.#left = true;
    this.#watch.stop();
    clearTimeout(this.#settle);
    this.#key.close();
    window.removeEventListener("pagehide", this.#hidden);
    window.removeEventListener("pageshow", this.#shown);
    this.#line.close();
    this.#callSound.close();
    this.#ear.turnOff();
    this.#context?.close();
  }

  /** Here again, and heard again where the student was. */
  reopen = async () => {
    const line = this.#line.open();
    if (this.#listened) await this.listen();
    await line;
  };

  // ---- the microphone

  listen() {
    return this.#ear.open(this.#context, this.devices.chosen("audioinput"));
  }

  mute() {
    const speaking = this.state.speech === "speaking";
    this.#ear.turnOff();
    if (this.#key.isOpen) this.#key.end();
    else if (speaking) this.commit();
    else this.#send({ type: "input_audio_buffer.clear" });
  }

  /** "I have finished": ends the turn without waiting for the silence; the server answers it by itself. */
  commit() {
    this.#send({ type: "input_audio_buffer.commit" });
  }

  /** Hold-to-talk: the button or the key goes down, and comes up again. */
  hold(down, by) {
    if (down) this.#key.down(by);
    else this.#key.up();
  }

  #hand(handHeld) {
    this.#do({ type: "page.hand", handHeld });
    if (!handHeld) this.#ear.level(0);
  }

  #said() {
    this.#letThrough();
    this.commit();
    this.#ask();
  }

  #press(action) {
    if (action === "resume") this.pause(false);
    if (action === "listen") this.listen();
  }

  // ---- the conversation

  type(text) {
    this.interrupt();
    this.#do({ type: "page.paused", on: false });
    const id = `typed_${crypto.randomUUID?.() ?? Math.random().toString(36).slice(2)}`;
    this.#do({ type: "page.typed", id, text });
    this.#write({ id, text });
    this.#ask();
  }

  interrupt() {
    const { response } = this.state;
    const { waits } = this.#asked;
    if (!isSounding(this.state) && !response && !waits) return;
    this.#hush();
    this.#silenced = response ?? this.#silenced;
    this.#asked.cut();
    if (waits) this.#send({ type: "response.cancel" }); // its name is not known yet
    else if (response) this.#send({ type: "response.cancel", response_id: response });
    // An answer without a name may have been made whole by now, and what was not asked for is over: both may sound.
    if (this.#line.kind === "call" && (waits || !response)) this.#send({ type: "output_audio_buffer.clear" });
    this.#do({ type: "page.interrupted" });
  }

  repeat() {
    if (isSounding(this.state)) return;
    const aloud = this.state.sound === "on" && this.preferences.tutor_voice !== false;
    if (aloud && this.#line.kind === "socket" && this.#playout?.replay()) return;
    this.type("Can you say that again, please?");
  }

  /** "Give me a minute": an answer under way is cut, and asked for again afterwards. */
  pause(on) {
    if (on) this.interrupt();
    this.#do({ type: "page.paused", on });
    this.#send({ type: "session.pause", on });
    if (!on) this.#goOn();
  }

  askPerson = (reason) => {
    this.#wanted = this.#send({ type: "floor.ask", reason }) ? null : reason;
  };

  /** People corrected what was said: `items` of the transcript, as it is read now. */
  corrected = (items) => this.#do({ type: "page.corrected", readings: readingsOf(items) });
  dismiss = (code) => this.#do({ type: "page.dismissed", code });

  finish() {
    this.#hush();
    this.#finishing = true; // this line may be dead already: said again on the next one
    this.#send({ type: "session.end" });
  }

  /** A choice of the student's: speed, volume, hold-to-talk, the tutor's voice on or off. */
  prefer(preferences) {
    this.preferences = { ...this.preferences, ...preferences };
    this.#setVolume();
    if ("hold_to_talk" in preferences) {
      this.#do({ type: "page.hand", handHeld: preferences.hold_to_talk ? false : null });
    }
    if (isWish(preferences)) this.#send({ type: "session.update", session: wishes(this.preferences, this.state.sound, this.#line.kind ?? "socket") });
  }

  /** Another microphone or loudspeaker: at once, and from now on. */
  async useDevice(kind, id) {
    this.devices.choose(kind, id);
    if (kind === "audiooutput") {
      this.#callSound.output = id;
      await this.#context?.setSinkId?.(id).catch(() => null);
    } else if (this.state.microphone === "on") await this.listen();
  }

  async unblock() {
    await this.#context.resume();
    await this.#callSound.play();
    this.#do({ type: "page.sound", sound: "on" });
  }

  // ---- inside

  async #openSound() {
    try {
      this.#context = await openSound(this.devices.chosen("audiooutput"));
    } catch {
      this.#do({ type: "page.sound", sound: "off" });
      return;
    }
    this.#playout = new Playout(this.#context, {
      played: (id, ms) => this.#sounded("page.played", "played", id, ms),
      finished: (id, ms) => this.#sounded("page.finished", "finished", id, ms),
      dropped: (id, ms) => this.#sounded("page.played", "dropped", id, ms),
      replaying: (on) => this.#do({ type: "page.replaying", on }),
    });
    this.#callSound.output = this.devices.chosen("audiooutput");
    this.#setVolume();
    const listen = () => this.#do({
      type: "page.sound", sound: this.#context.state === "running" ? "on" : "blocked",
    });
    this.#context.onstatechange = listen;
    listen();
  }

  #heard(pcm, level) {
    const { handHeld, paused, ended } = this.state;
    if (ended || paused || handHeld === false) return;
    this.#ear.level(level);
    this.#line.sendSound(pcm, level < QUIET);
  }

  /** A call carries the microphone's track, or none where nothing is to be heard. */
  #letThrough() {
    const { microphone, handHeld, paused, ended } = this.state;
    const shut = ended || paused || microphone !== "on" || (handHeld !== null && !this.#key.isOpen);
    this.#line.talk(shut ? null : this.#ear.track);
  }

  #setVolume() {
    const { volume: chosen, tutor_voice: aloud } = this.preferences;
    const volume = aloud === false ? 0 : chosen ?? 1; // an answer under way still has sound
    this.#callSound.volume = volume;
    if (this.#playout) this.#playout.volume = volume;
  }

  /** Silence, now; also for an answer whose words are here and whose sound is still on its way. */
  #hush() {
    this.#callSound.drop();
    this.#playout?.drop(this.state.items.filter((item) => item.sounding).map((item) => item.id));
  }

  #sounded(type, what, id, ms) {
    this.#do({ type, id, ms });
    this.#heardSound[what](id, ms);
  }

  #receive(event) {
    const fresh = event.type === "session.created" && !event.session.resumed;
    if (event.type === "session.created") this.#greeted(event.session);
    else if (event.type === "response.created") this.#answers(event.response);
    else if (event.type === "error" && event.error?.event_id === ASK) this.#asked.begins();
    else if (event.type === "response.output_item.added" && event.response_id === this.#silenced) {
      this.#playout?.drop([event.item.id]);
    } else if (event.type === "output_audio_buffer.started") this.#begins(event);
    else if (event.type === "output_audio_buffer.stopped") this.#callSound.stopped(event);
    else if (event.type === "output_audio_buffer.paused") this.#holds();
    else if (event.type === "output_audio_buffer.resumed") this.#playout?.resume();
    else if (event.type === "output_audio_buffer.cleared") this.#hush();
    else if (event.type === "input_audio_buffer.speech_started" && this.state.replaying) this.#hush();
    else if (event.type === "response.output_audio.done") this.#playout?.end(event.item_id);
    else if (event.type === "conversation.item.done") this.#playout?.end(event.item.id);
    this.#do(event);
    if (event.type === "session.ended") this.#ear.turnOff();
    if (fresh && !this.#key.isOpen) this.#ask();
  }

  #voice(voice) {
    if (voice) this.#callSound.hear(voice.stream, voice.receiver);
    else this.#callSound.close();
    this.#do({ type: "page.line", line: this.#line.kind });
  }

  #ask() {
    if (this.#send({ type: "response.create", event_id: ASK })) this.#asked.ask();
  }

  #answers({ id }) {
    if (this.#asked.begins()) this.#silenced = id;
    else this.#callSound.expect();
  }

  /** Over a call: the tutor's voice comes now, unless the student has just cut it short. */
  #begins(event) {
    if (event.response_id !== this.#silenced) this.#callSound.started(event);
  }

  #holds() {
    this.#callSound.paused();
    this.#playout?.pause();
  }

  #greeted(session) {
    const id = toUuid(session.id);
    if (id !== this.#sessionId) this.told.session(id);
    this.#sessionId = id;
    // The button came up while there was no line: what was said by then is a turn.
    if (this.#line.flushSound() && this.state.handHeld === false) this.commit();
    for (const item of unsent(this.state.items)) this.#write(item);
    if (this.state.paused) this.#send({ type: "session.pause", on: true });
    if (this.#wanted !== null) this.askPerson(this.#wanted);
    if (this.#finishing) this.#send({ type: "session.end" });
    clearTimeout(this.#settle);
    if (session.resumed) this.#settle = setTimeout(() => this.#goOn(), SETTLE_MS);
  }

  /** After a break: the tutor is asked to answer unless its last answer was heard to the end. */
  #goOn() {
    const { items, response, speech, ended, paused } = this.state;
    const last = items.findLast((item) => item.role !== "system");
    if (ended || paused || speech !== "none" || this.#key.isOpen || this.#asked.waits) return;
    if (response && response !== this.#silenced) return;
    if (last?.role === "assistant" && !last.interrupted) return;
    this.#ask();
  }

  #write({ id, text }) {
    const content = [{ type: "input_text", text }];
    this.#send({ type: "conversation.item.create", item: { id, type: "message", role: "user", content } });
  }

  #phase(phase, refusal) {
    if (phase !== "open") this.#asked.forget();
    if (CLOSED.has(phase)) {
      this.#listened = this.state.microphone === "on";
      this.#key.close();
      this.#ear.turnOff();
    }
    if (phase === "signed-out") this.told.signedOut();
    // The server counts as heard what was played until the line broke, and no more.
    if (phase === "reconnecting" && this.state.phase === "open") this.#hush();
    this.#do({ type: "page.phase", phase, refusal });
  }

  #hidden = () => this.#line.close();
  #shown = ({ persisted }) => persisted && this.#line.open();

  #do(event) {
    this.store.receive(event);
    this.#letThrough();
  }

  #send(event) {
    return this.#line.send(event);
  }
}
