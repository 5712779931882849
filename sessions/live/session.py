"""The shell around a conversation: here are the clock, the listeners and everything that waits.

Commands and engine reports come in as plain calls on the event loop; each is decided at once by the
`Conversation` and its actions are carried out before anything else can happen. What waits: one
timer, one saver, one engine leg.
"""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

import structlog

from ai.audio import duration_ms
from ai.engine import EngineError, Leg, VoiceEngine
from ai.events import EngineEvent, Used
from sessions.lessons.store import LessonVersion
from sessions.live import wording
from sessions.live.actions import (
    Action,
    Answer,
    Cancel,
    Clear,
    Commit,
    Detect,
    End,
    Listen,
    Playing,
    Read,
    Reopen,
    Save,
    SaveHeard,
    Tell,
)
from sessions.live.conversation import Conversation
from sessions.live.events import (
    Command,
    CommitAudio,
    Event,
    ItemAdded,
    ItemDone,
    Notice,
    Resumed,
    SessionCreated,
    SessionEnded,
    SessionView,
    SummaryReady,
    UpdateSession,
)
from sessions.live.saver import Saver
from sessions.record.model import (
    Batch,
    Durations,
    EndReason,
    Item,
    Progress,
    SessionRef,
    SessionTaken,
)
from tenancy.model import Person

REPLAY_WITHIN_S = 0.5  # realtime.md: the replay waits so long for the client's first event
SUMMARY_WITHIN_S = 10.0  # realtime.md: after session.ended the socket is kept so long
BACKLOG_MS = 60_000  # architecture.md: so much pushed audio may wait, then reading pauses
REOPEN_TRIES = 3

log = structlog.get_logger()


class Connection(Protocol):
    """What a door gives a session to speak to."""

    person: Person

    def tell(self, event: Event) -> None:
        """Send an event. Never blocks, never raises."""

    def close(self, code: int, reason: str) -> None:
        """End the connection; events told before are sent first."""


class Keeper(Protocol):
    """How a session reaches its record."""

    async def append(self, ref: SessionRef, batch: Batch) -> int: ...

    async def end(self, ref: SessionRef, reason: EndReason, batch: Batch) -> None: ...


@dataclass(slots=True)
class Seat:
    """A connection to this session."""

    number: int
    connection: Connection
    after: str | None
    waiting: asyncio.TimerHandle | None = None
    "Set while the replay has not been sent: live events would come before it."


