"""Sessions as lists show them: with names, filtered, newest first, page by page."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sessions.errors import SessionUnknown
from sessions.record.model import SessionRow
from sessions.record.sessions import session_row
from tenancy.postgres import Database
from tenancy.sql import load

_QUERIES = load(__package__, "listing.sql")


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a list a page ended: its last session."""

    started_at: datetime
    session_id: UUID


@dataclass(frozen=True, slots=True)
class Card:
    """A session with the names of what it belongs to."""

    row: SessionRow
    lesson_slug: str
    lesson_title: str
    "As it was when the session was held."
    version: int
    student_name: str
    has_summary: bool

    @property
    def place(self) -> Place:
        return Place(self.row.started_at, self.row.id)


@dataclass(frozen=True, slots=True)
class Filters:
    """What None stands in does not filter; `to` itself is left out."""

    student_ids: frozenset[UUID] | None = None
    lesson_id: UUID | None = None
    status: Literal["live", "ended"] | None = None
    from_: datetime | None = None
    to: datetime | None = None


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
        rows = await connection.fetch(
            _QUERIES["list_sessions"],
            tenant_id,
            None if filters.student_ids is None else sorted(filters.student_ids),
            filters.lesson_id,
            filters.status,
            filters.from_,
            filters.to,
            after.started_at if after else None,
            after.session_id if after else None,
            limit + 1,
        )
    cards = [_card(row) for row in rows[:limit]]
    return cards, cards[-1].place if len(rows) > limit else None


async def card(database: Database, tenant_id: UUID, session_id: UUID) -> Card:
    """One session, a sandbox too.

    Raises:
        SessionUnknown: If there is none of this id at this school.
    """
    async with database.transaction(tenant_id) as connection:
        row = await connection.fetchrow(_QUERIES["session_card"], tenant_id, session_id)
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


def _card(row: Any) -> Card:
    return Card(
        row=session_row(row),
        lesson_slug=row["slug"],
        lesson_title=row["title"],
        version=row["number"],
        student_name=row["student_name"],
        has_summary=row["has_summary"],
    )
