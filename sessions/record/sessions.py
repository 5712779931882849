"""A session in the database: started, taken over, saved batch by batch, and ended.

Each save begins by moving the session's row on, under its epoch. That row's lock makes `seq` the
order of commits, and its epoch lets one process write and no other: who has an older one stops.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Any
from uuid import UUID

from sessions import jobs
from sessions.bus import Bus
from sessions.errors import SessionIsOver, SessionUnknown
from sessions.jobs import Job
from sessions.lessons.store import LessonVersion
from sessions.news import tell_session
from sessions.record import items as log
from sessions.record import sandboxes
from sessions.record.model import (
    Batch,
    Durations,
    EndReason,
    Item,
    Progress,
    SessionRef,
    SessionRow,
    SessionTaken,
    Usage,
)
from tenancy import audit, quota
from tenancy.ids import new_id
from tenancy.model import Person
from tenancy.postgres import Connection, Database
from tenancy.sql import load

CLOSE_ABANDONED = "close_abandoned"
SUMMARISE = "summarise"
SAVE_TRIES = 3
RETURN_S = 30.0  # after the server or its database was away, students come back within seconds
_UNIQUE_VIOLATION = "23505"
_USAGE = attrgetter(
    "engine",
    "unit",
    "model",
    "quantity",
    "cost_micros",
    "price_micros",
    "server_quantity",
    "server_cost_micros",
)
_QUERIES = load(__package__, "sessions.sql")


async def start(
    database: Database,
    *,
    tenant_id: UUID,
    student_id: UUID,
    lesson: LessonVersion,
    brief_hash: str,
    brief_text: str,
    sandbox: bool,
    mode: str,
    engine: str,
    grace_s: float,
) -> SessionRow:
    """A new live session, its brief, and the job that closes it if it is abandoned: one commit.

    Raises:
        LimitReached: If the school lets no more run at once.
    """
    session_id = new_id()
    expires_at = jobs.utc_now() + timedelta(seconds=sandboxes.LIVES_S) if sandbox else None

    async def work(connection: Connection) -> SessionRow:
        await quota.hold_place(connection, tenant_id, jobs.utc_now())
        sealed = database.seal(tenant_id, "briefs", brief_hash, brief_text)
        await connection.execute(_QUERIES["keep_brief"], tenant_id, brief_hash, sealed)
        row = await connection.fetchrow(
            _QUERIES["start"],
            tenant_id,
            session_id,
            student_id,
            lesson.lesson_id,
            lesson.version_id,
            brief_hash,
            expires_at,
            mode,
            [engine],
            len(lesson.plan.steps),
        )
        await jobs.enqueue(
            connection,
            tenant_id,
            CLOSE_ABANDONED,
            str(session_id),
            {"session_id": str(session_id), "grace_s": grace_s},
            row["last_seen_at"] + timedelta(seconds=grace_s),
        )
        if expires_at is not None:
            await sandboxes.ask_for_deletion(connection, tenant_id, session_id, expires_at)
        return session_row(row)

    return await database.run(tenant_id, work)


async def resume(
    database: Database, tenant_id: UUID, session_id: UUID
) -> tuple[SessionRow, tuple[Item, ...]]:
    """Take a live session over, whoever wrote it before; and its items by position.

    Raises:
        SessionUnknown: If there is none of this id at this school.
        SessionIsOver: If it has ended.
    """

    async def work(connection: Connection) -> tuple[SessionRow, tuple[Item, ...]]:
        row = await connection.fetchrow(_QUERIES["take_over"], tenant_id, session_id)
        if row is None:
            ended = await connection.fetchrow(_QUERIES["get"], tenant_id, session_id)
            if ended is None:
                raise SessionUnknown(str(session_id))
            raise SessionIsOver(ended["end_reason"])
        return session_row(row), await log.all_of(database, connection, tenant_id, session_id)

    return await database.run(tenant_id, work)


async def append(database: Database, ref: SessionRef, batch: Batch) -> int:
    """Save a batch in one transaction; returns the number of the last item in the log.

    The same batch again, because nobody knows whether its commit was reached, changes nothing.

    Raises:
        SessionTaken: If another process writes this session now, or it is over.
    """
    return await _save(database, ref, batch, None)


async def end(database: Database, ref: SessionRef, reason: EndReason, batch: Batch) -> None:
    """Save the last batch, end the session and ask for its summary: one commit. Again: no change.

    Raises:
        SessionTaken: If another process writes this session now, or has ended it.
    """
    try:
        await _save(database, ref, batch, reason)
    except SessionTaken:
        row = await get(database, ref.tenant_id, ref.session_id)
        if row.status != "ended" or row.epoch != ref.epoch:
            raise


async def close_abandoned(database: Database, bus: Bus, job: Job, now: datetime) -> datetime | None:
    """The job that ends a session which nobody came back to; a sign of life puts it off.

    A job that runs late tells that nobody could have shown signs of life: it gives time for some.
    """
    if now - job.due_at > timedelta(seconds=RETURN_S):
        return now + timedelta(seconds=RETURN_S)
    session_id = UUID(job.payload["session_id"])
    grace = timedelta(seconds=job.payload["grace_s"])

    async def work(connection: Connection) -> tuple[SessionRow | None, bool]:
        row = await connection.fetchrow(_QUERIES["abandon"], job.tenant_id, session_id, now - grace)
        if row is not None:
            await _ask_for_summary(connection, job.tenant_id, session_id, now)
            return session_row(row), True
        row = await connection.fetchrow(_QUERIES["get"], job.tenant_id, session_id)
        return (session_row(row) if row else None), False

    row, closed = await database.run(job.tenant_id, work)
    if row is not None and closed:
        tell_session(bus, job.tenant_id, row, "ended")
    return row.last_seen_at + grace if row is not None and row.status == "live" else None


async def renew_summary(
    database: Database, person: Person, session_id: UUID, *, address: str | None = None
) -> None:
    """Ask for another summary of a session that is over; asked for twice at once, it is one."""
    tenant_id = person.tenant_id

    async def work(connection: Connection) -> None:
        number = await connection.fetchval(_QUERIES["newest_number"], tenant_id, session_id)
        await _ask_for_summary(connection, tenant_id, session_id, jobs.utc_now(), after=number)
        await audit.write(
            connection,
            tenant_id,
            actor=person.id,
            verb="renew",
            thing="summary",
            thing_id=str(session_id),
            address=address,
        )

    await database.run(tenant_id, work)


async def get(database: Database, tenant_id: UUID, session_id: UUID) -> SessionRow:
    """A session, live or over.

    Raises:
        SessionUnknown: If there is none of this id at this school.
    """
    async with database.transaction(tenant_id) as connection:
        row = await connection.fetchrow(_QUERIES["get"], tenant_id, session_id)
    if row is None:
        raise SessionUnknown(str(session_id))
    return session_row(row)


async def items(database: Database, tenant_id: UUID, session_id: UUID) -> tuple[Item, ...]:
    """A session's items by position; none where there is no such session."""
    async with database.transaction(tenant_id) as connection:
        return await log.all_of(database, connection, tenant_id, session_id)


