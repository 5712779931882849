/** The student's microphone: asked for once, heard in frames of 20 ms. */

const WISHES = { channelCount: 1, echoCancellation: true, noiseSuppression: true, autoGainControl: true };

export class Microphone {
  #context;
  #stream = null;
  #nodes = [];
  #closed = false;

  constructor(context) {
    this.#context = context;
    this.on = false;
  }

  /**
   * Asks for the microphone and begins to listen.
   *
   * @param hear (pcm: ArrayBuffer, level: 0..1) => void, fifty times a second
   * @param lost () => void: unplugged, or taken away in the browser's settings
   * @param device the id of the microphone that was chosen; where it is not there, another serves
   * Throws what getUserMedia throws, which `trouble.js` puts in words; AbortError where it was closed meanwhile.
   */
  async open(hear, lost, device = "") {
    if (!navigator.mediaDevices?.getUserMedia) throw new DOMException("no mediaDevices", "NotSupportedError");
    this.#stream = await navigator.mediaDevices.getUserMedia({
      audio: device ? { ...WISHES, deviceId: { ideal: device } } : WISHES,
    });
    if (this.#closed) {
      this.close(); // nobody listens any more to what was allowed just now
      throw new DOMException("closed", "AbortError");
    }
    for (const track of this.#stream.getAudioTracks()) track.onended = lost;
    const source = this.#context.createMediaStreamSource(this.#stream);
    const capture = new AudioWorkletNode(this.#context, "capture");
    capture.port.onmessage = ({ data }) => this.on && hear(data.pcm, data.level);
    // It puts out silence; a node that leads nowhere is not run in every browser.
    source.connect(capture).connect(this.#context.destination);
    this.#nodes = [source, capture];
    this.on = true;
  }

  get opened() {
    return this.#stream !== null;
  }

  /** What a call sends; null while it is closed. */
  get track() {
    return this.#stream?.getAudioTracks()[0] ?? null;
  }

  /** The name of the device, to ask "is the right microphone chosen?" */
  get label() {
    return this.track?.label ?? "";
  }

  /** Stops listening for good, and lets the browser's own light go out. */
  close() {
    this.#closed = true;
    this.on = false;
    for (const node of this.#nodes) node.disconnect();
    for (const track of this.#stream?.getTracks() ?? []) {
      track.onended = null;
      track.stop();
    }
    this.#nodes = [];
    this.#stream = null;
  }
}
