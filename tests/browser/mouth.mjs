/**
 * A microphone that says what the test wants, when it wants, and ears on the tutor's voice over a call: what of
 * a browser's devices a test of conversations needs in its hand.
 */

import { readFile, writeFile } from "node:fs/promises";

/** Before the page's own scripts: its microphone is a mouth of the test's, and each call is listened to. */
export async function giveMouth(page) {
  await page.addInitScript(() => {
    const house = { peers: [], heard: [], rate: 24_000 };
    globalThis.house = house;
    navigator.mediaDevices.getUserMedia = async () => {
      house.context = new AudioContext();
      house.mouth = house.context.createMediaStreamDestination();
      const room = house.context.createConstantSource(); // a quiet one: without any source the stream would stand still
      room.offset.value = 0;
      room.connect(house.mouth);
      room.start();
      return house.mouth.stream;
    };
    house.say = async (wav) => {
      const bytes = Uint8Array.from(atob(wav), (letter) => letter.charCodeAt(0));
      const source = house.context.createBufferSource();
      source.buffer = await house.context.decodeAudioData(bytes.buffer);
      source.connect(house.mouth);
      source.start();
      await new Promise((said) => { source.onended = said; });
    };
    house.hear = (stream) => {
      const context = new AudioContext({ sampleRate: house.rate });
      const ear = context.createScriptProcessor(4096, 1, 1);
      ear.onaudioprocess = ({ inputBuffer }) => house.heard.push(inputBuffer.getChannelData(0).slice());
      context.createMediaStreamSource(stream).connect(ear).connect(context.destination);
    };
    const Peer = globalThis.RTCPeerConnection;
    globalThis.RTCPeerConnection = class extends Peer {
      constructor(...all) {
        super(...all);
        house.peers.push(this);
        this.addEventListener("track", ({ track }) => house.hear(new MediaStream([track])));
      }
    };
  });
}

/** Says this file with the student's mouth; resolves when it was said. */
export async function say(page, path) {
  await page.evaluate((wav) => globalThis.house.say(wav), (await readFile(path)).toString("base64"));
}

/** The loudest sample (0..1) that came over a call in the last `seconds`. */
export function loudest(page, seconds) {
  return page.evaluate((blocks) => globalThis.house.heard.slice(-blocks)
    .reduce((most, block) => block.reduce((high, sample) => Math.max(high, Math.abs(sample)), most), 0), Math.ceil((seconds * 24_000) / 4096));
}

/** Writes all that came over calls, as 24 kHz, 16-bit PCM. */
export async function keepHeard(page, path) {
  const text = await page.evaluate(async () => {
    const pcm = new Int16Array(globalThis.house.heard.length * 4096);
    globalThis.house.heard.forEach((block, i) => block.forEach((sample, j) => {
      pcm[i * 4096 + j] = Math.max(-1, Math.min(1, sample)) * 32_767;
    }));
    const reader = new FileReader();
    await new Promise((done) => {
      reader.onload = done;
      reader.readAsDataURL(new Blob([pcm]));
    });
    return reader.result.split(",")[1];
  });
  await writeFile(path, Buffer.from(text, "base64"));
}
