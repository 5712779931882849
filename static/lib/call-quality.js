/** How good a call is, from what the browser counts (`RTCPeerConnection.getStats`). Pure. */

const NOTHING = { lost: 0, received: 0, concealed: 0, samples: 0 };

/** The numbers that matter of a report: counts since the call began, and times in milliseconds as they are now. */
export function read(report) {
  const found = { ...NOTHING, jitterMs: 0, roundTripMs: 0, lostOut: 0 };
  for (const one of report.values()) {
    if (one.type === "inbound-rtp" && one.kind === "audio") {
      found.lost = Math.max(0, one.packetsLost ?? 0);
      found.received = one.packetsReceived ?? 0;
      // Silence that is not sent is made up by the browser; nothing was lost of it.
      found.concealed = (one.concealedSamples ?? 0) - (one.silentConcealedSamples ?? 0);
      found.samples = one.totalSamplesReceived ?? 0;
      found.jitterMs = 1000 * (one.jitter ?? 0);
    } else if (one.type === "remote-inbound-rtp" && one.kind === "audio") {
      found.lostOut = one.fractionLost ?? 0;
      found.roundTripMs = Math.max(found.roundTripMs, 1000 * (one.roundTripTime ?? 0));
    } else if (one.type === "candidate-pair" && one.nominated) {
      found.roundTripMs = Math.max(found.roundTripMs, 1000 * (one.currentRoundTripTime ?? 0));
    }
  }
  return found;
}

const SILENT_S = 2; // even silence is a packet each 0.4 s
const ENOUGH = 50; // packets, to say what share of them is lost
const UNSENT = [32_000, 128_000]; // half a second of microphone on the data channel, and two

/** good, fair or poor, by what happened between two readings so many `seconds` apart. */
export function between(before, now, { seconds = 0, unsentBytes = 0 } = {}) {
  const since = (name) => Math.max(0, now[name] - (before?.[name] ?? 0));
  const packets = since("lost") + since("received");
  const lost = Math.max(packets >= ENOUGH ? since("lost") / packets : 0, now.lostOut);
  const concealed = since("samples") > 0 ? since("concealed") / since("samples") : 0;
  const over = (share, jitterMs, roundTripMs) =>
    lost > share || concealed > share || now.jitterMs > jitterMs || now.roundTripMs > roundTripMs;
  if (seconds >= SILENT_S && now.received > 0 && since("received") === 0) return "poor";
  if (over(0.1, 120, 1500) || unsentBytes > UNSENT[1]) return "poor";
  return over(0.03, 50, 500) || unsentBytes > UNSENT[0] ? "fair" : "good";
}