async def brief_text(database: Database, tenant_id: UUID, brief_hash: str) -> str:
    """The brief that a session was held with, as `start` was given it."""
    async with database.transaction(tenant_id) as connection:
        sealed = await connection.fetchval(_QUERIES["brief"], tenant_id, brief_hash)
    return database.unseal(tenant_id, "briefs", brief_hash, sealed)


async def live_of(
    database: Database, tenant_id: UUID, student_id: UUID, lesson_id: UUID
) -> list[SessionRow]:
    """The student's live sessions of a lesson, newest first."""
    async with database.transaction(tenant_id) as connection:
        rows = await connection.fetch(_QUERIES["live_of"], tenant_id, student_id, lesson_id)
    return [session_row(row) for row in rows]


async def trials_of(
    database: Database, tenant_id: UUID, student_id: UUID, lesson_id: UUID
) -> list[UUID]:
    """The live sessions in which somebody tries a lesson's draft."""
    async with database.transaction(tenant_id) as connection:
        rows = await connection.fetch(_QUERIES["trials_of"], tenant_id, student_id, lesson_id)
    return [row["id"] for row in rows]


async def count_live(database: Database, tenant_id: UUID, student_id: UUID) -> int:
    """How many sessions of the student are live."""
    async with database.transaction(tenant_id) as connection:
        return int(await connection.fetchval(_QUERIES["count_live"], tenant_id, student_id))


async def add_usage(
    database: Database,
    tenant_id: UUID,
    session_id: UUID,
    usage: Sequence[Usage],
    *,
    key: str | None = None,
) -> None:
    """Count what a session used after it was over; again under the same `key`: no change."""
    key = key or new_id().hex

    async def work(connection: Connection) -> None:
        await connection.execute(
            _QUERIES["add_usage"],
            tenant_id,
            session_id,
            key,
            *zip(*map(_USAGE, usage), strict=True),
        )

    if usage:
        await database.run(tenant_id, work)