class Session:
    """One lesson while it runs."""

    def __init__(
        self,
        ref: SessionRef,
        conversation: Conversation,
        engine: VoiceEngine,
        keeper: Keeper,
        *,
        student: Person,
        lesson: LessonVersion,
        clock: Callable[[], float],
        grace_s: float,
        on_over: Callable[["Session"], None],
    ) -> None:
        self.ref = ref
        self.conversation = conversation
        self.student = student
        self.lesson = lesson
        self.ended = asyncio.Event()
        self.orphaned_at: float | None = None
        self._engine = engine
        self._keeper = keeper
        self._clock = clock
        self._grace_s = grace_s
        self._on_over = on_over
        self._leg: Leg | None = None
        self._seats: dict[int, Seat] = {}
        self._numbers = 0
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = 0.0
        self._orphan: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._summary = asyncio.Event()
        self._closed = False
        self.saver = Saver(
            ref,
            keeper.append,
            state=self._state,
            saved=self._saved,
            slow=lambda: self._tell(Notice("saving", wording.SAVING)),
            taken=self._taken,
        )
        self.saver.engine = engine.name
        self._reopened = 0

    @property
    def id(self) -> UUID:
        return self.ref.session_id

    @property
    def items(self) -> tuple[Item, ...]:
        """In conversation order."""
        return tuple(self.conversation.log)

    def view(self) -> SessionView:
        return self.conversation.view()

    # ---- life ------------------------------------------------------------------------------

    async def open(self) -> None:
        """Open the engine's leg on what the log holds. Raises EngineUnavailable."""
        self._leg = await self._open_leg()
        self.saver.start()
        self._wait_for_connection()

    async def _open_leg(self) -> Leg:
        conversation = self.conversation
        return await self._engine.open(
            conversation.brief,
            conversation.memory(),
            self._report,
            step=conversation.progress.step,
            clock_ms=conversation.turns.media_ms,
        )

    async def close(self, code: int, reason: str) -> None:
        """This process lets go of the session, which can be resumed: connections are closed."""
        if self._closed:
            return
        for seat in list(self._seats.values()):
            seat.connection.tell(Notice("going_away", reason))
            seat.connection.close(code, reason)
        self._perform(self.conversation.detached(self._clock()))
        await self.saver.stop()
        try:
            await self.saver.flush()
        except Exception as problem:
            log.error("session.flush_failed", session_id=str(self.id), problem=repr(type(problem)))
        await self._let_go()

    async def _let_go(self) -> None:
        """End everything this session started."""
        self._closed = True
        for handle in (self._timer, self._orphan, *(seat.waiting for seat in self._seats.values())):
            if handle is not None:
                handle.cancel()
        self._seats.clear()
        await self.saver.stop()
        leg, self._leg = self._leg, None
        if leg is not None:
            await leg.close()
        tasks = [task for task in self._tasks if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self.ended.set()
        self._on_over(self)

    # ---- connections -------------------------------------------------------------------------

    def attach(self, connection: Connection, *, after: str | None, resumed: bool) -> None:
        """A connection of the student; an earlier one is taken over."""
        for seat in list(self._seats.values()):
            self._unseat(seat)
            seat.connection.tell(Notice("taken_over", wording.TAKEN_OVER))
            seat.connection.close(4001, "taken over by another connection")
        if self.orphaned_at is None:
            self._perform(self.conversation.detached(self._clock()))
        self.orphaned_at = None
        if self._orphan is not None:
            self._orphan.cancel()
            self._orphan = None
        self._numbers += 1
        seat = Seat(self._numbers, connection, after)
        self._seats[seat.number] = seat
        self.saver.active = True
        replay = None
        if resumed:
            known = after is not None and after in self.conversation.log
            replay = Resumed(after if known else None, not known)
            loop = asyncio.get_running_loop()
            seat.waiting = loop.call_later(REPLAY_WITHIN_S, self._replay, seat)
        connection.tell(SessionCreated(self.view(), replay))
        self._perform(self.conversation.attached(self._clock()))

    def detach(self, connection: Connection, *, finished: bool) -> None:
        """The connection is gone; `finished` where the student closed it on purpose."""
        seat = self._seat_of(connection)
        if seat is None:
            return
        self._unseat(seat)
        if self._seats or self.conversation.ended:
            return
        if finished:
            self._perform(self.conversation.end("finished", self._clock()))
            return
        self._perform(self.conversation.detached(self._clock()))
        self._wait_for_connection()

    def _wait_for_connection(self) -> None:
        self.orphaned_at = self._clock()
        self.saver.active = False
        loop = asyncio.get_running_loop()
        self._orphan = loop.call_later(self._grace_s, self._abandon)

    def _abandon(self) -> None:
        self._perform(self.conversation.end("abandoned", self._clock()))

    def _seat_of(self, connection: Connection) -> Seat | None:
        return next((s for s in self._seats.values() if s.connection is connection), None)

    def _unseat(self, seat: Seat) -> None:
        if seat.waiting is not None:
            seat.waiting.cancel()
        self._seats.pop(seat.number, None)

    def _replay(self, seat: Seat) -> None:
        """Send what the client missed; from then on it hears everything."""
        if seat.waiting is None:
            return
        seat.waiting.cancel()
        seat.waiting = None
        conversation = self.conversation
        items, _ = conversation.log.after(seat.after)
        for item in items:
            previous = conversation.log.previous(item)
            seat.connection.tell(ItemAdded(item, previous))
            if conversation.log.is_saved(item.id):
                seat.connection.tell(ItemDone(item, previous))
        seat.connection.tell(conversation.progressed())

    # ---- what comes in -------------------------------------------------------------------------

    def receive(self, connection: Connection, command: Command) -> None:
        """A command of the student's client."""
        seat = self._seat_of(connection)
        if seat is None:
            return
        first = seat.waiting is not None
        if first and not isinstance(command, UpdateSession):
            self._replay(seat)
        self._perform(self.conversation.receive(command, self._clock(), seat.number), seat)
        if first:
            self._replay(seat)

    def hear(self, connection: Connection, pcm: bytes) -> float:
        """Microphone audio, 24 kHz. Returns for how many seconds the door should stop reading."""
        if self._leg is None or self._seat_of(connection) is None:
            return 0.0
        now = self._clock()
        silent = not pcm.strip(b"\0")
        if self.conversation.hear(duration_ms(pcm), silent, now):
            self._leg.hear(pcm)
            if silent:
                self._arm(now)
        if self.conversation.turns.buffered_ms > BACKLOG_MS and self.conversation.options.by_hand:
            self._perform(self.conversation.receive(CommitAudio(), now))
        ahead_ms = self.conversation.ahead_ms(now)
        return (ahead_ms - BACKLOG_MS) / 1000 if ahead_ms > BACKLOG_MS else 0.0

    def note_summary(self, summary: SummaryReady) -> None:
        """The summary was stored."""
        self._tell(summary)
        self._summary.set()

    def end(self, reason: EndReason) -> None:
        """Somebody with the right to do so ends the session."""
        self._perform(self.conversation.end(reason, self._clock()))

    def _report(self, event: EngineEvent) -> None:
        if self._closed:
            return
        if isinstance(event, Used):
            self.saver.used(event.unit, event.quantity)
            return
        self._perform(self.conversation.report(event, self._clock()))

    def _tick(self) -> None:
        self._timer = None
        if not self._closed:
            self._perform(self.conversation.tick(self._clock()))

    # ---- what goes out ---------------------------------------------------------------------------

    def _perform(self, actions: list[Action], by: Seat | None = None) -> None:
        """Carry out what was decided, in order, without waiting for anything."""
        leg = self._leg
        for action in actions:
            match action:
                case Tell(event, to):
                    self._tell(event, to, by)
                case Save(item):
                    self.saver.item(item)
                case SaveHeard(heard):
                    self.saver.heard(heard)
                case Reopen(reason):
                    self._start(self._reopen(reason))
                case End(reason):
                    self._start(self._finish(reason))
                case _ if leg is not None:
                    _instruct(leg, action)
        self._arm(self._clock())

    def _tell(self, event: Event, to: int | None = None, by: Seat | None = None) -> None:
        for seat in tuple(self._seats.values()):
            if to is not None and seat.number != to:
                continue
            if seat.waiting is not None and seat is not by and not _always(event):
                continue
            seat.connection.tell(event)

    def _arm(self, now: float) -> None:
        """Have `tick` called at the conversation's deadline."""
        if self._closed or self.conversation.ended:
            return
        at = max(self.conversation.deadline(), now)
        if self._timer is not None:
            if abs(self._timer_at - at) < 0.001:
                return
            self._timer.cancel()
        self._timer_at = at
        self._timer = asyncio.get_running_loop().call_later(at - now, self._tick)

    def _start(self, coroutine: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # ---- what waits ---------------------------------------------------------------------------

    async def _finish(self, reason: EndReason) -> None:
        """Save to the last word, say so, wait for the summary, close."""
        await self.saver.stop()
        tries = 0
        while True:
            try:
                await self.saver.flush()
                await self._keeper.end(self.ref, reason, self.saver.next_batch())
                break
            except SessionTaken:
                break
            except Exception as problem:
                tries += 1
                log.warning(
                    "session.end_failed", session_id=str(self.id), problem=type(problem).__name__
                )
                if tries >= 30:  # the reaper closes it when the database is back
                    break
                await asyncio.sleep(min(2.0, 0.1 * 2**tries))
        durations, _ = self._state()
        self._tell(SessionEnded(reason, durations.wall_ms, durations.student_speech_ms))
        if self._seats:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(SUMMARY_WITHIN_S):
                    await self._summary.wait()
        for seat in list(self._seats.values()):
            seat.connection.close(1000, "session ended")
        await self._let_go()

    async def _reopen(self, reason: str) -> None:
        """The leg broke: go on from the log on a fresh one."""
        old, self._leg = self._leg, None
        if old is not None:
            await old.close()
        for tries in range(REOPEN_TRIES):
            await asyncio.sleep(0.2 * 3**tries if tries or self._reopened else 0)
            try:
                leg = await self._open_leg()
            except EngineError as problem:
                log.warning("session.reopen_failed", session_id=str(self.id), problem=str(problem))
                continue
            self._leg = leg
            self._reopened += 1
            log.info("session.reopened", session_id=str(self.id), reason=reason)
            self._perform(self.conversation.reopened(reason))
            return
        self._tell(Notice("tutor_gone", wording.TUTOR_GONE))

    def _state(self) -> tuple[Durations, Progress]:
        return self.conversation.durations(self._clock()), self.conversation.progress

    def _saved(self, item_ids: list[str]) -> None:
        self._perform(self.conversation.saved(item_ids))

    def _taken(self) -> None:
        """Another process has the session: stop, and say nothing of an end."""
        for seat in list(self._seats.values()):
            seat.connection.tell(Notice("taken_over", wording.TAKEN_OVER))
            seat.connection.close(4001, "taken over by another connection")
        self._start(self._let_go())


def _always(event: Event) -> bool:
    """What is told even before the replay."""
    return isinstance(event, Notice | SessionEnded | SummaryReady)


def _instruct(leg: Leg, action: Action) -> None:
    """Pass an action on to the engine."""
    match action:
        case Detect(detection):
            leg.detect(detection)
        case Commit(turn):
            leg.commit(turn)
        case Clear():
            leg.clear()
        case Listen(turn, pcm):
            leg.listen(turn, pcm)
        case Read(text):
            leg.read(text)
        case Answer(ask):
            leg.answer(ask)
        case Cancel(answer, heard):
            leg.cancel(answer, heard)
        case Playing(on):
            leg.playing(on)
