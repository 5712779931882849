"""Classes: named once, with students and teachers of the school and nobody else."""

from typing import Any

import pytest

from tenancy import classes
from tenancy.audit import By
from tenancy.classes import ClassNameTaken, Place
from tenancy.errors import NotThere, Unfit
from tenancy.ids import new_id
from tenancy.postgres import Database


async def test_a_class_has_teachers_and_students(database: Database, school: Any) -> None:
    tenant_id, by = school.tenant.id, By(school.admin.id, "203.0.113.20")
    made = await classes.create(database, tenant_id, "Class 4b", by=by)
    for person in (school.student, school.instructor, school.student):
        await classes.put_member(database, tenant_id, made.id, person.id, by=by)
    row, members = await classes.get(database, tenant_id, made.id)
    assert (row.name, row.archived, row.students, row.instructors) == ("Class 4b", False, 1, 1)
    assert [(one.id, one.role) for one in members] == [
        (school.instructor.id, "instructor"),
        (school.student.id, "student"),
    ]
    for _ in range(2):
        await classes.remove_member(database, tenant_id, made.id, school.student.id, by=by)
    row, members = await classes.get(database, tenant_id, made.id)
    assert (row.students, [one.id for one in members]) == (0, [school.instructor.id])
    with pytest.raises(Unfit, match="is neither"):
        await classes.put_member(database, tenant_id, made.id, school.parent.id, by=by)
    with pytest.raises(Unfit, match="has not the role instructor"):
        await classes.put_member(
            database, tenant_id, made.id, school.student.id, role="instructor", by=by
        )


async def test_names_are_given_once(database: Database, school: Any, other_school: Any) -> None:
    tenant_id = school.tenant.id
    made = await classes.create(database, tenant_id, "Class 4b", by=By())
    await classes.create(database, other_school.tenant.id, "Class 4b", by=By())
    with pytest.raises(ClassNameTaken, match="“Class 4b” already"):
        await classes.create(database, tenant_id, "class 4B", by=By())
    await classes.change(database, tenant_id, made.id, name="CLASS 4b", archived=True, by=By())
    with pytest.raises(ClassNameTaken, match="archived"):
        await classes.create(database, tenant_id, "Class 4b", by=By())
    second = await classes.create(database, tenant_id, "Class 4c", by=By())
    with pytest.raises(ClassNameTaken):
        await classes.change(database, tenant_id, second.id, name="class 4b", by=By())


async def test_lists_go_on_page_by_page(database: Database, school: Any) -> None:
    tenant_id = school.tenant.id
    for name in ("C", "A", "B"):
        made = await classes.create(database, tenant_id, name, by=By())
    await classes.change(database, tenant_id, made.id, archived=True, by=By())
    first, place = await classes.list_(database, tenant_id, limit=2)
    assert ([row.name for row in first], place) == (["A", "B"], Place("B", first[1].id))
    rest, over = await classes.list_(database, tenant_id, after=place, limit=2)
    assert ([row.name for row in rest], over) == (["C"], None)
    gone, _ = await classes.list_(database, tenant_id, archived=True, limit=9)
    assert [row.name for row in gone] == ["B"]
    await classes.change(database, tenant_id, made.id, archived=False, by=By())
    assert await classes.list_(database, tenant_id, archived=True, limit=9) == ([], None)


async def test_another_schools_class_is_not_there(
    database: Database, school: Any, other_school: Any
) -> None:
    theirs = await classes.create(database, other_school.tenant.id, "Theirs", by=By())
    ours = await classes.create(database, school.tenant.id, "Ours", by=By())
    student = school.student.id
    tenant_id = school.tenant.id
    for class_id in (theirs.id, new_id()):
        with pytest.raises(NotThere, match="no such class"):
            await classes.get(database, tenant_id, class_id)
        with pytest.raises(NotThere):
            await classes.change(database, tenant_id, class_id, name="Mine", by=By())
        with pytest.raises(NotThere):
            await classes.put_member(database, tenant_id, class_id, student, by=By())
        with pytest.raises(NotThere):
            await classes.remove_member(database, tenant_id, class_id, student, by=By())
    with pytest.raises(NotThere, match="no such person"):
        await classes.put_member(database, tenant_id, ours.id, other_school.student.id, by=By())
    assert (await classes.list_(database, other_school.tenant.id, limit=9))[0] == [theirs]
