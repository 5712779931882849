/** What the page asks of the session: the student's own choices, and over a socket sound as binary frames. Pure. */

const FORMAT = { type: "audio/pcm", rate: 24_000 };

/** Whether a change of these concerns the session, or only this page. */
export function isWish(preferences) {
  return ["hold_to_talk", "speech_speed", "tutor_voice"].some((name) => name in preferences);
}

/** The `session` of session.update. `sound` is "off" where this browser can play none; `line` is "call" or "socket". */
export function wishes({ hold_to_talk, speech_speed = 1, tutor_voice = true }, sound, line = "socket") {
  const aloud = tutor_voice && sound !== "off";
  return {
    type: "realtime",
    output_modalities: [aloud ? "audio" : "text"],
    audio: {
      input: { format: FORMAT, turn_detection: hold_to_talk ? null : { type: "server_vad" } },
      output: { format: FORMAT, ...(line === "socket" && { binary: true }), speed: speech_speed },
    },
  };
}
