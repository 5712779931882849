"""The students of a school over HTTP, for choosing one: names and classes, nothing else."""

from uuid import UUID

from pydantic import Field

from server.api import office
from server.api.cursors import LONGEST, open_cursor, seal_cursor
from server.api.table import Call, Model, Route
from tenancy import care, roster
from tenancy.policy import Thing, require
from tenancy.roster import Filters, Place


class StudentsQuery(Model):
    search: office.Search | None = None
    "Part of a name."
    class_: UUID | None = Field(None, alias="class")
    cursor: str | None = Field(None, max_length=LONGEST)
    limit: int = Field(50, ge=1, le=200)


class Student(Model):
    id: UUID
    name: str
    classes: list[str]


class StudentPage(Model):
    """By name; accounts that are switched off are left out."""

    items: list[Student]
    next_cursor: str | None


async def list_students(call: Call) -> StudentPage:
    """Everybody's for teachers and the office; for tutors those they look after."""
    person, database, query = call.person, call.services.database, call.query
    whose = await care.whose(database, person, "person")
    if whose is not None and not whose:
        require(person, "list", Thing("person", person.tenant_id))
    filters = Filters(whose, "student", "active", query.class_, query.search or None)
    name = f"students {query.class_} {query.search!r}"
    after = _place(await open_cursor(call, name, query.cursor)) if query.cursor else None
    found, following = await roster.list_(
        database, person.tenant_id, filters, after=after, limit=query.limit
    )
    return StudentPage(
        items=[
            Student(id=row.id, name=row.name, classes=[one.name for one in row.classes])
            for row in found
        ],
        next_cursor=seal_cursor(call, name, f"{following.id} {following.name}")
        if following
        else None,
    )


def _place(text: str) -> Place:
    person_id, _, name = text.partition(" ")
    return Place(name, UUID(person_id))


ROUTES: tuple[Route, ...] = (
    Route(
        "GET",
        "/school/students",
        list_students,
        "Students, to choose from",
        answer=StudentPage,
        query=StudentsQuery,
    ),
)
