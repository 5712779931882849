"""Sessions as lists show them: with names, filtered, newest first, page by page."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sessions.errors import SessionUnknown
from sessions.record.model import EndReason, SessionRow
from sessions.record.sessions import session_row
from tenancy.postgres import Connection, Database
from tenancy.sql import load

Thumbs = Literal["up", "down", "none"]

_QUERIES = load(__package__, "listing.sql")


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a list a page ended: its last session."""

    started_at: datetime
    session_id: UUID


@dataclass(frozen=True, slots=True)
class Reviewed:
    """Who went through a session, and when."""

    at: datetime
    by_id: UUID
    by: str


@dataclass(frozen=True, slots=True)
class Card:
    """A session with the names of what it belongs to."""

    row: SessionRow
    lesson_slug: str
    lesson_title: str
    "As it was when the session was held."
    version: int | None
    "None: a trial."
    student_name: str
    has_summary: bool
    reviewed: Reviewed | None
    thumbs: Thumbs
    corrections: int
    "In force."

    @property
    def place(self) -> Place:
        return Place(self.row.started_at, self.row.id)


@dataclass(frozen=True, slots=True)
class Filters:
    """What None stands in does not filter; `to` itself is left out."""

    student_ids: frozenset[UUID] | None = None
    lesson_id: UUID | None = None
    version: int | None = None
    "Of the lesson, which must be named too."
    status: Literal["live", "ended"] | None = None
    from_: datetime | None = None
    to: datetime | None = None
    min_ms: int | None = None
    max_ms: int | None = None
    engine: str | None = None
    "One that took part."
    end_reason: EndReason | None = None
    reviewed: bool | None = None
    thumbs: Thumbs | None = None


@dataclass(frozen=True, slots=True)
class Neighbours:
    """What is beside a session in a list: ids, None at its ends."""

    previous: UUID | None
    next: UUID | None
    next_unreviewed: UUID | None


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a student stands with a lesson they began."""

    status: Literal["in_progress", "done"]
    live_session_id: UUID | None


async def list_(
    database: Database,
    tenant_id: UUID,
    filters: Filters,
    *,
    after: Place | None = None,
    limit: int,
) -> tuple[list[Card], Place | None]:
    """A page of sessions, newest first, and where the next one goes on; None: that was the last.

    Sandbox sessions are in no list. What starts while someone pages does not move the pages.
    """
    async with database.transaction(tenant_id) as connection:
        ids = await _older(connection, tenant_id, filters, after, limit + 1)
        rows = await connection.fetch(_QUERIES["cards"], tenant_id, ids[:limit])
    cards = [_card(row) for row in rows]
    return cards, cards[-1].place if len(ids) > limit else None


async def neighbours(
    database: Database, tenant_id: UUID, filters: Filters, place: Place
) -> Neighbours:
    """What stands beside a place in a list, whether or not that place itself is still in it."""
    unreviewed = replace(filters, reviewed=False)
    async with database.transaction(tenant_id) as connection:
        await connection.fetchval(_QUERIES["plan_afresh"])
        newer = await connection.fetchval(
            _QUERIES["newer"],
            tenant_id,
            _students(filters),
            *_values(filters),
            place.started_at,
            place.session_id,
        )
        older = await _older(connection, tenant_id, filters, place, 1)
        open_ = await _older(connection, tenant_id, unreviewed, place, 1)
    return Neighbours(newer, *((ids[0] if ids else None) for ids in (older, open_)))


async def card(database: Database, tenant_id: UUID, session_id: UUID) -> Card:
    """One session, a sandbox too.

    Raises:
        SessionUnknown: If there is none of this id at this school.
    """
    async with database.transaction(tenant_id) as connection:
        row = await connection.fetchrow(_QUERIES["cards"], tenant_id, [session_id])
    if row is None:
        raise SessionUnknown(str(session_id))
    return _card(row)


async def standing(database: Database, tenant_id: UUID, student_id: UUID) -> dict[UUID, Standing]:
    """By lesson, where a student stands; a lesson that is missing was never begun."""
    async with database.transaction(tenant_id) as connection:
        rows = await connection.fetch(_QUERIES["standing"], tenant_id, student_id)
    return {
        row["lesson_id"]: Standing(
            "done" if row["done"] and row["live_session_id"] is None else "in_progress",
            row["live_session_id"],
        )
        for row in rows
    }


async def _older(
    connection: Connection, tenant_id: UUID, filters: Filters, after: Place | None, limit: int
) -> list[UUID]:
    """Ids of a list from a place on, newest first."""
    students = _students(filters)
    await connection.fetchval(_QUERIES["plan_afresh"])
    rows = await connection.fetch(
        _QUERIES["older_of_school" if students is None else "older_of_students"],
        tenant_id,
        *(() if students is None else (students,)),
        *_values(filters),
        after.started_at if after else None,
        after.session_id if after else None,
        limit,
    )
    return [row["id"] for row in rows]


def _students(filters: Filters) -> list[UUID] | None:
    return None if filters.student_ids is None else sorted(filters.student_ids)


def _values(filters: Filters) -> tuple[Any, ...]:
    """The filters that all these queries share, in their order."""
    return (
        filters.lesson_id,
        filters.version,
        filters.status,
        filters.from_,
        filters.to,
        filters.min_ms,
        filters.max_ms,
        filters.engine,
        filters.end_reason,
        filters.reviewed,
        filters.thumbs,
    )


def _card(row: Any) -> Card:
    reviewed = row["reviewed_at"]
    return Card(
        row=session_row(row),
        lesson_slug=row["slug"],
        lesson_title=row["title"],
        version=row["number"],
        student_name=row["student_name"],
        has_summary=row["has_summary"],
        reviewed=Reviewed(reviewed, row["reviewer_id"], row["reviewer"]) if reviewed else None,
        thumbs=row["thumbs"],
        corrections=row["corrections"],
    )
