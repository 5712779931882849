"""Signing in, staying in, being signed out; in faked time, beside another school's rows."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from argon2 import PasswordHasher

from tenancy import accounts, audit, credentials, people, tokens
from tenancy.audit import By
from tenancy.guessing import ACCOUNT
from tenancy.identities import (
    IDLE_S,
    LONGEST_S,
    WRONG,
    Identities,
    PersonUnknown,
    SeveralSchools,
    issue_token,
)
from tenancy.model import Caller, NotAllowed, NotSignedIn, Person, SignInRefused, TenantUnknown
from tenancy.passwords import NOBODYS_HASH, is_outdated
from tenancy.people import EmailTaken
from tenancy.postgres import Database

PASSWORD = "correct horse battery staple"
CHEAP_HASH = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
HOME, EVIL = "203.0.113.20", "198.51.100.7"


class Clock:
    """Time as a test wants it."""

    def __init__(self) -> None:
        self.now = datetime.now(UTC)

    def __call__(self) -> datetime:
        return self.now

    def pass_s(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def door(database: Database, clock: Clock) -> AsyncIterator[Identities]:
    identities = Identities(
        database,
        clock=clock,
        ticks_s=lambda: (clock.now - datetime.min.replace(tzinfo=UTC)).total_seconds(),
    )
    yield identities
    identities.close()


async def give_password(database: Database, person: Person, hash: str = CHEAP_HASH) -> None:
    async with database.transaction(person.tenant_id) as connection:
        await credentials.set_password(
            connection, person.tenant_id, person.id, hash, datetime.now(UTC)
        )


@pytest.fixture
async def student(database: Database, school: Any) -> Person:
    await give_password(database, school.student)
    person: Person = school.student
    return person


async def sign_in(door: Identities, person: Person, *, address: str = HOME) -> Caller:
    signed_in = await door.sign_in(person.tenant_id, person.email, PASSWORD, address=address)
    return await door.verify(signed_in.token.value)


async def audited(admin_connection: Any, cell: str, tenant_id: UUID) -> list[tuple[Any, ...]]:
    await admin_connection.execute("SELECT set_config('search_path', $1, false)", cell)
    rows = await admin_connection.fetch(
        "SELECT verb, actor, thing_id, address FROM audit WHERE tenant_id = $1 ORDER BY seq",
        tenant_id,
    )
    return [tuple(row) for row in rows]


# ---- signing in --------------------------------------------------------------------------------


async def test_the_right_password_gives_a_cookie_that_stands_for_its_owner(
    door: Identities, student: Person, clock: Clock
) -> None:
    signed_in = await door.sign_in(
        student.tenant_id, f"  {student.email.upper()} ", PASSWORD, address=HOME
    )
    assert signed_in.person == student
    assert signed_in.expires_at == clock.now + timedelta(seconds=LONGEST_S)
    caller = await door.verify(signed_in.token.value)
    assert caller.person == student
    assert caller.kind == "cookie"
    assert caller.csrf == signed_in.token.csrf
    assert caller.ends_at == signed_in.expires_at


async def test_wrong_password_unknown_address_and_closed_account_sound_the_same(
    door: Identities, database: Database, student: Person, school: Any
) -> None:
    await give_password(database, school.tutor)
    await accounts.deactivate(database, door, school.tenant.id, school.tutor.id, by=By())
    sentences = set()
    for email, password in [
        (student.email, "wrong"),
        ("nobody@nowhere.example", PASSWORD),
        (school.parent.email, PASSWORD),  # has no password at all
        (school.tutor.email, PASSWORD),
        (student.email, "\ud800\x00"),
    ]:
        with pytest.raises(SignInRefused) as refused:
            await door.sign_in(school.tenant.id, email, password, address=HOME)
        sentences.add((str(refused.value), refused.value.retry_after_s))
    assert sentences == {(WRONG, None)}


async def test_an_unknown_address_costs_one_hash_like_a_known_one(
    door: Identities, student: Person, real_hashes: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashes: list[str | None] = []
    verify = door.passwords.verify

    async def counted(password: str, hash: str | None) -> bool:
        hashes.append(hash)
        return await verify(password, hash)

    monkeypatch.setattr(door.passwords, "verify", counted)
    for email in (student.email, "nobody@nowhere.example"):
        with pytest.raises(SignInRefused):
            await door.sign_in(student.tenant_id, email, "wrong", address=HOME)
    assert hashes == [CHEAP_HASH, None]
    assert not is_outdated(NOBODYS_HASH)


async def test_the_password_of_one_school_opens_nothing_at_another(
    door: Identities, database: Database, student: Person, other_school: Any
) -> None:
    twin = await door.create_person(
        other_school.tenant.id,
        email=student.email,
        name="Same address, other school",
        roles=frozenset({"admin"}),
    )
    with pytest.raises(SignInRefused):
        await door.sign_in(other_school.tenant.id, student.email, PASSWORD, address=HOME)
    await give_password(database, twin)
    assert (await sign_in(door, twin)).person == twin
    assert (await sign_in(door, student)).person == student


async def test_an_old_hash_is_made_anew_when_its_owner_signs_in(
    door: Identities, database: Database, student: Person, real_hashes: None
) -> None:
    assert is_outdated(CHEAP_HASH)
    await sign_in(door, student)
    async with database.transaction(student.tenant_id) as connection:
        _, hash = await credentials.password(connection, student.tenant_id, student.email)
    assert hash is not None and not is_outdated(hash)
    assert (await sign_in(door, student)).person == student


async def test_guesses_are_limited_and_the_owner_still_gets_in(
    door: Identities, database: Database, student: Person
) -> None:
    await sign_in(door, student, address=HOME)
    outcomes = await asyncio.gather(
        *(
            door.sign_in(student.tenant_id, student.email, f"guess {n}", address=EVIL)
            for n in range(40)
        ),
        return_exceptions=True,
    )
    refusals = [o for o in outcomes if isinstance(o, SignInRefused)]
    assert len(refusals) == 40
    tried = [r for r in refusals if r.retry_after_s is None]
    assert len(tried) == ACCOUNT.free
    assert "wait a second" in str(next(r for r in refusals if r.retry_after_s))
    with pytest.raises(SignInRefused, match="Too many tries"):
        await door.sign_in(student.tenant_id, student.email, PASSWORD, address=EVIL)
    assert (await sign_in(door, student, address=HOME)).person == student


async def test_a_paused_school_is_told_so(
    door: Identities, database_urls: Any, student: Person, admin_connection: Any, keys: Any
) -> None:
    caller = await sign_in(door, student)
    await admin_connection.execute(
        "UPDATE control.tenants SET status = 'suspended' WHERE id = $1", student.tenant_id
    )
    fresh = await Database.open(database_urls.app, keys)
    later = Identities(fresh)
    with pytest.raises(SignInRefused, match="paused"):
        await later.sign_in(student.tenant_id, student.email, PASSWORD, address=HOME)
    assert not await later.still_valid(caller)
    later.close()
    await fresh.close()


# ---- staying signed in -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value",
    ["", "sk_", "x" * 1_000_000, f"{uuid4().hex}_{'A' * 43}", f"sk_{uuid4().hex}_{'A' * 43}\n"],
    ids=["empty", "no secret", "endless", "unknown cookie", "line break"],
)
async def test_what_is_no_token_is_refused(door: Identities, value: str) -> None:
    with pytest.raises(NotSignedIn, match="You are not signed in"):
        await door.verify(value)


async def test_a_token_works_only_as_the_kind_it_is_and_at_its_own_school(
    door: Identities, student: Person, other_school: Any
) -> None:
    token = (await door.sign_in(student.tenant_id, student.email, PASSWORD, address=HOME)).token
    for forged in (
        tokens.Token("bearer", token.tenant_id, token.secret),
        tokens.Token("ephemeral", token.tenant_id, token.secret),
        tokens.Token("cookie", other_school.tenant.id, token.secret),
    ):
        with pytest.raises(NotSignedIn):
            await door.verify(forged.value)


async def test_an_unused_cookie_ends_and_a_used_one_lives_until_the_evening(
    door: Identities, student: Person, clock: Clock
) -> None:
    value = (
        await door.sign_in(student.tenant_id, student.email, PASSWORD, address=HOME)
    ).token.value
    for _ in range(LONGEST_S // (IDLE_S - 60)):
        clock.pass_s(IDLE_S - 60)
        await door.verify(value)
    clock.pass_s(IDLE_S - 60)
    with pytest.raises(NotSignedIn, match="away for a while"):
        await door.verify(value)

    value = (
        await door.sign_in(student.tenant_id, student.email, PASSWORD, address=HOME)
    ).token.value
    clock.pass_s(IDLE_S)
    with pytest.raises(NotSignedIn, match="away for a while"):
        await door.verify(value)


async def test_a_child_in_a_long_lesson_is_not_signed_out(
    door: Identities, student: Person, clock: Clock
) -> None:
    token = (await door.sign_in(student.tenant_id, student.email, PASSWORD, address=HOME)).token
    page = await door.verify(token.value)
    key, _ = await door.issue_ephemeral(page, lesson="fractions", seconds=600)
    socket = await door.verify(key)
    for _ in range(60):
        clock.pass_s(60)
        assert await door.still_valid(socket)
    assert (await door.verify(token.value)).person == student


async def test_a_role_taken_away_ends_what_is_live(
    door: Identities, student: Person, admin_connection: Any, school: Any
) -> None:
    caller = await sign_in(door, student)
    assert await door.still_valid(caller)
    await admin_connection.execute(
        "SELECT set_config('search_path', $1, false)", school.tenant.cell
    )
    await admin_connection.execute("DELETE FROM person_roles WHERE person_id = $1", student.id)
    assert not await door.still_valid(caller)


async def test_nothing_of_the_secret_is_in_the_database(
    door: Identities, student: Person, admin_connection: Any, school: Any
) -> None:
    token = (await door.sign_in(student.tenant_id, student.email, PASSWORD, address=HOME)).token
    await admin_connection.execute(
        "SELECT set_config('search_path', $1, false)", school.tenant.cell
    )
    row = await admin_connection.fetchrow(
        "SELECT t::text AS all, hash FROM access_tokens t WHERE person_id = $1", student.id
    )
    assert row["hash"] == token.hash
    assert token.secret not in row["all"] and token.csrf not in row["all"]


# ---- keys --------------------------------------------------------------------------------------


async def test_a_key_is_for_one_lesson_and_works_until_it_expires(
    door: Identities, student: Person, clock: Clock
) -> None:
    page = await sign_in(door, student)
    key, expires_at = await door.issue_ephemeral(page, lesson="fractions", seconds=60)
    assert expires_at == clock.now + timedelta(seconds=60)
    for _ in range(3):
        caller = await door.verify(key)
        assert (caller.kind, caller.lesson, caller.csrf) == ("ephemeral", "fractions", None)
    clock.pass_s(60)
    with pytest.raises(NotSignedIn, match="expired"):
        await door.verify(key)
    assert await door.still_valid(caller), "a lesson outlives the key that opened it"


@pytest.mark.parametrize("seconds", [-1, 0, 9, 7_201])
async def test_a_key_of_another_length_is_refused(
    door: Identities, student: Person, seconds: int
) -> None:
    page = await sign_in(door, student)
    with pytest.raises(ValueError, match="10 to 7200"):
        await door.issue_ephemeral(page, lesson=None, seconds=seconds)


async def test_a_key_makes_no_keys_and_outlives_nobody(
    door: Identities, student: Person, clock: Clock
) -> None:
    page = await sign_in(door, student)
    clock.pass_s(IDLE_S - 1)
    for _ in range(LONGEST_S // IDLE_S - 1):
        await door.still_valid(page)
        clock.pass_s(IDLE_S - 1)
    key, expires_at = await door.issue_ephemeral(page, lesson=None, seconds=7_200)
    assert expires_at == page.ends_at
    with pytest.raises(NotAllowed, match="can't make another"):
        await door.issue_ephemeral(await door.verify(key), lesson=None, seconds=60)


# ---- being signed out --------------------------------------------------------------------------


async def test_signing_out_ends_the_cookie_its_keys_and_its_live_connections(
    door: Identities, student: Person
) -> None:
    phone = await sign_in(door, student)
    token = (await door.sign_in(student.tenant_id, student.email, PASSWORD, address=HOME)).token
    page = await door.verify(token.value)
    key, _ = await door.issue_ephemeral(page, lesson="fractions", seconds=600)
    socket = await door.verify(key)
    closed: list[str] = []
    door.revocations.listen(socket, lambda: closed.append("socket"))
    door.revocations.listen(page, lambda: closed.append("page"))
    door.revocations.listen(phone, lambda: closed.append("phone"))

    await door.sign_out(page)
    await asyncio.sleep(0)
    assert sorted(closed) == ["page", "socket"]
    for ended in (token.value, key):
        with pytest.raises(NotSignedIn, match="signed out"):
            await door.verify(ended)
    with pytest.raises(NotSignedIn):
        await door.issue_ephemeral(page, lesson=None, seconds=60)
    assert not await door.still_valid(socket)
    assert await door.still_valid(phone)


async def test_who_listens_too_late_is_told_at_once(door: Identities, student: Person) -> None:
    page = await sign_in(door, student)
    await door.sign_out(page)
    closed: list[str] = []
    door.revocations.listen(page, lambda: closed.append("late"))
    await asyncio.sleep(0)
    assert closed == ["late"]


async def test_who_has_left_is_told_nothing(door: Identities, student: Person) -> None:
    page = await sign_in(door, student)
    closed: list[str] = []
    stop = door.revocations.listen(page, lambda: closed.append("gone"))
    stop()
    await door.sign_out(page)
    await asyncio.sleep(0)
    assert closed == []


async def test_a_live_connection_is_told_when_its_credential_expires(
    door: Identities, student: Person, clock: Clock
) -> None:
    page = await sign_in(door, student)
    clock.pass_s(LONGEST_S)
    ended = asyncio.Event()
    door.revocations.listen(page, ended.set)
    await asyncio.wait_for(ended.wait(), 1)
    assert not await door.still_valid(page)


# ---- the operator's tokens ---------------------------------------------------------------------


async def test_the_operator_issues_a_bearer_token(
    door: Identities, database: Database, student: Person, school: Any
) -> None:
    value = await issue_token(database, student.email, None, 3_600)
    assert value.startswith("sk_")
    caller = await door.verify(value)
    assert (caller.person, caller.kind, caller.csrf) == (student, "bearer", None)
    key, _ = await door.issue_ephemeral(caller, lesson=None, seconds=60)
    assert (await door.verify(key)).person == student


async def test_a_bearer_token_expires(
    door: Identities, database: Database, student: Person, clock: Clock
) -> None:
    value = await issue_token(database, student.email, None, 3_600)
    clock.pass_s(3_599 - 60)
    await door.verify(value)
    clock.pass_s(120)
    with pytest.raises(NotSignedIn, match="expired"):
        await door.verify(value)


async def test_an_address_at_several_schools_needs_the_school(
    door: Identities, database: Database, student: Person, school: Any, other_school: Any
) -> None:
    await door.create_person(
        other_school.tenant.id, email=student.email, name="Twin", roles=frozenset({"student"})
    )
    with pytest.raises(SeveralSchools) as several:
        await issue_token(database, student.email, None, 60)
    assert sorted(several.value.schools) == sorted([school.tenant.slug, other_school.tenant.slug])
    assert school.tenant.slug in str(several.value)
    value = await issue_token(database, student.email, other_school.tenant.slug, 60)
    assert (await door.verify(value)).person.name == "Twin"
    with pytest.raises(PersonUnknown, match=other_school.tenant.slug):
        await issue_token(database, school.tutor.email, other_school.tenant.slug, 60)
    with pytest.raises(PersonUnknown, match="any school here"):
        await issue_token(database, "nobody@nowhere.example", None, 60)
    with pytest.raises(TenantUnknown):
        await issue_token(database, student.email, "no-such-school", 60)


# ---- people, and what is written down ----------------------------------------------------------


async def test_a_new_person_signs_in_with_their_password(door: Identities, school: Any) -> None:
    person = await door.create_person(
        school.tenant.id,
        email="Élodie@Demo.School",
        name="Élodie",
        roles=frozenset({"tutor", "parent"}),
        password="Zu\u0308rich und der See",
    )
    assert person.email == "élodie@demo.school"
    composed = await door.sign_in(
        school.tenant.id, person.email, "Z\u00fcrich und der See", address=HOME
    )
    assert composed.person == person
    with pytest.raises(EmailTaken):
        await door.create_person(
            school.tenant.id, email=" ÉLODIE@demo.school", name="E", roles=frozenset()
        )


async def test_preferences_are_ones_own(database: Database, school: Any, other_school: Any) -> None:
    tenant_id, person_id = school.tenant.id, school.student.id
    async with database.transaction(tenant_id) as connection:
        change = people.change_preferences
        await change(connection, tenant_id, person_id, {"theme": "dark", "text": "large"})
        kept = await change(connection, tenant_id, person_id, {"text": None, "speed": 0.8})
        assert kept == {"theme": "dark", "speed": 0.8}
        assert await people.preferences(connection, tenant_id, person_id) == kept
        assert await people.preferences(connection, tenant_id, school.tutor.id) == {}
    async with database.transaction(other_school.tenant.id) as connection:
        for tenant in (tenant_id, other_school.tenant.id):
            assert await people.get(connection, tenant, person_id) is None
            assert await people.by_email(connection, tenant, school.student.email) is None
            assert await people.preferences(connection, tenant, person_id) == {}
            assert await people.change_preferences(connection, tenant, person_id, {"a": 1}) == {}


async def test_who_came_and_went_is_in_the_audit(
    door: Identities, database: Database, student: Person, school: Any, admin_connection: Any
) -> None:
    page = await sign_in(door, student)
    await door.issue_ephemeral(page, lesson=None, seconds=60)
    for email in (student.email, "nobody@nowhere.example"):
        with pytest.raises(SignInRefused):
            await door.sign_in(school.tenant.id, email, "wrong", address=EVIL)
    await door.sign_out(page, address=HOME)
    me = str(student.id)
    entries = await audited(admin_connection, school.tenant.cell, school.tenant.id)
    assert [entry for entry in entries if entry[0] != "create"] == [
        ("sign_in", student.id, me, HOME),
        ("issue", student.id, me, None),
        ("refuse_sign_in", None, me, EVIL),
        ("refuse_sign_in", None, "unknown", EVIL),
        ("sign_out", student.id, me, HOME),
    ]
    assert await audit.verify(database, school.tenant.id) == []


# ---- while a password changes ------------------------------------------------------------------


@pytest.fixture
def while_verifying(door: Identities, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Have something happen once, after a password was looked at and before that counts."""
    verify = door.passwords.verify

    def arrange(happen: Callable[[], Awaitable[object]]) -> None:
        async def slow(password: str, hash: str | None) -> bool:
            right = await verify(password, hash)
            monkeypatch.setattr(door.passwords, "verify", verify)
            await happen()
            return right

        monkeypatch.setattr(door.passwords, "verify", slow)

    return arrange


