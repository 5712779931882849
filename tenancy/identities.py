"""Signing in and staying signed in: who a credential stands for, and until when.

Three kinds (`tenancy.tokens` says what they look like): the cookie of a page, the bearer token of a
program, and the short-lived key that either of them makes for one live connection. A key dies with
what it was made from. Only hashes are kept, and a caller's school is that of the row found.

IdentityError
+-- PersonUnknown      nobody has this address
+-- SeveralSchools     more than one school has it; `schools` are their slugs
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

import structlog

from tenancy import audit, credentials, people, tokens
from tenancy.guessing import Guesses
from tenancy.model import (
    Caller,
    NotAllowed,
    NotSignedIn,
    Person,
    Role,
    SignInRefused,
    TenancyError,
    Tenant,
    TenantUnknown,
)
from tenancy.passwords import Passwords, is_outdated
from tenancy.policy import Thing, require
from tenancy.postgres import Connection, Database
from tenancy.revocations import Revocations
from tenancy.tokens import Kind, Token

IDLE_S = 30 * 60  # promises 3.4: a page nobody uses signs itself out
LONGEST_S = 12 * 3600  # a school day
KEY_S = range(10, 7_200 + 1)  # OpenAI's client_secrets

log = structlog.get_logger()

NOBODY = "You are not signed in. Sign in, or send a valid token."
WRONG = "The e-mail address or the password is not right. Check both and try again."


class IdentityError(TenancyError):
    """Base of what this module raises besides `SignInRefused`, `NotSignedIn` and `NotAllowed`."""


class PersonUnknown(IdentityError):
    """Nobody has this address."""

    def __init__(self, email: str, school: str | None) -> None:
        where = f"the school {school}" if school else "any school here"
        super().__init__(f"Nobody at {where} has the e-mail address {email}.")


class _Changed(Exception):
    """The password is another one than was looked at a moment ago."""


class SeveralSchools(IdentityError):
    """More than one school has somebody with this address."""

    def __init__(self, email: str, schools: list[str]) -> None:
        super().__init__(
            f"{email} has an account at several schools: {', '.join(schools)}."
            " Name one of them with --tenant."
        )
        self.schools = schools


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Somebody came in by the front door."""

    person: Person
    token: Token
    expires_at: datetime


