"""Who looks after whom: the facts that a right to a student's things turns on.

`policy.may` decides and waits for nothing; here is what it is told. A school sets two things about
it: `tutors_read` (`assigned`, the default, or `school`: every tutor looks after everybody) and
`parents_read` (`reviewed`, the default, or `all`).
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from tenancy import policy
from tenancy.model import Person
from tenancy.policy import Thing
from tenancy.postgres import Connection, Database
from tenancy.sql import load

_QUERIES = load(__package__, "care.sql")


@dataclass(frozen=True, slots=True)
class Child:
    """A student, as their parents' lists name them."""

    id: UUID
    name: str


async def about(
    database: Database, kind: str, tenant_id: UUID, student_id: UUID, *, reviewed: bool = False
) -> Thing:
    """A thing of a student's, with who looks after them and who their guardians are.

    Args:
        reviewed: Whether somebody has been through it; before that guardians see it only where the
            school shows them everything.
    """
    async with database.transaction(tenant_id) as connection:
        rows = await connection.fetch(_QUERIES["care"], tenant_id, student_id, datetime.now(UTC))
        shown = reviewed or await _says(connection, tenant_id, "parents_read", "all")
    tutors, guardians = (
        frozenset(row["person_id"] for row in rows if row["bond"] == bond)
        for bond in ("tutor", "guardian")
    )
    return Thing(
        kind,
        tenant_id,
        student_id=student_id,
        tutor_ids=tutors,
        guardian_ids=guardians,
        shown=shown,
    )


async def whose(database: Database, person: Person, kind: str) -> frozenset[UUID] | None:
    """Whose entries a list of `kind` shows this person: students' ids; None: everybody's.

    Guardians' own lists are not meant: `children_of` has their children.
    """
    tenant_id = person.tenant_id
    if policy.may(person, "list", Thing(kind, tenant_id)):
        return None
    ids = {person.id}
    mine = Thing(kind, tenant_id, student_id=tenant_id, tutor_ids=frozenset({person.id}))
    if policy.may(person, "list", mine):
        async with database.transaction(tenant_id) as connection:
            if await _says(connection, tenant_id, "tutors_read", "school"):
                return None
            now = datetime.now(UTC)
            rows = await connection.fetch(_QUERIES["students_of"], tenant_id, person.id, now)
        ids |= {row["student_id"] for row in rows}
    elif not policy.may(person, "list", Thing(kind, tenant_id, student_id=person.id)):
        return frozenset()
    return frozenset(ids)


async def children_of(database: Database, person: Person) -> list[Child]:
    """A parent's children, by name."""
    async with database.transaction(person.tenant_id) as connection:
        rows = await connection.fetch(_QUERIES["children_of"], person.tenant_id, person.id)
    return [Child(row["id"], row["name"]) for row in rows]


async def shows_all(database: Database, tenant_id: UUID) -> bool:
    """Whether guardians see what nobody has reviewed yet."""
    async with database.transaction(tenant_id) as connection:
        return await _says(connection, tenant_id, "parents_read", "all")


async def _says(connection: Connection, tenant_id: UUID, name: str, value: str) -> bool:
    return bool(await connection.fetchval(_QUERIES["school_says"], tenant_id, name, value))
