"""Students who call by WebRTC and speak without end: `python -m bench.calls URL ...`.

A process of its own, so that it can have a core of its own; prints one line of JSON. Its calls are
`bench.caller`'s: the same for every server. What they send is encoded once, before they begin.
"""

import argparse
import asyncio
import http.client
import json
import math
import random
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import av
import numpy as np
import uvloop

from bench.caller import CLOCK_PER_FRAME, Caller, NotConnected, own_address, pin
from bench.percentile import percentile
from bench.processes import cpu_s, memory
from bench.reception import CLOCK_HZ, Arrival

FRAME_S = 0.02
SOUND_S = 3.0  # then it begins again
CONNECT_APART_S = 0.1
SPREAD_S = 5.5  # one turn of the provider's: students begin within it, so that turns don't coincide
SETTLE_S = 3.0
REPORT_S = 0.25  # our page tells so often what it has played
BUFFER_S = 0.1  # what a browser holds back
ALL = {"audio_ms": 600_000}
OFFER_TIMEOUT_S = 30
UPDATE = {"type": "session.update", "session": {"type": "realtime", "output_modalities": ["audio"]}}


@dataclass(frozen=True, slots=True)
class Signalling:
    """How an offer reaches a server."""

    url: str
    token: str = ""

    def post(self, sdp: str) -> str:
        """The answer's SDP. Raises NotConnected."""
        where = urlsplit(self.url)
        assert where.hostname is not None
        connection = http.client.HTTPConnection(where.hostname, where.port, timeout=OFFER_TIMEOUT_S)
        try:
            if self.token:
                body = sdp
                headers = {"Content-Type": "application/sdp"}
                headers["Authorization"] = f"Bearer {self.token}"
            else:  # as aiortc's examples, and Pipecat
                body = json.dumps({"sdp": sdp, "type": "offer"})
                headers = {"Content-Type": "application/json"}
            path = where.path + (f"?{where.query}" if where.query else "")
            connection.request("POST", path, body, headers)
            response = connection.getresponse()
            said = response.read().decode()
        except OSError as problem:
            raise NotConnected(f"The offer: {problem!r}.") from None
        finally:
            connection.close()
        if response.status not in (200, 201):
            raise NotConnected(f"The offer was refused with {response.status}: {said[:300]}")
        return said if self.token else str(json.loads(said)["sdp"])


class Student:
    """One call, and its microphone."""

    def __init__(self, host: str, frames: Sequence[bytes], *, events: bool) -> None:
        self.caller = Caller(host=host, events=events)
        self.caller.on_event = self._event
        self.caller.on_packet = self._packet
        self.caller.on_gone = self._lost
        self.gone = False
        self.setup_ms = math.nan
        self.events: Counter[str] = Counter()
        self._frames = frames
        self._began_s = 0.0
        self._sent = 0
        self._clock = random.getrandbits(32)
        self._loop = asyncio.get_running_loop()
        self._next: asyncio.TimerHandle | None = None
        self._playing: tuple[str, int, int] | None = None
        self._newest = 0
        self._told_s = 0.0

    async def connect(self, signalling: Signalling) -> None:
        """Raises NotConnected."""
        began_s = time.monotonic()
        answer = await asyncio.to_thread(signalling.post, self.caller.offer)
        await self.caller.connect(answer)
        self.setup_ms = (time.monotonic() - began_s) * 1000
        if self.caller.events:
            async with asyncio.timeout(10):
                await self.caller.channel_open.wait()
            self.caller.tell(json.dumps(UPDATE))

    def speak(self, after_s: float) -> None:
        """From then on, a frame every 20 ms."""
        self._began_s = self._loop.time() + after_s
        self._next = self._loop.call_at(self._began_s, self._frame)

    def stop(self) -> None:
        if self._next is not None:
            self._next.cancel()

    def _frame(self) -> None:
        n = self._sent
        payload = self._frames[n % len(self._frames)]
        self.caller.send(payload, self._clock + n * CLOCK_PER_FRAME, marker=n == 0)
        self._sent += 1
        self._next = self._loop.call_at(self._began_s + self._sent * FRAME_S, self._frame)

    def _event(self, text: str) -> None:
        event = json.loads(text)
        self.events[event["type"]] += 1
        if event["type"] == "output_audio_buffer.started" and "rtp_timestamp" in event:
            self._playing = (event["item_id"], event["audio_ms"], event["rtp_timestamp"])
        elif event["type"] == "output_audio_buffer.stopped" and self._playing is not None:
            # As our page: all of it is heard soon, and the server knows how much that is.
            played = {"type": "output_audio_buffer.played", "item_id": self._playing[0]}
            self._loop.call_later(BUFFER_S, self.caller.tell, json.dumps({**played, **ALL}))

    def _packet(self, arrival: Arrival, payload: bytes) -> None:
        """As our page: where the sound it hears is, told four times a second."""
        if self._playing is None or arrival.at_s - self._told_s < REPORT_S:
            return
        self._told_s = arrival.at_s
        item, audio_ms, timestamp = self._playing
        into = (arrival.timestamp - timestamp) & 0xFFFF_FFFF
        if into < 1 << 31 and arrival.size > 2:
            played = {"type": "output_audio_buffer.played", "item_id": item}
            played["audio_ms"] = audio_ms + into * 1000 // CLOCK_HZ
            self.caller.tell(json.dumps(played))

    def _lost(self) -> None:
        self.gone = True