async def usage_of(database: Database, tenant_id: UUID, session_id: UUID) -> list[Usage]:
    """What a session used, by engine, model and unit."""
    async with database.transaction(tenant_id) as connection:
        rows = await connection.fetch(_QUERIES["usage_of"], tenant_id, session_id)
    return [Usage(**row) for row in rows]


def session_row(row: Mapping[str, Any]) -> SessionRow:
    """A database row as the noun it stands for."""
    return SessionRow(
        id=row["id"],
        student_id=row["student_id"],
        lesson_id=row["lesson_id"],
        lesson_version_id=row["lesson_version_id"],
        brief_hash=row["brief_hash"],
        sandbox=row["sandbox"],
        mode=row["mode"],
        status=row["status"],
        started_at=row["started_at"],
        ended_at=row["ended_at"],
        end_reason=row["end_reason"],
        durations=Durations(
            row["wall_ms"], row["student_speech_ms"], row["tutor_speech_ms"], row["silence_ms"]
        ),
        progress=Progress(row["step"], row["steps"], row["progress"]),
        engines=tuple(row["engines"]),
        epoch=row["epoch"],
        last_seq=row["last_seq"],
        last_seen_at=row["last_seen_at"],
    )


async def _save(database: Database, ref: SessionRef, batch: Batch, reason: EndReason | None) -> int:
    """Write a batch; with a reason, the session's last one.

    When a connection is lost while it commits, the items may be there or not, or appear a moment
    later. So a batch is written as if it were new, which costs nothing; if the log has one of its
    items, the unique ids undo the whole transaction, and it goes again with what is missing. That
    holds however the batch is cut the second time, and `seq` keeps no gap.
    """
    fresh = batch.items
    for tried in range(1, SAVE_TRIES + 1):
        try:
            return await database.run(ref.tenant_id, _saving(database, ref, batch, fresh, reason))
        except Exception as problem:
            if getattr(problem, "sqlstate", None) != _UNIQUE_VIOLATION or tried == SAVE_TRIES:
                raise
        async with database.transaction(ref.tenant_id) as connection:
            known = await log.saved_ids(
                connection, ref.tenant_id, ref.session_id, [item.id for item in batch.items]
            )
        fresh = tuple(item for item in batch.items if item.id not in known)
    raise AssertionError("unreachable")


def _saving(
    database: Database,
    ref: SessionRef,
    batch: Batch,
    fresh: Sequence[Item],
    reason: EndReason | None,
) -> Callable[[Connection], Awaitable[int]]:
    tenant_id, session_id = ref.tenant_id, ref.session_id

    async def work(connection: Connection) -> int:
        seen = reason != "abandoned"
        last_seq = await _advance(connection, ref, batch, len(fresh), seen=seen)
        if fresh:
            first = last_seq - len(fresh) + 1
            await log.insert(database, connection, tenant_id, session_id, first, fresh)
        if batch.heard:
            await log.hear(database, connection, tenant_id, session_id, batch.heard)
        if batch.usage:
            await connection.execute(
                _QUERIES["add_usage"],
                tenant_id,
                session_id,
                batch.usage_key,
                *zip(*map(_USAGE, batch.usage), strict=True),
            )
        if reason is not None:
            await connection.execute(_QUERIES["finish"], tenant_id, session_id, ref.epoch, reason)
            await _ask_for_summary(connection, tenant_id, session_id, jobs.utc_now())
        return last_seq

    return work


async def _advance(
    connection: Connection, ref: SessionRef, batch: Batch, count: int, *, seen: bool
) -> int:
    progress, durations = batch.progress, batch.durations
    engines = [batch.engine, *(item.engine or "" for item in batch.items)]
    last_seq: int | None = await connection.fetchval(
        _QUERIES["advance"],
        ref.tenant_id,
        ref.session_id,
        ref.epoch,
        count,
        seen,
        durations.wall_ms,
        durations.student_speech_ms,
        durations.tutor_speech_ms,
        durations.silence_ms,
        progress.step if progress else None,
        progress.steps if progress else None,
        progress.status if progress else None,
        [name for name in dict.fromkeys(engines) if name],
        any(item.kind == "audio" for item in batch.items) if batch.items else None,
    )
    if last_seq is None:
        raise SessionTaken(
            f"Session {ref.session_id} is over, or another process has it: epoch {ref.epoch} ended."
        )
    return last_seq


async def _ask_for_summary(
    connection: Connection, tenant_id: UUID, session_id: UUID, now: datetime, *, after: int = 0
) -> None:
    """The job that makes the summary which follows number `after`."""
    about = {"session_id": str(session_id), "after": after}
    await jobs.enqueue(connection, tenant_id, SUMMARISE, str(session_id), about, now)
