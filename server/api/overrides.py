"""Corrections over HTTP: drafted, changed, dropped, published, listed.

The published ones are everyone's who may read the session's summary, though what was taken out
because it was private is not shown to families. Drafts are their author's, notes for staff.
"""

import contextlib
from collections.abc import Iterator
from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from server.api import records
from server.api.shapes import PersonName
from server.api.table import Call, Model, Route
from server.errors import Refused
from sessions.record.model import Speaker
from sessions.review import overrides, rows
from sessions.review.families import in_force, is_private
from sessions.review.override import (
    Content,
    Override,
    OverrideConflict,
    OverrideError,
    OverrideInvalid,
    OverridePublished,
    OverrideUnknown,
    State,
    SummaryMadeAnew,
    Target,
    TargetUnknown,
    TooManyDrafts,
    states,
)
from sessions.review.reasons import Kind

LONGEST_ID = 200
LONGEST_TEXT = 100_000  # what is too long is refused by the rules, in their words
CODES = 100

REFUSALS: dict[type[OverrideError], tuple[int, str]] = {
    OverrideInvalid: (400, "override_invalid"),
    TargetUnknown: (404, "target_not_found"),
    OverrideUnknown: (404, "override_not_found"),
    SummaryMadeAnew: (409, "summary_renewed"),
    OverridePublished: (409, "override_published"),
    OverrideConflict: (409, "override_conflict"),
    TooManyDrafts: (409, "too_many_drafts"),
}


class OverrideTarget(Model):
    """What is corrected."""

    kind: Kind
    id: str = Field(min_length=1, max_length=LONGEST_ID)
    "An item's id or, for `sentence` and `next_step`, the sentence's in the summary."


class OverrideContent(Model):
    """A text; for the kind `speaker` who spoke."""

    text: Annotated[str, Field(max_length=LONGEST_TEXT)] | None = None
    speaker: Speaker | None = None


class OverrideAs(Model):
    """A correction."""

    id: UUID
    session_id: UUID
    target: OverrideTarget
    original: OverrideContent
    "As it was recorded."
    new: OverrideContent
    reasons: list[str]
    note: str | None
    "For staff."
    author: PersonName
    created_at: datetime
    changed_at: datetime
    published_at: datetime | None
    replaces: UUID | None
    state: State


class OverrideList(Model):
    """In the order they were begun."""

    items: list[OverrideAs]


class NewOverride(Model):
    target: OverrideTarget
    new: OverrideContent
    reasons: list[str] = Field(max_length=CODES)
    note: str | None = Field(None, max_length=LONGEST_TEXT)
    replaces: UUID | None = None
    "The published correction of the same that this one is made on."


class OverrideChange(Model):
    """What is left out stays."""

    new: OverrideContent | None = None
    reasons: Annotated[list[str], Field(max_length=CODES)] | None = None
    note: Annotated[str, Field(max_length=LONGEST_TEXT)] | None = None
    replaces: UUID | None = None


async def list_overrides(call: Call) -> OverrideList:
    """The published ones, and one's own drafts; families see those in force."""
    card = await records.find(call, "override")
    thing = await records.about(call, card, "override")
    staff, reads_words = records.is_staff_to(call, thing), records.reads_words(call, thing)
    author = call.person.id if staff else None
    known = await rows.of(call.services.database, call.person.tenant_id, card.row.id, author)
    state = states(known)
    listed = known if reads_words else in_force(known)
    return OverrideList(
        items=[shown(one, state[one.id], notes=staff, private=reads_words) for one in listed]
    )


async def create_override(call: Call) -> OverrideAs:
    """Begin a correction: a draft that only its author sees."""
    card = await records.find(call, "override", "write")
    body: NewOverride = call.body
    with _refusing():
        made = await overrides.draft(
            call.services.database,
            call.person,
            card.row.id,
            Target(body.target.kind, body.target.id),
            Content(body.new.text, body.new.speaker),
            body.reasons,
            body.note or "",
            body.replaces,
            address=call.address or None,
        )
    return shown(made, "draft")


