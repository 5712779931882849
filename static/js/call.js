/**
 * A lesson's connection by WebRTC: voice as Opus both ways, events as text on the data channel `oai-events`.
 * One of a `LessonLine`.
 *
 * The page always makes the offer, and the server, which is ICE-lite, never does: two offers can't meet, so
 * nobody has to be the polite one. A new network is not met by an ICE restart either, but by a new call to the
 * same session, since that is also how a lesson comes back from everything else; the old call is let go once
 * the new one is up.
 */

import { Pieces } from "../lib/pieces.js";
import { addressOf } from "./socket.js";

const BROKEN = 1006;
const GONE_MS = 5000; // away for so long, a call is broken
const SLOW_MS = 1500; // what waits goes first; where that takes longer, speech does not wait behind it
const FRAMES = 15; // of 20 ms in one event: below the 64 KiB that a data channel takes
const TAKEN = 4001;
const SIGNED_OUT = 4002;
const SAID = { taken_over: TAKEN, signed_out: SIGNED_OUT, too_large: 1008, too_many_events: 1008, too_slow: 1008 };

/** Why there is no call: `status` is the server's, 0 where it could not be asked; null where it was not refused. */
export class NoCall extends Error {
  constructor(message, status = null) {
    super(message);
    this.status = status;
  }
}

export class LessonCall {
  #told;
  #peer = null;
  #channel = null;
  #sender = null;
  #pieces = new Pieces();
  #code = BROKEN;
  #timer = null;
  #track = null;
  #waitsSince = null;
  #key;
  #location = null;
  #closed = false;
  #fetch;

  /**
   * @param key          `client_secrets`' answer
   * @param place        {lesson, session, after}
   * @param told.event   (event) => void
   * @param told.voice   (MediaStream, RTCRtpReceiver) => void: the tutor's
   * @param told.shaky   () => void: the network is away, perhaps for a moment
   * @param told.gone    (close code, NoCall or undefined) => void; once, and not after `close`
   */
  constructor({ key, place }, told, { Peer = globalThis.RTCPeerConnection, fetcher = (...all) => fetch(...all) } = {}) {
    this.kind = "call";
    this.talking = false; // the track goes out; nothing has to be sent in frames
    this.#key = key;
    this.#told = told;
    this.#fetch = fetcher;
    this.#begin(Peer, place).catch((fault) => this.#end(BROKEN, fault instanceof NoCall ? fault : new NoCall(String(fault))));
  }

  get unsentBytes() {
    return this.#channel?.bufferedAmount ?? 0;
  }

  /** What the browser counts of this call. */
  stats() {
    return this.#peer.getStats();
  }

  send(event) {
    if (this.#channel?.readyState === "open") this.#channel.send(JSON.stringify(event));
  }

  /** What was said while the track did not go out. */
  sendSound(frames) {
    for (let at = 0; at < frames.length; at += FRAMES) {
      this.send({ type: "input_audio_buffer.append", audio: base64(frames.slice(at, at + FRAMES)) });
    }
    this.#follow();
  }

  /**
   * Lets this track through, or none. It waits for what was sent in frames, so that nothing overtakes it.
   * Without a track nothing is sent, and the browser's light goes off with the microphone.
   */
  talk(track) {
    this.#track = track;
    if (!track) {
      this.talking = false;
      this.#waitsSince = null;
      this.#sender?.replaceTrack(null).catch(() => null);
    } else this.#follow();
  }

  close() {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#peer?.close();
    if (this.#location) this.#hangUp();
  }

  lost() {
    this.#end(BROKEN);
  }

  async #begin(Peer, place) {
    if (!Peer) throw new NoCall("This browser has no WebRTC.");
    this.#peer = new Peer({ iceServers: this.#key.ice_servers ?? [] });
    this.#peer.ontrack = ({ track, receiver }) => this.#told.voice(new MediaStream([track]), receiver);
    this.#peer.onconnectionstatechange = () => this.#moved();
    this.#sender = this.#peer.addTransceiver("audio", { direction: "sendrecv" }).sender;
    this.#channel = this.#peer.createDataChannel("oai-events");
    this.#channel.onmessage = ({ data }) => this.#message(data);
    this.#channel.onclose = () => this.#end(this.#code);
    this.#channel.onbufferedamountlow = () => this.#follow();
    await this.#peer.setLocalDescription(await this.#peer.createOffer());
    // Without its candidates: the server answers to where our checks come from.
    const sdp = await this.#offer(this.#peer.localDescription.sdp, place);
    if (!this.#closed) await this.#peer.setRemoteDescription({ type: "answer", sdp });
  }

  async #offer(sdp, place) {
    const headers = { authorization: `Bearer ${this.#key.value}`, "content-type": "application/sdp" };
    let response;
    try {
      response = await this.#fetch(addressOf("/v1/realtime/calls", place), {
        method: "POST", headers, body: sdp, credentials: "same-origin", signal: AbortSignal.timeout(10_000),
      });
    } catch {
      throw new NoCall("The server could not be asked.", 0);
    }
    if (!response.ok) throw new NoCall("The server takes no call.", response.status);
    this.#location = response.headers.get("location");
    if (this.#closed && this.#location) this.#hangUp();
    return response.text();
  }

  #hangUp() {
    const headers = { authorization: `Bearer ${this.#key.value}` };
    const request = { method: "DELETE", headers, credentials: "same-origin", keepalive: true };
    this.#fetch(new URL(this.#location, location.href), request).catch(() => null);
    this.#location = null;
  }

  #moved() {
    const state = this.#peer.connectionState;
    clearTimeout(this.#timer);
    if (state === "failed" || state === "closed") this.#end(this.#code);
    if (state !== "disconnected") return;
    this.#timer = setTimeout(() => this.lost(), GONE_MS);
    this.#told.shaky();
  }

  #message(data) {
    if (typeof data !== "string") return;
    const said = JSON.parse(data);
    const event = said.type === "event.piece" ? this.#pieces.add(said) : said;
    if (!event) return;
    // A data channel is closed without a code; what was said last tells why.
    if (event.type === "session.ended") this.#code = 1000;
    else if (event.type === "notice" && Object.hasOwn(SAID, event.code)) this.#code = SAID[event.code];
    this.#told.event(event);
    // The end of the call may be lost on its way; these two have nothing to wait for.
    if (this.#code === TAKEN || this.#code === SIGNED_OUT) this.#end(this.#code);
  }

  async #follow() {
    const track = this.#track;
    if (!track || this.talking || this.#channel?.readyState !== "open") return;
    if (this.unsentBytes > 0) {
      this.#waitsSince ??= performance.now();
      if (performance.now() - this.#waitsSince < SLOW_MS) return;
    }
    this.#waitsSince = null;
    await this.#sender.replaceTrack(track).catch(() => null);
    if (this.#track === track) this.talking = true;
    else if (!this.#track) this.#sender.replaceTrack(null).catch(() => null);
  }

  #end(code, refusal) {
    if (this.#closed) return;
    this.close();
    this.#told.gone(code, refusal);
  }
}

function base64(frames) {
  let text = "";
  for (const pcm of frames) for (const byte of new Uint8Array(pcm)) text += String.fromCharCode(byte);
  return btoa(text);
}
