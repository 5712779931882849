"""The session that a path names, if the caller may do with it what they ask.

Whatever the caller may not see is not there: the answer is the same as for an id that never was.
What they see but may not change is refused with the reason.
"""

from dataclasses import replace
from uuid import UUID

from server.api.table import Call
from server.errors import Refused
from sessions.errors import SessionUnknown
from sessions.record import listing
from sessions.record.listing import Card
from tenancy import care
from tenancy.policy import Thing, may, require

NO_SUCH_SESSION = (
    "There is no such session for you. GET /api/v1/sessions lists those that you may read."
)
NOT_OVER = "This session is still running. Wait until it is over."


async def find(call: Call, kind: str, verb: str = "read") -> Card:
    """The session of the path, if the caller may `verb` its `kind`.

    Raises:
        Refused: 404, if they may not even read that of it.
        NotAllowed: If they may read it, but not do this.
    """
    try:
        session_id = UUID(call.path["id"])
        card = await listing.card(call.services.database, call.person.tenant_id, session_id)
    except (ValueError, SessionUnknown):
        raise Refused(404, "session_not_found", NO_SUCH_SESSION) from None
    thing = await about(call, card, kind)
    if verb != "read" and may(call.person, "read", thing):
        require(call.person, verb, thing)
    elif not may(call.person, verb, thing):
        raise Refused(404, "session_not_found", NO_SUCH_SESSION)
    return card


async def about(call: Call, card: Card, kind: str) -> Thing:
    """A session's facts, as far as rights depend on them."""
    return await care.about(
        call.services.database,
        kind,
        call.person.tenant_id,
        card.row.student_id,
        reviewed=card.reviewed is not None,
    )


def of_kind(thing: Thing, kind: str) -> Thing:
    """The same student's thing of another kind."""
    return replace(thing, kind=kind)


def is_staff_to(call: Call, thing: Thing) -> bool:
    """Whether the caller sees what is for staff only, such as the notes of corrections."""
    return bool(may(call.person, "write", of_kind(thing, "override")))


def reads_words(call: Call, thing: Thing) -> bool:
    """Whether the caller may read what was said; families read only what it came to."""
    return bool(may(call.person, "read", of_kind(thing, "transcript")))


def require_over(card: Card) -> None:
    """Raises Refused while the session is live."""
    if card.row.status == "live":
        raise Refused(409, "session_live", NOT_OVER)