async def test_the_old_password_opens_nothing_once_it_is_changed(
    door: Identities, student: Person, while_verifying: Any
) -> None:
    page = await sign_in(door, student)
    while_verifying(lambda: door.change_password(page, PASSWORD, "new and long", address=HOME))
    with pytest.raises(SignInRefused):
        await door.sign_in(student.tenant_id, student.email, PASSWORD, address=EVIL)
    await door.sign_in(student.tenant_id, student.email, "new and long", address=HOME)


async def test_who_signs_in_twice_while_an_old_hash_is_made_anew_gets_in_twice(
    door: Identities, student: Person, while_verifying: Any, real_hashes: None
) -> None:
    while_verifying(lambda: sign_in(door, student))
    assert (await sign_in(door, student)).person == student


async def test_a_reset_is_not_undone_by_a_change_under_way(
    door: Identities, database: Database, student: Person, while_verifying: Any
) -> None:
    page = await sign_in(door, student)
    given = []

    async def reset() -> None:
        by = By()
        given.append(
            await accounts.reset_password(database, door, student.tenant_id, student.id, by=by)
        )

    while_verifying(reset)
    with pytest.raises(NotSignedIn, match="signed out"):
        await door.change_password(page, PASSWORD, "new and long", address=EVIL)
    await door.sign_in(student.tenant_id, student.email, given[0], address=HOME)


