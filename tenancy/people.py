"""People of a school: who they are, their roles, and what they chose for their own pages."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from tenancy.errors import InTheWay, NotThere, Unfit
from tenancy.ids import new_id
from tenancy.model import Person, Role
from tenancy.postgres import Connection
from tenancy.sql import load

_QUERIES = load(__package__, "people.sql")


class EmailTaken(InTheWay):
    """Somebody at the school has the address already."""

    def __init__(self, email: str) -> None:
        super().__init__(f"Somebody at this school has the address {email} already. Use another.")


def plain_email(email: str) -> str:
    """An address as it is kept and compared."""
    return email.strip().lower()


async def add(
    connection: Connection,
    tenant_id: UUID,
    *,
    email: str,
    name: str,
    roles: frozenset[Role],
    locale: str,
    now: datetime,
    grade_level: str = "",
) -> Person:
    """A new account.

    Raises:
        EmailTaken: If somebody of the school has the address.
    """
    person = Person(new_id(), tenant_id, name, plain_email(email), roles, locale=locale)
    if not await connection.fetchval(
        _QUERIES["add_person"], tenant_id, person.id, person.email, name, locale, grade_level, now
    ):
        raise EmailTaken(person.email)
    for role in sorted(roles):
        await connection.execute(_QUERIES["add_role"], tenant_id, person.id, role)
    return person


async def get(connection: Connection, tenant_id: UUID, person_id: UUID) -> Person | None:
    """A person by id."""
    row = await connection.fetchrow(_QUERIES["person"], tenant_id, person_id)
    return read(row) if row else None


async def fit(connection: Connection, tenant_id: UUID, person_id: UUID, role: Role) -> Person:
    """Somebody who has a role, and whose account is on.

    Raises:
        NotThere: If there is nobody of this id; Unfit: If they are not what is asked for.
    """
    person = await get(connection, tenant_id, person_id)
    if person is None:
        raise NotThere("person", "people")
    if person.status != "active":
        raise Unfit(f"The account of {person.name} is switched off. Switch it on first.")
    if role not in person.roles:
        raise Unfit(f"{person.name} has not the role {role}. Give it to them first.")
    return person


async def has_admin(connection: Connection, tenant_id: UUID) -> bool:
    """Whether anybody runs this school whose account is on."""
    return bool(await connection.fetch(_QUERIES["admins"], tenant_id))


async def by_email(connection: Connection, tenant_id: UUID, email: str) -> Person | None:
    """A person by their e-mail address, in whatever case it is written."""
    row = await connection.fetchrow(_QUERIES["person_by_email"], tenant_id, plain_email(email))
    return read(row) if row else None


async def preferences(connection: Connection, tenant_id: UUID, person_id: UUID) -> dict[str, Any]:
    """What a person chose for their own pages; empty where nothing, or nobody."""
    found = await connection.fetchval(_QUERIES["preferences"], tenant_id, person_id)
    return cast(dict[str, Any], found or {})


async def change_preferences(
    connection: Connection, tenant_id: UUID, person_id: UUID, changes: Mapping[str, Any]
) -> dict[str, Any]:
    """Set the named choices, remove those that are None; returns what they are now."""
    query = _QUERIES["change_preferences"]
    changed = await connection.fetchval(query, tenant_id, person_id, dict(changes))
    return cast(dict[str, Any], changed or {})


async def set_status(connection: Connection, tenant_id: UUID, person_id: UUID, status: str) -> bool:
    """Switch an account `active` or `deactivated`; False if there is none."""
    return bool(await connection.fetchval(_QUERIES["set_status"], tenant_id, person_id, status))


async def was_seen(connection: Connection, tenant_id: UUID, person_id: UUID, now: datetime) -> None:
    """They signed in."""
    await connection.execute(_QUERIES["seen"], tenant_id, person_id, now)


def read(row: Any) -> Person:
    """A person from a row that has their columns and `roles`."""
    return Person(
        row["id"],
        row["tenant_id"],
        row["name"],
        row["email"],
        frozenset(row["roles"]),
        row["status"],
        row["locale"],
    )
