"""Who opened whose transcript: noted before it is shown, for the student to see."""

from collections.abc import Iterable
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
    read_id, role = _read_id(reader, session_id, now), _role(reader)

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


async def note_all(
    database: Database, reader: Person, session_ids: Iterable[UUID], now: datetime
) -> None:
    """The same of many sessions at once; what the audit says of that is the caller's to write."""
    ids = list(session_ids)
    read_ids = [_read_id(reader, session_id, now) for session_id in ids]

    async def work(connection: Connection) -> None:
        await connection.execute(
            _QUERIES["note_reads"],
            reader.tenant_id,
            ids,
            read_ids,
            reader.id,
            _role(reader),
            now,
        )

    await database.run(reader.tenant_id, work)


async def of(database: Database, tenant_id: UUID, session_id: UUID) -> list[Read]:
    """Who opened a session's transcript, newest first."""
    async with database.transaction(tenant_id) as connection:
        rows = await connection.fetch(_QUERIES["reads_of"], tenant_id, session_id)
    return [Read(row["name"], row["role"], row["at"]) for row in rows]


def _read_id(reader: Person, session_id: UUID, now: datetime) -> UUID:
    """One a person, session and hour."""
    hour = now.replace(minute=0, second=0, microsecond=0)
    return uuid5(session_id, f"{reader.id} {hour.isoformat()}")


def _role(reader: Person) -> Role:
    return next(role for role in _STAFF if role in reader.roles)
