"""What parents see of their children's lessons: what they came to, and what of it was corrected.

Another's child is not there, and neither is what the school does not show.
"""

from datetime import datetime
from uuid import UUID

from pydantic import Field

from server.api.cursors import LONGEST, open_cursor, seal_cursor
from server.api.office import id_in
from server.api.sessions import Reviewed, place_in, place_text
from server.api.sessions import reviewed as shown_mark
from server.api.shapes import LessonName, PersonName
from server.api.table import Call, Model, Route
from server.api.transcripts import Correction, sentence
from sessions.review import families
from sessions.review.families import Shown, Total, is_private
from sessions.review.override import Override
from sessions.review.readings import SentenceReading
from sessions.review.reasons import Kind
from tenancy import care
from tenancy.errors import NotThere
from tenancy.policy import Thing, may, require


class ChildCard(Model):
    """A child, and how much there is to see of their lessons."""

    id: UUID
    name: str
    sessions: int
    wall_ms: int
    last_at: datetime | None


class Children(Model):
    """By name."""

    items: list[ChildCard]
    next_cursor: str | None = None
    shows_all: bool
    "Whether lessons are shown before anybody has reviewed them."


class ChildSessionsQuery(Model):
    cursor: str | None = Field(None, max_length=LONGEST)
    limit: int = Field(10, ge=1, le=50)


class FamilyCorrection(Model):
    """What stood there, what stands there now, and who says so."""

    kind: Kind
    was: str | None
    "Null: it could not be understood, or it was private."
    now: str | None
    private: bool
    "It was taken out because it was private, so it is not shown here either."
    by: PersonName
    at: datetime


class FamilySentence(Model):
    """What a summary says."""

    id: str
    text: str
    original: str | None
    "What it said before it was corrected."
    correction: Correction | None


class ChildSession(Model):
    """What a lesson came to; `narrative` is empty while that is not written yet."""

    id: UUID
    lesson: LessonName
    started_at: datetime
    wall_ms: int
    student_speech_ms: int
    step: int
    steps: int
    reviewed: Reviewed | None
    narrative: list[FamilySentence]
    next_steps: list[FamilySentence]
    done_well: FamilySentence | None
    corrections: list[FamilyCorrection]


class ChildSessionPage(Model):
    """Newest first."""

    items: list[ChildSession]
    next_cursor: str | None


async def list_children(call: Call) -> Children:
    """One's children."""
    person, database = call.person, call.services.database
    mine = frozenset({person.id})
    of_a_child = Thing(
        "summary", person.tenant_id, student_id=person.tenant_id, guardian_ids=mine, shown=True
    )
    require(person, "list", of_a_child)
    children = await care.children_of(database, person)
    everything = await care.shows_all(database, person.tenant_id)
    totals = await families.totals(
        database, person.tenant_id, [child.id for child in children], everything=everything
    )
    return Children(
        items=[_child(child, totals.get(child.id, Total())) for child in children],
        shows_all=everything,
    )


async def list_child_sessions(call: Call) -> ChildSessionPage:
    """What a child's lessons came to: those that were reviewed, or all if the school says so."""
    person, database = call.person, call.services.database
    child = id_in(call, "child of yours", "children")
    about = await care.about(database, "summary", person.tenant_id, child, reviewed=True)
    if person.id not in about.guardian_ids or not may(person, "read", about):
        raise NotThere("child of yours", "children")
    everything = await care.shows_all(database, person.tenant_id)
    name = f"child {child} {everything}"
    cursor = call.query.cursor
    page, following = await families.shown(
        database,
        person.tenant_id,
        child,
        everything=everything,
        after=place_in(await open_cursor(call, name, cursor)) if cursor else None,
        limit=call.query.limit,
    )
    return ChildSessionPage(
        items=[_session(shown) for shown in page],
        next_cursor=seal_cursor(call, name, place_text(following)) if following else None,
    )


def _child(child: care.Child, total: Total) -> ChildCard:
    return ChildCard(
        id=child.id,
        name=child.name,
        sessions=total.sessions,
        wall_ms=total.wall_ms,
        last_at=total.last_at,
    )


def _session(shown: Shown) -> ChildSession:
    card, row, summary = shown.card, shown.card.row, shown.summary
    return ChildSession(
        id=row.id,
        lesson=LessonName(id=row.lesson_id, slug=card.lesson_slug, title=card.lesson_title),
        started_at=row.started_at,
        wall_ms=row.durations.wall_ms,
        student_speech_ms=row.durations.student_speech_ms,
        step=min(row.progress.step + 1, row.progress.steps),
        steps=row.progress.steps,
        reviewed=shown_mark(card.reviewed),
        narrative=[_sentence(one) for one in summary.narrative] if summary else [],
        next_steps=[_sentence(one) for one in summary.next_steps] if summary else [],
        done_well=_sentence(summary.done_well) if summary and summary.done_well else None,
        corrections=[_correction(one) for one in shown.corrections],
    )


def _sentence(reading: SentenceReading) -> FamilySentence:
    shown = sentence(reading, notes=False, private=False)
    return FamilySentence(
        id=shown.id, text=shown.text, original=shown.original, correction=shown.correction
    )


def _correction(override: Override) -> FamilyCorrection:
    original, new = override.original, override.new
    return FamilyCorrection(
        kind=override.target.kind,
        was=None if is_private(override) else original.speaker or original.text,
        now=new.speaker or new.text,
        private=is_private(override),
        by=PersonName(id=override.author.id, name=override.author.name),
        at=override.published_at or override.changed_at,
    )


ROUTES: tuple[Route, ...] = (
    Route("GET", "/children", list_children, "One's children", answer=Children),
    Route(
        "GET",
        "/children/{id}/sessions",
        list_child_sessions,
        "What a child's lessons came to",
        answer=ChildSessionPage,
        query=ChildSessionsQuery,
        refuses=(404,),
    ),
)
