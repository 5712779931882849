"""Importing a roster: tried, done as a whole or not at all, and the same again changes nothing."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest

from tenancy import accounts, assignments, audit, care, classes, roster, roster_import
from tenancy.audit import By
from tenancy.identities import Identities, issue_token
from tenancy.model import SignInRefused
from tenancy.postgres import Database
from tenancy.roster import Filters
from tenancy.roster_file import FileRefused
from tenancy.roster_import import RosterMoved

HEADER = "name,email,role,grade_level,class,guardian_email,tutor_email\n"
ROSTER = (
    HEADER
    + "Zoë Quince,zoe@q.example,student,4,Class 4b,pat@q.example,tayo@q.example\n"
    + "Ana Quince,ana@q.example,student,5,Class 4b|Chess,pat@q.example,\n"
    + "Pat Quince,pat@q.example,parent,,,,\n"
    + "Tayo Okafor,tayo@q.example,tutor|instructor,,Class 4b,,\n"
).encode()


@pytest.fixture
async def door(database: Database) -> AsyncIterator[Identities]:
    identities = Identities(database)
    yield identities
    identities.close()


async def everybody(database: Database, school: Any) -> dict[str, roster.PersonRow]:
    found, _ = await roster.list_(database, school.tenant.id, Filters(), limit=999)
    return {row.email: row for row in found}


async def test_a_roster_comes_in_whole(
    database: Database, door: Identities, school: Any, other_school: Any
) -> None:
    tenant_id, by = school.tenant.id, By(school.admin.id, "203.0.113.20")
    tried = await roster_import.try_(database, tenant_id, ROSTER)
    assert (tried.lines, tried.create, tried.update, tried.unchanged) == (4, 4, 0, 0)
    assert (list(tried.new_classes), tried.problems, tried.created) == (
        ["Chess", "Class 4b"],
        [],
        (),
    )
    assert len(await everybody(database, school)) == 5

    done = await roster_import.import_(database, door, tenant_id, ROSTER, by=by)
    assert [new.email for new in done.created] == [
        f"{who}@q.example" for who in ("zoe", "ana", "pat", "tayo")
    ]
    people = await everybody(database, school)
    zoe, tayo = people["zoe@q.example"], people["tayo@q.example"]
    assert (zoe.name, zoe.roles, zoe.grade_level) == ("Zoë Quince", ("student",), "4")
    assert [one.name for one in people["ana@q.example"].classes] == ["Chess", "Class 4b"]
    thing = await care.about(database, "session", tenant_id, zoe.id)
    assert thing.tutor_ids == {tayo.id}
    assert thing.guardian_ids == {people["pat@q.example"].id}
    rows, _ = await classes.list_(database, tenant_id, limit=9)
    assert [(row.name, row.students, row.instructors) for row in rows] == [
        ("Chess", 1, 0),
        ("Class 4b", 2, 1),
    ]
    first = done.created[0]
    signed_in = await door.sign_in(tenant_id, first.email, first.password, address="192.0.2.1")
    assert signed_in.person.id == zoe.id
    assert len(await everybody(database, other_school)) == 5
    assert await audit.verify(database, tenant_id) == []
    noted, _ = await audit.list_(database, tenant_id, audit.Filters(actor_id=by.person_id), limit=9)
    assert [(entry.verb, entry.thing) for entry in noted] == [
        ("import", "roster"),
        *[("create", "person")] * 4,
        *[("create", "class")] * 2,
    ]
    assert noted[0].detail == {"created": 4, "updated": 0}


async def test_the_same_again_changes_nothing_and_no_password(
    database: Database, door: Identities, school: Any
) -> None:
    tenant_id, by = school.tenant.id, By(school.admin.id)
    first = (await roster_import.import_(database, door, tenant_id, ROSTER, by=by)).created[0]
    before, end = await everybody(database, school), await audit.end(database, tenant_id)
    again = await roster_import.import_(database, door, tenant_id, ROSTER, by=by)
    assert (again.create, again.update, again.unchanged, again.created) == (0, 0, 4, ())
    assert await everybody(database, school) == before
    assert await audit.end(database, tenant_id) == end
    changed = ROSTER.replace(b"Zo\xc3\xab Quince", b"Zo\xc3\xab Q.").replace(b",5,", b",,")
    third = await roster_import.import_(database, door, tenant_id, changed, by=by)
    assert (third.create, third.update, third.unchanged) == (0, 1, 3)
    people = await everybody(database, school)
    assert people["zoe@q.example"].name == "Zoë Q."
    assert people["ana@q.example"].grade_level == "5", "what a cell leaves empty stays"
    await door.sign_in(tenant_id, first.email, first.password, address="192.0.2.1")


@pytest.mark.parametrize("line", ["Bo,bo@q,student", "Bo,bo@q.example,student,,,who@q.example"])
async def test_anything_wrong_and_nothing_is_written(
    database: Database, door: Identities, school: Any, line: str
) -> None:
    data, tenant_id = ROSTER + line.encode(), school.tenant.id
    before, end = await everybody(database, school), await audit.end(database, tenant_id)
    for outcome in (
        await roster_import.try_(database, tenant_id, data),
        await roster_import.import_(database, door, tenant_id, data, by=By()),
    ):
        assert [problem.line for problem in outcome.problems] == [6]
        assert (outcome.lines, outcome.create, outcome.created) == (5, 4, ())
    assert await everybody(database, school) == before
    assert await audit.end(database, tenant_id) == end
    with pytest.raises(FileRefused):
        await roster_import.import_(database, door, tenant_id, b"\xff\xfe", by=By())


async def test_a_mistake_half_way_leaves_nothing_behind(
    database: Database, door: Identities, school: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fails(*_: Any) -> None:
        raise ConnectionError("cut off")

    monkeypatch.setattr(audit, "write_all", fails)
    with pytest.raises(ConnectionError):
        await roster_import.import_(database, door, school.tenant.id, ROSTER, by=By())
    assert len(await everybody(database, school)) == 5
    assert await classes.list_(database, school.tenant.id, limit=9) == ([], None)


async def test_people_who_are_there_are_brought_up_to_date(
    database: Database, door: Identities, school: Any
) -> None:
    tenant_id, tutor = school.tenant.id, school.tutor
    caller = await door.verify(await issue_token(database, tutor.email, school.tenant.slug, 600))
    closed: list[str] = []
    door.revocations.listen(caller, lambda: closed.append("socket"))
    data = (
        f"{HEADER}{tutor.name},{tutor.email.upper()},instructor,,4b,,\n"
        f"{school.student.name},{school.student.email},student,,4b,,{tutor.email}\n"
    ).encode()
    done = await roster_import.import_(database, door, tenant_id, data, by=By())
    assert (done.create, done.update) == (0, 2)
    people = await everybody(database, school)
    assert people[tutor.email].roles == ("instructor", "tutor")
    await asyncio.sleep(0)
    assert closed == ["socket"]
    found, _ = await assignments.list_(database, tenant_id, assignments.Filters(), limit=9)
    assert len(found) == 1, "they looked after them already"
    (_, bonds) = await roster.get(database, tenant_id, tutor.id, datetime.now(UTC))
    assert [one.id for one in bonds.students] == [school.student.id]


async def test_two_at_once_make_everybody_once(
    database: Database, door: Identities, school: Any
) -> None:
    tenant_id = school.tenant.id

    async def one() -> int:
        try:
            done = await roster_import.import_(database, door, tenant_id, ROSTER, by=By())
        except RosterMoved:
            return 0
        return len(done.created)

    assert sum(await asyncio.gather(one(), one(), one())) == 4
    assert len(await everybody(database, school)) == 9
    assert await audit.verify(database, tenant_id) == []


async def test_a_switched_off_account_is_not_switched_on_by_a_file(
    database: Database, door: Identities, school: Any
) -> None:
    tenant_id, student = school.tenant.id, school.student
    await accounts.deactivate(database, door, tenant_id, student.id, by=By(school.admin.id))
    data = f"{HEADER}{student.name},{student.email},student".encode()
    outcome = await roster_import.import_(database, door, tenant_id, data, by=By())
    assert "switched off" in outcome.problems[0].sentence
    with pytest.raises(SignInRefused):
        await door.sign_in(tenant_id, student.email, "x", address="192.0.2.1")


@pytest.mark.slow
async def test_a_large_school_comes_in_while_the_loop_goes_on(
    database: Database, door: Identities, school: Any
) -> None:
    lines = [f"Person {n},p{n}@q.example,student,4,Class {n % 200},," for n in range(5_000)]
    turns = 0

    async def watch() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0.005)
            turns += 1

    watching = asyncio.create_task(watch())
    data = (HEADER + "\n".join(lines)).encode()
    done = await roster_import.import_(database, door, school.tenant.id, data, by=By())
    watching.cancel()
    assert (len(done.created), len(done.new_classes)) == (5_000, 200)
    assert await audit.verify(database, school.tenant.id) == []
    assert turns > 20, "others had their turn meanwhile"
