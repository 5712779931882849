"""What Opus costs and what it does to words: `python -m bench.opus`, some ten minutes.

`--calls 20` prints what the voices of so many calls cost together.

Students' answers of `bench.answers`, spoken by flite, go through our encoder, a network that loses,
delays and doubles packets, the receive buffer and the decoder, and are listened to by the local
ears. "Heard" counts answers that the ears wrote down word by word.
"""

import argparse
import asyncio
import itertools
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import uvloop

from ai.audio import BYTES_PER_MS, FRAME_BYTES, FRAME_MS, silence
from ai.local.ears import LocalEars
from ai.local.voice import voices_for
from ai.local.workers import Workers
from bench import speech
from bench.answers import HELD_OUT, TUNED, Said
from bench.ears import brief_of
from server.rtc import opus
from server.rtc.receiving import Arrived, Concealed, Quiet, Receiving, Recovered, Sound
from server.rtc.voice import Voice

FRAME_S = FRAME_MS / 1000
SENTENCES = (
    "Cut the pizza into four equal slices, and tell me how many of them make one half.",
    "Photosynthesis makes sugar out of light, water and carbon dioxide. What else comes out?",
)
FLUSH_S = 1.0
NAMES = ("all", "concealed", "silent")


@dataclass(frozen=True, slots=True)
class Network:
    """What becomes of packets on their way."""

    loss: float = 0.0
    jitter_ms: float = 0.0
    duplicate: float = 0.0
    seed: int = 1


def encoded(
    pcm: bytes,
    *,
    complexity: int = opus.COMPLEXITY,
    bitrate_bps: int = opus.BITRATE_BPS,
    loss_percent: int = 0,
) -> list[bytes]:
    """The packets of `pcm`, the last frame filled up with silence."""
    encoder = opus.Encoder(bitrate_bps=bitrate_bps, complexity=complexity)
    encoder.expect_loss(loss_percent)
    frames = range(0, len(pcm), FRAME_BYTES)
    return [encoder.encode(pcm[at : at + FRAME_BYTES].ljust(FRAME_BYTES, b"\0")) for at in frames]


def arrivals(packets: Sequence[bytes], network: Network) -> list[tuple[float, int, bytes]]:
    """When which packet arrives, in seconds since the first was sent, which comes at once."""
    chance = random.Random(network.seed)
    coming = []
    for number, packet in enumerate(packets):
        copies = 2 if chance.random() < network.duplicate else 1
        lost = chance.random() < network.loss
        for _ in range(copies):
            late_s = chance.random() * network.jitter_ms / 1000
            if not number:
                coming.append((0.0, number, packet))
            elif not lost:
                coming.append((number * FRAME_S + late_s, number, packet))
    return sorted(coming)


def carried(packets: Sequence[bytes], network: Network, mend: str = "all") -> bytes:
    """What is heard of packets over a network.

    `mend`: `all`; `concealed`, without error correction; `silent`, where what is lost is silence.
    """
    receiving, decoder = Receiving(), opus.Decoder()
    pieces: list[bytes] = []

    def hear(sounds: Sequence[Sound]) -> None:
        pieces.extend(_decoded(decoder, sound, mend) for sound in sounds)

    def wait(until: float) -> None:
        while (due := receiving.deadline) is not None and due <= until:
            hear(receiving.tick(due))

    for now, number, packet in arrivals(packets, network):
        wait(now)
        hear(receiving.add(number & 0xFFFF, number * opus.FRAME_TICKS, packet, 1, now))
    wait(len(packets) * FRAME_S + FLUSH_S)
    return b"".join(pieces)


def _decoded(decoder: opus.Decoder, sound: Sound, mend: str) -> bytes:
    match sound:
        case Arrived(payload):
            return decoder.decode(payload)
        case Recovered(following, ms) if mend == "all":
            return decoder.recover(following, ms)
        case Recovered(_, ms) | Concealed(ms):
            return silence(round(ms)) if mend == "silent" else decoder.conceal(ms)
        case Quiet(ms):
            return silence(round(ms))
    return b""


def distance_db(heard: bytes, said: bytes) -> float:
    """Log-spectral distance of two sounds, over the frames in which `said` is not silent."""
    a, b = (_spectra(pcm) for pcm in (heard, said))
    count = min(len(a), len(b))
    a, b = a[:count], b[:count]
    loud = b.max(axis=1) > 40
    return float(np.sqrt(((a[loud] - b[loud]) ** 2).mean(axis=1)).mean())


