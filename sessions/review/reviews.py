"""Sessions are marked as reviewed, and the mark taken back."""

from typing import Any
from uuid import UUID

from sessions.bus import Bus, school_topic
from sessions.jobs import utc_now
from sessions.news import SessionReviewed
from tenancy import audit
from tenancy.model import Person
from tenancy.postgres import Connection, Database
from tenancy.sql import load

_QUERIES = load(__package__, "reviews.sql")


async def mark(
    database: Database,
    bus: Bus,
    reviewer: Person,
    session_id: UUID,
    reviewed: bool,
    *,
    address: str | None = None,
) -> bool:
    """Mark a session that is over as reviewed, or take that back.

    Returns whether that changed anything; who marked it first stays.
    """
    tenant_id = reviewer.tenant_id

    async def work(connection: Connection) -> Any:
        if reviewed:
            changed = await connection.fetchval(
                _QUERIES["mark_reviewed"], tenant_id, session_id, reviewer.id, utc_now()
            )
        else:
            changed = await connection.fetchval(_QUERIES["take_back"], tenant_id, session_id)
        if changed is None:
            return None
        row = await connection.fetchrow(_QUERIES["copy_mark"], tenant_id, session_id, reviewed)
        await audit.write(
            connection,
            tenant_id,
            actor=reviewer.id,
            verb="review" if reviewed else "unreview",
            thing="session",
            thing_id=str(session_id),
            address=address,
        )
        return row

    row = await database.run(tenant_id, work)
    if row is not None and not row["sandbox"]:
        news = SessionReviewed(session_id, row["student_id"])
        bus.publish(school_topic(tenant_id), news)
    return row is not None
