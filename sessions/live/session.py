"""The shell around a conversation: here are the clock, the listeners and everything that waits.

Commands and engine reports come in as plain calls on the event loop; each is decided at once by the
`Conversation` and its actions are carried out before anything else can happen. What waits: one
timer, one saver, one line to the engine. A fault of ours is logged, and the lesson goes on.
"""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine, Iterable, Sequence
from typing import Any, Protocol
from uuid import UUID, uuid4

import structlog

from ai.audio import BYTES_PER_MS
from ai.chain import Chain
from ai.engine import VoiceEngine
from ai.events import EngineEvent, Used
from ai.prices import Tariff
from ai.tools import Judge
from sessions.lessons.store import LessonVersion
from sessions.live import wording
from sessions.live.actions import Action, DropTool, End, Reopen, RunTool, Save, SaveHeard, Tell
from sessions.live.around import LegCounts
from sessions.live.audience import MOST
from sessions.live.conversation import Conversation
from sessions.live.events import (
    Command,
    CommandRefused,
    CommitAudio,
    Notice,
    SessionEnded,
    SessionView,
    SummaryReady,
    UpdateSession,
)
from sessions.live.leg import Line
from sessions.live.ring import is_silent
from sessions.live.saver import FREE, SLOW_AFTER, Saver
from sessions.live.seats import Connection, Seat, Seats
from sessions.live.tool_runner import ToolRunner
from sessions.live.tools import Outcome
from sessions.record.model import (
    Batch,
    Durations,
    EndReason,
    Item,
    Progress,
    SessionRef,
    SessionTaken,
    Usage,
)
from sessions.review.override import Override
from tenancy.model import Person

SUMMARY_WITHIN_S = 10.0  # realtime.md: after session.ended the socket is kept so long
TAKEN_OVER = "taken over by another connection"
BACKLOG_MS = 60_000  # architecture.md: so much pushed audio may wait, then reading pauses
LAST_WORDS_S = 2.0  # at the end, the words of what was just said get so long to come
LAST_USE_S = 2.0  # after the end, what the last answer cost gets so long to be told
USE_SAVED_WITHIN_S = 1.0  # and then so long to be saved
FLUSH_WITHIN_S = 2.5  # of the 10 s in which a server that stops lets go of its sessions
END_RETRY_S = 5.0
FAULT_S = 1.0  # what failed by a fault of ours is not tried again sooner

log = structlog.get_logger()


class Keeper(Protocol):
    """How a session reaches its record."""

    async def append(self, ref: SessionRef, batch: Batch) -> int: ...

    async def end(self, ref: SessionRef, reason: EndReason, batch: Batch) -> None: ...

    async def use(self, ref: SessionRef, usage: Sequence[Usage], key: str) -> None:
        """Count what was used when the session was over, under the same key once."""


