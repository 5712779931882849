"""What people make of a session: reviewed or not, and how its student found it."""

from typing import Annotated
from uuid import UUID

from pydantic import Field

from server.api import records
from server.api.sessions import Feedback, Reviewed
from server.api.sessions import reviewed as shown_mark
from server.api.table import Call, Model, Route
from sessions.record import feedback, listing
from sessions.record.feedback import COMMENT_CHARACTERS
from sessions.review import reviews
from sessions.review.reasons import REASONS, Kind


class Reason(Model):
    """A reason for a correction."""

    code: str
    words: str
    kinds: list[Kind]
    "The kinds of corrections that it fits."


class Reasons(Model):
    items: list[Reason]


class Mark(Model):
    reviewed: bool


class Marked(Model):
    reviewed: Reviewed | None


class NewFeedback(Model):
    helpful: bool
    comment: Annotated[str, Field(max_length=COMMENT_CHARACTERS)] | None = None


async def list_reasons(call: Call) -> Reasons:
    """Why something may be corrected."""
    return Reasons(
        items=[
            Reason(code=reason.code, words=reason.words, kinds=list(reason.kinds))
            for reason in REASONS
        ]
    )


async def review_session(call: Call) -> Marked:
    """Mark a session that is over as reviewed, or take that back; who was first stays."""
    card = await records.find(call, "session", "review")
    if call.body.reviewed:
        records.require_over(card)
    services, person = call.services, call.person
    await reviews.mark(
        services.database,
        services.bus,
        person,
        card.row.id,
        call.body.reviewed,
        address=call.address or None,
    )
    return await _marked(call, card.row.id)


async def give_feedback(call: Call) -> Feedback:
    """Say how one's session was; said again, the last word counts."""
    card = await records.find(call, "session", "rate")
    given = feedback.Feedback(call.body.helpful, (call.body.comment or "").strip() or None)
    await feedback.give(
        call.services.database, call.person, card.row.id, given, address=call.address or None
    )
    return Feedback(helpful=given.helpful, comment=given.comment)


async def _marked(call: Call, session_id: UUID) -> Marked:
    card = await listing.card(call.services.database, call.person.tenant_id, session_id)
    return Marked(reviewed=shown_mark(card.reviewed))


ROUTES: tuple[Route, ...] = (
    Route("GET", "/reasons", list_reasons, "Why something may be corrected", answer=Reasons),
    Route(
        "POST",
        "/sessions/{id}/review",
        review_session,
        "Mark a session as reviewed, or take that back",
        answer=Marked,
        body=Mark,
        refuses=(404, 409),
    ),
    Route(
        "PUT",
        "/sessions/{id}/feedback",
        give_feedback,
        "Say how one's own session was",
        answer=Feedback,
        body=NewFeedback,
        refuses=(404,),
    ),
)