class Load:
    """So many students on one server, and what that costs it."""

    def __init__(self, doors: Sequence[Signalling], pid: int, *, events: bool) -> None:
        self._doors = doors
        "One for each student."
        self._pid = pid
        self._count = len(doors)
        self._events = events
        self._failures: Counter[str] = Counter()

    async def run(self, seconds: float) -> Mapping[str, Any]:
        before_mb = memory(self._pid)
        frames = speech_like(SOUND_S)
        host = own_address()
        everyone = [Student(host, frames, events=self._events) for _ in range(self._count)]
        there = [
            student
            for student, came in zip(
                everyone,
                await asyncio.gather(
                    *(
                        self._connect(n * CONNECT_APART_S, each, self._doors[n])
                        for n, each in enumerate(everyone)
                    )
                ),
                strict=True,
            )
            if came
        ]
        for n, student in enumerate(there):
            student.speak(n / len(there) * SPREAD_S)
        await asyncio.sleep(SPREAD_S + SETTLE_S)
        for student in there:
            student.caller.reception.begin_anew()
        lag = _Lag()
        watching = asyncio.create_task(lag.watch())
        used, own, began_s = cpu_s(self._pid), time.process_time(), time.monotonic()
        await asyncio.sleep(seconds)
        now, took_s = cpu_s(self._pid), time.monotonic() - began_s
        own = time.process_time() - own
        grown_mb = memory(self._pid)["server"].rss - before_mb["server"].rss
        watching.cancel()
        figures = self._figures(there, took_s)
        for student in everyone:
            student.stop()
        await asyncio.gather(*(student.caller.close() for student in everyone))
        each = max(1, len(there)) * took_s
        return {
            **figures,
            "cpu_ms": (now["server"] - used["server"]) / each * 1000,
            "cpu_all_ms": (sum(now.values()) - sum(used.values())) / each * 1000,
            "core": (now["server"] - used["server"]) / took_s,
            "rss_kb": grown_mb * 1024 / max(1, len(there)),
            "own_core": own / took_s,
            "own_lag_ms": lag.worst_s * 1000,
        }

    async def _connect(self, after_s: float, student: Student, door: Signalling) -> bool:
        await asyncio.sleep(after_s)
        try:
            await student.connect(door)
        except (NotConnected, TimeoutError) as problem:
            self._failures[str(problem)[:200] or type(problem).__name__] += 1
            return False
        return True

    def _figures(self, there: Sequence[Student], took_s: float) -> dict[str, Any]:
        heard = [student.caller.reception for student in there]
        setup = sorted(student.setup_ms for student in there)
        gaps = sorted(gap for one in heard for gap in one.gaps_ms)
        return {
            "n": self._count,
            "connected": len(there),
            "failures": dict(self._failures),
            "lost": sum(student.gone for student in there),
            "refused": sum(student.caller.refused for student in there),
            "setup_ms": {"p50": percentile(setup, 0.5), "p99": percentile(setup, 0.99)},
            "packets_s": sum(one.packets for one in heard) / max(1, len(heard)) / took_s,
            "sound_s": sum(one.sound for one in heard) / max(1, len(heard)) / took_s,
            "talk_s": sum(one.talk_ms for one in heard) / 1000,
            "silent": sum(not one.sound for one in heard),
            "gaps": len(gaps),
            "with_gaps": sum(bool(one.gaps_ms) for one in heard),
            "longest_gap_ms": gaps[-1] if gaps else 0.0,
            "events": dict(sum((student.events for student in there), Counter[str]())),
        }


