"""What the tests of a call's sound share: a clock with timers, a listener, a wire."""

import heapq
import itertools
import math

import numpy as np

from ai.audio import RATE_HZ
from server.rtc.voice import Voice

SPEECH_HZ = 220.0


def tone(ms, hz=SPEECH_HZ, level=0.3):
    """A steady sound: what is cut out of it, or missing in it, is easily seen."""
    at = np.arange(ms * RATE_HZ // 1000) / RATE_HZ
    return (np.sin(2 * math.pi * hz * at) * level * 32767).astype("<i2").tobytes()


def counting(samples, start=0):
    """Sound in which each sample tells where it stands (mod 2^16)."""
    numbers = np.arange(start, start + samples) % 65536
    return numbers.astype("<u2").tobytes()


def samples(pcm):
    return np.frombuffer(pcm, "<i2").astype(np.float64)


def rms(pcm):
    return float(np.sqrt(np.mean(samples(pcm) ** 2))) if pcm else 0.0


class Clock:
    """Time that passes when it is told to, with `call_later` as a loop has it."""

    def __init__(self, now=1000.0):
        self.now = now
        self._timers = []
        self._number = itertools.count()
        self.woken = 0

    def __call__(self):
        return self.now

    def call_later(self, delay, do):
        timer = Timer(do)
        heapq.heappush(self._timers, (self.now + delay, next(self._number), timer))
        return timer

    @property
    def waiting(self):
        return sum(not timer.cancelled for _, _, timer in self._timers)

    def run(self, seconds, late=lambda: 0.0):
        """Let time pass; each timer rings late by `late()`."""
        end = self.now + seconds
        while self._timers and self._timers[0][0] <= end + 1e-9:
            due, _, timer = heapq.heappop(self._timers)
            if timer.cancelled:
                continue
            self.now = max(self.now, due) + late()
            self.woken += 1
            timer.do()
        self.now = max(self.now, end)


class Timer:
    def __init__(self, do):
        self.do = do
        self.cancelled = False

    def cancel(self):
        self.cancelled = True


class Listener:
    """Writes down what a `Voice` tells."""

    def __init__(self):
        self.heard = []
        self.made_up = []
        self.told = []

    def hear(self, pcm, *, made_up=False):
        self.heard.append(pcm)
        self.made_up.append(made_up)

    def started(self, response_id, item_id, audio_ms, rtp_timestamp):
        self.told.append(("started", response_id, item_id, audio_ms, rtp_timestamp))

    def stopped(self, response_id, rtp_timestamp):
        self.told.append(("stopped", response_id))

    def position(self, item_id, audio_ms):
        self.told.append(("position", item_id, audio_ms))

    def kinds(self):
        return [one[0] for one in self.told]

    def positions(self, item_id):
        return [one[2] for one in self.told if one[0] == "position" and one[1] == item_id]


class Wire:
    """Keeps what is sent, with the time."""

    def __init__(self, clock):
        self.clock = clock
        self.packets = []

    def __call__(self, payload, timestamp, *, marker):
        self.packets.append((self.clock.now, payload, timestamp, marker))
        return 70_000 + len(self.packets) - 1


class Call:
    """A `Voice` on a clock of its own, before it begins."""

    def __init__(self):
        self.clock = Clock()
        self.wire = Wire(self.clock)
        self.listener = Listener()
        self.voice = Voice(
            self.wire, self.listener, clock=self.clock, call_later=self.clock.call_later
        )

    @property
    def packets(self):
        return self.wire.packets
