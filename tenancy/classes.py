"""Classes: groups of students with their teachers, to assign lessons to."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal
from uuid import UUID

from tenancy import audit, people
from tenancy.audit import By
from tenancy.errors import InTheWay, NotThere, Unfit
from tenancy.ids import new_id
from tenancy.model import Person
from tenancy.postgres import Connection, Database
from tenancy.sql import load

MemberRole = Literal["student", "instructor"]

_QUERIES = load(__package__, "classes.sql")


@dataclass(frozen=True, slots=True)
class ClassRow:
    """A class, and how many are in it."""

    id: UUID
    name: str
    archived: bool
    students: int = 0
    instructors: int = 0


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody in a class."""

    id: UUID
    name: str
    role: MemberRole


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page of the list ended."""

    name: str
    id: UUID


class ClassNameTaken(InTheWay):
    """Another class has the name, in whatever case it is written."""

    def __init__(self, name: str, archived: bool) -> None:
        mend = "It is archived: bring it back, or" if archived else "Use it, or"
        super().__init__(f"There is a class named “{name}” already. {mend} choose another name.")


async def list_(
    database: Database,
    tenant_id: UUID,
    *,
    archived: bool | None = None,
    after: Place | None = None,
    limit: int,
) -> tuple[list[ClassRow], Place | None]:
    """A page of classes by name, and where the next one goes on; None: that was the last."""
    place = (after.name, after.id) if after else (None, None)
    async with database.transaction(tenant_id) as connection:
        rows = await connection.fetch(_QUERIES["list"], tenant_id, archived, *place, limit + 1)
    found = [_row(row) for row in rows[:limit]]
    return found, Place(found[-1].name, found[-1].id) if len(rows) > limit else None


async def get(
    database: Database, tenant_id: UUID, class_id: UUID
) -> tuple[ClassRow, Sequence[Member]]:
    """A class with who is in it: teachers first, then by name.

    Raises:
        NotThere: If the school has no such class.
    """
    async with database.transaction(tenant_id) as connection:
        row = await connection.fetchrow(_QUERIES["one"], tenant_id, class_id)
        if row is None:
            raise _unknown()
        members = await connection.fetch(_QUERIES["members"], tenant_id, class_id)
    return _row(row), [Member(each["id"], each["name"], each["role"]) for each in members]


async def create(database: Database, tenant_id: UUID, name: str, *, by: By) -> ClassRow:
    """A new class with nobody in it.

    Raises:
        ClassNameTaken: If a class of the school has the name.
    """
    made = ClassRow(new_id(), name, archived=False)

    async def work(connection: Connection) -> ClassRow:
        await _check_name(connection, tenant_id, name, None)
        query = _QUERIES["insert"]
        if not await connection.fetchval(query, tenant_id, made.id, name, datetime.now(UTC)):
            raise ClassNameTaken(name, False)
        await audit.note(connection, tenant_id, by, "create", "class", made.id)
        return made

    return await database.run(tenant_id, work)


async def change(
    database: Database,
    tenant_id: UUID,
    class_id: UUID,
    *,
    name: str | None = None,
    archived: bool | None = None,
    by: By,
) -> None:
    """Rename a class, archive it, or bring it back. None leaves as it is.

    Raises:
        NotThere: If the school has no such class; ClassNameTaken: If another one has the name.
    """

    async def work(connection: Connection) -> None:
        if name is not None:
            await _check_name(connection, tenant_id, name, class_id)
        query = _QUERIES["change"]
        if not await connection.fetchval(
            query, tenant_id, class_id, name, archived, datetime.now(UTC)
        ):
            raise _unknown()
        detail = {"name": True} if name is not None else {}
        if archived is not None:
            detail["archived"] = archived
        await audit.note(connection, tenant_id, by, "change", "class", class_id, detail)

    await database.run(tenant_id, work)


async def put_member(
    database: Database,
    tenant_id: UUID,
    class_id: UUID,
    person_id: UUID,
    *,
    role: MemberRole | None = None,
    by: By,
) -> None:
    """Have somebody in a class; where `role` is None as what they are. Idempotent.

    Raises:
        NotThere: If there is no such class or person.
        Unfit: If they are neither student nor teacher, or not what `role` says.
    """

    async def work(connection: Connection) -> None:
        await _check_there(connection, tenant_id, class_id)
        person = await people.get(connection, tenant_id, person_id)
        if person is None:
            raise NotThere("person", "people")
        as_ = await join(connection, tenant_id, class_id, person, datetime.now(UTC), role=role)
        if as_ is not None:
            detail = {"person": str(person_id), "role": as_}
            await audit.note(connection, tenant_id, by, "add", "class", class_id, detail)

    await database.run(tenant_id, work)


async def remove_member(
    database: Database, tenant_id: UUID, class_id: UUID, person_id: UUID, *, by: By
) -> None:
    """Take somebody out of a class. Idempotent.

    Raises:
        NotThere: If the school has no such class.
    """

    async def work(connection: Connection) -> None:
        await _check_there(connection, tenant_id, class_id)
        query = _QUERIES["remove_member"]
        if await connection.fetchval(query, tenant_id, class_id, person_id):
            await audit.note(
                connection, tenant_id, by, "remove", "class", class_id, {"person": str(person_id)}
            )

    await database.run(tenant_id, work)


async def join(
    connection: Connection,
    tenant_id: UUID,
    class_id: UUID,
    person: Person,
    now: datetime,
    *,
    role: MemberRole | None = None,
) -> MemberRole | None:
    """`put_member` within a transaction that notes it itself; None: they were in it already.

    Raises:
        NotThere: If there is no such class; Unfit: As `put_member`.
    """
    await _check_there(connection, tenant_id, class_id)
    as_ = role or role_of(person)
    await people.fit(connection, tenant_id, person.id, as_)
    row = await connection.fetchrow(_QUERIES["member"], tenant_id, class_id, person.id)
    if row is not None and row["role"] == as_:
        return None
    await connection.execute(_QUERIES["remove_member"], tenant_id, class_id, person.id)
    await connection.execute(_QUERIES["put_member"], tenant_id, class_id, person.id, as_, now)
    return as_


def role_of(person: Person) -> MemberRole:
    """As what somebody is in a class: who teaches, as a teacher.

    Raises:
        Unfit: If they are neither.
    """
    if "instructor" in person.roles:
        return "instructor"
    if "student" in person.roles:
        return "student"
    raise Unfit(
        f"Only students and teachers are in classes, and {person.name} is neither."
        " Give them the role first."
    )


async def _check_there(connection: Connection, tenant_id: UUID, class_id: UUID) -> None:
    if await connection.fetchrow(_QUERIES["one"], tenant_id, class_id) is None:
        raise _unknown()


async def _check_name(
    connection: Connection, tenant_id: UUID, name: str, own_id: UUID | None
) -> None:
    row = await connection.fetchrow(_QUERIES["named"], tenant_id, name)
    if row is not None and row["id"] != own_id:
        raise ClassNameTaken(row["name"], row["archived"])


def _unknown() -> NotThere:
    return NotThere("class", "classes")


def _row(row: Any) -> ClassRow:
    return ClassRow(row["id"], row["name"], row["archived"], row["students"], row["instructors"])