async def test_who_was_signed_out_changes_no_password(
    door: Identities, student: Person, while_verifying: Any
) -> None:
    page = await sign_in(door, student)
    while_verifying(lambda: door.sign_out(page))
    with pytest.raises(NotSignedIn, match="signed out"):
        await door.change_password(page, PASSWORD, "new and long", address=EVIL)
    await sign_in(door, student)


async def test_of_two_changes_at_once_one_counts_and_the_other_is_noted(
    door: Identities, student: Person, school: Any, while_verifying: Any, admin_connection: Any
) -> None:
    page = await sign_in(door, student)
    while_verifying(lambda: door.change_password(page, PASSWORD, "first and long", address=HOME))
    assert not await door.change_password(page, PASSWORD, "second and long", address=EVIL)
    assert not await door.change_password(page, "wrong", "third and long", address=EVIL)
    await door.sign_in(student.tenant_id, student.email, "first and long", address=HOME)
    entries = await audited(admin_connection, school.tenant.cell, school.tenant.id)
    me = str(student.id)
    assert [entry for entry in entries if "change_password" in entry[0]] == [
        ("change_password", student.id, me, HOME),
        ("refuse_change_password", student.id, me, EVIL),
        ("refuse_change_password", student.id, me, EVIL),
    ]


async def test_useless_credentials_are_cleared_away(
    door: Identities, student: Person, school: Any, clock: Clock, admin_connection: Any
) -> None:
    for _ in range(3):
        await sign_in(door, student)
    clock.pass_s(LONGEST_S + 24 * 3600 + 1)
    await sign_in(door, student)
    await admin_connection.execute(
        "SELECT set_config('search_path', $1, false)", school.tenant.cell
    )
    assert (
        await admin_connection.fetchval(
            "SELECT count(*) FROM access_tokens WHERE person_id = $1", student.id
        )
        == 1
    )
