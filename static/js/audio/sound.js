/** The browser's sound: one context for the microphone and the loudspeaker, made by a press of the student's. */

export async function openSound(output = "") {
  const context = new AudioContext({ latencyHint: "interactive" });
  if (output) await context.setSinkId?.(output).catch(() => null); // unplugged since: the browser's own
  await Promise.all(["capture", "playout"].map((name) =>
    context.audioWorklet.addModule(new URL(`../../worklets/${name}.js`, import.meta.url))));
  // A browser that wants a press first leaves this pending for ever.
  await Promise.race([context.resume(), new Promise((done) => setTimeout(done, 500))]);
  return context;
}
