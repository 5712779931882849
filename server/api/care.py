"""Which tutor looks after which student, over HTTP."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import Field

from server.api import office
from server.api.cursors import LONGEST, open_cursor, seal_cursor
from server.api.office import by, id_in, manages
from server.api.shapes import PersonName, Time
from server.api.table import Call, Model, Route
from tenancy import assignments
from tenancy.assignments import Assignment, Filters, Place

Status = Literal["active", "paused", "completed"]


class CareQuery(Model):
    tutor: UUID | None = None
    student: UUID | None = None
    status: Status | None = None
    order: Literal["tutor", "student"] = "tutor"
    "Whose names the list goes by."
    cursor: str | None = Field(None, max_length=LONGEST)
    limit: int = Field(50, ge=1, le=200)


class TutorAssignment(Model):
    """A tutor looks after a student."""

    id: UUID
    tutor: PersonName
    student: PersonName
    subject: str | None
    "Null: in everything."
    status: Status
    starts_at: datetime
    ends_at: datetime | None


class TutorAssignmentPage(Model):
    items: list[TutorAssignment]
    next_cursor: str | None


class CareToCreate(Model):
    tutor_id: UUID
    student_id: UUID
    subject: office.Subject | None = None
    starts_at: Time | None = None
    "Left out: now."
    ends_at: Time | None = None


class CareChange(Model):
    """What is left out stays; null clears `ends_at` and `subject`."""

    status: Status | None = None
    ends_at: Time | None = None
    subject: office.Subject | None = None


async def list_care(call: Call) -> TutorAssignmentPage:
    """Who looks after whom."""
    tenant_id, query = manages(call, "assignment"), call.query
    filters = Filters(query.tutor, query.student, query.status)
    name = f"care {query.order} {filters}"
    after = _place(await open_cursor(call, name, query.cursor)) if query.cursor else None
    found, following = await assignments.list_(
        call.services.database,
        tenant_id,
        filters,
        by_student=query.order == "student",
        after=after,
        limit=query.limit,
    )
    return TutorAssignmentPage(
        items=[_assignment(one) for one in found],
        next_cursor=seal_cursor(call, name, _text(following)) if following else None,
    )


async def create_care(call: Call) -> TutorAssignment:
    """A tutor looks after a student."""
    tenant_id, body = manages(call, "assignment"), call.body
    return _assignment(
        await assignments.create(
            call.services.database,
            tenant_id,
            body.tutor_id,
            body.student_id,
            subject=body.subject,
            starts_at=body.starts_at,
            ends_at=body.ends_at,
            by=by(call),
        )
    )


async def change_care(call: Call) -> TutorAssignment:
    """Pause it, let it go on, complete it; other dates, another subject."""
    tenant_id, body = manages(call, "assignment"), call.body
    cleared = {
        name
        for name in ("ends_at", "subject")
        if name in body.model_fields_set and getattr(body, name) is None
    }
    changed = await assignments.change(
        call.services.database,
        tenant_id,
        id_in(call, "assignment", "assignments"),
        status=body.status,
        subject=body.subject,
        ends_at=body.ends_at,
        clear=frozenset(cleared),
        by=by(call),
    )
    return _assignment(changed)


def _assignment(one: Assignment) -> TutorAssignment:
    return TutorAssignment(
        id=one.id,
        tutor=PersonName(id=one.tutor.id, name=one.tutor.name),
        student=PersonName(id=one.student.id, name=one.student.name),
        subject=one.subject,
        status=one.status,
        starts_at=one.starts_at,
        ends_at=one.ends_at,
    )


def _text(place: Place) -> str:
    return f"{place.id}\n{place.first}\n{place.second}"


def _place(text: str) -> Place:
    id, first, second = text.split("\n")
    return Place(first, second, UUID(id))


ROUTES: tuple[Route, ...] = (
    Route(
        "GET",
        "/assignments",
        list_care,
        "Which tutor looks after which student",
        answer=TutorAssignmentPage,
        query=CareQuery,
    ),
    Route(
        "POST",
        "/assignments",
        create_care,
        "Have a tutor look after a student",
        answer=TutorAssignment,
        body=CareToCreate,
        refuses=(404, 409, 422),
    ),
    Route(
        "PATCH",
        "/assignments/{id}",
        change_care,
        "Pause, go on with or complete it",
        answer=TutorAssignment,
        body=CareChange,
        refuses=(404, 409, 422),
    ),
)
