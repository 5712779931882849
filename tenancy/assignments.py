"""Which tutor looks after which student, in what, and from when to when.

What an assignment gives a tutor ends with it: see `tenancy.care`. A completed one stays so.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal
from uuid import UUID

from tenancy import audit, people
from tenancy.audit import By
from tenancy.errors import InTheWay, NotThere, Unfit
from tenancy.ids import new_id
from tenancy.model import Name
from tenancy.postgres import Connection, Database
from tenancy.sql import load

Status = Literal["active", "paused", "completed"]

_QUERIES = load(__package__, "assignments.sql")


@dataclass(frozen=True, slots=True)
class Assignment:
    """A tutor looks after a student."""

    id: UUID
    tutor: Name
    student: Name
    subject: str | None
    "None: in everything."
    status: Status
    starts_at: datetime
    ends_at: datetime | None


@dataclass(frozen=True, slots=True)
class Filters:
    """What None stands in does not filter."""

    tutor_id: UUID | None = None
    student_id: UUID | None = None
    status: Status | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page of the list ended."""

    first: str
    second: str
    "The names it is ordered by, in small letters."
    id: UUID


async def list_(
    database: Database,
    tenant_id: UUID,
    filters: Filters,
    *,
    by_student: bool = False,
    after: Place | None = None,
    limit: int,
) -> tuple[list[Assignment], Place | None]:
    """A page of assignments, by the tutor's name, or by the student's."""
    place = (after.first, after.second, after.id) if after else (None, None, None)
    async with database.transaction(tenant_id) as connection:
        rows = await connection.fetch(
            _QUERIES["list"],
            tenant_id,
            filters.tutor_id,
            filters.student_id,
            filters.status,
            by_student,
            *place,
            limit + 1,
        )
    found = [_read(row) for row in rows[:limit]]
    if len(rows) <= limit:
        return found, None
    last = rows[limit - 1]
    return found, Place(last["first"], last["second"], last["id"])


async def get(database: Database, tenant_id: UUID, assignment_id: UUID) -> Assignment:
    """One assignment.

    Raises:
        NotThere: If the school has none of this id.
    """
    async with database.transaction(tenant_id) as connection:
        return await _get(connection, tenant_id, assignment_id)


async def create(
    database: Database,
    tenant_id: UUID,
    tutor_id: UUID,
    student_id: UUID,
    *,
    subject: str | None = None,
    starts_at: datetime | None = None,
    ends_at: datetime | None = None,
    by: By,
) -> Assignment:
    """A tutor looks after a student, from now on where no date is given.

    Raises:
        NotThere: If there is no such person; Unfit: If they are not tutor and student.
        InTheWay: If the tutor does so already, in this subject.
    """
    assignment_id, now = new_id(), datetime.now(UTC)
    _check_dates(starts_at or now, ends_at)

    async def work(connection: Connection) -> Assignment:
        tutor = await people.fit(connection, tenant_id, tutor_id, "tutor")
        student = await people.fit(connection, tenant_id, student_id, "student")
        if tutor_id == student_id:
            raise Unfit("Nobody looks after themselves. Choose another tutor.")
        query = _QUERIES["same"]
        if await connection.fetchval(query, tenant_id, tutor_id, student_id, subject, now):
            raise InTheWay(f"{tutor.name} looks after {student.name} in this already.")
        await connection.execute(
            _QUERIES["insert"],
            *(tenant_id, assignment_id, tutor_id, student_id, subject, starts_at or now, ends_at),
        )
        bond = {"tutor": str(tutor_id), "student": str(student_id)}
        await audit.note(connection, tenant_id, by, "create", "assignment", assignment_id, bond)
        return await _get(connection, tenant_id, assignment_id)

    return await database.run(tenant_id, work)


async def change(
    database: Database,
    tenant_id: UUID,
    assignment_id: UUID,
    *,
    status: Status | None = None,
    subject: str | None = None,
    ends_at: datetime | None = None,
    clear: frozenset[str] = frozenset(),
    by: By,
) -> Assignment:
    """Pause an assignment, let it go on, complete it; None leaves as it is.

    Args:
        clear: Of `subject` and `ends_at`, what shall be empty from now on.

    Raises:
        NotThere: If the school has none of this id; InTheWay: If it is completed.
    """
    now = datetime.now(UTC)

    async def work(connection: Connection) -> Assignment:
        if not await connection.fetchval(_QUERIES["hold"], tenant_id, assignment_id):
            raise _unknown()
        before = await _get(connection, tenant_id, assignment_id)
        if before.status == "completed":
            raise InTheWay("This is completed and stays so. Make a new assignment instead.")
        _check_dates(before.starts_at, ends_at)
        end = None if "ends_at" in clear else ends_at or before.ends_at
        if status == "completed":
            end = min(end or now, now)
        await connection.execute(
            _QUERIES["change"],
            tenant_id,
            assignment_id,
            status or before.status,
            None if "subject" in clear else subject or before.subject,
            end,
        )
        detail = {"status": status} if status else {}
        await audit.note(connection, tenant_id, by, "change", "assignment", assignment_id, detail)
        return await _get(connection, tenant_id, assignment_id)

    return await database.run(tenant_id, work)


def _check_dates(starts_at: datetime, ends_at: datetime | None) -> None:
    if ends_at is not None and ends_at <= starts_at:
        raise Unfit("It would end before it begins. Choose a later end.")


async def _get(connection: Connection, tenant_id: UUID, assignment_id: UUID) -> Assignment:
    row = await connection.fetchrow(_QUERIES["one"], tenant_id, assignment_id)
    if row is None:
        raise _unknown()
    return _read(row)


def _unknown() -> NotThere:
    return NotThere("assignment", "assignments")


def _read(row: Any) -> Assignment:
    return Assignment(
        row["id"],
        Name(row["tutor_id"], row["tutor"]),
        Name(row["student_id"], row["student"]),
        row["subject"],
        row["status"],
        row["starts_at"],
        row["ends_at"],
    )
