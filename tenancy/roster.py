"""Who is at the school, as its office and its staff see them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from tenancy.errors import NotThere
from tenancy.model import ROLES, Name, Role
from tenancy.postgres import Database
from tenancy.sql import load

_QUERIES = load(__package__, "roster.sql")


@dataclass(frozen=True, slots=True)
class PersonRow:
    """Somebody with an account, with what lists show of them."""

    id: UUID
    name: str
    email: str
    roles: tuple[Role, ...]
    status: str
    "active | deactivated"
    grade_level: str
    classes: tuple[Name, ...]
    "Those that are not archived."
    last_seen_at: datetime | None
    "When they last signed in."
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Bonds:
    """Who belongs to somebody."""

    children: tuple[Name, ...] = ()
    guardians: tuple[Name, ...] = ()
    tutors: tuple[Name, ...] = ()
    "Who look after them at present."
    students: tuple[Name, ...] = ()
    "Whom they look after at present."


@dataclass(frozen=True, slots=True)
class Filters:
    """What None stands in does not filter."""

    ids: frozenset[UUID] | None = None
    "Whom the caller may see."
    role: Role | None = None
    status: str | None = None
    class_id: UUID | None = None
    search: str | None = None
    "Part of a name or an address, in whatever case."


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page of the list ended."""

    name: str
    "In small letters."
    id: UUID


async def list_(
    database: Database,
    tenant_id: UUID,
    filters: Filters,
    *,
    after: Place | None = None,
    limit: int,
) -> tuple[list[PersonRow], Place | None]:
    """A page of people by name, and where the next one goes on; None: that was the last."""
    async with database.transaction(tenant_id) as connection:
        rows = await connection.fetch(
            _QUERIES["list"],
            tenant_id,
            None if filters.ids is None else sorted(filters.ids),
            filters.role,
            filters.status,
            filters.class_id,
            filters.search,
            *((after.name, after.id) if after else (None, None)),
            limit + 1,
        )
    found = [_person(row) for row in rows[:limit]]
    if len(rows) <= limit:
        return found, None
    return found, Place(rows[limit - 1]["sorted_by"], rows[limit - 1]["id"])


async def get(
    database: Database, tenant_id: UUID, person_id: UUID, now: datetime
) -> tuple[PersonRow, Bonds]:
    """Somebody, and who belongs to them at this time.

    Raises:
        NotThere: If there is nobody of this id at the school.
    """
    async with database.transaction(tenant_id) as connection:
        row = await connection.fetchrow(_QUERIES["list"], tenant_id, [person_id], *[None] * 6, 1)
        if row is None:
            raise NotThere("person", "people")
        bonds = await connection.fetch(_QUERIES["bonds"], tenant_id, person_id, now)
    of = {
        bond: tuple(Name(each["id"], each["name"]) for each in bonds if each["bond"] == bond)
        for bond in ("children", "guardians", "tutors", "students")
    }
    return _person(row), Bonds(**of)


def _person(row: Any) -> PersonRow:
    return PersonRow(
        row["id"],
        row["name"],
        row["email"],
        tuple(role for role in ROLES if role in row["roles"]),
        row["status"],
        row["grade_level"],
        tuple(Name(UUID(each["id"]), each["name"]) for each in row["classes"]),
        row["last_seen_at"],
        row["created_at"],
    )
