"""The people of a school over HTTP: for its office to manage, for its staff to find."""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field

from server.api import office
from server.api.cursors import LONGEST, open_cursor, seal_cursor
from server.api.office import by, id_in, manages, names
from server.api.shapes import PersonName
from server.api.table import Call, Model, Route
from tenancy import accounts, care, guardians, roster
from tenancy.accounts import Changes, NewAccount
from tenancy.errors import NotThere
from tenancy.model import Role
from tenancy.policy import Thing, may, require
from tenancy.roster import Bonds, Filters, Place

Status = Literal["active", "deactivated"]
Roles = Annotated[list[Role], Field(min_length=1, max_length=5)]


class PeopleQuery(Model):
    role: Role | None = None
    search: office.Search | None = None
    "Part of a name or an e-mail address."
    status: Status | None = None
    class_: UUID | None = Field(None, alias="class")
    cursor: str | None = Field(None, max_length=LONGEST)
    limit: int = Field(50, ge=1, le=200)


class PersonRow(Model):
    """Somebody with an account at the school."""

    id: UUID
    name: str
    email: str
    roles: list[Role]
    status: Status
    grade_level: str
    classes: list[PersonName]
    last_seen_at: datetime | None
    "When they last signed in."
    created_at: datetime


class PeoplePage(Model):
    """By name."""

    items: list[PersonRow]
    next_cursor: str | None


class PersonDetail(PersonRow):
    """With who belongs to them: tutors and students as of now."""

    children: list[PersonName]
    guardians: list[PersonName]
    tutors: list[PersonName]
    students: list[PersonName]


class PersonToCreate(Model):
    name: office.Person
    email: office.Email
    roles: Roles
    grade_level: office.Grade = ""
    class_ids: Annotated[list[UUID], Field(max_length=50)] = Field(default_factory=list)


class PersonCreated(Model):
    """The password is shown this once."""

    person: PersonRow
    password: str


class PersonChange(Model):
    """What is left out stays."""

    name: office.Person | None = None
    email: office.Email | None = None
    roles: Roles | None = None
    grade_level: office.Grade | None = None


class NewPassword(Model):
    """Shown this once; the person is signed out everywhere."""

    password: str


async def list_people(call: Call) -> PeoplePage:
    """Everybody for the office and teachers; for tutors the students they look after."""
    person, database, query = call.person, call.services.database, call.query
    whose = await care.whose(database, person, "person")
    if whose is not None and not whose:
        require(person, "list", Thing("person", person.tenant_id))
    filters = Filters(whose, query.role, query.status, query.class_, query.search or None)
    name = f"people {query.role} {query.status} {query.class_} {query.search!r}"
    after = _place(await open_cursor(call, name, query.cursor)) if query.cursor else None
    found, following = await roster.list_(
        database, person.tenant_id, filters, after=after, limit=query.limit
    )
    return PeoplePage(
        items=[PersonRow(**_row(row)) for row in found],
        next_cursor=seal_cursor(call, name, f"{following.id} {following.name}")
        if following
        else None,
    )


async def create_person(call: Call) -> PersonCreated:
    """A new account, with a password to hand over."""
    tenant_id, body = manages(call, "person"), call.body
    wanted = NewAccount(
        body.name, body.email, frozenset(body.roles), body.grade_level, tuple(body.class_ids)
    )
    person_id, password = await accounts.create(
        call.services.database, call.services.identities, tenant_id, wanted, by=by(call)
    )
    row, _ = await _get(call, person_id)
    return PersonCreated(person=PersonRow(**_row(row)), password=password)


async def get_person(call: Call) -> PersonDetail:
    """One account; one's own for everybody."""
    person_id = _id(call)
    account = Thing("person", call.person.tenant_id, student_id=person_id)
    if not may(call.person, "read", account):
        raise NotThere("person", "people")
    return _detail(*await _get(call, person_id))


async def change_person(call: Call) -> PersonDetail:
    """Another name, address, grade, or other roles: what they have open is opened anew then."""
    tenant_id, person_id, body = manages(call, "person"), _id(call), call.body
    roles = None if body.roles is None else frozenset(body.roles)
    await accounts.change(
        call.services.database,
        call.services.identities,
        tenant_id,
        person_id,
        Changes(body.name, body.email, roles, body.grade_level),
        by=by(call),
    )
    return _detail(*await _get(call, person_id))


