"""Over HTTP: to whom a lesson is assigned, from when, and due when."""

from datetime import datetime
from uuid import UUID

from pydantic import Field

from server.api.office import by, id_in
from server.api.shapes import PersonName, Time
from server.api.table import Call, Model, Route
from server.errors import Refused
from sessions.errors import LessonUnknown
from sessions.lessons import assigning, store
from sessions.lessons.assigning import Assignment, Dates, Target
from tenancy.errors import NotThere
from tenancy.policy import Thing, require

ONE_OF = "Say to whom: `everyone`, one `class_id` or one `student_id`."


class LessonAssignment(Model):
    """A lesson is everyone's, a class's or a student's."""

    id: UUID
    everyone: bool
    class_: PersonName | None = Field(serialization_alias="class")
    student: PersonName | None
    starts_at: datetime | None
    due_at: datetime | None


class LessonAssignments(Model):
    """To everyone first, then classes, then students."""

    items: list[LessonAssignment]


class AssignmentToMake(Model):
    everyone: bool = False
    class_id: UUID | None = None
    student_id: UUID | None = None
    starts_at: Time | None = None
    "Before that it is in nobody's list."
    due_at: Time | None = None


class AssignmentChange(Model):
    """What is left out stays; null takes a date away."""

    starts_at: Time | None = None
    due_at: Time | None = None


async def list_lesson_assignments(call: Call) -> LessonAssignments:
    """To whom a lesson is assigned."""
    lesson_id = await _lesson(call)
    found = await assigning.of(call.services.database, call.person.tenant_id, lesson_id)
    return LessonAssignments(items=[_assignment(one) for one in found])


async def assign_lesson(call: Call) -> LessonAssignment:
    """Let somebody take it."""
    lesson_id, body = await _lesson(call), call.body
    if [body.everyone, body.class_id is not None, body.student_id is not None].count(True) != 1:
        raise Refused(400, "invalid_field", ONE_OF)
    made = await assigning.add(
        call.services.database,
        call.services.bus,
        call.person.tenant_id,
        lesson_id,
        Target(body.class_id, body.student_id),
        Dates(body.starts_at, body.due_at),
        by=by(call),
    )
    return _assignment(made)


async def change_lesson_assignment(call: Call) -> LessonAssignment:
    """Other dates."""
    changed = await assigning.change(
        call.services.database,
        call.services.bus,
        call.person.tenant_id,
        await _lesson(call),
        _id(call),
        call.body.model_dump(exclude_unset=True),
        by=by(call),
    )
    return _assignment(changed)


async def take_lesson_away(call: Call) -> None:
    """From whom it was assigned to; a session that runs goes on."""
    await assigning.remove(
        call.services.database,
        call.services.bus,
        call.person.tenant_id,
        await _lesson(call),
        _id(call),
        by=by(call),
    )


async def _lesson(call: Call) -> UUID:
    """The lesson of the path, if the caller may assign it."""
    require(call.person, "assign", Thing("lesson", call.person.tenant_id))
    lesson_id = id_in(call, "lesson", "school/lessons")
    try:
        await store.exists(call.services.database, call.person.tenant_id, lesson_id)
    except LessonUnknown:
        raise NotThere("lesson", "school/lessons") from None
    return lesson_id


def _id(call: Call) -> UUID:
    return id_in(call, assigning.WHAT, assigning.LIST, "assignment")


def _assignment(one: Assignment) -> LessonAssignment:
    return LessonAssignment(
        id=one.id,
        everyone=one.everyone,
        class_=PersonName(id=one.class_.id, name=one.class_.name) if one.class_ else None,
        student=PersonName(id=one.student.id, name=one.student.name) if one.student else None,
        starts_at=one.dates.starts_at,
        due_at=one.dates.due_at,
    )


_PATH = "/school/lessons/{id}/assignments"
ROUTES: tuple[Route, ...] = (
    Route(
        "GET",
        _PATH,
        list_lesson_assignments,
        "To whom a lesson is assigned",
        answer=LessonAssignments,
        refuses=(404,),
    ),
    Route(
        "POST",
        _PATH,
        assign_lesson,
        "Assign a lesson to a class, a student or everyone",
        answer=LessonAssignment,
        body=AssignmentToMake,
        refuses=(404, 409, 422),
    ),
    Route(
        "PATCH",
        _PATH + "/{assignment}",
        change_lesson_assignment,
        "Change the dates of an assignment",
        answer=LessonAssignment,
        body=AssignmentChange,
        refuses=(404, 422),
    ),
    Route(
        "DELETE",
        _PATH + "/{assignment}",
        take_lesson_away,
        "Take an assignment back",
        refuses=(404,),
    ),
)
