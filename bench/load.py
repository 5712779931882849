"""Many students speaking at once, and what it costs."""

import asyncio
import time
from collections import Counter
from dataclasses import dataclass

from bench.processes import cpu_s
from bench.student import Notes, Student

APART_S = 0.2  # between one student's start and the next one's
SETTLE_S = 3.0  # until all have begun; what is measured begins then


@dataclass(frozen=True, slots=True)
class Round:
    """What one round of students met with, and used."""

    students: int
    seconds: float
    "Of the time measured."
    cpu_ms: dict[str, float]
    "By kind of process, for each second of one session."
    notes: tuple[Notes, ...]
    own_lag_ms: float
    "How late this program itself was at worst; what is measured can't be better than it."

    @property
    def gaps_ms(self) -> list[float]:
        return sorted(gap for one in self.notes for gap in one.playback.gaps_ms)

    @property
    def latencies_ms(self) -> list[float]:
        return sorted(each for one in self.notes for each in one.latencies_ms)

    @property
    def errors(self) -> Counter[str]:
        return sum((one.errors for one in self.notes), Counter[str]())


async def hold_round(
    server_pid: int, address: str, token: str, *, students: int, seconds: float
) -> Round:
    """`students` at once, for so long after all have begun; returns when all have left."""
    everyone = [Student(number, address, token) for number in range(students)]
    began = time.monotonic()
    until = began + students * APART_S + SETTLE_S + seconds
    lag = _Lag()
    watching = asyncio.create_task(lag.watch())
    learning = [
        asyncio.create_task(_after(number * APART_S, student, until))
        for number, student in enumerate(everyone)
    ]
    await asyncio.sleep(students * APART_S + SETTLE_S)
    lag.worst_s = 0.0
    before, started = cpu_s(server_pid), time.monotonic()
    await asyncio.sleep(until - started)
    after, measured_s = cpu_s(server_pid), time.monotonic() - started
    await asyncio.gather(*learning)
    watching.cancel()
    used = {kind: (after[kind] - before[kind]) / measured_s / students * 1000 for kind in after}
    notes = tuple(student.notes for student in everyone)
    return Round(students, measured_s, used, notes, lag.worst_s * 1000)


async def _after(seconds: float, student: Student, until: float) -> None:
    await asyncio.sleep(seconds)
    await student.learn(until)


class _Lag:
    """How late this event loop is."""

    def __init__(self) -> None:
        self.worst_s = 0.0

    async def watch(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + 0.01
            await asyncio.sleep(0.01)
            self.worst_s = max(self.worst_s, loop.time() - due)
