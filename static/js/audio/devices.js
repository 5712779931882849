/** Which microphone and which loudspeaker: chosen once on this device, since other devices have others. */

import { Keeping } from "../keeping.js";

const KINDS = ["audioinput", "audiooutput"];

export class Devices {
  #keeping;
  #media;

  constructor({ keeping = new Keeping("sound"), media = globalThis.navigator?.mediaDevices } = {}) {
    this.#keeping = keeping;
    this.#media = media;
  }

  /** The id that was chosen, "" for the browser's own choice. */
  chosen(kind) {
    return this.#keeping.kept(kind)?.id ?? "";
  }

  choose(kind, id) {
    this.#keeping.keep(kind, { id });
  }

  /** `{audioinput: [{id, label}], audiooutput: […]}`, as far as the browser names them. */
  async list() {
    const all = (await this.#media?.enumerateDevices?.().catch(() => [])) ?? [];
    return Object.fromEntries(KINDS.map((kind) => [kind, all
      .filter((one) => one.kind === kind && one.label !== "" && one.deviceId !== "default" && one.deviceId !== "communications")
      .map(({ deviceId, label }) => ({ id: deviceId, label }))]));
  }

  /** Calls back when something is plugged in or out; returns what ends that. */
  follow(changed) {
    this.#media?.addEventListener?.("devicechange", changed);
    return () => this.#media?.removeEventListener?.("devicechange", changed);
  }
}

/** Whether sound can be sent to a chosen loudspeaker, over a call and over a socket. */
export function choosesOutput(scope = globalThis) {
  return Boolean(scope.HTMLMediaElement?.prototype.setSinkId && scope.AudioContext?.prototype.setSinkId);
}
