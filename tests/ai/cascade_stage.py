"""A cascade in a test: ears, mind, speaker and voice detection are scripted."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from typing import TypeVar

from ai.audio import duration_ms, silence
from ai.cascade import Cascade, CascadeLeg
from ai.engine import (
    Brief,
    Cue,
    EngineFailed,
    HeardSpeech,
    Keep,
    Moved,
    Piece,
    Say,
    Spent,
    Spoken,
    Step,
    TurnDetection,
    UseTool,
    Utterance,
)
from ai.events import EngineEvent, Fault, SpeechStopped, Transcribed
from ai.turns import WINDOW_MS

T = TypeVar("T")
BRIEF = Brief("", "T", "G", "en", "Hello.", "Bye.", (Step("What?", (), "S"),))


def voice(ms: int) -> bytes:
    """Whole windows of what counts as voice here."""
    return b"\1\1" * (ms // WINDOW_MS * WINDOW_MS * 24)


class ScriptedVad:
    """Judges a window as voice where its samples are not zero."""

    def __init__(self) -> None:
        self.open = 0
        self.late = False
        "True: windows wait until `judge`, as when audio comes faster than it can be judged."
        self._waiting: list[Callable[[], None]] = []

    def judge(self) -> None:
        waiting, self._waiting = self._waiting, []
        for tell in waiting:
            tell()

    def wait(self, tell: Callable[[], None]) -> None:
        self._waiting.append(tell)

    def session(
        self, on_probability: Callable[[float, int], None], *, clock_ms: int
    ) -> "ScriptedActivity":
        self.open += 1
        return ScriptedActivity(self, on_probability, clock_ms)

    def close(self) -> None: ...


class ScriptedActivity:
    def __init__(self, vad: ScriptedVad, tell: Callable[[float, int], None], clock_ms: int) -> None:
        self.vad, self.tell, self.clock_ms = vad, tell, clock_ms

    def feed(self, pcm: bytes) -> None:
        assert duration_ms(pcm) % WINDOW_MS == 0, "these tests feed whole windows"
        for start in range(0, len(pcm), WINDOW_MS * 48):
            self.clock_ms += WINDOW_MS
            probability = 1.0 if any(pcm[start : start + WINDOW_MS * 48]) else 0.0
            if self.vad.late:
                self.vad.wait(lambda p=probability, at=self.clock_ms: self.tell(p, at))  # type: ignore[misc]
            else:
                self.tell(probability, self.clock_ms)

    def close(self) -> None:
        self.vad.open -= 1


class ScriptedEars:
    languages: frozenset[str] | None = frozenset({"en"})

    def __init__(self) -> None:
        self.asked: list[int] = []
        self.words = "two quarters"
        self.wait: asyncio.Event | None = None
        self.breaks = False
        self.fault: Fault | None = None

    async def transcribe(self, pcm: bytes, brief: Brief, step: int) -> HeardSpeech:
        self.asked.append(duration_ms(pcm))
        if self.wait is not None:
            await self.wait.wait()
        if self.breaks or self.fault:
            raise EngineFailed("ears", fault=self.fault)
        return HeardSpeech(self.words, sure=True)


class ScriptedMind:
    name = "scripted"

    def __init__(self) -> None:
        self.memories: list[list[Utterance]] = []
        self.breaks = False
        self.finished = False

    async def reply(
        self, brief: Brief, memory: Sequence[Utterance], cue: Cue, use: UseTool
    ) -> AsyncGenerator[Piece, None]:
        self.memories.append(list(memory))
        yield Keep({"turns": len(self.memories)}, self.finished)
        yield Moved(2, "asking")
        yield Say("First.")
        if self.breaks:
            raise EngineFailed("mind")
        yield Say("Second.")


class ScriptedSpeaker:
    def __init__(self) -> None:
        self.wait: asyncio.Event | None = None
        self.breaks: Exception | None = None
        self.pieces = 1
        self.spent: tuple[Spent, ...] = ()
        "By each of them."
        self.said: list[str] = []
        self.open = 0

    async def speak(
        self, text: str, *, language: str, voice: str, speed: float
    ) -> AsyncGenerator[Spoken, None]:
        self.said.append(text)
        self.open += 1
        try:
            if self.wait is not None:
                await self.wait.wait()
            if self.breaks is not None:
                raise self.breaks
            for _ in range(self.pieces):
                yield Spoken(silence(300 // self.pieces), spent=self.spent)
        finally:
            self.open -= 1


class Stage:
    """A leg and what it reported."""

    def __init__(self) -> None:
        self.vad, self.ears = ScriptedVad(), ScriptedEars()
        self.mind, self.speaker = ScriptedMind(), ScriptedSpeaker()
        self.engine = Cascade("offline", self.ears, self.mind, self.speaker, self.vad)
        self.events: list[EngineEvent] = []
        self.leg: CascadeLeg

    async def open(self, brief: Brief = BRIEF, memory: Sequence[Utterance] = ()) -> "Stage":
        leg = (await self.engine.prepare(brief)).begin(memory, self.events.append)
        assert isinstance(leg, CascadeLeg)
        self.leg = leg
        self.leg.detect(TurnDetection(silence_ms=640))
        return self

    def hear(self, ms: int, voice: bool) -> None:
        window = (b"\1\1" if voice else b"\0\0") * (WINDOW_MS * 24)
        for _ in range(ms // WINDOW_MS):
            self.leg.hear(window)

    def of(self, kind: type[T]) -> list[T]:
        return [event for event in self.events if isinstance(event, kind)]

    async def until(self, kind: type[T], count: int = 1) -> T:
        async with asyncio.timeout(2):
            while len(self.of(kind)) < count:
                await asyncio.sleep(0)
        return self.of(kind)[count - 1]

    async def turn(self) -> None:
        self.hear(640, True)
        self.hear(960, False)
        await self.until(Transcribed, len(self.of(SpeechStopped)))