async def change_override(call: Call) -> OverrideAs:
    """Change one's own draft."""
    card = await records.find(call, "override", "write")
    body: OverrideChange = call.body
    with _refusing():
        made = await overrides.change(
            call.services.database,
            call.person,
            card.row.id,
            _id(call),
            overrides.Change(
                new=Content(body.new.text, body.new.speaker) if body.new else None,
                reasons=None if body.reasons is None else tuple(body.reasons),
                note=body.note,
                replaces=body.replaces,
            ),
            address=call.address or None,
        )
    return shown(made, "draft")


async def drop_override(call: Call) -> None:
    """Throw one's own draft away."""
    card = await records.find(call, "override", "write")
    with _refusing():
        await overrides.drop(
            call.services.database,
            call.person,
            card.row.id,
            _id(call),
            address=call.address or None,
        )


async def publish_override(call: Call) -> OverrideAs:
    """From now on it is what readers get, and it never changes again."""
    card = await records.find(call, "override", "write")
    services, person = call.services, call.person
    with _refusing():
        made = await overrides.publish(
            services.database,
            services.bus,
            person,
            card.row.id,
            _id(call),
            address=call.address or None,
        )
    known = await rows.of(services.database, person.tenant_id, card.row.id)
    return shown(made, states(known)[made.id])


def shown(
    override: Override, state: State, *, notes: bool = True, private: bool = True
) -> OverrideAs:
    """A correction as it is shown: its note to staff, and to families nothing that was private."""
    hidden = is_private(override) and not private
    return OverrideAs(
        id=override.id,
        session_id=override.session_id,
        target=OverrideTarget(kind=override.target.kind, id=override.target.id),
        original=OverrideContent() if hidden else _content(override.original),
        new=_content(override.new),
        reasons=list(override.reasons),
        note=(override.note or None) if notes else None,
        author=PersonName(id=override.author.id, name=override.author.name),
        created_at=override.created_at,
        changed_at=override.changed_at,
        published_at=override.published_at,
        replaces=override.replaces,
        state=state,
    )


def _content(content: Content) -> OverrideContent:
    return OverrideContent(text=content.text, speaker=content.speaker)


def _id(call: Call) -> UUID:
    try:
        return UUID(call.path["override"])
    except ValueError:
        raise OverrideUnknown from None


@contextlib.contextmanager
def _refusing() -> Iterator[None]:
    """Turns what corrections raise into refusals."""
    try:
        yield
    except OverrideConflict as trouble:
        published = trouble.published
        first = shown(published, "published").model_dump(mode="json") if published else None
        status, code = REFUSALS[OverrideConflict]
        raise Refused(status, code, str(trouble), more={"published": first}) from None
    except OverrideError as trouble:
        status, code = REFUSALS[type(trouble)]
        param = trouble.param if isinstance(trouble, OverrideInvalid) else None
        raise Refused(status, code, str(trouble), param=param) from None


ROUTES: tuple[Route, ...] = (
    Route(
        "GET",
        "/sessions/{id}/overrides",
        list_overrides,
        "Corrections of a session",
        answer=OverrideList,
        refuses=(404,),
    ),
    Route(
        "POST",
        "/sessions/{id}/overrides",
        create_override,
        "Begin a correction",
        answer=OverrideAs,
        body=NewOverride,
        refuses=(404, 409),
    ),
    Route(
        "PATCH",
        "/sessions/{id}/overrides/{override}",
        change_override,
        "Change one's draft of a correction",
        answer=OverrideAs,
        body=OverrideChange,
        refuses=(404, 409),
    ),
    Route(
        "DELETE",
        "/sessions/{id}/overrides/{override}",
        drop_override,
        "Drop one's draft of a correction",
        refuses=(404, 409),
    ),
    Route(
        "POST",
        "/sessions/{id}/overrides/{override}/publish",
        publish_override,
        "Publish one's correction",
        answer=OverrideAs,
        refuses=(404, 409),
    ),
)
