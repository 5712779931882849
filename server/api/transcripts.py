"""What was said in a session, what it came to, and what the tutor was told: as it is read now.

That staff reads a student's words is noted first, and the student can see it.
"""

from datetime import UTC, datetime
from typing import Literal
from uuid import UUID

from pydantic import Field
from starlette.responses import Response

from server.api import records
from server.api.shapes import PersonName
from server.api.table import Call, Model, Route
from sessions.lessons.brief import read_brief
from sessions.record import reads, sessions, summaries, transcript
from sessions.record.listing import Card
from sessions.record.model import ItemStatus, Kind, Role, Speaker, SummaryKind
from sessions.review import reasons as review
from sessions.review import rows
from sessions.review.families import is_private
from sessions.review.readings import SentenceReading, SummaryReading, of_items, of_summary


class TranscriptQuery(Model):
    format: Literal["json", "vtt", "text"] = "json"


class Recorded(Model):
    """What was recorded, before anybody corrected it."""

    said: str | None
    speaker: Speaker


class Correction(Model):
    """What somebody corrected, and why."""

    id: UUID
    kind: review.Kind
    text: str | None
    "Null for `speaker`: that stands in the item."
    by: PersonName
    at: datetime
    reasons: list[str]
    note: str | None
    "For staff."


class ToolUse(Model):
    """A tool that the tutor used."""

    name: str
    words: str | None
    "What was asked, and what came of it: for staff."


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
    tool: ToolUse | None
    original: Recorded | None
    "Where the words or the speaker were corrected."
    correction: Correction | None
    "The one to show: the answer that should have been given, else the newest."
    corrections: list[Correction]
    "All that are in force, newest first."


class Transcript(Model):
    session_id: UUID
    items: list[TranscriptItem]


class Brief(Model):
    """What the tutor was told for a session."""

    hash: str
    version: int | None
    "Of the lesson; null for a trial of a draft."
    text: str


class SummarySentence(Model):
    """What the summary says, and the items it rests on."""

    id: str
    text: str
    item_ids: list[str]
    original: str | None
    "What it said before it was corrected."
    correction: Correction | None


class PastCorrection(Model):
    """A correction of what an earlier summary said, and this one says no more."""

    id: str
    "The sentence's, in that summary."
    original: str | None
    correction: Correction


class SessionSummary(Model):
    """`pending` until the session is over and the summary made."""

    status: Literal["ready", "pending"]
    number: int | None = None
    "Made anew, it has the next one."
    made_at: datetime | None = None
    stale: bool = False
    "Something of the transcript was corrected since."
    kind: SummaryKind | None = None
    narrative: list[SummarySentence] = Field(default_factory=list)
    next_steps: list[SummarySentence] = Field(default_factory=list)
    subjects: list[str] = Field(default_factory=list)
    done_well: SummarySentence | None = None
    practice: list[str] = Field(default_factory=list)
    engine: str | None = None
    past_corrections: list[PastCorrection] = Field(default_factory=list)


class Renewing(Model):
    status: Literal["pending"]


class UsageEntry(Model):
    engine: str
    model: str
    "Empty for what runs on this server."
    unit: str
    quantity: int


class SessionUsage(Model):
    items: list[UsageEntry]


async def get_transcript(call: Call) -> Transcript | Response:
    """What was said, as it is read now."""
    card = await records.find(call, "transcript")
    await note_reading(call, card)
    database, tenant_id = call.services.database, call.person.tenant_id
    items = await sessions.items(database, tenant_id, card.row.id)
    readings = of_items(items, await rows.of(database, tenant_id, card.row.id))
    names = {**transcript.NAMES, "student": card.student_name}
    notes = records.is_staff_to(call, await records.about(call, card, "transcript"))
    match call.query.format:
        case "vtt":
            written = transcript.as_vtt(readings, names, notes=notes)
            return Response(written, media_type="text/vtt")
        case "text":
            written = transcript.as_text(readings, names, notes=notes)
            return Response(written, media_type="text/plain")
    return Transcript.model_validate(transcript.as_json(card.row.id, readings, notes=notes))