async def deactivate_person(call: Call) -> PersonDetail:
    """Switch an account off; its owner is signed out everywhere, and everything is kept."""
    tenant_id, person_id = manages(call, "person"), _id(call)
    database, identities = call.services.database, call.services.identities
    await accounts.deactivate(database, identities, tenant_id, person_id, by=by(call))
    return _detail(*await _get(call, person_id))


async def activate_person(call: Call) -> PersonDetail:
    """Switch an account on again."""
    tenant_id, person_id = manages(call, "person"), _id(call)
    await accounts.activate(call.services.database, tenant_id, person_id, by=by(call))
    return _detail(*await _get(call, person_id))


async def reset_password(call: Call) -> NewPassword:
    """Another password, to hand over."""
    tenant_id, person_id = manages(call, "person"), _id(call)
    database, identities = call.services.database, call.services.identities
    return NewPassword(
        password=await accounts.reset_password(
            database, identities, tenant_id, person_id, by=by(call)
        )
    )


async def put_child(call: Call) -> None:
    """A student is a parent's child."""
    tenant_id, parent_id = manages(call, "person"), _id(call)
    child = id_in(call, "person", "people", "student_id")
    await guardians.put(call.services.database, tenant_id, parent_id, child, by=by(call))


async def remove_child(call: Call) -> None:
    """No longer."""
    tenant_id, parent_id = manages(call, "person"), _id(call)
    child = id_in(call, "person", "people", "student_id")
    if not await guardians.remove(call.services.database, tenant_id, parent_id, child, by=by(call)):
        raise NotThere("child of this person", f"people/{parent_id}")


async def _get(call: Call, person_id: UUID) -> tuple[roster.PersonRow, Bonds]:
    tenant_id, now = call.person.tenant_id, datetime.now(UTC)
    return await roster.get(call.services.database, tenant_id, person_id, now)


def _id(call: Call) -> UUID:
    return id_in(call, "person", "people")


def _row(row: roster.PersonRow) -> dict[str, Any]:
    return {
        "id": row.id,
        "name": row.name,
        "email": row.email,
        "roles": list(row.roles),
        "status": row.status,
        "grade_level": row.grade_level,
        "classes": names(row.classes),
        "last_seen_at": row.last_seen_at,
        "created_at": row.created_at,
    }


def _detail(row: roster.PersonRow, bonds: Bonds) -> PersonDetail:
    return PersonDetail(
        **_row(row),
        children=names(bonds.children),
        guardians=names(bonds.guardians),
        tutors=names(bonds.tutors),
        students=names(bonds.students),
    )


def _place(text: str) -> Place:
    person_id, _, name = text.partition(" ")
    return Place(name, UUID(person_id))


ROUTES: tuple[Route, ...] = (
    Route("GET", "/people", list_people, "People", answer=PeoplePage, query=PeopleQuery),
    Route(
        "POST",
        "/people",
        create_person,
        "Make an account",
        answer=PersonCreated,
        body=PersonToCreate,
        refuses=(404, 409, 422),
    ),
    Route("GET", "/people/{id}", get_person, "One account", answer=PersonDetail, refuses=(404,)),
    Route(
        "PATCH",
        "/people/{id}",
        change_person,
        "Change an account",
        answer=PersonDetail,
        body=PersonChange,
        refuses=(404, 409),
    ),
    Route(
        "POST",
        "/people/{id}/deactivate",
        deactivate_person,
        "Switch an account off",
        answer=PersonDetail,
        refuses=(404, 409),
    ),
    Route(
        "POST",
        "/people/{id}/activate",
        activate_person,
        "Switch an account on again",
        answer=PersonDetail,
        refuses=(404,),
    ),
    Route(
        "POST",
        "/people/{id}/reset-password",
        reset_password,
        "Give somebody another password",
        answer=NewPassword,
        refuses=(404,),
    ),
    Route(
        "PUT",
        "/people/{id}/children/{student_id}",
        put_child,
        "A student is a parent's child",
        refuses=(404, 422),
    ),
    Route(
        "DELETE",
        "/people/{id}/children/{student_id}",
        remove_child,
        "A student is a parent's child no longer",
        refuses=(404,),
    ),
)
