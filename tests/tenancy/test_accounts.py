"""Accounts as the office makes and changes them; a school always keeps somebody who runs it."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from tenancy import accounts, classes, credentials, passwords, people, roster
from tenancy.accounts import Changes, LastAdmin, NewAccount, NotOneself
from tenancy.audit import By
from tenancy.errors import NotThere, Unfit
from tenancy.identities import WRONG, Identities, issue_token
from tenancy.ids import new_id
from tenancy.model import Caller, NotSignedIn, Person, SignInRefused
from tenancy.passwords import is_outdated
from tenancy.people import EmailTaken
from tenancy.postgres import Database

HOME = "203.0.113.20"


@pytest.fixture
async def door(database: Database) -> AsyncIterator[Identities]:
    identities = Identities(database)
    yield identities
    identities.close()


async def caller(door: Identities, database: Database, person: Person) -> Caller:
    """Somebody who is in."""
    slug = (await database.tenant(person.tenant_id)).slug
    return await door.verify(await issue_token(database, person.email, slug, 3_600))


async def row_of(database: Database, person: Person) -> roster.PersonRow:
    row, _ = await roster.get(database, person.tenant_id, person.id, datetime.now(UTC))
    return row


async def second_admin(database: Database, school: Any) -> Person:
    """Another one, by whose hand things are done."""
    async with database.transaction(school.tenant.id) as connection:
        return await people.add(
            connection,
            school.tenant.id,
            email=f"second@{school.tenant.slug}.example",
            name="Second",
            roles=frozenset({"admin"}),
            locale="en",
            now=datetime.now(UTC),
        )


async def test_a_new_person_signs_in_with_the_password_that_was_shown(
    door: Identities, database: Database, school: Any, other_school: Any
) -> None:
    tenant_id, by = school.tenant.id, By(school.admin.id, HOME)
    klass = await classes.create(database, tenant_id, "Class 4b", by=by)
    wanted = NewAccount(
        "Zoë Quince", "Zoe@Quince.example", frozenset({"student"}), "4", (klass.id, klass.id)
    )
    person_id, password = await accounts.create(database, door, tenant_id, wanted, by=by)
    signed_in = await door.sign_in(tenant_id, "zoe@quince.example", password, address=HOME)
    assert signed_in.person.id == person_id and signed_in.person.roles == {"student"}
    row, _ = await roster.get(database, tenant_id, person_id, datetime.now(UTC))
    assert (row.name, row.grade_level, row.classes[0].name) == ("Zoë Quince", "4", "Class 4b")
    async with database.transaction(tenant_id) as connection:
        _, hash = await credentials.password(connection, tenant_id, row.email)
    assert hash is not None and not is_outdated(hash), "the first sign-in made it slow"
    with pytest.raises(EmailTaken, match="already"):
        await accounts.create(database, door, tenant_id, wanted, by=by)
    await accounts.create(
        *(database, door, other_school.tenant.id, NewAccount("Z", wanted.email, wanted.roles)),
        by=By(),
    )
    with pytest.raises(NotThere, match="class"):
        await accounts.create(
            *(database, door, other_school.tenant.id),
            NewAccount("Z", "z@quince.example", wanted.roles, "", (klass.id,)),
            by=By(),
        )
    with pytest.raises(Unfit, match="neither"):
        await accounts.create(
            *(database, door, tenant_id),
            NewAccount("Z", "z@quince.example", frozenset({"parent"}), "", (klass.id,)),
            by=by,
        )
    with pytest.raises(SignInRefused, match=WRONG):
        await door.sign_in(tenant_id, "z@quince.example", password, address=HOME)


async def test_a_made_password_is_long_and_no_two_are_alike() -> None:
    made = {passwords.make() for _ in range(200)}
    assert len(made) == 200
    assert all(set(one) <= {*passwords.LETTERS, "-"} and len(one) == 14 for one in made)


async def test_other_roles_close_what_is_open_and_let_it_be_opened_again(
    door: Identities, database: Database, school: Any
) -> None:
    tenant_id, tutor, by = school.tenant.id, school.tutor, By(school.admin.id)
    before = await caller(door, database, tutor)
    closed: list[str] = []
    door.revocations.listen(before, lambda: closed.append("socket"))
    changes = Changes(name="Tayo O.", roles=frozenset({"tutor", "instructor"}), grade_level="")
    await accounts.change(database, door, tenant_id, tutor.id, changes, by=by)
    await asyncio.sleep(0)
    assert closed == ["socket"]
    door.revocations.listen(before, lambda: closed.append("opened with what was known before"))
    now = await caller(door, database, tutor)
    again = Caller(now.person, before.credential_id, "bearer")
    door.revocations.listen(again, lambda: closed.append("opened anew"))
    await asyncio.sleep(0)
    assert closed == ["socket", "opened with what was known before"]
    assert now.person.roles == {"tutor", "instructor"} and now.person.name == "Tayo O."
    assert await door.still_valid(now)


async def test_a_name_alone_closes_nothing(
    door: Identities, database: Database, school: Any
) -> None:
    before = await caller(door, database, school.tutor)
    closed: list[str] = []
    door.revocations.listen(before, lambda: closed.append("socket"))
    await accounts.change(
        *(database, door, school.tenant.id, school.tutor.id), Changes(name="Tayo"), by=By()
    )
    await asyncio.sleep(0)
    assert closed == []


async def test_an_address_is_one_persons(door: Identities, database: Database, school: Any) -> None:
    tenant_id, by = school.tenant.id, By(school.admin.id)
    taken = Changes(email=school.parent.email.upper())
    with pytest.raises(EmailTaken):
        await accounts.change(database, door, tenant_id, school.tutor.id, taken, by=by)
    own = Changes(email=school.tutor.email.upper())
    await accounts.change(database, door, tenant_id, school.tutor.id, own, by=by)
    assert (await row_of(database, school.tutor)).email == school.tutor.email


async def test_a_switched_off_account_is_out_everywhere(
    door: Identities, database: Database, school: Any
) -> None:
    tenant_id, student, by = school.tenant.id, school.student, By(school.admin.id)
    page, program = [await caller(door, database, student) for _ in range(2)]
    closed: list[str] = []
    door.revocations.listen(page, lambda: closed.append("page"))
    door.revocations.listen(program, lambda: closed.append("program"))
    await accounts.deactivate(database, door, tenant_id, student.id, by=by)
    await asyncio.sleep(0)
    assert sorted(closed) == ["page", "program"]
    assert not await door.still_valid(program)
    late = await issue_token(database, student.email, school.tenant.slug, 3_600)
    with pytest.raises(NotSignedIn, match="switched off"):
        await door.verify(late)
    await accounts.activate(database, tenant_id, student.id, by=by)
    assert (await door.verify(late)).person.id == student.id
    assert not await door.still_valid(page)


async def test_another_password_ends_the_old_one_and_every_sign_in(
    door: Identities, database: Database, school: Any
) -> None:
    tenant_id, student, by = school.tenant.id, school.student, By(school.admin.id)
    first = await accounts.reset_password(database, door, tenant_id, student.id, by=by)
    signed_in = await door.sign_in(tenant_id, student.email, first, address=HOME)
    second = await accounts.reset_password(database, door, tenant_id, student.id, by=by)
    with pytest.raises(NotSignedIn):
        await door.verify(signed_in.token.value)
    with pytest.raises(SignInRefused):
        await door.sign_in(tenant_id, student.email, first, address=HOME)
    await door.sign_in(tenant_id, student.email, second, address=HOME)


async def test_somebody_always_runs_the_school(
    door: Identities, database: Database, school: Any
) -> None:
    tenant_id, admin = school.tenant.id, school.admin
    no_admin = Changes(roles=frozenset({"tutor"}))
    for by in (By(admin.id), By()):
        with pytest.raises(LastAdmin, match="only administrator"):
            await accounts.change(database, door, tenant_id, admin.id, no_admin, by=by)
        with pytest.raises(LastAdmin):
            await accounts.deactivate(database, door, tenant_id, admin.id, by=by)
    second = await second_admin(database, school)
    with pytest.raises(NotOneself, match="from yourself"):
        await accounts.change(database, door, tenant_id, admin.id, no_admin, by=By(admin.id))
    with pytest.raises(NotOneself, match="your own account"):
        await accounts.deactivate(database, door, tenant_id, admin.id, by=By(admin.id))
    await accounts.deactivate(database, door, tenant_id, second.id, by=By(admin.id))
    with pytest.raises(LastAdmin):
        await accounts.deactivate(database, door, tenant_id, admin.id, by=By(second.id))


async def test_two_who_switch_each_other_off_leave_one(
    door: Identities, database: Database, school: Any
) -> None:
    tenant_id, first = school.tenant.id, school.admin
    second = await second_admin(database, school)

    async def off(whom: UUID, by: UUID) -> bool:
        try:
            await accounts.deactivate(database, door, tenant_id, whom, by=By(by))
        except LastAdmin:
            return False
        return True

    async def demote(whom: UUID, by: UUID) -> bool:
        changes = Changes(roles=frozenset({"tutor"}))
        try:
            await accounts.change(database, door, tenant_id, whom, changes, by=By(by))
        except LastAdmin:
            return False
        return True

    done = await asyncio.gather(off(first.id, second.id), demote(second.id, first.id))
    assert sorted(done) == [False, True]
    rows = [await row_of(database, person) for person in (first, second)]
    assert sum(row.status == "active" and "admin" in row.roles for row in rows) == 1


async def test_nobody_of_another_school_is_there(
    door: Identities, database: Database, school: Any, other_school: Any
) -> None:
    tenant_id, by = school.tenant.id, By(school.admin.id)
    for person_id in (other_school.student.id, new_id()):
        with pytest.raises(NotThere):
            await accounts.change(database, door, tenant_id, person_id, Changes(name="X"), by=by)
        with pytest.raises(NotThere):
            await accounts.deactivate(database, door, tenant_id, person_id, by=by)
        with pytest.raises(NotThere):
            await accounts.activate(database, tenant_id, person_id, by=by)
        with pytest.raises(NotThere):
            await accounts.reset_password(database, door, tenant_id, person_id, by=by)
    assert (await row_of(database, other_school.student)).name == other_school.student.name
