"""Who did what, over HTTP. It holds ids and words of ours, never what somebody said or wrote."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from server.api.cursors import LONGEST, open_cursor, seal_cursor
from server.api.shapes import PersonName, Time
from server.api.table import Call, Model, Route
from tenancy import audit
from tenancy.audit import Entry, Filters
from tenancy.policy import Thing, require

Word = Annotated[str, Field(pattern="^[a-z_]{1,40}$")]


class AuditQuery(Model):
    actor: UUID | None = None
    verb: Word | None = None
    thing: Word | None = None
    from_: Time | None = Field(None, alias="from")
    to: Time | None = None
    "Before this time."
    cursor: str | None = Field(None, max_length=LONGEST)
    limit: int = Field(50, ge=1, le=200)


class AuditEntry(Model):
    """Something that was done. `actor` is null where it was the server's or nobody's we know."""

    seq: int
    at: datetime
    actor: PersonName | None
    verb: str
    thing: str
    thing_id: str
    about: str | None
    "What it is called now, where it is a person or a class."
    detail: dict[str, Any] | None
    address: str | None


class AuditPage(Model):
    """Newest first."""

    items: list[AuditEntry]
    next_cursor: str | None


async def list_audit(call: Call) -> AuditPage:
    """The audit log."""
    person, query = call.person, call.query
    require(person, "read", Thing("audit", person.tenant_id))
    filters = Filters(query.actor, query.verb, query.thing, query.from_, query.to)
    name = f"audit {filters}"
    before = int(await open_cursor(call, name, query.cursor)) if query.cursor else None
    found, following = await audit.list_(
        call.services.database, person.tenant_id, filters, before=before, limit=query.limit
    )
    return AuditPage(
        items=[_entry(entry) for entry in found],
        next_cursor=seal_cursor(call, name, str(following)) if following else None,
    )


def _entry(entry: Entry) -> AuditEntry:
    actor = None
    if entry.actor_id is not None and entry.actor is not None:
        actor = PersonName(id=entry.actor_id, name=entry.actor)
    return AuditEntry(
        seq=entry.seq,
        at=entry.at,
        actor=actor,
        verb=entry.verb,
        thing=entry.thing,
        thing_id=entry.thing_id,
        about=entry.about,
        detail=dict(entry.detail) if entry.detail is not None else None,
        address=entry.address,
    )


ROUTES: tuple[Route, ...] = (
    Route("GET", "/audit", list_audit, "Who did what", answer=AuditPage, query=AuditQuery),
)