class Session:
    """One lesson while it runs."""

    def __init__(
        self,
        ref: SessionRef,
        conversation: Conversation,
        chain: Chain,
        keeper: Keeper,
        *,
        student: Person,
        lesson: LessonVersion,
        clock: Callable[[], float],
        grace_s: float,
        on_over: Callable[["Session"], None],
        tariff: Tariff = FREE,
        judge: Judge | None = None,
        counts: LegCounts | None = None,
    ) -> None:
        self.ref = ref
        self.conversation = conversation
        self.student = student
        self.lesson = lesson
        self.ended = asyncio.Event()
        self.orphaned_at: float | None = None
        self.attachments = 0
        "How often the student has come, first and again."
        self._keeper = keeper
        self._clock = clock
        self._grace_s = grace_s
        self._on_over = on_over
        self._line = Line(chain, conversation, self, clock=clock, counts=counts)
        self._deciding = 0
        self._tools = ToolRunner(judge, self._tool_done)
        self._seats = Seats(conversation)
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = 0.0
        self._orphan: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._summary = asyncio.Event()
        self._worded = asyncio.Event()
        self._finishing: asyncio.Task[None] | None = None
        self._leaving = False
        "This process is letting go of the session."
        self._closed = False
        self._odd_bytes = 0
        "Of the microphone, less than a millisecond."
        self.saver = Saver(
            ref,
            keeper.append,
            state=self._state,
            saved=self._saved,
            slow=lambda: self._seats.tell(Notice("saving", wording.SAVING)),
            taken=self._taken,
            tariff=tariff,
            on_server=chain.on_server,
        )
        self.saver.engine = conversation.engine

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
        await self._line.open()
        self.saver.start()
        self._wait_for_connection()

    async def close(self, code: int, reason: str) -> None:
        """This process lets go of the session, which can be resumed: connections are closed."""
        if self._leaving:
            await self.ended.wait()
            return
        self._leaving = True
        self._summary.set()
        self._seats.close(code, reason, Notice("going_away", reason))
        if self._finishing is not None:
            within_s = LAST_WORDS_S + LAST_USE_S + FLUSH_WITHIN_S
            _, late = await asyncio.wait((self._finishing,), timeout=within_s)
            if late:
                log.error("session.end_not_saved", items=self.conversation.unsaved, **self._ids())
        else:
            self._decide(self.conversation.detached)
            await self._last_words()
            self._start(self._line.close())
            await self.saver.stop()
            await self._flush()
        await self._let_go()

    async def _flush(self) -> None:
        """Save what waits, if the database answers soon."""
        try:
            async with asyncio.timeout(FLUSH_WITHIN_S):
                while True:
                    try:
                        return await self.saver.flush()
                    except SessionTaken:
                        return
                    except Exception as problem:
                        log.warning("session.flush_failed", **self._ids(problem))
                        await asyncio.sleep(0.2)
        except TimeoutError:
            log.error("session.items_lost", items=self.conversation.unsaved, **self._ids())

    async def _save_last_use(self) -> None:
        """What was told of the cost when all else was saved already; nobody waits for it."""
        usage, key = self.saver.last_use(), uuid4().hex
        if not usage:
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(USE_SAVED_WITHIN_S):
                while True:
                    try:
                        return await self._keeper.use(self.ref, usage, key)
                    except Exception as problem:
                        log.warning("session.use_not_saved", **self._ids(problem))
                        await asyncio.sleep(0.2)
        log.error("session.use_lost", **self._ids())

    async def _let_go(self) -> None:
        """End everything this session started."""
        if self._closed:
            return
        self._leaving = self._closed = True
        for handle in (self._timer, self._orphan):
            if handle is not None:
                handle.cancel()
        self._seats.clear()
        try:
            closing = self._start(self._line.close())
            await self.saver.stop()
            await self._tools.close()
            await asyncio.wait((closing,), timeout=LAST_USE_S)
            await self._save_last_use()
            await closing
            tasks = [task for task in self._tasks if task is not asyncio.current_task()]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        finally:
            self.ended.set()
            self._on_over(self)

    # ---- connections -------------------------------------------------------------------------

    def attach(self, connection: Connection, *, after: str | None, resumed: bool) -> None:
        """A connection of the student; an earlier one is taken over."""
        if self._leaving or self.conversation.ended:
            self._turn_away(connection)
            return
        self._seats.close(4001, TAKEN_OVER, Notice("taken_over", wording.TAKEN_OVER), "student")
        self._seats.clear("student")
        self.attachments += 1
        if self.orphaned_at is None:
            self._decide(self.conversation.detached)
        self.orphaned_at = None
        if self._orphan is not None:
            self._orphan.cancel()
            self._orphan = None
        # Somebody may have read along before the student's first connection was there.
        resumed = resumed or len(self.conversation.log) > 0
        self.saver.heartbeat(True)
        self._line.park(False)
        over_call = connection.over_call
        self._decide(lambda now: self.conversation.attached(now, over_call=over_call))
        self._seats.take(connection, after=after, resumed=resumed)

    def join(self, connection: Connection, *, after: str | None) -> None:
        """A second connection of the student, beside a call: it hears and commands, and can neither
        speak nor break the lesson."""
        if self._leaving or self.conversation.ended:
            self._turn_away(connection)
            return
        resumed = len(self.conversation.log) > 0
        self._seats.take(connection, after=after, resumed=resumed, place="beside")

    def follow(self, connection: Connection, *, after: str | None) -> None:
        """A connection of somebody who may follow the lesson, and reads along."""
        if self._leaving or self.conversation.ended:
            self._turn_away(connection)
            return
        if self.readers >= MOST:
            connection.tell(Notice("too_many_readers", wording.READERS_FULL))
            connection.close(1008, "too many read along")
            return
        self._seats.take(connection, after=after, resumed=True, place="reader")
        self._decide(lambda now: self.conversation.joined(connection.person, now))

    @property
    def readers(self) -> int:
        """How many connections read along."""
        return self._seats.readers

    def _turn_away(self, connection: Connection) -> None:
        """The session ended, or was let go, while this connection was on its way."""
        if self.conversation.ended:
            connection.tell(Notice("session_over", wording.SESSION_OVER))
            connection.close(1000, "session ended")
        else:
            connection.tell(Notice("going_away", wording.GOING_AWAY))
            connection.close(1001, "session is elsewhere")

    def detach(self, connection: Connection, *, finished: bool) -> None:
        """The connection is gone; `finished` where the student closed it on purpose."""
        seat = self._seats.of(connection)
        if seat is None:
            return
        self._seats.leave(seat)
        if seat.reads:
            self._decide(lambda now: self.conversation.left(connection.person, now))
            return
        if seat.place == "beside" or self._seats.student_is_here or self.conversation.ended:
            return
        if finished:
            self.end("finished")
            return
        self._decide(self.conversation.detached)
        self._wait_for_connection()

    def _wait_for_connection(self) -> None:
        self.orphaned_at = self._clock()
        self._line.park(True)
        self.saver.heartbeat(False)
        loop = asyncio.get_running_loop()
        self._orphan = loop.call_later(self._grace_s, self.end, "abandoned")

    # ---- what comes in -------------------------------------------------------------------------

    def receive(self, connection: Connection, command: Command) -> None:
        """A command of a client."""
        seat = self._seats.of(connection)
        if seat is None:
            return
        if not isinstance(command, UpdateSession):
            self._seats.replay(seat)
        if seat.reads:
            actions = self.conversation.read_along(command, seat.number)
        else:
            actions = self.conversation.receive(command, self._clock(), seat.number)
        self._perform(actions, seat)
        self._seats.replay(seat)

    def hear(
        self,
        connection: Connection,
        pcm: bytes,
        event_id: str | None = None,
        *,
        made_up: bool = False,
    ) -> float:
        """Microphone audio, 24 kHz. Returns for how many seconds the door should stop reading.

        `made_up`: nothing came from the microphone, and the door filled the time.
        """
        seat = self._seats.of(connection)
        if seat is None:
            return 0.0
        if seat.reads:
            self.receive(connection, CommitAudio(event_id=event_id))
            return 0.0
        if seat.place == "beside":
            connection.tell(CommandRefused(event_id, "sound_is_the_calls", wording.SOUND_IS_THERE))
            return 0.0
        self._seats.replay(seat)
        now = self._clock()
        length_ms, self._odd_bytes = divmod(self._odd_bytes + len(pcm), BYTES_PER_MS)
        silent = is_silent(pcm)
        wait_s = 0.0
        if self.conversation.hear(length_ms, silent, now, made_up=made_up):
            wait_s = self._line.hear(pcm)
            if silent:
                self._arm(now)
        if self.conversation.options.by_hand:
            if self.conversation.turns.buffered_ms > BACKLOG_MS:
                self._decide(lambda now: self.conversation.receive(CommitAudio(), now))
            elif self.conversation.turns.is_remnant:
                self._decide(self.conversation.forget_remnant)
        ahead_ms = self.conversation.floor.ahead_ms(now)
        return max(wait_s, (ahead_ms - BACKLOG_MS) / 1000)

    def note_summary(self, summary: SummaryReady) -> None:
        """The summary was stored."""
        self._seats.tell(summary)
        self._summary.set()

    def correct(self, overrides: Iterable[Override]) -> None:
        """Somebody published a correction: who comes back reads it, and the next leg knows it."""
        self.conversation.log.correct(overrides)

    def end(self, reason: EndReason) -> None:
        """The student, somebody with the right to do so, or time ends the session."""
        self._decide(lambda now: self.conversation.end(reason, now))

    # ---- what the line to the engines tells ----------------------------------------------------

    def report(self, event: EngineEvent) -> None:
        if self._closed:
            return
        self._decide(lambda now: self.conversation.report(event, now))
        if not self.conversation.turns:
            self._worded.set()

    def used(self, engine: str, event: Used) -> None:
        self.saver.used(event, engine)

    def lost(self, code: str) -> None:
        self._decide(lambda now: self.conversation.leg_lost(code, now))

    def found(self, engine: VoiceEngine, reason: str, hears_speech: bool) -> None:
        self.saver.engine = engine.name
        self._decide(
            lambda now: self.conversation.leg_found(
                engine.name, reason, now, hears_speech=hears_speech
            )
        )

    def slow(self) -> None:
        self._decide(self.conversation.engine_slow)

    def gone(self) -> None:
        self._decide(self.conversation.engine_gone)

    def _tool_done(self, number: int, outcome: Outcome) -> None:
        self._decide(lambda now: self.conversation.tool_done(number, outcome, now))

    def _tick(self) -> None:
        self._timer = None
        if not self._closed:
            self._decide(self.conversation.tick)

    # ---- what goes out ---------------------------------------------------------------------------

    def _decide(self, decide: Callable[[float], list[Action]]) -> None:
        """Have something decided now, and do it. Nobody is there who could be told of a fault."""
        try:
            self._perform(decide(self._clock()))
        except Exception:
            log.exception("session.fault", **self._ids())
            self._arm(self._clock(), after_s=FAULT_S)

    def _perform(self, actions: list[Action], by: Seat | None = None) -> None:
        """Carry out what was decided, in order, without waiting for anything."""
        self._deciding += 1
        for action in actions:
            try:
                self._carry_out(action, by)
            except Exception:
                log.exception("session.fault", action=type(action).__name__, **self._ids())
        self._deciding -= 1
        self._arm(self._clock())
        if not self._deciding:
            self._line.settled()

    def _carry_out(self, action: Action, by: Seat | None) -> None:
        match action:
            case Tell(event, to):
                self._seats.tell(event, to, by)
            case Save(item):
                self.saver.item(item)
            case SaveHeard(heard):
                self.saver.heard(heard)
            case RunTool(number, job):
                self._tools.run(number, job)
            case DropTool(number):
                self._tools.drop(number)
            case Reopen(reason, fault):
                self._line.reopen(reason, fault)
            case End(reason):
                self._finishing = self._start(self._finish(reason))
            case _:
                self._line.say(action)

    def _arm(self, now: float, *, after_s: float = 0.0) -> None:
        """Have `tick` called at the conversation's deadline."""
        if self._closed or self.conversation.ended:
            return
        at = max(self.conversation.deadline(), now + after_s)
        if self._timer is not None:
            if abs(self._timer_at - at) < 0.001:
                return
            self._timer.cancel()
        self._timer_at = at
        self._timer = asyncio.get_running_loop().call_later(at - now, self._tick)

    def _start(self, coroutine: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    # ---- what waits ---------------------------------------------------------------------------

    async def _finish(self, reason: EndReason) -> None:
        """Save to the last word, say so, wait for the summary, close."""
        await self._last_words()
        self._start(self._line.close())  # it costs, however long the database is away
        await self.saver.stop()
        try:
            await self._save_end(reason)
        except SessionTaken:
            self._taken()
            return
        durations, _ = self._state()
        self._seats.tell(SessionEnded(reason, durations.wall_ms, durations.student_speech_ms))
        if self._seats:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(SUMMARY_WITHIN_S):
                    await self._summary.wait()
        self._seats.close(1000, "session ended")
        await self._let_go()

    async def _save_end(self, reason: EndReason) -> None:
        """Save all that waits and the end itself, however long the database is away."""
        tries = 0
        while True:
            try:
                await self.saver.flush()
                await self._keeper.end(self.ref, reason, self.saver.next_batch())
                return
            except SessionTaken:
                raise
            except Exception as problem:
                tries += 1
                log.warning("session.end_failed", tries=tries, **self._ids(problem))
                if tries == SLOW_AFTER:
                    self._seats.tell(Notice("saving", wording.SAVING))
                await asyncio.sleep(min(END_RETRY_S, 0.1 * 2 ** min(tries, 6)))

    async def _last_words(self) -> None:
        """Let the words of what was just said come; without them it is saved without."""
        if self.conversation.turns:
            self._worded.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LAST_WORDS_S):
                    await self._worded.wait()
        self._perform(self.conversation.last_words())

    def _state(self) -> tuple[Durations, Progress]:
        return self.conversation.durations(self._clock()), self.conversation.progress

    def _saved(self, item_ids: list[str]) -> None:
        self._decide(lambda _: self.conversation.saved(item_ids))

    def _taken(self) -> None:
        """Another process has the session: stop, and say nothing of an end."""
        self._leaving = True
        taken_over = Notice("taken_over", wording.TAKEN_OVER)
        self._seats.close(4001, TAKEN_OVER, taken_over, "student", "beside")
        moved = Notice("moved", wording.MOVED)
        self._seats.close(1001, "the session is elsewhere", moved, "reader")
        self._start(self._let_go())

    def _ids(self, problem: Exception | None = None) -> dict[str, str]:
        """What a line in the log says of this session."""
        ids = {"session_id": str(self.id)}
        return ids if problem is None else {**ids, "problem": type(problem).__name__}
