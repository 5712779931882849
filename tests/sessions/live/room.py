"""A session in a test, with all its neighbours in memory."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, TypeVar, cast
from uuid import uuid4

from ai.audio import silence
from ai.chain import Chain
from ai.engine import Ask, Brief, EngineUnavailable, Step, TurnDetection, VoiceEngine
from ai.events import AnswerEnded, EngineEvent, Failed, Spoke
from sessions.lessons.store import LessonVersion
from sessions.live.conversation import Conversation
from sessions.live.events import Event
from sessions.live.session import Session
from sessions.record.model import Batch, EndReason, SessionRef, Usage
from tenancy.model import Person

T = TypeVar("T")
LESSON = cast(LessonVersion, None)  # only the lobby reads it
BRIEF = Brief("", "Fractions", "Parts", "en", "Hello.", "Bye.", (Step("What part?", (), "2/4"),))


class Door:
    """A connection that remembers what it was told."""

    over_call: bool = False

    def __init__(self, person: Person) -> None:
        self.person = person
        self.events: list[Event] = []
        self.closed: int | None = None

    def tell(self, event: Event) -> None:
        self.events.append(event)

    def close(self, code: int, reason: str) -> None:
        self.closed = code

    def of(self, kind: type[T]) -> list[T]:
        return [event for event in self.events if isinstance(event, kind)]


class MemoryKeeper:
    """A record that can be away, or taken by somebody else."""

    def __init__(self) -> None:
        self.batches: list[Batch] = []
        self.ended: EndReason | None = None
        self.trouble: Exception | None = None
        self.late: dict[str, tuple[Usage, ...]] = {}
        "What was used when the session was over, by key."

    async def append(self, ref: SessionRef, batch: Batch) -> int:
        await asyncio.sleep(0)
        if self.trouble:
            raise self.trouble
        self.batches.append(batch)
        return 0

    async def end(self, ref: SessionRef, reason: EndReason, batch: Batch) -> None:
        if self.trouble:
            raise self.trouble
        self.ended = reason

    async def use(self, ref: SessionRef, usage: Sequence[Usage], key: str) -> None:
        if self.trouble:
            raise self.trouble
        self.late[key] = tuple(usage)

    def items(self) -> list[str]:
        return [item.id for batch in self.batches for item in batch.items]


class EchoLeg:
    """Answers everything with one sentence, unless told to break."""

    def __init__(self, engine: "EchoEngine", report: Callable[[EngineEvent], None]) -> None:
        self.engine, self.report = engine, report
        self.heard = b""
        self.texts: list[str] = []
        self.committed: list[str] = []
        self.closed = False

    def hear(self, pcm: bytes) -> None:
        self.heard += pcm

    def answer(self, ask: Ask) -> None:
        if self.engine.breaks:
            self.engine.breaks = False
            self.report(Failed("gone", "", None))
            return
        sound = silence(200) if ask.sound else b""
        self.report(Spoke(ask.answer, "What part?", sound))
        self.report(AnswerEnded(ask.answer))

    def commit(self, turn: str) -> None:
        self.committed.append(turn)

    def read(self, text: str) -> None:
        self.texts.append(text)

    def detect(self, detection: TurnDetection | None) -> None: ...
    def clear(self) -> None: ...
    def listen(self, turn: str, pcm: bytes) -> None: ...
    def playing(self, on: bool) -> None: ...
    def give(self, call: str, output: str) -> None: ...
    def cancel(self, answer: str, heard: str) -> None: ...

    async def close(self) -> None:
        self.closed = True


class EchoEngine:
    name = "offline"
    key = "local"
    languages: frozenset[str] | None = None

    def __init__(self) -> None:
        self.legs: list[EchoLeg] = []
        self.memories: list[int] = []
        self.breaks = False
        self.away = 0

    async def prepare(self, brief: Brief) -> "EchoStandby":
        if self.away:
            self.away -= 1
            raise EngineUnavailable("not now")
        return EchoStandby(self)

    async def close(self) -> None: ...


class EchoStandby:
    lifetime_s: float | None = None

    def __init__(self, engine: EchoEngine) -> None:
        self.engine = engine

    def begin(self, memory: Any, report: Any, **_: Any) -> EchoLeg:
        self.engine.memories.append(len(memory))
        self.engine.legs.append(EchoLeg(self.engine, report))
        return self.engine.legs[-1]

    async def close(self) -> None: ...


class Room:
    """A session with all its neighbours."""

    def __init__(
        self,
        grace_s: float = 60.0,
        engine: VoiceEngine | None = None,
        chain: Chain | None = None,
    ) -> None:
        person = Person(uuid4(), uuid4(), "Sam", "sam@example.org", frozenset({"student"}))
        self.person = person
        self.keeper = MemoryKeeper()
        self.engine = EchoEngine()
        loop = asyncio.get_running_loop()
        chain = chain or Chain((engine or self.engine,))
        self.over: list[Session] = []
        self.session = Session(
            SessionRef(person.tenant_id, uuid4(), 1),
            Conversation(
                BRIEF, session_id="sess_1", lesson="f", engine=chain.preferred.name,
                hears_speech=True, now=loop.time(),
            ),
            chain,
            self.keeper,
            student=person,
            lesson=LESSON,
            clock=loop.time,
            grace_s=grace_s,
            on_over=self.over.append,
        )  # fmt: skip

    def enter(self, *, after: str | None = None, resumed: bool = False) -> Door:
        door = Door(self.person)
        self.session.attach(door, after=after, resumed=resumed)
        return door


async def until(condition: Callable[[], Any], within_s: float = 2.0) -> None:
    """Let the loop run until something holds."""
    async with asyncio.timeout(within_s):
        while not condition():
            await asyncio.sleep(0.005)
