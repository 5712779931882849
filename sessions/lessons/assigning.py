"""To whom a lesson is assigned: students, classes or everyone, from when, and due when.

What is taken away, or not yet begun, is in nobody's list; a session that runs goes on all the same.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sessions.bus import Bus, school_topic
from sessions.errors import LessonUnknown
from sessions.news import LessonChanged
from tenancy import audit
from tenancy.audit import By
from tenancy.errors import InTheWay, NotThere, Unfit
from tenancy.ids import new_id
from tenancy.model import Name
from tenancy.postgres import Connection, Database
from tenancy.sql import load

WHAT, LIST = "assignment of this lesson", "school/lessons/{id}/assignments"
_QUERIES = load(__package__, "assigning.sql")


@dataclass(frozen=True, slots=True)
class Target:
    """A class, a student, or with neither everyone at the school."""

    class_id: UUID | None = None
    student_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Dates:
    """From when it is in lists, and until when it should be done; None: always, whenever."""

    starts_at: datetime | None = None
    due_at: datetime | None = None

    def __post_init__(self) -> None:
        if self.starts_at and self.due_at and self.due_at <= self.starts_at:
            raise Unfit("It would be due before it begins. Choose a later due time.")


@dataclass(frozen=True, slots=True)
class Assignment:
    """A lesson is assigned to somebody."""

    id: UUID
    class_: Name | None
    student: Name | None
    dates: Dates

    @property
    def everyone(self) -> bool:
        return self.class_ is None and self.student is None


async def of(database: Database, tenant_id: UUID, lesson_id: UUID) -> list[Assignment]:
    """To whom a lesson is assigned; nobody where there is no such lesson."""
    async with database.transaction(tenant_id) as connection:
        rows = await connection.fetch(_QUERIES["assignments_of"], tenant_id, lesson_id)
    return [_read(row) for row in rows]


async def due_for(
    connection: Connection, tenant_id: UUID, lesson_id: UUID, person_id: UUID
) -> list[datetime | None]:
    """A due time for each reason why somebody may take a lesson at present; none: they may not."""
    rows = await connection.fetch(
        _QUERIES["assigned_to"], tenant_id, lesson_id, person_id, datetime.now(UTC)
    )
    return [row["due_at"] for row in rows]


async def add(
    database: Database,
    bus: Bus,
    tenant_id: UUID,
    lesson_id: UUID,
    target: Target,
    dates: Dates,
    *,
    by: By,
) -> Assignment:
    """Assign a lesson.

    Raises:
        LessonUnknown: If the school has no such lesson.
        Unfit: If there is no such class or student to assign it to.
        InTheWay: If they have it already.
    """

    async def work(connection: Connection) -> UUID:
        await _check(connection, tenant_id, target)
        made = await give(connection, tenant_id, lesson_id, target, dates, by=by)
        if made is None:
            raise InTheWay("They have this lesson already. Change the dates of that assignment.")
        return made

    made = await database.run(tenant_id, work)
    bus.publish(school_topic(tenant_id), LessonChanged(lesson_id, by=by.person_id))
    return next(one for one in await of(database, tenant_id, lesson_id) if one.id == made)


async def give(
    connection: Connection,
    tenant_id: UUID,
    lesson_id: UUID,
    target: Target,
    dates: Dates,
    *,
    by: By,
) -> UUID | None:
    """The assignment's id; None where they have it already. Raises LessonUnknown."""
    if not await connection.fetchval(_QUERIES["hold_lesson"], tenant_id, lesson_id):
        raise LessonUnknown(str(lesson_id))
    made: UUID | None = await connection.fetchval(
        _QUERIES["assign"],
        tenant_id, new_id(), lesson_id, target.class_id, target.student_id,
        dates.starts_at, dates.due_at, by.person_id, datetime.now(UTC),
    )  # fmt: skip
    if made is not None:
        await _note(connection, tenant_id, lesson_id, "assign", target, by)
    return made


async def change(
    database: Database,
    bus: Bus,
    tenant_id: UUID,
    lesson_id: UUID,
    assignment_id: UUID,
    changes: Mapping[str, datetime | None],
    *,
    by: By,
) -> Assignment:
    """Give other dates: those that `changes` names.

    Raises:
        NotThere: If the lesson has none of this id.
        Unfit: If it would be due before it begins.
    """

    async def work(connection: Connection) -> None:
        row = await connection.fetchrow(_QUERIES["dates"], tenant_id, lesson_id, assignment_id)
        if row is None:
            raise NotThere(WHAT, LIST)
        dates = Dates(**{**row, **changes})
        await connection.execute(
            _QUERIES["change_dates"],
            *(tenant_id, lesson_id, assignment_id, dates.starts_at, dates.due_at),
        )
        await _note(connection, tenant_id, lesson_id, "change_dates", assignment_id, by)

    await database.run(tenant_id, work)
    bus.publish(school_topic(tenant_id), LessonChanged(lesson_id, by=by.person_id))
    found = await of(database, tenant_id, lesson_id)
    changed = next((one for one in found if one.id == assignment_id), None)
    if changed is None:
        raise NotThere(WHAT, LIST)
    return changed


async def remove(
    database: Database, bus: Bus, tenant_id: UUID, lesson_id: UUID, assignment_id: UUID, *, by: By
) -> None:
    """Take a lesson away from whom it was assigned to. Raises NotThere."""

    async def work(connection: Connection) -> None:
        gone = await connection.fetchval(_QUERIES["take_away"], tenant_id, lesson_id, assignment_id)
        if gone is None:
            raise NotThere(WHAT, LIST)
        await _note(connection, tenant_id, lesson_id, "take_away", assignment_id, by)

    await database.run(tenant_id, work)
    bus.publish(school_topic(tenant_id), LessonChanged(lesson_id, by=by.person_id))


async def _check(connection: Connection, tenant_id: UUID, target: Target) -> None:
    if target.class_id and not await connection.fetchval(
        _QUERIES["is_class"], tenant_id, target.class_id
    ):
        raise Unfit("There is no such class at your school. GET /api/v1/classes lists them.")
    if target.student_id and not await connection.fetchval(
        _QUERIES["is_student"], tenant_id, target.student_id
    ):
        raise Unfit(
            "There is no such student at your school. GET /api/v1/school/students lists them."
        )


async def _note(
    connection: Connection,
    tenant_id: UUID,
    lesson_id: UUID,
    verb: str,
    what: Target | UUID,
    by: By,
) -> None:
    if isinstance(what, Target):
        whom = what.class_id or what.student_id
        detail = {"for": str(whom) if whom else "everyone"}
    else:
        detail = {"assignment": str(what)}
    await audit.note(connection, tenant_id, by, verb, "lesson", lesson_id, detail)


def _read(row: Any) -> Assignment:
    class_id, student_id = row["class_id"], row["student_id"]
    return Assignment(
        row["id"],
        Name(class_id, row["class_name"]) if class_id else None,
        Name(student_id, row["student_name"]) if student_id else None,
        Dates(row["starts_at"], row["due_at"]),
    )
