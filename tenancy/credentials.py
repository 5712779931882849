"""Rows of `access_tokens` and `identities`: what a credential opens, and until when."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from tenancy import people
from tenancy.ids import new_id
from tenancy.model import Person, Tenant
from tenancy.postgres import Connection
from tenancy.sql import load
from tenancy.tokens import Kind, Token

PAUSED = "Your school's access is paused. Please ask your school."
USED_EVERY_S = 60  # how exactly `last_used_at` is known
FORGET_AFTER = timedelta(days=1)

_QUERIES = load(__package__, "credentials.sql")


@dataclass(frozen=True, slots=True)
class Credential:
    """A row of `access_tokens` with what it hangs on."""

    id: UUID
    kind: Kind
    lesson: str | None
    person: Person
    last_used_at: datetime
    idle_s: int | None
    expires_at: datetime
    ends_at: datetime
    "Its own expiry, or that of what it was made from."
    revoked: bool

    def refusal(self, school: Tenant, now: datetime) -> str | None:
        """Why it opens nothing at `now`; None if it does."""
        idle = self.idle_s is not None and now >= self.last_used_at + timedelta(seconds=self.idle_s)
        if idle or now >= self.expires_at:
            return (
                "You have been away for a while. Please sign in again."
                if self.kind == "cookie"
                else "This key has expired. Make a new one."
            )
        return self.withdrawal(school, now)

    def withdrawal(self, school: Tenant, now: datetime) -> str | None:
        """Why what it opened must close; None while it may go on. A used key may expire."""
        if self.revoked or now >= self.ends_at:
            return "You have been signed out. Please sign in again."
        if school.status != "active":
            return PAUSED
        if self.person.status != "active":
            return "Your account is switched off. Ask your school to switch it on."
        return None


async def password(
    connection: Connection, tenant_id: UUID, email: str
) -> tuple[UUID | None, str | None]:
    """Whom an address belongs to, and the hash of their password."""
    row = await connection.fetchrow(_QUERIES["password"], tenant_id, email)
    return (row["person_id"], row["password_hash"]) if row else (None, None)


async def hold_password(connection: Connection, tenant_id: UUID, person_id: UUID) -> str | None:
    """The hash of somebody's password; nobody changes it until the transaction ends."""
    held: str | None = await connection.fetchval(_QUERIES["hold_password"], tenant_id, person_id)
    return held


async def find(
    connection: Connection, tenant_id: UUID, *, hash: bytes | None = None, id: UUID | None = None
) -> Credential | None:
    """A credential by its hash or its id, usable or not."""
    row = await connection.fetchrow(_QUERIES["credential"], tenant_id, hash, id)
    if row is None:
        return None
    return Credential(
        row["credential_id"],
        row["kind"],
        row["lesson"],
        people.read(row),
        row["last_used_at"],
        row["idle_s"],
        row["expires_at"],
        row["ends_at"],
        row["revoked"],
    )


async def use(connection: Connection, credential: Credential, now: datetime) -> None:
    """It was used just now, and so was what it was made from."""
    if now >= credential.last_used_at + timedelta(seconds=USED_EVERY_S):
        await connection.execute(
            _QUERIES["use_token"], credential.person.tenant_id, credential.id, now
        )


async def add(
    connection: Connection,
    token: Token,
    person_id: UUID,
    now: datetime,
    expires_at: datetime,
    *,
    parent_id: UUID | None = None,
    lesson: str | None = None,
    idle_s: int | None = None,
) -> None:
    """Keep a new credential; clear away the person's useless old ones."""
    await connection.execute(_QUERIES["forget"], token.tenant_id, person_id, now - FORGET_AFTER)
    await connection.execute(
        _QUERIES["add_token"],
        token.tenant_id,
        new_id(),
        person_id,
        token.kind,
        token.hash,
        parent_id,
        lesson,
        idle_s,
        expires_at,
        now,
    )


async def set_password(
    connection: Connection, tenant_id: UUID, person_id: UUID, password_hash: str, now: datetime
) -> None:
    """Give a person a password, or another one."""
    await connection.execute(
        _QUERIES["set_password"],
        tenant_id,
        new_id(),
        person_id,
        str(person_id),
        password_hash,
        now,
    )


async def lock(connection: Connection, tenant_id: UUID, credential_id: UUID) -> None:
    """Hold off the end of a credential while something is made from it."""
    await connection.execute(_QUERIES["lock_token"], tenant_id, credential_id)


async def end(
    connection: Connection, tenant_id: UUID, credential_id: UUID, now: datetime
) -> list[UUID]:
    """End a credential and what was made from it; returns those that ended now."""
    return [
        row["id"]
        for query in ("end_token", "end_children")
        for row in await connection.fetch(_QUERIES[query], tenant_id, credential_id, now)
    ]


async def end_all(
    connection: Connection, tenant_id: UUID, person_id: UUID, now: datetime
) -> list[UUID]:
    """End everything a person holds; returns what ended now."""
    ended = await connection.fetch(_QUERIES["end_all"], tenant_id, person_id, now)
    return [row["id"] for row in ended]


async def end_others(
    connection: Connection, tenant_id: UUID, person_id: UUID, kept_id: UUID, now: datetime
) -> list[UUID]:
    """End everything a person holds but one, and what was made from it; returns what ended."""
    ended = await connection.fetch(_QUERIES["end_others"], tenant_id, person_id, kept_id, now)
    return [row["id"] for row in ended]


async def held(connection: Connection, tenant_id: UUID, person_id: UUID) -> list[UUID]:
    """What a person holds that has not been ended."""
    rows = await connection.fetch(_QUERIES["held"], tenant_id, person_id)
    return [row["id"] for row in rows]
