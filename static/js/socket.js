/** A lesson's connection by WebSocket: events as text, sound as binary frames both ways. One of a `LessonLine`. */

import { toWireId } from "./session-id.js";

const BROKEN = 1006;

/** How good the line is, from what waits to be sent and how long a question takes. */
export function quality({ unsentBytes, roundTripMs, gaps }) {
  if (unsentBytes > 96_000 || roundTripMs > 1500 || gaps > 3) return "poor";
  return unsentBytes > 24_000 || roundTripMs > 500 || gaps > 0 ? "fair" : "good";
}

/** Where a lesson is found: `path` with what the line knows of it. */
export function addressOf(path, { lesson, session, after }) {
  const address = new URL(path, location.href);
  if (lesson) address.searchParams.set("model", lesson);
  if (session) address.searchParams.set("session", toWireId(session));
  if (session && after) address.searchParams.set("after", after);
  return address;
}

export class LessonSocket {
  #told;
  #socket;
  #soundOf = null;

  /**
   * @param key          `client_secrets`' answer
   * @param place        {lesson, session, after}
   * @param told.event   (event) => void
   * @param told.sound   (item id, ArrayBuffer) => void
   * @param told.gone    (close code) => void; once, and not after `close`
   */
  constructor({ key, place }, told) {
    this.kind = "socket";
    this.#told = told;
    const address = addressOf("/v1/realtime", place);
    address.protocol = location.protocol === "https:" ? "wss:" : "ws:";
    this.#socket = new WebSocket(address, ["realtime", `openai-insecure-api-key.${key.value}`]);
    this.#socket.binaryType = "arraybuffer";
    this.#socket.onmessage = ({ data }) => this.#message(data);
    this.#socket.onclose = ({ code }) => told.gone(code);
  }

  get unsentBytes() {
    return this.#socket.bufferedAmount;
  }

  send(event) {
    this.#socket.send(JSON.stringify(event));
  }

  sendSound(frames) {
    for (const pcm of frames) this.#socket.send(pcm);
  }

  /** Here sound is sent in frames, whatever the track is. */
  talk() {}

  get talking() {
    return false;
  }

  close() {
    this.#socket.onmessage = this.#socket.onclose = null;
    this.#socket.close();
  }

  lost() {
    this.close();
    this.#told.gone(BROKEN);
  }

  #message(data) {
    if (typeof data !== "string") {
      this.#told.sound(this.#soundOf, data);
      return;
    }
    const event = JSON.parse(data);
    if (event.type === "response.output_audio.delta") this.#soundOf = event.item_id;
    this.#told.event(event);
  }
}
