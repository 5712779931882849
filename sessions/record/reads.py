"""Who opened whose transcript: noted before it is shown, for the student to see."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid5

from tenancy import audit
from tenancy.model import Person, Role
from tenancy.postgres import Connection, Database
from tenancy.sql import load

_STAFF: tuple[Role, ...] = ("admin", "instructor", "tutor")
_QUERIES = load(__package__, "reads.sql")


@dataclass(frozen=True, slots=True)
class Read:
    """Somebody opened a transcript."""

    name: str
    role: str
    at: datetime


def is_staff(reader: Person) -> bool:
    """Whether somebody reads as one of the school; parents read of their own children."""
    return not reader.roles.isdisjoint(_STAFF)


async def note(
    database: Database, reader: Person, session_id: UUID, now: datetime, address: str | None = None
) -> bool:
    """Note that staff opens a session's transcript, at most once per person, session and hour.

    Returns whether this was the hour's first time; only then it goes into the audit too.
    """
    hour = now.replace(minute=0, second=0, microsecond=0)
    read_id = uuid5(session_id, f"{reader.id} {hour.isoformat()}")
    role = next(role for role in _STAFF if role in reader.roles)

    async def work(connection: Connection) -> bool:
        first = await connection.fetchval(
            _QUERIES["note_read"], reader.tenant_id, session_id, read_id, reader.id, role, now
        )
        if first is None:
            return False
        await audit.write(
            connection,
            reader.tenant_id,
            actor=reader.id,
            verb="read",
            thing="transcript",
            thing_id=str(session_id),
            address=address,
        )
        return True

    return await database.run(reader.tenant_id, work)


async def of(database: Database, tenant_id: UUID, session_id: UUID) -> list[Read]:
    """Who opened a session's transcript, newest first."""
    async with database.transaction(tenant_id) as connection:
        rows = await connection.fetch(_QUERIES["reads_of"], tenant_id, session_id)
    return [Read(row["name"], row["role"], row["at"]) for row in rows]
