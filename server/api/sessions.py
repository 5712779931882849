"""Sessions over HTTP: lists, transcripts, summaries, usage.

Whatever the caller may not read is not there: the answer is the same as for an id that never was.
"""

from datetime import UTC, datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import Field
from starlette.responses import Response

from server.api.cursors import LONGEST, open_cursor, seal_cursor
from server.api.shapes import LessonName, PersonName, Time
from server.api.table import Call, Model, Route
from server.errors import Refused
from sessions.errors import SessionUnknown
from sessions.record import listing, reads, sessions, summaries, transcript
from sessions.record.listing import Card, Filters, Place
from sessions.record.model import (
    EndReason,
    ItemStatus,
    Kind,
    Role,
    Sentence,
    Speaker,
    SummaryKind,
)
from tenancy import care
from tenancy.policy import Thing, may, require

NO_SUCH_SESSION = (
    "There is no such session for you. GET /api/v1/sessions lists those that you may read."
)


class SessionsQuery(Model):
    student: UUID | None = None
    lesson: UUID | None = None
    status: Literal["live", "ended"] | None = None
    from_: Time | None = Field(None, alias="from")
    "Started at this time or later."
    to: Time | None = None
    "Started before this time."
    cursor: str | None = Field(None, max_length=LONGEST)
    limit: int = Field(20, ge=1, le=100)


class SessionCard(Model):
    """A session as lists show it."""

    id: UUID
    lesson: LessonName
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


class SessionPage(Model):
    """Newest first."""

    items: list[SessionCard]
    next_cursor: str | None


class Reader(Model):
    """Somebody of the school who opened the transcript."""

    name: str
    role: str
    at: datetime


class SessionDetail(SessionCard):
    brief_hash: str
    "What the tutor was told, as a fingerprint."
    version: int
    "Of the lesson."
    readers: list[Reader]


class TranscriptQuery(Model):
    format: Literal["json", "vtt", "text"] = "json"


class TranscriptItem(Model):
    """One thing said: `said` in whole, `heard` as far as it reached the student."""

    id: str
    role: Role
    speaker: Speaker
    kind: Kind
    said: str | None
    heard: str | None
    status: ItemStatus
    interrupted: bool
    started_ms: int
    ended_ms: int | None
    position: int
    sure: bool | None


class Transcript(Model):
    session_id: UUID
    items: list[TranscriptItem]


class SummarySentence(Model):
    """What the summary says, and the items it rests on."""

    text: str
    item_ids: list[str]


class SessionSummary(Model):
    """`pending` until the session is over and the summary made."""

    status: Literal["ready", "pending"]
    kind: SummaryKind | None = None
    narrative: list[SummarySentence] = Field(default_factory=list)
    next_steps: list[SummarySentence] = Field(default_factory=list)
    subjects: list[str] = Field(default_factory=list)
    done_well: SummarySentence | None = None
    practice: list[str] = Field(default_factory=list)
    engine: str | None = None


class UsageEntry(Model):
    engine: str
    unit: str
    quantity: int


class SessionUsage(Model):
    items: list[UsageEntry]


async def list_sessions(call: Call) -> SessionPage:
    """One's own sessions; for staff those that are theirs to see."""
    query: SessionsQuery = call.query
    filters = Filters(
        await _whose(call, query.student), query.lesson, query.status, query.from_, query.to
    )
    name = f"sessions {filters}"
    after = _place(await open_cursor(call, name, query.cursor)) if query.cursor else None
    cards, following = await listing.list_(
        call.services.database, call.person.tenant_id, filters, after=after, limit=query.limit
    )
    return SessionPage(
        items=[SessionCard(**_card(card)) for card in cards],
        next_cursor=seal_cursor(call, name, _text(following)) if following else None,
    )


async def get_session(call: Call) -> SessionDetail:
    """One session, with who has read its transcript."""
    card = await _readable(call, "session")
    readers = await reads.of(call.services.database, call.person.tenant_id, card.row.id)
    return SessionDetail(
        **_card(card),
        brief_hash=card.row.brief_hash,
        version=card.version,
        readers=[Reader(name=read.name, role=read.role, at=read.at) for read in readers],
    )


async def get_transcript(call: Call) -> Transcript | Response:
    """What was said; that staff reads it is noted first, and the student can see it."""
    card = await _readable(call, "transcript")
    database, person = call.services.database, call.person
    if card.row.student_id != person.id:
        await reads.note(database, person, card.row.id, datetime.now(UTC), call.address or None)
    items = await sessions.items(database, person.tenant_id, card.row.id)
    names = {**transcript.NAMES, "student": card.student_name}
    match call.query.format:
        case "vtt":
            return Response(transcript.as_vtt(items, names), media_type="text/vtt")
        case "text":
            return Response(transcript.as_text(items, names), media_type="text/plain")
    return Transcript.model_validate(transcript.as_json(card.row.id, items))


async def get_summary(call: Call) -> SessionSummary:
    """What the session came to."""
    card = await _readable(call, "summary")
    found = await summaries.get(call.services.database, call.person.tenant_id, card.row.id)
    if found is None:
        return SessionSummary(status="pending")
    return SessionSummary(
        status="ready",
        kind=found.kind,
        narrative=[_sentence(sentence) for sentence in found.narrative],
        next_steps=[_sentence(sentence) for sentence in found.next_steps],
        subjects=list(found.subjects),
        done_well=_sentence(found.done_well) if found.done_well else None,
        practice=list(found.practice),
        engine=found.engine,
    )


async def get_usage(call: Call) -> SessionUsage:
    """What the session used of what costs."""
    card = await _readable(call, "usage")
    found = await sessions.usage_of(call.services.database, call.person.tenant_id, card.row.id)
    return SessionUsage(
        items=[
            UsageEntry(engine=usage.engine, unit=usage.unit, quantity=usage.quantity)
            for usage in found
        ]
    )


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


async def _readable(call: Call, kind: str) -> Card:
    """The session that the path names, if the caller may read this of it."""
    person, database = call.person, call.services.database
    try:
        session_id = UUID(call.path["id"])
        card = await listing.card(database, person.tenant_id, session_id)
    except (ValueError, SessionUnknown):
        raise Refused(404, "session_not_found", NO_SUCH_SESSION) from None
    if not may(
        person, "read", await care.about(database, kind, person.tenant_id, card.row.student_id)
    ):
        raise Refused(404, "session_not_found", NO_SUCH_SESSION)
    return card


def _card(card: Card) -> dict[str, Any]:
    row = card.row
    return {
        "id": row.id,
        "lesson": LessonName(id=row.lesson_id, slug=card.lesson_slug, title=card.lesson_title),
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
    }


def _sentence(sentence: Sentence) -> SummarySentence:
    return SummarySentence(text=sentence.text, item_ids=list(sentence.item_ids))


def _text(place: Place) -> str:
    return f"{place.started_at.isoformat()} {place.session_id}"


def _place(text: str) -> Place:
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
        "/sessions/{id}/transcript",
        get_transcript,
        "What was said, and what of it was heard",
        answer=Transcript,
        query=TranscriptQuery,
        media=("text/vtt", "text/plain"),
        refuses=(404,),
    ),
    Route(
        "GET",
        "/sessions/{id}/summary",
        get_summary,
        "What the session came to",
        answer=SessionSummary,
        refuses=(404,),
    ),
    Route(
        "GET",
        "/sessions/{id}/usage",
        get_usage,
        "What the session used",
        answer=SessionUsage,
        refuses=(404,),
    ),
)