class Identities:
    """The front door of every school, in one process."""

    def __init__(
        self,
        database: Database,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        ticks_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._clock = clock
        self._ticks_s = ticks_s
        self._guesses = Guesses()
        self.passwords = Passwords()
        self.revocations = Revocations(clock)

    def close(self) -> None:
        self.passwords.close()

    async def create_person(
        self,
        tenant_id: UUID,
        *,
        email: str,
        name: str,
        roles: frozenset[Role],
        password: str | None = None,
        locale: str = "en",
        actor: UUID | None = None,
    ) -> Person:
        """A new account, with a password or, for now, without a way in.

        Raises:
            EmailTaken: If somebody of the school has the address.
        """
        password_hash = await self.passwords.hash(password) if password is not None else None
        now = self._clock()

        async def work(connection: Connection) -> Person:
            person = await people.add(
                connection, tenant_id, email=email, name=name, roles=roles, locale=locale, now=now
            )
            if password_hash is not None:
                await credentials.set_password(connection, tenant_id, person.id, password_hash, now)
            await audit.write(
                connection,
                tenant_id,
                actor=actor,
                verb="create",
                thing="person",
                thing_id=str(person.id),
                detail={"roles": sorted(roles)},
            )
            return person

        return await self._database.run(tenant_id, work)

    async def sign_in(
        self, tenant_id: UUID, email: str, password: str, *, address: str
    ) -> SignedIn:
        """A new cookie for somebody who knows their password.

        Unknown addresses, wrong passwords and switched-off accounts are not told apart, neither by
        the sentence nor by the time it takes.

        Raises:
            SignInRefused: If they don't match, or after too many tries.
        """
        email = people.plain_email(email)
        self._charge(tenant_id, email, address)
        if (await self._database.tenant(tenant_id)).status != "active":
            raise SignInRefused(credentials.PAUSED)
        async with self._database.transaction(tenant_id) as connection:
            person_id, password_hash = await credentials.password(connection, tenant_id, email)
        right = await self.passwords.verify(password, password_hash)
        fresh_hash = None
        if right and password_hash is not None and is_outdated(password_hash):
            fresh_hash = await self.passwords.hash(password)
        now = self._clock()

        async def work(connection: Connection) -> SignedIn | None:
            person = None
            if right and person_id is not None:
                if await credentials.hold_password(connection, tenant_id, person_id) != (
                    password_hash
                ):
                    raise _Changed
                person = await people.get(connection, tenant_id, person_id)
            signed_in = None
            if person is not None and person.status == "active":
                if fresh_hash is not None:
                    await credentials.set_password(
                        connection, tenant_id, person.id, fresh_hash, now
                    )
                expires_at = now + timedelta(seconds=LONGEST_S)
                token = tokens.make("cookie", tenant_id)
                await credentials.add(connection, token, person.id, now, expires_at, idle_s=IDLE_S)
                await people.was_seen(connection, tenant_id, person.id, now)
                signed_in = SignedIn(person, token, expires_at)
            await audit.write(
                connection,
                tenant_id,
                actor=person.id if signed_in and person else None,
                verb="sign_in" if signed_in else "refuse_sign_in",
                thing="person",
                thing_id=str(person_id or "unknown"),
                address=address,
            )
            return signed_in

        try:
            signed_in = await self._database.run(tenant_id, work)
        except _Changed:  # what was right a moment ago may be so no more
            return await self.sign_in(tenant_id, email, password, address=address)
        if signed_in is None:
            raise SignInRefused(WRONG)
        self._guesses.was_right(tenant_id, email, address)
        return signed_in

    async def change_password(
        self, caller: Caller, current: str, new: str, *, address: str
    ) -> bool:
        """Another password of one's own choice; everything else one is signed in with ends.

        False where `current` is not the password; `passwords.weakness` judges `new` before.

        Raises:
            NotAllowed: If the caller holds a short-lived key only.
            NotSignedIn: If the caller's credential has ended meanwhile.
            SignInRefused: If there were too many guesses, or too many wait.
        """
        if caller.kind == "ephemeral":
            raise NotAllowed("A short-lived key can't change a password. Sign in first.")
        person = caller.person
        self._charge(person.tenant_id, person.email, address)
        async with self._database.transaction(person.tenant_id) as connection:
            owner, before = await credentials.password(connection, person.tenant_id, person.email)
        if owner != person.id or not await self.passwords.verify(current, before):
            await self._refuse_change(person, address)
            return False
        self._guesses.was_right(person.tenant_id, person.email, address)
        password_hash = await self.passwords.hash(new)
        school = await self._school(person.tenant_id)
        now = self._clock()

        async def work(connection: Connection) -> list[UUID]:
            held = await credentials.hold_password(connection, person.tenant_id, person.id)
            await credentials.lock(connection, person.tenant_id, caller.credential_id)
            mine = await credentials.find(connection, person.tenant_id, id=caller.credential_id)
            if mine is None:
                raise NotSignedIn(NOBODY)
            if reason := mine.withdrawal(school, now):
                raise NotSignedIn(reason)
            if held != before:
                raise _Changed
            await credentials.set_password(
                connection, person.tenant_id, person.id, password_hash, now
            )
            ended = await credentials.end_others(
                connection, person.tenant_id, person.id, caller.credential_id, now
            )
            await audit.write(
                connection,
                person.tenant_id,
                actor=person.id,
                verb="change_password",
                thing="person",
                thing_id=str(person.id),
                address=address,
            )
            return ended

        try:
            ended = await self._database.run(person.tenant_id, work)
        except _Changed:
            await self._refuse_change(person, address)
            return False
        self.revocations.announce(ended)
        return True

    async def _refuse_change(self, person: Person, address: str) -> None:
        """Note that somebody who is signed in did not know the password."""

        async def work(connection: Connection) -> None:
            await audit.write(
                connection,
                person.tenant_id,
                actor=person.id,
                verb="refuse_change_password",
                thing="person",
                thing_id=str(person.id),
                address=address,
            )

        await self._database.run(person.tenant_id, work)

    def _charge(self, tenant_id: UUID, email: str, address: str) -> None:
        """Count a guess; too many are refused."""
        wait_s = self._guesses.begin(tenant_id, email, address, self._ticks_s())
        if wait_s:
            log.info("sign_in.limited", tenant_id=str(tenant_id), wait_s=wait_s)
            raise SignInRefused(
                f"Too many tries. Please wait {_duration(wait_s)} and try again.", wait_s
            )

    async def verify(self, value: str) -> Caller:
        """Who a credential stands for; being used keeps a cookie alive.

        Raises:
            NotSignedIn: If it is none, or opens nothing any more.
        """
        token = tokens.read(value)
        if token is None:
            raise NotSignedIn(NOBODY)
        school = await self._school(token.tenant_id)
        now = self._clock()

        async def work(connection: Connection) -> credentials.Credential:
            credential = await credentials.find(connection, token.tenant_id, hash=token.hash)
            if credential is None or credential.kind != token.kind:
                raise NotSignedIn(NOBODY)
            if reason := credential.refusal(school, now):
                raise NotSignedIn(reason)
            await credentials.use(connection, credential, now)
            return credential

        credential = await self._database.run(token.tenant_id, work)
        return Caller(
            credential.person,
            credential.id,
            credential.kind,
            credential.lesson,
            token.csrf if credential.kind == "cookie" else None,
            credential.ends_at,
        )

    async def still_valid(self, caller: Caller, *, in_use: bool = True) -> bool:
        """Whether a live connection may go on: same person, same roles, not withdrawn.

        Args:
            in_use: Asking counts as use, so a child in the middle of a lesson is not signed out. An
                open page that nobody touches is no use: it may go on until its sign-in would end.
        """
        tenant_id = caller.person.tenant_id
        try:
            school = await self._school(tenant_id)
        except NotSignedIn:
            return False
        now = self._clock()

        async def work(connection: Connection) -> bool:
            credential = await credentials.find(connection, tenant_id, id=caller.credential_id)
            if credential is None or credential.withdrawal(school, now):
                return False
            if in_use:
                await credentials.use(connection, credential, now)
            elif credential.refusal(school, now):
                return False
            return credential.person.roles == caller.person.roles

        return await self._database.run(tenant_id, work)

    async def sign_out(self, caller: Caller, *, address: str | None = None) -> None:
        """End the caller's credential and everything made from it, live connections too."""
        tenant_id, now = caller.person.tenant_id, self._clock()

        async def work(connection: Connection) -> list[UUID]:
            ended = await credentials.end(connection, tenant_id, caller.credential_id, now)
            await audit.write(
                connection,
                tenant_id,
                actor=caller.person.id,
                verb="sign_out",
                thing="person",
                thing_id=str(caller.person.id),
                address=address,
            )
            return ended

        self.revocations.announce(await self._database.run(tenant_id, work))

    async def issue_ephemeral(
        self, caller: Caller, *, lesson: str | None, seconds: int
    ) -> tuple[str, datetime]:
        """A key for one lesson, and when it expires; usable until then, but not longer than what it
        is made from.

        Raises:
            NotAllowed: If the caller holds such a key themselves.
            NotSignedIn: If the caller's credential has ended meanwhile.
        """
        if seconds not in KEY_S:
            raise ValueError(f"A key lives {KEY_S.start} to {KEY_S.stop - 1} seconds.")
        person = caller.person
        if caller.kind == "ephemeral":
            raise NotAllowed("A short-lived key can't make another one. Use your own token.")
        require(person, "issue", Thing("token", person.tenant_id, student_id=person.id))
        school = await self._school(person.tenant_id)
        now = self._clock()

        async def work(connection: Connection) -> tuple[str, datetime]:
            await credentials.lock(connection, person.tenant_id, caller.credential_id)
            parent = await credentials.find(connection, person.tenant_id, id=caller.credential_id)
            if parent is None:
                raise NotSignedIn(NOBODY)
            if reason := parent.refusal(school, now):
                raise NotSignedIn(reason)
            expires_at = min(now + timedelta(seconds=seconds), parent.expires_at)
            token = tokens.make("ephemeral", person.tenant_id)
            await credentials.add(
                connection, token, person.id, now, expires_at, parent_id=parent.id, lesson=lesson
            )
            await _note_issue(connection, person.tenant_id, person.id, person.id, token.kind)
            return token.value, expires_at

        return await self._database.run(person.tenant_id, work)

    async def _school(self, tenant_id: UUID) -> Tenant:
        try:
            return await self._database.tenant(tenant_id)
        except TenantUnknown:
            raise NotSignedIn(NOBODY) from None


async def issue_token(database: Database, email: str, tenant_slug: str | None, ttl_s: int) -> str:
    """A bearer token for the person with this address: the operator's way, so nobody is asked.

    Raises:
        TenantUnknown: If there is no such school.
        PersonUnknown: If nobody has the address.
        SeveralSchools: If several schools have it and none was named.
    """
    schools = (
        [await database.tenant_by_slug(tenant_slug)] if tenant_slug else await database.tenants()
    )
    found: list[tuple[Tenant, Person]] = []
    for school in schools:
        async with database.transaction(school.id) as connection:
            person = await people.by_email(connection, school.id, email)
        if person is not None:
            found.append((school, person))
    if not found:
        raise PersonUnknown(email, tenant_slug)
    if len(found) > 1:
        raise SeveralSchools(email, [school.slug for school, _ in found])
    ((school, person),) = found
    now = datetime.now(UTC)

    async def work(connection: Connection) -> str:
        token = tokens.make("bearer", school.id)
        await credentials.add(connection, token, person.id, now, now + timedelta(seconds=ttl_s))
        await _note_issue(connection, school.id, None, person.id, token.kind)
        return token.value

    return await database.run(school.id, work)


async def _note_issue(
    connection: Connection, tenant_id: UUID, actor: UUID | None, owner: UUID, kind: Kind
) -> None:
    await audit.write(
        connection,
        tenant_id,
        actor=actor,
        verb="issue",
        thing="token",
        thing_id=str(owner),
        detail={"kind": kind},
    )


def _duration(seconds: int) -> str:
    if seconds < 60:
        return "a second" if seconds == 1 else f"{seconds} seconds"
    minutes = -(-seconds // 60)
    return "a minute" if minutes == 1 else f"{minutes} minutes"
