"""Who is in which lesson, in this process: starting, resuming, and letting go.

A session belongs to its log, not to this process. One that is not here is picked up from the
database under a new epoch, so that whoever wrote it before can write no more.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID
from weakref import WeakValueDictionary

from ai.chain import Chain, hears
from ai.engine import Brief
from ai.prices import Prices, Tariff
from ai.tools import Judge
from sessions.bus import Bus, session_topic
from sessions.errors import (
    ServerIsFull,
    SessionIsOver,
    SessionUnknown,
    SessionWaits,
    TooManyReaders,
    TooManySessions,
)
from sessions.jobs import Worker
from sessions.lessons import store
from sessions.lessons.brief import SchoolPolicy, StudentFacts, brief_text, read_brief
from sessions.lessons.brief import compile as compile_brief
from sessions.live import wording
from sessions.live.around import LegCounts
from sessions.live.audience import MOST
from sessions.live.choice import Choose, Mode
from sessions.live.conversation import Conversation
from sessions.live.events import SummaryReady
from sessions.live.keeper import Announcing, Keeper
from sessions.live.options import Options
from sessions.live.saver import CHECKPOINT_S, FREE
from sessions.live.session import Session
from sessions.live.watch import Limits
from sessions.news import tell_session
from sessions.record import sessions as record
from sessions.record.model import Item, SessionRef, SessionRow
from sessions.review import rows
from sessions.review.override import Override
from sessions.review.overrides import CorrectionsPublished
from tenancy import care, quota
from tenancy import settings as school_settings
from tenancy.model import Caller, NotAllowed, Person
from tenancy.policy import Thing, may, require
from tenancy.postgres import Database
from tenancy.quota import Quota

LATE_SIGN_S = 2 * CHECKPOINT_S
"""A connected session shows a sign of life at each checkpoint, and the database may be slow: so
long after the grace it can be said that nobody came back."""


@dataclass(frozen=True, slots=True)
class LobbySettings:
    """Limits of live sessions."""

    session_s: float = 3_600.0
    grace_s: float = 600.0
    live_per_student: int = 3
    sessions: int = 400
    "In this process; more are asked to come again, the running ones are kept whole."


class Lobby:
    """All live sessions of this process."""

    def __init__(
        self,
        database: Database,
        choose: Choose,
        bus: Bus,
        worker: Worker,
        settings: LobbySettings | None = None,
        *,
        prices: Prices = FREE.prices,
        judge: Judge | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.settings = settings or LobbySettings()
        self._database = database
        self._choose = choose
        self._prices = prices
        self.quota = Quota(database)
        self._bus = bus
        self.keeper = Keeper(database, worker)
        self.legs = LegCounts()
        self.closing = False
        "No session is let in any more."
        self._judge = judge
        self._clock = clock
        self._live: dict[UUID, Session] = {}
        self._unsubscribe: dict[UUID, Callable[[], None]] = {}
        self._doors: WeakValueDictionary[UUID, asyncio.Lock] = WeakValueDictionary()
        "One person enters after the other, else two requests could open the same session."

    def __len__(self) -> int:
        return len(self._live)

    def live(self, session_id: UUID) -> Session | None:
        """A session of this process."""
        return self._live.get(session_id)

    async def chain(self, tenant_id: UUID, version: store.LessonVersion, mode: Mode) -> Chain:
        """The engines on which a session of a lesson would go, the preferred one first."""
        wishes = version.plan.engines
        return await self._choose(tenant_id, wishes, version.language, mode)

    async def enter(
        self,
        caller: Caller,
        *,
        lesson: str | None,
        session: UUID | None = None,
        mode: Mode = "voice",
        fresh: bool = False,
    ) -> tuple[Session, bool]:
        """The session the caller asks for, and whether it goes on rather than begins.

        Without `session` the caller's own session of the lesson that lost its connection goes on,
        unless `fresh`; else a new one starts.

        Raises:
            LessonUnknown, SessionUnknown, SessionIsOver, TooManySessions, LimitReached,
            ServerIsFull, NotAllowed
        """
        if self.closing:
            raise ServerIsFull
        person = caller.person
        door = self._doors.setdefault(person.id, asyncio.Lock())
        async with door:
            if session is not None:
                return await self._resume(caller, session), True
            version = await store.get(self._database, person, lesson or caller.lesson or "")
            _check_key(caller, version)
            if not fresh:
                for row in await self._orphans(person, version.lesson_id):
                    return await self._resume(caller, row.id), True
            return await self._start(person, version, mode), False

    async def check(
        self, caller: Caller, *, lesson: str | None, session: UUID | None = None
    ) -> store.LessonVersion | None:
        """Raise what `enter` or `follow` would; begins and resumes nothing.

        Returns the lesson, where one is named; without lesson and session any lesson is meant.

        Raises:
            As `enter` and `follow`.
        """
        if self.closing:
            raise ServerIsFull
        person, version = caller.person, None
        if lesson or caller.lesson:
            version = await store.get(self._database, person, lesson or caller.lesson or "")
            _check_key(caller, version)
        if session is not None:
            if await self.follow(caller, session) is None:
                await self._continuable(caller, session)
        elif version is None or not await self._orphans(person, version.lesson_id):
            await self._check_room(person)
        return version

    async def follow(self, caller: Caller, session_id: UUID) -> Session | None:
        """The session that the caller may read along with; None: it is their own, to go on with.

        A session that nobody has open here is not resumed for a reader: it waits for its student.

        Raises:
            SessionUnknown, SessionIsOver, SessionWaits, TooManyReaders, NotAllowed
        """
        person, here = caller.person, self._live.get(session_id)
        reason = None
        if here is not None and here.ref.tenant_id == person.tenant_id:
            student_id, over = here.student.id, here.conversation.ended
        else:
            row = await record.get(self._database, person.tenant_id, session_id)
            here, student_id = None, row.student_id
            over, reason = row.status == "ended", row.end_reason
        if student_id == person.id:
            return None
        if not await self.may_follow(person, student_id):
            raise SessionUnknown(str(session_id))
        if over:
            raise SessionIsOver(reason)
        if here is None:
            raise SessionWaits
        _check_key(caller, here.lesson)
        if here.readers >= MOST:
            raise TooManyReaders(MOST)
        return here

    async def may_follow(self, person: Person, student_id: UUID) -> bool:
        """Whether somebody may read along with a student of their school."""
        about = await care.about(self._database, "session", person.tenant_id, student_id)
        return bool(may(person, "follow", about))

    async def begin_trial(
        self, person: Person, version: store.LessonVersion, mode: Mode
    ) -> Session:
        """A sandbox session on a draft as it stands; the same person's earlier one of it ends.

        It waits for its connection as one that was lost does.

        Raises:
            NotAllowed, LimitReached, ServerIsFull
        """
        require(person, "try", Thing("lesson", person.tenant_id))
        if self.closing:
            raise ServerIsFull
        door = self._doors.setdefault(person.id, asyncio.Lock())
        async with door:
            for earlier in await record.trials_of(
                self._database, person.tenant_id, person.id, version.lesson_id
            ):
                if here := self._live.get(earlier):
                    here.end("finished")
            return await self._start(person, version, mode, sandbox=True)

    async def newest(self, caller: Caller, lesson: str) -> list[UUID]:
        """The caller's live sessions of a lesson, newest first."""
        version = await store.get(self._database, caller.person, lesson)
        rows = await record.live_of(
            self._database, caller.person.tenant_id, caller.person.id, version.lesson_id
        )
        return [row.id for row in rows]

    async def close(self, grace_s: float = 10.0) -> None:
        """Let go of every session; each can be resumed elsewhere, or here after the restart."""
        self.closing = True
        closing = [session.close(1001, wording.GOING_AWAY) for session in self._live.values()]
        if closing:
            _, late = await asyncio.wait(
                [asyncio.ensure_future(one) for one in closing], timeout=grace_s
            )
            for task in late:
                task.cancel()

    # ---- inside ------------------------------------------------------------------------------

    async def _orphans(self, person: Person, lesson_id: UUID) -> list[SessionRow]:
        """Sessions of the lesson that nobody is connected to, newest first."""
        rows = await record.live_of(self._database, person.tenant_id, person.id, lesson_id)
        now = datetime.now(UTC)
        orphans = []
        for row in rows:
            here = self._live.get(row.id)
            if here is not None:
                if here.orphaned_at is not None and not here.conversation.ended:
                    orphans.append(row)
            elif (now - row.last_seen_at).total_seconds() < self.settings.grace_s:
                orphans.append(row)
        return orphans

    async def _continuable(
        self, caller: Caller, session_id: UUID
    ) -> tuple[Session | None, store.LessonVersion]:
        """The caller's session, if it is here, and its lesson; raises where it can't go on."""
        tenant_id, here = caller.person.tenant_id, self._live.get(session_id)
        if here is not None:
            _check_may_continue(caller, session_id, here.student.id, here.lesson)
            if here.conversation.ended:
                raise SessionIsOver(None)
            return here, here.lesson
        row = await record.get(self._database, tenant_id, session_id)
        version = await store.version(self._database, tenant_id, row.lesson_version_id)
        _check_may_continue(caller, session_id, row.student_id, version)
        if row.status == "ended":
            raise SessionIsOver(row.end_reason)
        if len(self._live) >= self.settings.sessions:
            raise ServerIsFull
        return None, version

    async def _resume(self, caller: Caller, session_id: UUID) -> Session:
        person = caller.person
        here, version = await self._continuable(caller, session_id)
        if here is not None:
            return here
        row, items = await record.resume(self._database, person.tenant_id, session_id)
        meanwhile: list[object] = []
        unsubscribe = self._bus.subscribe(session_topic(session_id), meanwhile.append)
        try:
            overrides = await rows.of(self._database, person.tenant_id, session_id)
            text = await record.brief_text(self._database, person.tenant_id, row.brief_hash)
            brief = read_brief(text)
            mode: Mode = "voice" if row.mode == "voice" else "text"
            chain = await self.chain(person.tenant_id, version, mode)
            session = await self._open(person, row, brief, version, chain, items, overrides)
        finally:
            unsubscribe()
        for event in meanwhile:  # a correction, since they were read
            _on_bus(session, event)
        return session

    async def _check_room(self, person: Person, *, sandbox: bool = False) -> None:
        """Raise unless one more session of a person may begin."""
        if len(self._live) >= self.settings.sessions:
            raise ServerIsFull
        live = await record.count_live(self._database, person.tenant_id, person.id)
        if live >= self.settings.live_per_student and not sandbox:
            raise TooManySessions(self.settings.live_per_student)
        await self.quota.check(person.tenant_id)

    async def _start(
        self, person: Person, version: store.LessonVersion, mode: Mode, *, sandbox: bool = False
    ) -> Session:
        await self._check_room(person, sandbox=sandbox)
        chain = await self.chain(person.tenant_id, version, mode)
        tenant = await self._database.tenant(person.tenant_id)
        rules = (await school_settings.of_school(self._database, person.tenant_id)).get("rules", "")
        brief = compile_brief(
            version.plan,
            school=SchoolPolicy(name=tenant.name, rules=str(rules)),
            student=StudentFacts(name=person.name),
        )
        row = await record.start(
            self._database,
            tenant_id=person.tenant_id,
            student_id=person.id,
            lesson=version,
            brief_hash=brief.hash,
            brief_text=brief_text(brief),
            sandbox=sandbox,
            mode=mode,
            engine=chain.likely(self._clock()).name,
            grace_s=self.settings.grace_s + LATE_SIGN_S,
        )
        tell_session(self._bus, person.tenant_id, row, "live")
        return await self._open(person, row, brief, version, chain, ())

    async def _open(
        self,
        person: Person,
        row: SessionRow,
        brief: Brief,
        version: store.LessonVersion,
        chain: Chain,
        items: tuple[Item, ...],
        overrides: Sequence[Override] = (),
    ) -> Session:
        elapsed_ms = max(0, round((datetime.now(UTC) - row.started_at).total_seconds() * 1000))
        limits = Limits(self.settings.session_s)
        decided = await quota.limits(self._database, person.tenant_id)
        engine = chain.likely(self._clock())
        conversation = Conversation(
            brief,
            session_id=f"sess_{row.id.hex}",
            lesson=version.slug,
            engine=engine.name,
            hears_speech=hears(engine, brief.language),
            sandbox=row.sandbox,
            items=items,
            overrides=overrides,
            progress=row.progress if items else None,
            durations=row.durations,
            options=Options(
                modality="audio" if row.mode == "voice" else "text",
                voice=brief.voice,
                speed=brief.speed,
            ),
            limits=limits,
            elapsed_ms=elapsed_ms,
            expires_at=round(row.started_at.timestamp() + limits.session_s),
            now=self._clock(),
        )
        session = Session(
            SessionRef(person.tenant_id, row.id, row.epoch),
            conversation,
            chain,
            Announcing(self.keeper, self._bus, row),
            student=person,
            lesson=version,
            clock=self._clock,
            grace_s=self.settings.grace_s,
            on_over=self._forget,
            counts=self.legs,
            tariff=Tariff(self._prices, decided.price_factor_permille),
            judge=self._judge,
        )
        await session.open()
        self._live[row.id] = session
        self._unsubscribe[row.id] = self._bus.subscribe(
            session_topic(row.id), lambda event: _on_bus(session, event)
        )
        if self.closing:  # since this began: nobody else would let go of it
            await session.close(1001, wording.GOING_AWAY)
            raise ServerIsFull
        return session

    def _forget(self, session: Session) -> None:
        if self._live.get(session.id) is not session:
            return  # it was taken over, and goes on here under a new epoch
        del self._live[session.id]
        self._unsubscribe.pop(session.id)()


def _check_may_continue(
    caller: Caller, session_id: UUID, student_id: UUID, version: store.LessonVersion
) -> None:
    """Only one's own session goes on; another's is as if it were not there."""
    person = caller.person
    if not may(person, "continue", Thing("session", person.tenant_id, student_id=student_id)):
        raise SessionUnknown(str(session_id))
    _check_key(caller, version)


def _check_key(caller: Caller, version: store.LessonVersion) -> None:
    """An ephemeral key may be for one lesson only, named by slug or id."""
    if caller.lesson not in (None, version.slug, str(version.lesson_id)):
        raise NotAllowed(f"This key is for the lesson {caller.lesson!r} only.")


def _on_bus(session: Session, event: object) -> None:
    if isinstance(event, SummaryReady):
        session.note_summary(event)
    elif isinstance(event, CorrectionsPublished):
        session.correct(event.overrides)
