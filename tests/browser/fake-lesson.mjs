/** One live lesson of the fake gateway: speaks the contract of realtime.md to one connection at a time. */

const SESSION = "sess_0192cccc00007000800000000000beef";
export const WORD_MS = 120;
const PIECE_MS = 100;
const LEAD_MS = 500;
const RATE = 24_000;
export const OPENING = "Hello! If a pizza is cut into 4 equal slices and you eat 2, what part have you eaten?";
export const ANSWER = "Yes, that is right. Two of four parts is 2/4. Can you say it another way?";

export class FakeLesson {
  #socket = null;
  #count = 0;
  #timers = new Set();

  constructor(records, { hearsSpeech = true, engine = "offline", answers = [] } = {}) {
    this.records = records;
    this.hearsSpeech = hearsSpeech;
    this.engine = engine;
    this.answers = [...answers];
    this.items = [];
    this.received = [];
    this.soundBytes = 0;
    this.connections = 0;
    this.played = new Map();
    this.response = null;
    this.step = 1;
    this.options = {};
    this.cancelMs = 0; // so long it takes to hear of a cancelled answer
  }

  attach(socket, { session, after }) {
    this.#socket?.close(4001);
    this.#socket = socket;
    this.connections += 1;
    const resumed = session !== null && this.items.length > 0 ? { resumed: { after, complete: after === null } } : {};
    socket.on("message", (data, binary) => this.#receive(socket, data, binary));
    socket.on("close", () => {
      if (this.#socket === socket) this.#socket = null;
      this.#breakOff();
    });
    this.emit({ type: "session.created", session: { ...this.#session(), ...resumed } });
    this.replay = resumed.resumed ? this.items.slice(1 + this.items.findIndex((item) => item.id === after)) : [];
  }

  emit(event) {
    this.#socket?.send(JSON.stringify({ event_id: `event_${++this.#count}`, ...event }));
  }

  /** The tutor says this; resolves once all of it was sent. */
  async say(text, { saveLate = 0 } = {}) {
    const id = `item_${++this.#count}`;
    const response = { id: `resp_${this.#count}`, status: "in_progress" };
    this.response = response;
    const item = this.#add({ id, role: "assistant", speaker: "ai", status: "in_progress", text: "" });
    const place = { response_id: response.id, item_id: id, output_index: 0, content_index: 0 };
    const sound = this.options.output_modalities?.[0] !== "text";
    this.emit({ type: "response.created", response });
    this.emit({ type: "response.output_item.added", response_id: response.id, item: wire(item) });
    this.emit({ type: "conversation.item.added", item: wire(item), previous_item_id: this.#previous(item) });
    item.text = text;
    const words = [...text.matchAll(/\S+/g)].map((match, i) => [match.index, i * WORD_MS]);
    const kind = sound ? "response.output_audio_transcript" : "response.output_text";
    this.emit({ type: `${kind}.delta`, ...place, delta: text, ...(sound ? { at_ms: 0, words } : {}) });
    if (sound) await this.#sound(place, words.length * WORD_MS);
    if (this.response !== response) return item;
    this.emit({ type: `${kind}.done`, ...place, ...(sound ? { transcript: text } : { text }) });
    this.response = null;
    item.status = "completed";
    this.emit({ type: "response.done", response: { ...response, status: "completed" } });
    await this.#wait(saveLate);
    this.#done(item);
    return item;
  }

  /** The tutor puts this on the board. */
  show({ kind, caption = "", says, drawing }) {
    const item = this.#add({ id: `item_${++this.#count}`, role: "system", speaker: "system", tool: "show", text: `On the board: ${says}` });
    item.shown = { type: "board.show", item_id: item.id, kind, caption, says, drawing };
    this.emit({ type: "conversation.item.added", item: wire(item), previous_item_id: this.#previous(item) });
    this.emit(item.shown);
    this.#done(item);
  }

  /** The tutor did this for itself. */
  use(tool, text) {
    const item = this.#add({ id: `item_${++this.#count}`, role: "system", speaker: "system", tool, text });
    this.emit({ type: "conversation.item.added", item: wire(item), previous_item_id: this.#previous(item) });
    this.#done(item);
  }

  /** The student is heard to say this, and answered. */
  async hear(text, { answer = true } = {}) {
    const item = this.#add({ id: `item_${++this.#count}`, role: "user", speaker: "student", kind: "audio", text: null });
    this.emit({ type: "input_audio_buffer.speech_started", item_id: item.id, audio_start_ms: 0 });
    if (this.response) this.interrupt();
    this.emit({ type: "conversation.item.added", item: wire(item), previous_item_id: this.#previous(item) });
    await this.#wait(400);
    this.emit({ type: "input_audio_buffer.speech_stopped", item_id: item.id, audio_end_ms: 400 });
    this.emit({ type: "input_audio_buffer.committed", item_id: item.id, previous_item_id: this.#previous(item) });
    await this.#wait(150);
    item.text = text;
    this.emit({
      type: "conversation.item.input_audio_transcription.completed", item_id: item.id, content_index: 0, transcript: text,
    });
    this.#done(item);
    if (answer) await this.answer();
  }

  async answer() {
    this.step += 1;
    this.progress();
    await this.say(this.answers.shift() ?? ANSWER);
  }

  /** A confirmed barge-in, as the server tells it. */
  interrupt() {
    const response = this.response ?? { id: this.lastResponse };
    this.response = null;
    this.emit({ type: "output_audio_buffer.cleared", response_id: response.id });
    this.emit({ type: "response.done", response: { id: response.id, status: "cancelled" } });
  }

  progress() {
    const goal = "Say what part of a whole something is.";
    this.emit({ type: "lesson.progress", step: this.step, steps: 6, goal, status: "asking" });
  }

  end(reason = "finished") {
    this.records.sessionState = { status: "ended" };
    this.emit({ type: "session.ended", reason, duration_ms: 754_000, spoken_ms: 128_000 });
    this.emit({ type: "session.summary", narrative: "You found what part two of four slices are.", next_steps: ["Try 3/6."] });
    this.#socket?.close(1000);
  }

  stop() {
    for (const timer of this.#timers) clearTimeout(timer);
  }

  /** The line broke: what was being said ends here, and never was heard. */
  #breakOff() {
    if (this.response) Object.assign(this.items.at(-1), { status: "incomplete", interrupted: true });
    this.response = null;
  }

  #receive(socket, data, binary) {
    if (binary) {
      this.soundBytes += data.length;
      return;
    }
    const event = JSON.parse(data);
    this.received.push(event);
    const replies = {
      "session.update": () => this.#update(event),
      "response.create": () => this.#respond(event),
      "conversation.item.create": () => this.#create(event.item),
      "output_audio_buffer.played": () => this.played.set(event.item_id, event.audio_ms),
      "conversation.item.truncate": () => this.#truncate(event),
      "response.cancel": () => this.#cancel(),
      "session.end": () => this.end(),
      "floor.ask": () => this.emit({ type: "notice", code: "nobody_free", text: "Nobody can join right now. Your wish is noted." }),
    };
    replies[event.type]?.();
  }

  #update({ session }) {
    this.options = { ...this.options, ...session };
    this.emit({ type: "session.updated", session: { ...this.#session(), locked: [] } });
    for (const item of this.replay.splice(0)) {
      this.emit({ type: "conversation.item.added", item: wire(item), previous_item_id: this.#previous(item) });
      this.emit({ type: "conversation.item.done", item: wire(item), previous_item_id: this.#previous(item) });
    }
    if (this.items.length > 0) this.progress();
    for (const { shown } of this.items) if (shown) this.emit(shown);
  }

  #respond({ event_id }) {
    if (this.response) this.emit({ type: "error", error: { event_id, code: "conversation_already_has_active_response", message: "" } });
    else if (this.items.length > 0) this.answer();
    else {
      this.progress();
      this.say(this.answers.shift() ?? OPENING);
    }
  }

  #create({ id, content: [{ text }] }) {
    const known = this.items.find((item) => item.id === id);
    const item = known ?? this.#add({ id, role: "user", speaker: "student", kind: "text", text });
    this.emit({ type: "conversation.item.added", item: wire(item), previous_item_id: this.#previous(item) });
    this.#done(item);
  }

  #truncate({ item_id, audio_end_ms }) {
    const item = this.items.find((one) => one.id === item_id);
    const heard = item.text.split(" ").slice(0, Math.ceil(audio_end_ms / WORD_MS)).join(" ");
    Object.assign(item, { heard, status: "incomplete", interrupted: true });
    this.emit({ type: "conversation.item.truncated", item_id, content_index: 0, audio_end_ms, heard });
  }

  async #cancel() {
    if (!this.response) return;
    const { id } = this.response;
    this.response = null;
    if (this.cancelMs > 0) await this.#wait(this.cancelMs);
    this.emit({ type: "response.done", response: { id, status: "cancelled" } });
  }

  async #sound(place, length) {
    const { response } = this;
    for (let at = 0; at < length; at += PIECE_MS) {
      while (at - (this.played.get(place.item_id) ?? 0) > LEAD_MS && this.response === response) await this.#wait(20);
      if (this.response !== response) return;
      this.emit({ type: "response.output_audio.delta", ...place });
      this.#socket?.send(tone(at));
    }
    this.emit({ type: "response.output_audio.done", ...place });
  }

  #add(item) {
    this.items.push({ kind: "audio", status: "completed", ...item });
    return this.items.at(-1);
  }

  #done(item) {
    this.emit({ type: "conversation.item.done", item: wire(item), previous_item_id: this.#previous(item) });
  }

  #previous(item) {
    return this.items[this.items.indexOf(item) - 1]?.id ?? null;
  }

  #session() {
    return {
      id: SESSION, object: "realtime.session", type: "realtime", model: "fractions-as-parts", engine: this.engine,
      hears_speech: this.hearsSpeech, sandbox: false, expires_at: Date.now() / 1000 + 3600,
    };
  }

  #wait(ms) {
    return new Promise((done) => {
      const timer = setTimeout(() => {
        this.#timers.delete(timer);
        done();
      }, ms);
      this.#timers.add(timer);
    });
  }
}

function wire({ id, role, speaker, kind, status, text, heard, interrupted, tool }) {
  const part = role === "user"
    ? kind === "text" ? { type: "input_text", text } : { type: "input_audio", transcript: text }
    : role === "system" ? { type: "input_text", text } : { type: "output_audio", transcript: text };
  const cut = { ...(heard === undefined ? {} : { heard }), ...(interrupted ? { interrupted } : {}), ...(tool ? { tool } : {}) };
  return { id, type: "message", object: "realtime.item", role, speaker, status, content: [part], ...cut };
}

/** A tenth of a second of a quiet hum, 24 kHz, 16 bits. */
function tone(atMs) {
  const samples = new Int16Array((RATE * PIECE_MS) / 1000);
  for (let i = 0; i < samples.length; i++) {
    samples[i] = 3000 * Math.sin((2 * Math.PI * 220 * ((atMs * RATE) / 1000 + i)) / RATE);
  }
  return Buffer.from(samples.buffer);
}