async def get_brief(call: Call) -> Brief:
    """What the tutor was told for a session."""
    card = await records.find(call, "brief")
    await note_reading(call, card)
    database, tenant_id = call.services.database, call.person.tenant_id
    kept = await sessions.brief_text(database, tenant_id, card.row.brief_hash)
    return Brief(hash=card.row.brief_hash, version=card.version, text=read_brief(kept).instructions)


async def get_summary(call: Call) -> SessionSummary:
    """What the session came to, as it is read now. It may quote what the student said."""
    card = await records.find(call, "summary")
    database, tenant_id = call.services.database, call.person.tenant_id
    kept = await summaries.get(database, tenant_id, card.row.id)
    if kept is None:
        return SessionSummary(status="pending")
    if kept.summary.kind != "no_transcript":
        await note_reading(call, card)
    overrides = await rows.of(database, tenant_id, card.row.id)
    thing = await records.about(call, card, "summary")
    return shown(
        of_summary(kept.summary, kept.number, kept.made_at, overrides, card.reviewed),
        records.is_staff_to(call, thing),
        private=records.reads_words(call, thing),
    )


async def renew_summary(call: Call) -> Renewing:
    """Have the summary made anew, from the transcript as it is corrected now."""
    card = await records.find(call, "summary", "renew")
    records.require_over(card)
    services, person = call.services, call.person
    await sessions.renew_summary(
        services.database, person, card.row.id, address=call.address or None
    )
    services.worker.wake()
    return Renewing(status="pending")


async def get_usage(call: Call) -> SessionUsage:
    """What the session used of what costs."""
    card = await records.find(call, "usage")
    found = await sessions.usage_of(call.services.database, call.person.tenant_id, card.row.id)
    return SessionUsage(
        items=[
            UsageEntry(
                engine=usage.engine, model=usage.model, unit=usage.unit, quantity=usage.quantity
            )
            for usage in found
        ]
    )


async def note_reading(call: Call, card: Card) -> None:
    """Note that somebody of the school reads a student's words, for the student to see."""
    if card.row.student_id != call.person.id and reads.is_staff(call.person):
        await reads.note(
            call.services.database,
            call.person,
            card.row.id,
            datetime.now(UTC),
            call.address or None,
        )


def shown(reading: SummaryReading, notes: bool, *, private: bool = True) -> SessionSummary:
    """A summary as readers get it.

    Args:
        notes: Whether to show the notes of corrections; for staff.
        private: Whether to show what was taken out because it was private; not for families.
    """
    summary = reading.summary
    return SessionSummary(
        status="ready",
        number=reading.number,
        made_at=reading.made_at,
        stale=reading.stale,
        kind=summary.kind,
        narrative=[sentence(each, notes, private) for each in reading.narrative],
        next_steps=[sentence(each, notes, private) for each in reading.next_steps],
        subjects=list(summary.subjects),
        done_well=sentence(reading.done_well, notes, private) if reading.done_well else None,
        practice=list(summary.practice),
        engine=summary.engine,
        past_corrections=[
            PastCorrection(
                id=one.target.id,
                original=one.original.text if private or not is_private(one) else None,
                correction=Correction.model_validate(transcript.correction(one, notes)),
            )
            for one in reading.past
        ],
    )


def sentence(reading: SentenceReading, notes: bool, private: bool = True) -> SummarySentence:
    """A sentence of a summary as readers get it; see `shown`."""
    override = reading.override
    hidden = override is None or (is_private(override) and not private)
    return SummarySentence(
        id=str(reading.place),
        text=reading.text,
        item_ids=list(reading.item_ids),
        original=None if hidden else reading.original,
        correction=Correction.model_validate(transcript.correction(override, notes))
        if override
        else None,
    )


ROUTES: tuple[Route, ...] = (
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
        "/sessions/{id}/brief",
        get_brief,
        "What the tutor was told",
        answer=Brief,
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
        "POST",
        "/sessions/{id}/summary/renew",
        renew_summary,
        "Have the summary made anew",
        answer=Renewing,
        refuses=(404, 409),
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
