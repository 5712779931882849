"""How a session was, said by the student who was there. Comments are sealed."""

from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from tenancy import audit
from tenancy.model import Person
from tenancy.postgres import Connection, Database
from tenancy.sql import load

COMMENT_CHARACTERS = 2_000
_QUERIES = load(__package__, "feedback.sql")


@dataclass(frozen=True, slots=True)
class Feedback:
    """Whether it helped, and what else there is to say."""

    helpful: bool
    comment: str | None


async def give(
    database: Database,
    person: Person,
    session_id: UUID,
    feedback: Feedback,
    *,
    address: str | None = None,
) -> None:
    """Keep what the student says of their session; said again, the last word counts."""
    tenant_id = person.tenant_id

    async def work(connection: Connection) -> None:
        comment = feedback.comment
        await connection.execute(
            _QUERIES["give_feedback"],
            tenant_id,
            session_id,
            person.id,
            feedback.helpful,
            database.seal(tenant_id, "feedback", _place(session_id, person.id), comment)
            if comment
            else None,
            datetime.now(UTC),
        )
        thumbs = "up" if feedback.helpful else "down"
        await connection.execute(_QUERIES["copy_thumbs"], tenant_id, session_id, person.id, thumbs)
        await audit.write(
            connection,
            tenant_id,
            actor=person.id,
            verb="rate",
            thing="session",
            thing_id=str(session_id),
            address=address,
        )

    await database.run(tenant_id, work)


async def of(
    database: Database, tenant_id: UUID, session_id: UUID, person_id: UUID
) -> Feedback | None:
    """What somebody said of a session; None: nothing yet."""
    async with database.transaction(tenant_id) as connection:
        row = await connection.fetchrow(_QUERIES["feedback_of"], tenant_id, session_id, person_id)
    if row is None:
        return None
    comment = row["comment"]
    if comment is not None:
        comment = database.unseal(tenant_id, "feedback", _place(session_id, person_id), comment)
    return Feedback(row["helpful"], comment)


def _place(session_id: UUID, person_id: UUID) -> str:
    return f"{session_id}/{person_id}"
