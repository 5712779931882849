"""Sessions over HTTP: lists, one of them, what is beside it in a list.

Whatever the caller may not read is not there: the answer is the same as for an id that never was.
"""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import Field

from server.api import records
from server.api.cursors import LONGEST, open_cursor, seal_cursor
from server.api.shapes import LessonName, PersonName, Time
from server.api.table import Call, Model, Route
from server.errors import Refused
from sessions.record import feedback, listing, reads
from sessions.record.listing import Card, Filters, Place
from sessions.record.model import EndReason
from tenancy import care
from tenancy.policy import Thing, may, require

LONGEST_ENGINE = 64
NO_LESSON = "Versions are counted for each lesson: name the `lesson` too."


class SessionsFilter(Model):
    student: UUID | None = None
    lesson: UUID | None = None
    version: int | None = Field(None, ge=1, le=1_000_000)
    "Of the lesson, which has to be named too."
    status: Literal["live", "ended"] | None = None
    from_: Time | None = Field(None, alias="from")
    "Started at this time or later."
    to: Time | None = None
    "Started before this time."
    min_ms: int | None = Field(None, ge=0, le=10**12)
    "It lasted so long at least."
    max_ms: int | None = Field(None, ge=0, le=10**12)
    "It lasted so long at most."
    engine: str | None = Field(None, min_length=1, max_length=LONGEST_ENGINE)
    "A tutor engine that took part."
    end_reason: EndReason | None = None
    reviewed: bool | None = None
    thumbs: Literal["up", "down", "none"] | None = None
    "What the student said of it."


class SessionsQuery(SessionsFilter):
    cursor: str | None = Field(None, max_length=LONGEST)
    limit: int = Field(20, ge=1, le=100)


class Reviewed(Model):
    """Who went through a session, and when."""

    at: datetime
    by: PersonName


class SessionCard(Model):
    """A session as lists show it."""

    id: UUID
    lesson: LessonName
    version: int | None
    "Of the lesson; null for a trial of a draft."
    student: PersonName
    status: Literal["live", "ended"]
    mode: Literal["voice", "text"]
    started_at: datetime
    ended_at: datetime | None
    end_reason: EndReason | None
    wall_ms: int
    student_speech_ms: int
    tutor_speech_ms: int
    silence_ms: int
    step: int
    "From 1."
    steps: int
    engines: list[str]
    has_summary: bool
    reviewed: Reviewed | None
    thumbs: Literal["up", "down"] | None
    corrections: int
    "That are in force."


class SessionPage(Model):
    """Newest first."""

    items: list[SessionCard]
    next_cursor: str | None


class Reader(Model):
    """Somebody of the school who opened the transcript."""

    name: str
    role: str
    at: datetime


class MayDo(Model):
    """What the caller may do with a session."""

    follow: bool
    review: bool
    override: bool
    export: bool
    renew: bool


class Feedback(Model):
    """How the student found it."""

    helpful: bool
    comment: str | None


class SessionDetail(SessionCard):
    brief_hash: str
    "What the tutor was told, as a fingerprint."
    readers: list[Reader]
    feedback: Feedback | None
    may: MayDo


class SessionNeighbours(Model):
    """What is beside a session in the list, newest first, with the same filters."""

    previous: UUID | None
    "The next newer one."
    next: UUID | None
    "The next older one."
    next_unreviewed: UUID | None
    "The next older one that nobody has been through."


async def list_sessions(call: Call) -> SessionPage:
    """One's own sessions; for staff those that are theirs to see."""
    query: SessionsQuery = call.query
    filters = await filters_of(call, query)
    # Named as it was asked: whom a tutor looks after may change while they page.
    name = f"sessions {query.model_dump_json(exclude={'cursor', 'limit'}, exclude_none=True)}"
    after = place_in(await open_cursor(call, name, query.cursor)) if query.cursor else None
    cards, following = await listing.list_(
        call.services.database, call.person.tenant_id, filters, after=after, limit=query.limit
    )
    return SessionPage(
        items=[shown(card) for card in cards],
        next_cursor=seal_cursor(call, name, place_text(following)) if following else None,
    )


async def get_session(call: Call) -> SessionDetail:
    """One session, with who has read its transcript."""
    card = await records.find(call, "session")
    database, tenant_id = call.services.database, call.person.tenant_id
    readers = await reads.of(database, tenant_id, card.row.id)
    given = await feedback.of(database, tenant_id, card.row.id, card.row.student_id)
    return SessionDetail(
        **_card(card),
        brief_hash=card.row.brief_hash,
        readers=[Reader(name=read.name, role=read.role, at=read.at) for read in readers],
        feedback=Feedback(helpful=given.helpful, comment=given.comment) if given else None,
        may=_may(call, await records.about(call, card, "session")),
    )


