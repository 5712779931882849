"""Accounts, as the school office makes and changes them.

A password is made here and shown once. Who is switched off, or gets another password, is signed out
everywhere; who gets other roles keeps their sign-in, but what they have open is closed and can be
opened again with the new roles. A school always keeps an administrator.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import asyncpg

from tenancy import audit, classes, credentials, passwords, people
from tenancy.audit import By
from tenancy.errors import InTheWay, NotThere
from tenancy.identities import Identities
from tenancy.model import Person, Role
from tenancy.people import EmailTaken
from tenancy.postgres import Connection, Database
from tenancy.sql import load

_QUERIES = load(__package__, "people.sql")


class LastAdmin(InTheWay):
    """Nobody would be left to run the school."""

    def __init__(self) -> None:
        super().__init__(
            "This is the school's only administrator. Give somebody else the role admin first."
        )


class NotOneself(InTheWay):
    """Something that another administrator has to do."""

    def __init__(self, what: str) -> None:
        super().__init__(f"You can't {what}. Ask another administrator to do it.")


@dataclass(frozen=True, slots=True)
class NewAccount:
    """Somebody who comes to the school."""

    name: str
    email: str
    roles: frozenset[Role]
    grade_level: str = ""
    class_ids: Sequence[UUID] = ()


@dataclass(frozen=True, slots=True)
class Changes:
    """What becomes different; None leaves as it is."""

    name: str | None = None
    email: str | None = None
    roles: frozenset[Role] | None = None
    grade_level: str | None = None


async def create(
    database: Database, identities: Identities, tenant_id: UUID, wanted: NewAccount, *, by: By
) -> tuple[UUID, str]:
    """A new account and its password, which is kept nowhere but as a hash.

    Raises:
        EmailTaken: If somebody of the school has the address.
        NotThere, Unfit: If there is no such class, or they can't be in one.
    """
    password = passwords.make()
    (password_hash,) = await identities.passwords.hash_made([password])

    async def work(connection: Connection) -> UUID:
        now = datetime.now(UTC)
        person = await people.add(
            connection,
            tenant_id,
            email=wanted.email,
            name=wanted.name,
            roles=wanted.roles,
            locale="en",
            grade_level=wanted.grade_level,
            now=now,
        )
        await credentials.set_password(connection, tenant_id, person.id, password_hash, now)
        class_ids = tuple(dict.fromkeys(wanted.class_ids))
        for class_id in class_ids:
            await classes.join(connection, tenant_id, class_id, person, now)
        detail = {"roles": sorted(wanted.roles), "classes": list(map(str, class_ids))}
        await audit.note(connection, tenant_id, by, "create", "person", person.id, detail)
        return person.id

    return await database.run(tenant_id, work), password


async def change(
    database: Database,
    identities: Identities,
    tenant_id: UUID,
    person_id: UUID,
    changes: Changes,
    *,
    by: By,
) -> None:
    """Another name, address, grade or other roles.

    Raises:
        NotThere: If there is nobody of this id; EmailTaken: If somebody else has the address.
        LastAdmin, NotOneself: If the role admin can't be taken from them.
    """
    email = None if changes.email is None else people.plain_email(changes.email)

    async def work(connection: Connection) -> list[UUID]:
        admins: frozenset[UUID] = frozenset()
        if changes.roles is not None:
            admins = await _hold_admins(connection, tenant_id)
        before = await people.get(connection, tenant_id, person_id)
        if before is None:
            raise _unknown()
        roles = before.roles if changes.roles is None else changes.roles
        if "admin" in before.roles and "admin" not in roles:
            _check_may_go(before, admins, by, "take the role admin from yourself")
        try:
            await connection.execute(
                _QUERIES["change"], tenant_id, person_id, changes.name, email, changes.grade_level
            )
        except asyncpg.UniqueViolationError:
            raise EmailTaken(email or "") from None
        for role in sorted(before.roles - roles):
            await connection.execute(_QUERIES["remove_role"], tenant_id, person_id, role)
        for role in sorted(roles - before.roles):
            await connection.execute(_QUERIES["add_role"], tenant_id, person_id, role)
        detail: dict[str, Any] = {
            name: True
            for name in ("name", "email", "grade_level")
            if getattr(changes, name) is not None
        }
        if roles != before.roles:
            detail["roles"] = {"was": sorted(before.roles), "now": sorted(roles)}
        await audit.note(connection, tenant_id, by, "change", "person", person_id, detail)
        if roles == before.roles:
            return []
        return await credentials.held(connection, tenant_id, person_id)

    held = await database.run(tenant_id, work)
    if held:
        assert changes.roles is not None
        identities.revocations.announce_roles(held, changes.roles)


async def deactivate(
    database: Database, identities: Identities, tenant_id: UUID, person_id: UUID, *, by: By
) -> None:
    """Switch an account off and sign its owner out everywhere.

    Raises:
        NotThere: If there is nobody of this id; LastAdmin, NotOneself: If it has to stay on.
    """

    async def work(connection: Connection) -> list[UUID]:
        admins = await _hold_admins(connection, tenant_id)
        person = await people.get(connection, tenant_id, person_id)
        if person is None:
            raise _unknown()
        _check_may_go(person, admins, by, "switch your own account off")
        await people.set_status(connection, tenant_id, person_id, "deactivated")
        ended = await credentials.end_all(connection, tenant_id, person_id, datetime.now(UTC))
        await audit.note(connection, tenant_id, by, "deactivate", "person", person_id)
        return ended

    identities.revocations.announce(await database.run(tenant_id, work))


async def activate(database: Database, tenant_id: UUID, person_id: UUID, *, by: By) -> None:
    """Switch an account on again; its owner signs in as before.

    Raises:
        NotThere: If there is nobody of this id.
    """

    async def work(connection: Connection) -> None:
        if not await people.set_status(connection, tenant_id, person_id, "active"):
            raise _unknown()
        await audit.note(connection, tenant_id, by, "activate", "person", person_id)

    await database.run(tenant_id, work)


async def reset_password(
    database: Database, identities: Identities, tenant_id: UUID, person_id: UUID, *, by: By
) -> str:
    """Another password for somebody, who is signed out everywhere.

    Raises:
        NotThere: If there is nobody of this id.
    """
    password = passwords.make()
    (password_hash,) = await identities.passwords.hash_made([password])

    async def work(connection: Connection) -> list[UUID]:
        if await people.get(connection, tenant_id, person_id) is None:
            raise _unknown()
        now = datetime.now(UTC)
        await credentials.set_password(connection, tenant_id, person_id, password_hash, now)
        ended = await credentials.end_all(connection, tenant_id, person_id, now)
        await audit.note(connection, tenant_id, by, "reset_password", "person", person_id)
        return ended

    identities.revocations.announce(await database.run(tenant_id, work))
    return password


async def _hold_admins(connection: Connection, tenant_id: UUID) -> frozenset[UUID]:
    """Who runs the school; nobody else changes that until the transaction ends."""
    await connection.execute(_QUERIES["hold_admins"], tenant_id)
    rows = await connection.fetch(_QUERIES["admins"], tenant_id)
    return frozenset(row["id"] for row in rows)


def _check_may_go(person: Person, admins: frozenset[UUID], by: By, what: str) -> None:
    if admins == {person.id}:
        raise LastAdmin
    if person.id == by.person_id:
        raise NotOneself(what)


def _unknown() -> NotThere:
    return NotThere("person", "people")
