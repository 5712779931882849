"""To whom a lesson is assigned, and in whose list it is because of that."""

from datetime import UTC, datetime, timedelta

import pytest

from sessions.bus import Bus, school_topic
from sessions.errors import LessonUnknown
from sessions.lessons import assigning, store
from sessions.lessons.assigning import Dates, Target
from sessions.news import LessonChanged
from tenancy import classes
from tenancy.audit import By
from tenancy.errors import InTheWay, NotThere, Unfit
from tenancy.ids import new_id
from tests.sessions.record.conftest import PLAN

NOW = datetime.now(UTC)
DAY = timedelta(days=1)


@pytest.fixture
async def lesson(database, school):
    """A published lesson of the school that is nobody's yet."""
    author = school.instructor.id
    made = await store.create(database, school.tenant.id, PLAN, "parts", author)
    await store.publish(database, school.tenant.id, made.lesson_id, made.version_id, author)
    return made.lesson_id


@pytest.fixture
def assign(database, school, lesson):
    """Assigns the lesson; returns the assignment."""

    async def assign(target=None, *, bus=None, **dates):
        return await assigning.add(
            database,
            bus or Bus(),
            school.tenant.id,
            lesson,
            target or Target(),
            Dates(**dates),
            by=By(school.instructor.id),
        )

    return assign


@pytest.fixture
async def class_id(database, school):
    """A class with the student in it."""
    by = By(school.admin.id)
    made = await classes.create(database, school.tenant.id, "4b", by=by)
    await classes.put_member(database, school.tenant.id, made.id, school.student.id, by=by)
    return made.id


@pytest.fixture
def sees(database):
    """When a lesson is due for somebody; False where it is not theirs to take."""

    async def sees(person, lesson):
        listed = {one.lesson_id: one.due_at for one in await store.list_for(database, person)}
        try:
            found = await store.get(database, person, str(lesson))
        except LessonUnknown:
            assert lesson not in listed
            return False
        assert listed[lesson] == found.due_at
        return found.due_at

    return sees


async def test_it_is_whose_it_is_assigned_to(assign, sees, school, lesson):
    assert await sees(school.student, lesson) is False
    given = await assign(Target(student_id=school.student.id), due_at=NOW + DAY)
    assert (given.student.name, given.everyone) == (school.student.name, False)
    assert await sees(school.student, lesson) == NOW + DAY


async def test_a_class_has_it_while_it_is_a_class(assign, sees, database, school, lesson, class_id):
    given = await assign(Target(class_id=class_id))
    assert given.class_.name == "4b"
    assert await sees(school.student, lesson) is None
    await classes.change(
        database, school.tenant.id, class_id, archived=True, by=By(school.admin.id)
    )
    assert await sees(school.student, lesson) is False


async def test_the_earliest_of_several_due_times_counts(assign, sees, school, lesson, class_id):
    await assign(Target(class_id=class_id), due_at=NOW + 2 * DAY)
    await assign(due_at=NOW + DAY)
    await assign(Target(student_id=school.student.id))
    assert await sees(school.student, lesson) == NOW + DAY


async def test_before_it_begins_it_is_in_nobodys_list(assign, sees, database, school, lesson):
    given = await assign(starts_at=NOW + DAY, due_at=NOW + 2 * DAY)
    assert await sees(school.student, lesson) is False
    changed = await assigning.change(
        database,
        Bus(),
        school.tenant.id,
        lesson,
        given.id,
        {"starts_at": NOW - DAY},
        by=By(school.instructor.id),
    )
    assert changed.dates == Dates(NOW - DAY, NOW + 2 * DAY)
    assert await sees(school.student, lesson) == NOW + 2 * DAY


async def test_what_is_taken_away_is_gone(assign, sees, database, school, lesson):
    given = await assign()
    by = By(school.instructor.id)
    await assigning.remove(database, Bus(), school.tenant.id, lesson, given.id, by=by)
    assert await sees(school.student, lesson) is False
    with pytest.raises(NotThere):
        await assigning.remove(database, Bus(), school.tenant.id, lesson, given.id, by=by)
    with pytest.raises(NotThere):
        await assigning.change(database, Bus(), school.tenant.id, lesson, given.id, {}, by=by)


async def test_nobody_has_it_twice(assign, school, class_id):
    for target in (Target(), Target(class_id=class_id), Target(student_id=school.student.id)):
        await assign(target)
        with pytest.raises(InTheWay, match="already"):
            await assign(target)


async def test_it_is_assigned_to_classes_and_students_of_the_school_only(
    assign, school, other_school
):
    for target in (
        Target(student_id=other_school.student.id),
        Target(student_id=school.tutor.id),
        Target(class_id=new_id()),
    ):
        with pytest.raises(Unfit, match="no such"):
            await assign(target)
    with pytest.raises(Unfit, match="before it begins"):
        await assign(starts_at=NOW, due_at=NOW)


async def test_another_schools_lesson_is_not_there(database, other_school, lesson):
    with pytest.raises(LessonUnknown):
        await assigning.add(
            database,
            Bus(),
            other_school.tenant.id,
            lesson,
            Target(),
            Dates(),
            by=By(other_school.admin.id),
        )
    assert await assigning.of(database, other_school.tenant.id, lesson) == []


async def test_the_school_hears_of_it(assign, school, lesson):
    bus, heard = Bus(), []
    bus.subscribe(school_topic(school.tenant.id), heard.append)
    await assign(bus=bus)
    assert heard == [LessonChanged(lesson, by=school.instructor.id)]