def _spectra(pcm: bytes) -> Any:
    """Levels of 24 bands up to 8 kHz in each 20 ms, in dB, with a floor."""
    samples = np.frombuffer(pcm[: len(pcm) // FRAME_BYTES * FRAME_BYTES], "<i2").reshape(-1, 480)
    power = np.abs(np.fft.rfft(samples * np.hanning(480), axis=1)[:, 1:169]) ** 2
    bands = power.reshape(len(power), 24, 7).mean(axis=2)
    return 10 * np.log10(bands / 480 + 100.0)


def delay_samples(heard: bytes, said: bytes) -> int:
    """How much later `heard` is than `said`, by their correlation."""
    a, b = (np.frombuffer(pcm, "<i2").astype(float) for pcm in (heard, said))
    size = len(a) + len(b)
    both = np.fft.irfft(np.fft.rfft(a, size) * np.conj(np.fft.rfft(b, size)), size)
    return int(np.argmax(both[:1_000]))


@dataclass(slots=True)
class Row:
    """One way of coding, measured."""

    name: str
    heard: int = 0
    answers: int = 0
    encode_us: float = 0.0
    decode_us: float = 0.0
    kbps: float = 0.0
    distance: float = 0.0
    "Of what students say."
    tutor: float = 0.0
    "Of what the tutor says."

    def __str__(self) -> str:
        return (
            f"| {self.name} | {self.encode_us:.0f} | {self.decode_us:.0f} | {self.kbps:.1f} "
            f"| {self.distance:.1f} | {self.tutor:.1f} | {self.heard} of {self.answers} |"
        )


async def measure(
    name: str,
    ears: LocalEars,
    answers: Sequence[tuple[Said, str]],
    tutor: Sequence[bytes],
    network: Network = Network(),
    mend: str = "all",
    **coding: int,
) -> Row:
    """One row of the table."""
    row = Row(name, answers=len(answers))
    frames = 0
    for number, (said, voice) in enumerate(answers):
        pcm = speech.say(said.text, voice)
        start_s = time.process_time()
        packets = encoded(pcm, **coding)
        row.encode_us += (time.process_time() - start_s) * 1e6
        decoder = opus.Decoder()
        start_s = time.process_time()
        for packet in packets:
            decoder.decode(packet)
        row.decode_us += (time.process_time() - start_s) * 1e6
        row.kbps += sum(map(len, packets)) * 8 / FRAME_MS
        frames += len(packets)
        there = Network(network.loss, network.jitter_ms, network.duplicate, number)
        heard = carried(packets, there, mend)
        late = delay_samples(heard, pcm) * 2
        row.distance += distance_db(heard[late:], pcm) / len(answers)
        words = await ears.transcribe(heard, brief_of(said.lesson), said.step)
        row.heard += words.text == said.text
    for pcm in tutor:
        heard = carried(encoded(pcm, **coding), network, mend)
        late = delay_samples(heard, pcm) * 2
        row.tutor += distance_db(heard[late:], pcm) / len(tutor)
    row.encode_us /= frames
    row.decode_us /= frames
    row.kbps /= frames
    return row


async def spoken(workers: Workers, sentence: str) -> bytes:
    """The tutor's local voice."""
    meta = {"text": sentence, "language": "en", "speed": 1.0, "voices": voices_for("en", "")}
    return (await workers.call("speak", meta, timeout_s=20.0)).pcm


class Nobody:
    """A listener that only counts."""

    def __init__(self) -> None:
        self.heard_bytes = 0

    def hear(self, pcm: bytes, *, made_up: bool = False) -> None:
        self.heard_bytes += len(pcm)

    def started(self, response_id: str, item_id: str, audio_ms: int, rtp_timestamp: int) -> None:
        pass

    def stopped(self, response_id: str, rtp_timestamp: int) -> None:
        pass

    def position(self, item_id: str, audio_ms: int) -> None:
        pass


async def cost(calls: int, seconds: float) -> float:
    """CPU of a second of one call's `Voice`, in ms: it hears always and speaks 45 % of the time.

    Without the network, SRTP and all that a session does.
    """
    loop = asyncio.get_running_loop()
    packets = encoded(speech.say(SENTENCES[0]))
    said = speech.say(SENTENCES[1])[: 900 * BYTES_PER_MS]
    sequences = itertools.count()

    def send(payload: bytes, timestamp: int, *, marker: bool) -> int:
        return next(sequences)

    voices = [Voice(send, Nobody(), clock=loop.time) for _ in range(calls)]
    for voice in voices:
        voice.begin()
    begins, used = loop.time(), time.process_time()
    for frame in range(round(seconds / FRAME_S)):
        if frame % 100 == 0:
            for voice in voices:
                voice.play(f"resp_{frame}", f"item_{frame}", said)
                voice.complete(f"resp_{frame}")
        for voice in voices:
            voice.packet(frame & 0xFFFF, frame * opus.FRAME_TICKS, packets[frame % len(packets)], 1)
        await asyncio.sleep(max(0.0, begins + frame * FRAME_S - loop.time()))
    ms = (time.process_time() - used) * 1000 / (loop.time() - begins) / calls
    for voice in voices:
        voice.close()
    return ms


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--answers", type=int, default=len(TUNED) + len(HELD_OUT))
    parser.add_argument("--calls", type=int, help="only what the voices of so many calls cost")
    options = parser.parse_args()
    if options.calls:
        ms = await cost(options.calls, 10.0)
        print(f"{options.calls} calls: {ms:.1f} ms of CPU for each second of each")
        return
    count = options.answers
    said = (*TUNED, *HELD_OUT)[:count]
    answers = [(one, speech.VOICES[number % 3]) for number, one in enumerate(said)]
    workers = Workers(ears=1)
    await workers.start()
    ears = LocalEars(workers)
    tutor = [await spoken(workers, sentence) for sentence in SENTENCES]
    print("| | encode µs | decode µs | kbit/s | student dB | tutor dB | heard |")
    print("|---|---|---|---|---|---|---|", flush=True)
    bad = Network(loss=0.10, jitter_ms=100, duplicate=0.02)
    for mend in NAMES:
        name = f"10 % lost, 100 ms jitter: {mend}"
        row = await measure(name, ears, answers, tutor, bad, mend, loss_percent=10)
        print(row, flush=True)
    for complexity in (0, 2, 4, 6, 8, 10):
        name = f"complexity {complexity}, {opus.BITRATE_BPS // 1000} kbit/s"
        print(await measure(name, ears, answers, tutor, complexity=complexity), flush=True)
    for bitrate_bps in (16_000, 24_000, 32_000):
        name = f"complexity {opus.COMPLEXITY}, {bitrate_bps // 1000} kbit/s"
        print(await measure(name, ears, answers, tutor, bitrate_bps=bitrate_bps), flush=True)
    await workers.close()


if __name__ == "__main__":
    uvloop.run(main())