async def get_neighbours(call: Call) -> SessionNeighbours:
    """The sessions before and after one in a list."""
    card = await records.find(call, "session")
    found = await listing.neighbours(
        call.services.database,
        call.person.tenant_id,
        await filters_of(call, call.query),
        card.place,
    )
    return SessionNeighbours(
        previous=found.previous, next=found.next, next_unreviewed=found.next_unreviewed
    )


async def filters_of(call: Call, query: SessionsFilter) -> Filters:
    """What a query asks for, of what the caller may see."""
    if query.version is not None and query.lesson is None:
        raise Refused(400, "invalid_query", NO_LESSON, param="lesson")
    return Filters(
        student_ids=await _whose(call, query.student),
        lesson_id=query.lesson,
        version=query.version,
        status=query.status,
        from_=query.from_,
        to=query.to,
        min_ms=query.min_ms,
        max_ms=query.max_ms,
        engine=query.engine,
        end_reason=query.end_reason,
        reviewed=query.reviewed,
        thumbs=query.thumbs,
    )


def shown(card: Card) -> SessionCard:
    """A session as lists show it."""
    return SessionCard(**_card(card))


async def _whose(call: Call, student_id: UUID | None) -> frozenset[UUID] | None:
    """Whose sessions are listed; None: everybody's."""
    person, database = call.person, call.services.database
    if student_id is None:
        whose = await care.whose(database, person, "session")
        if whose is not None and not whose:
            require(person, "list", Thing("session", person.tenant_id, student_id=person.id))
        return whose
    require(person, "list", await care.about(database, "session", person.tenant_id, student_id))
    return frozenset({student_id})


def _may(call: Call, thing: Thing) -> MayDo:
    def may_do(verb: str, kind: str) -> bool:
        return bool(may(call.person, verb, records.of_kind(thing, kind)))

    return MayDo(
        follow=may_do("follow", "session"),
        review=may_do("review", "session"),
        override=may_do("write", "override"),
        export=may_do("export", "session"),
        renew=may_do("renew", "summary"),
    )


def _card(card: Card) -> dict[str, Any]:
    row = card.row
    return {
        "id": row.id,
        "lesson": LessonName(id=row.lesson_id, slug=card.lesson_slug, title=card.lesson_title),
        "version": card.version,
        "student": PersonName(id=row.student_id, name=card.student_name),
        "status": row.status,
        "mode": row.mode,
        "started_at": row.started_at,
        "ended_at": row.ended_at,
        "end_reason": row.end_reason,
        "wall_ms": row.durations.wall_ms,
        "student_speech_ms": row.durations.student_speech_ms,
        "tutor_speech_ms": row.durations.tutor_speech_ms,
        "silence_ms": row.durations.silence_ms,
        "step": min(row.progress.step + 1, row.progress.steps),
        "steps": row.progress.steps,
        "engines": list(row.engines),
        "has_summary": card.has_summary,
        "reviewed": reviewed(card.reviewed),
        "thumbs": None if card.thumbs == "none" else card.thumbs,
        "corrections": card.corrections,
    }


def reviewed(mark: listing.Reviewed | None) -> Reviewed | None:
    """A mark as it is shown."""
    return Reviewed(at=mark.at, by=PersonName(id=mark.by_id, name=mark.by)) if mark else None


def place_text(place: Place) -> str:
    return f"{place.started_at.isoformat()} {place.session_id}"


def place_in(text: str) -> Place:
    started_at, session_id = text.split()
    return Place(datetime.fromisoformat(started_at), UUID(session_id))


ROUTES: tuple[Route, ...] = (
    Route(
        "GET",
        "/sessions",
        list_sessions,
        "Sessions, newest first",
        answer=SessionPage,
        query=SessionsQuery,
    ),
    Route(
        "GET",
        "/sessions/{id}",
        get_session,
        "One session",
        answer=SessionDetail,
        refuses=(404,),
    ),
    Route(
        "GET",
        "/sessions/{id}/neighbours",
        get_neighbours,
        "What is beside a session in a list",
        answer=SessionNeighbours,
        query=SessionsFilter,
        refuses=(404,),
    ),
)
