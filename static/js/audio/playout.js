/** The tutor's voice: sound in, and out comes what the student has really heard of each item. */

const REPLAY = "replay:";

export class Playout {
  #context;
  #node;
  #volume;
  #told;
  #last = { id: null, pcm: [] };
  #positions = new Map();
  #underruns = 0;
  #gaps = [];

  /**
   * @param told.played   (id, ms) => void: heard so far, some twenty times a second
   * @param told.finished (id, ms) => void: heard to its end
   * @param told.dropped  (id, ms) => void: heard so much, and no more will be
   * @param told.replaying (on) => void: the last answer is played once more
   */
  constructor(context, told) {
    this.#context = context;
    this.#told = told;
    this.#node = new AudioWorkletNode(context, "playout", { numberOfInputs: 0, outputChannelCount: [1] });
    this.#volume = context.createGain();
    this.#node.connect(this.#volume).connect(context.destination);
    this.#node.port.onmessage = ({ data }) => this.#hear(data);
  }

  /** How often the network was too late, lately. */
  recentGaps(withinMs) {
    const since = performance.now() - withinMs;
    this.#gaps = this.#gaps.filter((at) => at > since);
    return this.#gaps.length;
  }

  set volume(value) {
    this.#volume.gain.setTargetAtTime(value, this.#context.currentTime, 0.02);
  }

  push(id, pcm) {
    if (this.#last.id !== id) this.#last = { id, pcm: [] };
    this.#last.pcm.push(pcm.slice(0));
    if (!this.#positions.has(id)) this.#positions.set(id, "waiting");
    this.#node.port.postMessage({ type: "push", id, pcm }, [pcm]);
  }

  end(id) {
    if (this.#positions.has(id) && this.#positions.get(id) !== "over") this.#node.port.postMessage({ type: "end", id });
  }

  pause() {
    this.#node.port.postMessage({ type: "pause" });
  }

  resume() {
    this.#node.port.postMessage({ type: "resume" });
  }

  /** Stops at once, for ever, also the items `never` whose sound is still to come; `told.dropped` says the rest. */
  drop(never = []) {
    this.#node.port.postMessage({ type: "drop", never });
  }

  /** Plays the last answer once more; false where it is not kept. It counts for no item. */
  replay() {
    if (this.#last.pcm.length === 0) return false;
    const id = `${REPLAY}${performance.now()}`;
    this.#positions.set(id, "waiting");
    for (const pcm of this.#last.pcm) {
      this.#node.port.postMessage({ type: "push", id, pcm: pcm.slice(0) });
    }
    this.end(id);
    this.#told.replaying(true);
    return true;
  }

  #hear(data) {
    if (data.type === "position") {
      if (data.underruns > this.#underruns) this.#gaps.push(performance.now());
      this.#underruns = data.underruns;
      if (data.now) this.#later("played", data.now.id, data.now.played_ms);
    } else if (data.type === "finished") this.#later("finished", data.id, data.played_ms);
    else this.#tell("dropped", data.id, data.played_ms);
  }

  /** What the worklet gave away sounds a little later: a Bluetooth headset's 200 ms count too. */
  #later(what, id, ms) {
    const latency = 1000 * (this.#context.outputLatency || this.#context.baseLatency || 0);
    setTimeout(() => this.#tell(what, id, ms), latency);
  }

  #tell(what, id, ms) {
    if (this.#positions.get(id) === "over") return;
    this.#positions.set(id, what === "played" ? "playing" : "over");
    if (!id.startsWith(REPLAY)) this.#told[what](id, Math.round(ms));
    else if (what !== "played") this.#told.replaying(false);
  }
}