class _Lag:
    """How late this program's own loop was at worst; packets are timed by the kernel, not by it."""

    def __init__(self) -> None:
        self.worst_s = 0.0

    async def watch(self) -> None:
        while True:
            began_s = time.monotonic()
            await asyncio.sleep(0.01)
            self.worst_s = max(self.worst_s, time.monotonic() - began_s - 0.01)


def speech_like(seconds: float) -> list[bytes]:
    """Opus as browsers send it (32 kbit/s, mono, FEC), of a voice's pitch, colour and syllables."""
    at = np.arange(int(seconds * CLOCK_HZ)) / CLOCK_HZ
    pitch = 140 + 30 * np.sin(2 * np.pi * 0.7 * at)
    phase = 2 * np.pi * np.cumsum(pitch) / CLOCK_HZ
    voice = sum(
        np.sin(phase * k) / k * np.exp(-(((k * 140 - 900) / 900) ** 2)) for k in range(1, 20)
    )
    syllables = 0.55 + 0.45 * np.sin(2 * np.pi * 4 * at)
    noise = np.random.default_rng(1).normal(0, 0.02, len(at))
    pcm = ((voice * syllables * 0.5 + noise) * 12_000).clip(-32_768, 32_767).astype(np.int16)
    encoder = av.CodecContext.create("libopus", "w")
    encoder.sample_rate, encoder.format, encoder.layout = CLOCK_HZ, "s16", "mono"  # type: ignore[assignment]
    encoder.bit_rate = 32_000
    encoder.options = {"application": "voip", "fec": "1", "packet_loss": "10"}
    frames = []
    for start in range(0, len(pcm) - CLOCK_PER_FRAME + 1, CLOCK_PER_FRAME):
        piece = pcm[start : start + CLOCK_PER_FRAME].reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(piece, layout="mono")
        frame.sample_rate, frame.pts = CLOCK_HZ, start
        frames += [bytes(packet) for packet in encoder.encode(frame)]
    return frames


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.calls", description=__doc__)
    parser.add_argument("url", help="where an offer is posted")
    parser.add_argument("--tokens", type=Path, help="a bearer for each; then offers are SDP")
    parser.add_argument("--pid", type=int, required=True, help="the server's")
    parser.add_argument("-n", "--students", type=int, default=10)
    parser.add_argument("-s", "--seconds", type=float, default=15)
    parser.add_argument("--events", action="store_true", help="with the data channel")
    parser.add_argument("--core", type=int, help="which one is this process's")
    options = parser.parse_args()
    if options.core is not None:
        pin(options.core)
    tokens = options.tokens.read_text().split() if options.tokens else [""] * options.students
    doors = [Signalling(options.url, token) for token in tokens[: options.students]]
    load = Load(doors, options.pid, events=options.events)
    print(json.dumps(uvloop.run(load.run(options.seconds))))


if __name__ == "__main__":
    main()
