"""Who is at the school: found by name, role and class, page by page."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tenancy import assignments, classes, people, roster
from tenancy.audit import By
from tenancy.errors import NotThere
from tenancy.ids import new_id
from tenancy.postgres import Database
from tenancy.roster import Filters

NOW = datetime.now(UTC)


async def names(database: Database, school: Any, **filters: Any) -> list[str]:
    found, _ = await roster.list_(database, school.tenant.id, Filters(**filters), limit=99)
    return [row.name for row in found]


async def add(database: Database, school: Any, name: str, email: str) -> Any:
    async with database.transaction(school.tenant.id) as connection:
        return await people.add(
            *(connection, school.tenant.id),
            email=email,
            name=name,
            roles=frozenset({"student"}),
            locale="en",
            now=NOW,
        )


async def test_people_are_found(database: Database, school: Any, other_school: Any) -> None:
    everybody = sorted(person.name for person in school.people)
    assert await names(database, school) == everybody
    assert await names(database, school, role="tutor") == [school.tutor.name]
    assert await names(database, school, search="TUTOR OF") == [school.tutor.name]
    assert await names(database, school, search=school.admin.email.upper()) == [school.admin.name]
    for nothing in ("%", "_", "\\", "nobody at all"):
        assert await names(database, school, search=nothing) == []
    assert await names(database, school, status="deactivated") == []
    only = frozenset({school.student.id, other_school.student.id})
    assert await names(database, school, ids=only) == [school.student.name]
    klass = await classes.create(database, school.tenant.id, "4b", by=By())
    await classes.put_member(database, school.tenant.id, klass.id, school.student.id, by=By())
    assert await names(database, school, class_id=klass.id) == [school.student.name]


async def test_pages_go_on_where_the_last_one_ended(database: Database, school: Any) -> None:
    for n, name in enumerate(("ana", "Ana", "ANA", "Älva", "Zoë")):
        await add(database, school, name, f"p{n}@{school.tenant.slug}.example")
    seen, place = [], None
    while True:
        page, place = await roster.list_(
            database, school.tenant.id, Filters(), after=place, limit=2
        )
        seen += [row.id for row in page]
        if place is None:
            break
    whole, _ = await roster.list_(database, school.tenant.id, Filters(), limit=99)
    assert seen == [row.id for row in whole] and len(set(seen)) == 10


async def test_somebody_is_shown_with_who_belongs_to_them(
    database: Database, school: Any, other_school: Any
) -> None:
    tenant_id = school.tenant.id
    klass = await classes.create(database, tenant_id, "4b", by=By())
    await classes.put_member(database, tenant_id, klass.id, school.student.id, by=By())
    row, bonds = await roster.get(database, tenant_id, school.student.id, NOW + timedelta(hours=1))
    assert (row.email, row.roles, row.status) == (school.student.email, ("student",), "active")
    assert [one.name for one in row.classes] == ["4b"]
    assert [one.id for one in bonds.guardians] == [school.parent.id]
    assert [one.id for one in bonds.tutors] == [school.tutor.id]
    assert bonds.children == bonds.students == ()
    _, bonds = await roster.get(database, tenant_id, school.parent.id, NOW)
    assert [one.id for one in bonds.children] == [school.student.id]
    _, bonds = await roster.get(database, tenant_id, school.tutor.id, NOW + timedelta(hours=1))
    assert [one.id for one in bonds.students] == [school.student.id]

    await classes.change(database, tenant_id, klass.id, archived=True, by=By())
    ((care,), _) = await assignments.list_(database, tenant_id, assignments.Filters(), limit=9)
    await assignments.change(database, tenant_id, care.id, status="paused", by=By())
    row, bonds = await roster.get(database, tenant_id, school.student.id, NOW + timedelta(hours=1))
    assert (row.classes, bonds.tutors) == ((), ())
    for person_id in (other_school.student.id, new_id()):
        with pytest.raises(NotThere):
            await roster.get(database, tenant_id, person_id, NOW)
