"""Engines that do what a test wants, and a student whose speech can be counted.

An utterance is a stretch of equal samples, and their value is its name. A leg of a `StagedEngine`
finds the turns in it by itself, and its words say how many frames of which utterance it heard:
`u7*50` are fifty frames, one second, of the seventh. So a test sees what was lost, and what twice.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import groupby

from ai.audio import silence
from ai.chain import Breakers, Chain
from ai.engine import Ask, Brief, EngineUnavailable, Patience, TurnDetection, Utterance
from ai.events import (
    AnswerEnded,
    AnswerStarted,
    EngineEvent,
    Failed,
    Fault,
    SpeechConfirmed,
    SpeechDropped,
    SpeechStarted,
    SpeechStopped,
    Spoke,
    ToolCalled,
    Transcribed,
    Used,
)
from sessions.live.around import LegCounts
from sessions.live.events import EngineChanged, Notice
from tests.sessions.live.room import Door, Room

FRAME_MS = 20
FRAME_BYTES = FRAME_MS * 48
SUSPECTED, CONFIRMED = 3, 10
"Frames of voice after which a leg says so."


def voice(number: int, ms: int) -> bytes:
    """The utterance of that number; loud enough to be speech."""
    return (5_000 + number).to_bytes(2, "little", signed=True) * (ms * 24)


def words(frames: Sequence[int]) -> str:
    """What was said in these frames."""
    spoken = groupby(value for value in frames if value)
    return " ".join(f"u{value - 5_000}*{len(list(same))}" for value, same in spoken)


def frames_of(pcm: bytes) -> list[int]:
    return [
        int.from_bytes(pcm[at : at + 2], "little", signed=True)
        for at in range(0, len(pcm) - 1, FRAME_BYTES)
    ]


@dataclass
class Manner:
    """How the legs of an engine behave."""

    think_s: float = 0.3
    pieces: int = 2
    piece_ms: int = 400
    gap_s: float = 0.1
    "Between pieces."
    words_s: float = 0.2
    uses_tool: bool = False
    mute: bool = False
    "Answers have text and no sound."
    silent: bool = False
    "It says nothing at all any more."
    closes_in_s: float = 0.02
    last_use: int = 0
    "Tokens of which it tells as it closes."


class StagedEngine:
    """Opens legs, counts them, and fails as it is told."""

    def __init__(
        self, name: str = "staged", *, lifetime_s: float | None = None, key: str = ""
    ) -> None:
        self.name = name
        self.key = key or name
        self.languages: frozenset[str] | None = None
        self.lifetime_s = lifetime_s
        self.manner = Manner()
        self.patience = Patience()
        self.legs: list[StagedLeg] = []
        self.open: set[object] = set()
        "Standbys and legs that were opened and not closed."
        self.prepared = 0
        self.troubles: list[Fault | str] = []
        "What comes of the next attempts: a fault, or `hang`."
        self.trouble: Fault | str | None = None
        "What comes of all others."
        self.prepare_s = 0.05

    @property
    def leg(self) -> "StagedLeg":
        """The latest."""
        return self.legs[-1]

    async def prepare(self, brief: Brief) -> "StagedStandby":
        self.prepared += 1
        trouble = self.troubles.pop(0) if self.troubles else self.trouble
        if isinstance(trouble, Fault):
            await asyncio.sleep(0.01)
            raise EngineUnavailable(trouble.code, fault=trouble)
        await asyncio.sleep(3_600 if trouble == "hang" else self.prepare_s)
        return StagedStandby(self)

    async def close(self) -> None: ...


class StagedStandby:
    def __init__(self, engine: StagedEngine) -> None:
        self.engine = engine
        self.lifetime_s = engine.lifetime_s
        self.at = asyncio.get_running_loop().time()
        engine.open.add(self)

    def begin(
        self,
        memory: Sequence[Utterance],
        report: Callable[[EngineEvent], None],
        *,
        step: int = 0,
        clock_ms: int = 0,
    ) -> "StagedLeg":
        leg = StagedLeg(self.engine, list(memory), report, clock_ms, self.at)
        self.engine.open.remove(self)
        self.engine.open.add(leg)
        self.engine.legs.append(leg)
        return leg

    async def close(self) -> None:
        self.engine.open.discard(self)


@dataclass(eq=False)
class StagedLeg:
    """Turns are found here, and answered as the engine's manner is."""

    engine: StagedEngine
    memory: list[Utterance]
    tell: Callable[[EngineEvent], None]
    clock_ms: int
    opened_at: float
    heard: list[int] = field(default_factory=list)
    "Every frame."
    closed: bool = False
    given: list[tuple[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        loop = asyncio.get_running_loop()
        self.begun_at = loop.time()
        self.detection: TurnDetection | None = None
        self.turn = ""
        self._turns = 0
        self._frames: list[int] = []
        "Since the last turn, or silence."
        self._rest = b""
        self._quiet = 0
        self._loop = loop
        self._said: dict[str, list[asyncio.TimerHandle]] = {}
        self._handles: list[asyncio.TimerHandle] = []
        if self.engine.lifetime_s is not None:
            left_s = self.opened_at + self.engine.lifetime_s - loop.time()
            over = Fault("limit", "session_expired")
            self._handles.append(loop.call_later(max(0.0, left_s), self.fail, over))

    # ---- what a test makes it do -----------------------------------------------------------------

    def report(self, event: EngineEvent) -> None:
        if not self.closed and not self.engine.manner.silent:
            self.tell(event)

    def fail(self, fault: Fault) -> None:
        self.report(Failed(fault.code, "", None, fault))

    # ---- the student -----------------------------------------------------------------------------

    def hear(self, pcm: bytes) -> None:
        assert not self.closed
        pcm = self._rest + pcm
        whole = len(pcm) - len(pcm) % FRAME_BYTES
        self._rest = pcm[whole:]
        for value in frames_of(pcm[:whole]):
            self.heard.append(value)
            self.clock_ms += FRAME_MS
            self._frames.append(value)
            if self.detection is not None:
                self._judge(value, self.detection)

    def _judge(self, value: int, detection: TurnDetection) -> None:
        voiced = sum(map(bool, self._frames))
        self._quiet = 0 if value else self._quiet + FRAME_MS
        if value and voiced == SUSPECTED:
            self._turns += 1
            self.turn = f"t{self._turns}"
            self.report(SpeechStarted(self.turn, self.clock_ms - SUSPECTED * FRAME_MS))
        elif value and voiced == CONFIRMED:
            self.report(SpeechConfirmed(self.turn))
        elif self.turn and voiced < CONFIRMED and self._quiet >= 200:
            turn, self.turn, self._frames = self.turn, "", []
            self.report(SpeechDropped(turn))
        elif self.turn and self._quiet >= detection.silence_ms:
            turn, frames = self.turn, self._frames
            self.turn, self._frames = "", []
            self.report(SpeechStopped(turn, self.clock_ms - self._quiet))
            self._words(turn, frames)
        elif not self.turn and not value:
            self._frames = []

    def _words(self, turn: str, frames: list[int]) -> None:
        self.report(Used("audio_in_ms", len(frames) * FRAME_MS))
        wait_s = self.engine.manner.words_s
        self._handles.append(self._loop.call_later(wait_s, self._tell_words, turn, words(frames)))

    def _tell_words(self, turn: str, text: str) -> None:
        self.memory.append(Utterance("student", text))
        self.report(Transcribed(turn, text))

    def commit(self, turn: str) -> None:
        frames, self._frames, self.turn = self._frames, [], ""
        self._words(turn, frames)

    def clear(self) -> None:
        self._frames, self.turn = [], ""

    def listen(self, turn: str, pcm: bytes) -> None:
        self._words(turn, frames_of(pcm))

    def detect(self, detection: TurnDetection | None) -> None:
        self.detection = detection

    def read(self, text: str) -> None:
        self.memory.append(Utterance("student", text))

    def playing(self, on: bool) -> None: ...

    # ---- answers ---------------------------------------------------------------------------------

    def answer(self, ask: Ask) -> None:
        manner = self.engine.manner
        self._later(ask, manner.think_s, AnswerStarted(ask.answer))
        at = manner.think_s
        if manner.uses_tool:
            self._later(ask, at, ToolCalled(ask.answer, "c1", "check_answer", "{}"))
            return
        self._speak(ask, at)

    def _speak(self, ask: Ask, at: float) -> None:
        manner = self.engine.manner
        for number in range(manner.pieces):
            sound = silence(manner.piece_ms) if ask.sound and not manner.mute else b""
            self._later(ask, at, Spoke(ask.answer, f"{ask.cue}-{number + 1}", sound))
            at += manner.gap_s
        self._later(ask, at, AnswerEnded(ask.answer))

    def _later(self, ask: Ask, at: float, event: EngineEvent) -> None:
        handle = self._loop.call_later(at, self.report, event)
        self._said.setdefault(ask.answer, []).append(handle)

    def give(self, call: str, output: str) -> None:
        self.given.append((call, output))

    def cancel(self, answer: str, heard: str) -> None:
        for handle in self._said.pop(answer, []):
            handle.cancel()

    async def close(self) -> None:
        self.closed = True
        for handle in [*self._handles, *(one for each in self._said.values() for one in each)]:
            handle.cancel()
        await asyncio.sleep(self.engine.manner.closes_in_s)
        if self.engine.manner.last_use:
            self.tell(Used("text_tokens_out", self.engine.manner.last_use, "m"))
        self.engine.open.discard(self)


class Student:
    """Says numbered utterances, in real time; the microphone is always on."""

    def __init__(self, room: Room, door: Door) -> None:
        self.room, self.door = room, door
        self.said: list[str] = []
        self._number = 0

    async def speak(self, ms: int) -> None:
        self._number += 1
        self.said.append(f"u{self._number}*{ms // FRAME_MS}")
        await self._give(voice(self._number, ms))

    async def wait(self, ms: int) -> None:
        await self._give(silence(ms))

    async def _give(self, pcm: bytes) -> None:
        step = 5 * FRAME_BYTES
        for at in range(0, len(pcm), step):
            piece = pcm[at : at + step]
            self.room.session.hear(self.door, piece)
            await asyncio.sleep(len(piece) / 48_000)

    def heard(self) -> list[str]:
        """The student's words in the log, in order."""
        return [str(item.said) for item in self.room.session.items if item.role == "user"]


class Scene:
    """A session on staged engines, with its student."""

    def __init__(self, engines: Sequence[StagedEngine], breakers: Breakers | None) -> None:
        self.engines = engines
        self.engine = engines[0]
        self.room = Room(chain=Chain(engines, breakers))
        self.door: Door
        self.student: Student

    @property
    def counts(self) -> LegCounts:
        """What became of the session's legs."""
        return self.room.session._line.counts

    def changes(self) -> list[str]:
        return [event.reason for event in self.door.of(EngineChanged)]

    def notices(self) -> list[str]:
        return [event.code for event in self.door.of(Notice)]

    def all_heard_once(self) -> None:
        assert self.student.heard() == self.student.said


@asynccontextmanager
async def scene(*engines: StagedEngine, breakers: Breakers | None = None) -> AsyncIterator[Scene]:
    """At its end nothing is left open."""
    stage = Scene(engines, breakers)
    await stage.room.session.open()
    stage.door = stage.room.enter()
    stage.student = Student(stage.room, stage.door)
    yield stage
    await stage.room.session.close(1001, "over")
    for engine in engines:
        assert not engine.open, f"{engine.name} has {len(engine.open)} left"
