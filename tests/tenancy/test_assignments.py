"""Which tutor looks after which student, and what ends with that."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tenancy import assignments, care
from tenancy.assignments import Assignment, Filters
from tenancy.audit import By
from tenancy.errors import InTheWay, NotThere, Unfit
from tenancy.ids import new_id
from tenancy.postgres import Database

NOW = datetime.now(UTC)


async def only(database: Database, school: Any) -> Assignment:
    """The one that a school of the tests begins with."""
    ((found,), _) = await assignments.list_(database, school.tenant.id, Filters(), limit=9)
    return found


async def looks_after(database: Database, school: Any) -> bool:
    whose = await care.whose(database, school.tutor, "session")
    return whose is not None and school.student.id in whose


async def test_what_an_assignment_gives_ends_with_it(database: Database, school: Any) -> None:
    tenant_id, first = school.tenant.id, await only(database, school)
    assert (first.tutor.id, first.student.name) == (school.tutor.id, school.student.name)
    by = By(school.admin.id)
    paused = await assignments.change(database, tenant_id, first.id, status="paused", by=by)
    assert paused.status == "paused" and not await looks_after(database, school)
    await assignments.change(database, tenant_id, first.id, status="active", by=by)
    assert await looks_after(database, school)
    later = NOW + timedelta(days=9)
    await assignments.change(database, tenant_id, first.id, ends_at=later, subject="Maths", by=by)
    kept = await assignments.get(database, tenant_id, first.id)
    assert (kept.subject, kept.ends_at) == ("Maths", later)
    cleared = frozenset({"subject", "ends_at"})
    await assignments.change(database, tenant_id, first.id, clear=cleared, by=by)
    kept = await assignments.get(database, tenant_id, first.id)
    assert (kept.subject, kept.ends_at) == (None, None)
    over = await assignments.change(database, tenant_id, first.id, status="completed", by=by)
    assert over.ends_at is not None and over.ends_at <= datetime.now(UTC)
    assert not await looks_after(database, school)
    with pytest.raises(InTheWay, match="stays so"):
        await assignments.change(database, tenant_id, first.id, status="active", by=by)
    again = await assignments.create(database, tenant_id, school.tutor.id, school.student.id, by=by)
    assert again.id != first.id and await looks_after(database, school)


async def test_nobody_is_assigned_twice_to_the_same(database: Database, school: Any) -> None:
    pair = (school.tutor.id, school.student.id)
    tenant_id = school.tenant.id
    with pytest.raises(InTheWay, match="looks after"):
        await assignments.create(database, tenant_id, *pair, by=By())
    await assignments.create(database, tenant_id, *pair, subject="Maths", by=By())
    with pytest.raises(InTheWay):
        await assignments.create(database, tenant_id, *pair, subject="Maths", by=By())


async def test_only_tutors_look_after_students_and_only_of_their_school(
    database: Database, school: Any, other_school: Any
) -> None:
    tenant_id, tutor, student = school.tenant.id, school.tutor.id, school.student.id
    for pair in ((school.admin.id, student), (tutor, school.parent.id), (student, tutor)):
        with pytest.raises(Unfit):
            await assignments.create(database, tenant_id, *pair, by=By())
    for pair in ((tutor, other_school.student.id), (other_school.tutor.id, student)):
        with pytest.raises(NotThere):
            await assignments.create(database, tenant_id, *pair, by=By())
    with pytest.raises(Unfit, match="before it begins"):
        await assignments.create(
            *(database, tenant_id, tutor, student), subject="x", starts_at=NOW, ends_at=NOW, by=By()
        )
    theirs = await only(database, other_school)
    for id in (theirs.id, new_id()):
        with pytest.raises(NotThere, match="no such assignment"):
            await assignments.change(database, tenant_id, id, status="paused", by=By())
        with pytest.raises(NotThere):
            await assignments.get(database, tenant_id, id)
    assert (await only(database, other_school)).status == "active"


async def test_lists_go_by_tutor_or_by_student(database: Database, school: Any) -> None:
    tenant_id, pair = school.tenant.id, (school.tutor.id, school.student.id)
    for subject in ("Maths", "Physics"):
        await assignments.create(database, tenant_id, *pair, subject=subject, by=By())
    for by_student in (False, True):
        seen: list[Any] = []
        place = None
        while True:
            page, place = await assignments.list_(
                *(database, tenant_id, Filters()), by_student=by_student, after=place, limit=2
            )
            seen += [one.subject for one in page]
            if place is None:
                break
        assert sorted(map(str, seen)) == ["Maths", "None", "Physics"]
    for filters, count in (
        (Filters(tutor_id=school.tutor.id), 3),
        (Filters(student_id=school.tutor.id), 0),
        (Filters(student_id=school.student.id, status="active"), 3),
        (Filters(status="paused"), 0),
    ):
        assert len((await assignments.list_(database, tenant_id, filters, limit=9))[0]) == count
