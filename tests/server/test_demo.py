"""A new folder has a school to look around in."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from server import demo
from sessions.lessons import store
from sessions.lessons.demo import SLUGS
from tenancy import assignments, care, classes
from tenancy.identities import Identities
from tenancy.model import ROLES, Person, Role
from tenancy.postgres import Database


@pytest.fixture
async def identities(database: Database) -> AsyncIterator[Identities]:
    opened = Identities(database)
    yield opened
    opened.close()


async def look_around(database: Database, identities: Identities, password: str) -> None:
    """Everybody is there, can sign in and has what is theirs, and the lessons are."""
    school = await database.tenant_by_slug(demo.SLUG)
    people: dict[Role, Person] = {}
    for role in ROLES:
        signed_in = await identities.sign_in(
            school.id, f"{role}@demo.school", password, address="127.0.0.1"
        )
        assert signed_in.person.roles == {role}
        people[role] = signed_in.person
    lessons = await store.list_for(database, people["student"])
    assert {lesson.slug for lesson in lessons} == set(SLUGS)
    student, tutor = people["student"].id, people["tutor"].id
    thing = await care.about(database, "transcript", school.id, student)
    assert (thing.tutor_ids, thing.guardian_ids) == ({tutor}, {people["parent"].id})
    everything = assignments.Filters()
    assert len((await assignments.list_(database, school.id, everything, limit=9))[0]) == 1
    ((row,), _) = await classes.list_(database, school.id, limit=9)
    assert (row.name, row.students, row.instructors) == ("Class 4b", 1, 1)


async def test_five_people_sign_in_with_the_password_in_the_folder(
    database: Database, identities: Identities, database_urls: Any, tmp_path: Path, monkeypatch: Any
) -> None:
    monkeypatch.setattr(demo, "SLUG", "demo-of-this-test")
    demo.begin(tmp_path)
    password = await demo.finish(database_urls.admin, database, identities, tmp_path)

    kept = tmp_path / demo.KEPT_AS
    assert kept.read_text() == password + "\n"
    assert kept.stat().st_mode & 0o777 == 0o600
    assert len(password) >= 12
    assert not demo.is_begun(tmp_path)
    await look_around(database, identities, password)


async def test_a_start_that_was_cut_off_is_taken_up(
    database: Database, identities: Identities, database_urls: Any, tmp_path: Path, monkeypatch: Any
) -> None:
    monkeypatch.setattr(demo, "SLUG", "demo-cut-off")
    create_person, publish = identities.create_person, store._publish
    created: list[str] = []

    async def few_people(*args: Any, **named: Any) -> Any:
        if len(created) == 2:
            raise ConnectionError("cut off among the people")
        created.append(named["email"])
        return await create_person(*args, **named)

    async def few_lessons(*args: Any) -> None:
        await publish(*args)
        raise ConnectionError("cut off among the lessons")

    async def few_bonds(*_: Any, **__: Any) -> Any:
        raise ConnectionError("cut off among the bonds")

    demo.begin(tmp_path)
    with monkeypatch.context() as patched, pytest.raises(ConnectionError, match="people"):
        patched.setattr(identities, "create_person", few_people)
        await demo.finish(database_urls.admin, database, identities, tmp_path)
    with monkeypatch.context() as patched, pytest.raises(ConnectionError, match="bonds"):
        patched.setattr(classes, "put_member", few_bonds)
        await demo.finish(database_urls.admin, database, identities, tmp_path)
    with monkeypatch.context() as patched, pytest.raises(ConnectionError, match="lessons"):
        patched.setattr(store, "_publish", few_lessons)
        await demo.finish(database_urls.admin, database, identities, tmp_path)
    assert demo.is_begun(tmp_path)
    password = await demo.finish(database_urls.admin, database, identities, tmp_path)
    await look_around(database, identities, password)
