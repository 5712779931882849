"""Classes over HTTP."""

from typing import Literal
from uuid import UUID

from pydantic import Field

from server.api import office
from server.api.cursors import LONGEST, open_cursor, seal_cursor
from server.api.office import by, id_in, manages
from server.api.table import Call, Model, Route
from tenancy import classes
from tenancy.classes import ClassRow, Place
from tenancy.policy import Thing, require


class ClassesQuery(Model):
    archived: bool | None = None
    cursor: str | None = Field(None, max_length=LONGEST)
    limit: int = Field(200, ge=1, le=500)


class SchoolClass(Model):
    """A group of students with their teachers."""

    id: UUID
    name: str
    students: int
    instructors: int
    archived: bool


class ClassPage(Model):
    """By name."""

    items: list[SchoolClass]
    next_cursor: str | None


class ClassMember(Model):
    id: UUID
    name: str
    role: Literal["student", "instructor"]


class ClassDetail(SchoolClass):
    members: list[ClassMember]
    "Teachers first."


class ClassToCreate(Model):
    name: office.ClassName


class ClassChange(Model):
    """What is left out stays."""

    name: office.ClassName | None = None
    archived: bool | None = None


class Membership(Model):
    role: Literal["student", "instructor"] | None = None
    "Left out: as what they are; who teaches, as a teacher."


async def list_classes(call: Call) -> ClassPage:
    """The classes of the school."""
    person, database, query = call.person, call.services.database, call.query
    require(person, "list", Thing("class", person.tenant_id))
    name = f"classes {query.archived}"
    after = _place(await open_cursor(call, name, query.cursor)) if query.cursor else None
    found, following = await classes.list_(
        database, person.tenant_id, archived=query.archived, after=after, limit=query.limit
    )
    return ClassPage(
        items=[_class(row) for row in found],
        next_cursor=seal_cursor(call, name, f"{following.id} {following.name}")
        if following
        else None,
    )


async def create_class(call: Call) -> ClassDetail:
    """A new class with nobody in it."""
    tenant_id = manages(call, "class")
    made = await classes.create(call.services.database, tenant_id, call.body.name, by=by(call))
    return ClassDetail(**_class(made).model_dump(), members=[])


async def get_class(call: Call) -> ClassDetail:
    """One class, and who is in it."""
    require(call.person, "list", Thing("class", call.person.tenant_id))
    return await _detail(call, _id(call))


async def change_class(call: Call) -> ClassDetail:
    """Rename a class, archive it, or bring it back."""
    tenant_id, class_id, body = manages(call, "class"), _id(call), call.body
    await classes.change(
        call.services.database,
        tenant_id,
        class_id,
        name=body.name,
        archived=body.archived,
        by=by(call),
    )
    return await _detail(call, class_id)


async def put_class_member(call: Call) -> ClassDetail:
    """Have somebody in a class."""
    tenant_id, class_id = manages(call, "class"), _id(call)
    person_id = id_in(call, "person", "people", "person_id")
    database, role = call.services.database, call.body.role
    await classes.put_member(database, tenant_id, class_id, person_id, role=role, by=by(call))
    return await _detail(call, class_id)


async def remove_class_member(call: Call) -> ClassDetail:
    """Take somebody out of a class."""
    tenant_id, class_id = manages(call, "class"), _id(call)
    person_id = id_in(call, "person", "people", "person_id")
    await classes.remove_member(call.services.database, tenant_id, class_id, person_id, by=by(call))
    return await _detail(call, class_id)


async def _detail(call: Call, class_id: UUID) -> ClassDetail:
    row, members = await classes.get(call.services.database, call.person.tenant_id, class_id)
    return ClassDetail(
        **_class(row).model_dump(),
        members=[ClassMember(id=one.id, name=one.name, role=one.role) for one in members],
    )


def _class(row: ClassRow) -> SchoolClass:
    return SchoolClass(
        id=row.id,
        name=row.name,
        students=row.students,
        instructors=row.instructors,
        archived=row.archived,
    )


def _id(call: Call) -> UUID:
    return id_in(call, "class", "classes")


def _place(text: str) -> Place:
    class_id, _, name = text.partition(" ")
    return Place(name, UUID(class_id))


ROUTES: tuple[Route, ...] = (
    Route("GET", "/classes", list_classes, "Classes", answer=ClassPage, query=ClassesQuery),
    Route(
        "POST",
        "/classes",
        create_class,
        "Make a class",
        answer=ClassDetail,
        body=ClassToCreate,
        refuses=(409,),
    ),
    Route("GET", "/classes/{id}", get_class, "One class", answer=ClassDetail, refuses=(404,)),
    Route(
        "PATCH",
        "/classes/{id}",
        change_class,
        "Rename, archive or bring back a class",
        answer=ClassDetail,
        body=ClassChange,
        refuses=(404, 409),
    ),
    Route(
        "PUT",
        "/classes/{id}/members/{person_id}",
        put_class_member,
        "Have somebody in a class",
        answer=ClassDetail,
        body=Membership,
        refuses=(404, 422),
    ),
    Route(
        "DELETE",
        "/classes/{id}/members/{person_id}",
        remove_class_member,
        "Take somebody out of a class",
        answer=ClassDetail,
        refuses=(404,),
    ),
)
