from dataclasses import replace
from datetime import UTC, datetime

import asyncpg
import pytest

from sessions.errors import LessonUnknown, PlanInvalid
from sessions.lessons import store
from sessions.lessons.plan import read_plan
from tenancy import audit

PLAN = read_plan(
    """
title: Doubling
subject: Mathematics
goal: Double a number.
steps:
  - ask: What is two times three?
    answers: [{kind: number, text: "6"}]
    hints: [Take three twice.]
    solution: Three and three is six.
"""
)
DUE = datetime(2030, 1, 31, 12, tzinfo=UTC)


async def offered(database, school, slug="doubling", **assigned):
    made = await store.create(database, school.tenant.id, PLAN, slug, school.instructor.id)
    tenant_id, author = school.tenant.id, school.instructor.id
    await store.publish(database, tenant_id, made.lesson_id, made.version_id, author)
    await store.assign(database, tenant_id, made.lesson_id, author, **assigned)
    return made


async def test_a_published_lesson_for_everyone_is_found_by_slug_and_id(database, school):
    made = await offered(database, school)
    by_slug = await store.get(database, school.student, "doubling")
    assert by_slug == replace(made, published=True)
    assert by_slug.plan == PLAN
    assert await store.get(database, school.student, str(made.lesson_id)) == by_slug
    assert await store.list_for(database, school.student) == [by_slug]


async def test_another_school_sees_and_gets_nothing(database, school, other_school):
    made = await offered(database, school)
    for person in other_school.people:
        assert await store.list_for(database, person) == []
        for name in ("doubling", str(made.lesson_id)):
            with pytest.raises(LessonUnknown):
                await store.get(database, person, name)
    stranger = other_school.tenant.id
    with pytest.raises(LessonUnknown):
        await store.version(database, stranger, made.version_id)
    with pytest.raises(LessonUnknown):
        await store.save(database, stranger, made.lesson_id, PLAN, other_school.instructor.id)
    with pytest.raises(LessonUnknown):
        await store.publish(
            database, stranger, made.lesson_id, made.version_id, other_school.instructor.id
        )
    assert (await offered(database, other_school)).slug == "doubling"


async def test_two_schools_keep_lessons_of_the_same_name_apart(database, school, other_school):
    ours = await offered(database, school)
    theirs = await offered(database, other_school)
    assert (await store.get(database, school.student, "doubling")).lesson_id == ours.lesson_id
    assert (await store.get(database, other_school.student, "doubling")).lesson_id == (
        theirs.lesson_id
    )


async def test_a_lesson_for_one_student_is_not_for_another(database, school):
    await offered(database, school, student_id=school.student.id, due_at=DUE)
    assert (await store.get(database, school.student, "doubling")).due_at == DUE
    assert [each.due_at for each in await store.list_for(database, school.student)] == [DUE]
    another = replace(school.parent, roles=frozenset({"student"}))
    assert await store.list_for(database, another) == []
    with pytest.raises(LessonUnknown):
        await store.get(database, another, "doubling")


async def test_staff_may_try_what_is_published_and_parents_may_not(database, school):
    await offered(database, school, student_id=school.student.id)
    for person in (school.instructor, school.tutor, school.admin):
        assert [each.slug for each in await store.list_for(database, person)] == ["doubling"]
        assert (await store.get(database, person, "doubling")).published
    assert await store.list_for(database, school.parent) == []
    with pytest.raises(LessonUnknown):
        await store.get(database, school.parent, "doubling")


async def test_what_is_not_published_is_for_nobody_to_take(database, school):
    made = await store.create(database, school.tenant.id, PLAN, "doubling", school.instructor.id)
    await store.assign(database, school.tenant.id, made.lesson_id, school.instructor.id)
    for person in school.people:
        assert await store.list_for(database, person) == []
        with pytest.raises(LessonUnknown):
            await store.get(database, person, "doubling")
    assert not (await store.version(database, school.tenant.id, made.version_id)).published


async def test_a_new_version_waits_until_it_is_published_and_can_be_taken_back(database, school):
    first = await offered(database, school)
    tenant_id, author = school.tenant.id, school.instructor.id
    renamed = PLAN.model_copy(update={"title": "Doubling again"})
    second = await store.save(database, tenant_id, first.lesson_id, renamed, author)
    assert (first.number, second.number) == (1, 2)
    assert (await store.get(database, school.student, "doubling")).title == "Doubling"

    await store.publish(database, tenant_id, first.lesson_id, second.version_id, author)
    assert (await store.get(database, school.student, "doubling")).title == "Doubling again"
    old = await store.version(database, tenant_id, first.version_id)
    assert (old.plan, old.published) == (PLAN, False)

    await store.publish(database, tenant_id, first.lesson_id, first.version_id, author)
    assert (await store.get(database, school.student, "doubling")).number == 1


async def test_a_version_of_another_lesson_cannot_be_published(database, school):
    one = await offered(database, school)
    two = await offered(database, school, slug="doubling-two")
    with pytest.raises(LessonUnknown):
        await store.publish(
            database, school.tenant.id, one.lesson_id, two.version_id, school.instructor.id
        )


async def test_a_saved_version_can_neither_be_changed_nor_removed(database, school):
    made = await offered(database, school)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with database.transaction(school.tenant.id) as connection:
            await connection.execute(
                "UPDATE lesson_versions SET number = 7 WHERE tenant_id = $1 AND id = $2",
                *(school.tenant.id, made.version_id),
            )
    async with database.transaction(school.tenant.id) as connection:
        gone = await connection.execute(
            "DELETE FROM lesson_versions WHERE tenant_id = $1", school.tenant.id
        )
    assert gone == "DELETE 0"


async def test_a_slug_is_used_once_in_a_school(database, school):
    await offered(database, school)
    with pytest.raises(store.SlugTaken, match="already"):
        await store.create(database, school.tenant.id, PLAN, "doubling", school.instructor.id)


@pytest.mark.parametrize(
    "slug", ["", "Doubling", "a b", "-a", "a--b", "ä", "a" * 81, "../x", "0" * 32]
)
async def test_what_is_no_slug_is_refused(database, school, slug):
    with pytest.raises(PlanInvalid, match="small letters"):
        await store.create(database, school.tenant.id, PLAN, slug, school.instructor.id)


@pytest.mark.parametrize("name", ["", "no-such", "x" * 9000, "' OR 1=1 --", "\x00", "0" * 32])
async def test_names_of_no_lesson_are_unknown(database, school, name):
    with pytest.raises(LessonUnknown):
        await store.get(database, school.student, name)


async def test_assigning_twice_is_assigning_once(database, school):
    made = await offered(database, school)
    await store.assign(database, school.tenant.id, made.lesson_id, school.instructor.id)
    async with database.transaction(school.tenant.id) as connection:
        count = await connection.fetchval(
            "SELECT count(*) FROM lesson_assignments WHERE tenant_id = $1", school.tenant.id
        )
    assert count == 1


async def test_the_demo_lessons_are_for_everyone_and_are_made_once(database, school, other_school):
    await store.seed_demo(database, school.tenant.id, school.instructor.id)
    await store.seed_demo(database, school.tenant.id, school.instructor.id)
    lessons = await store.list_for(database, school.student)
    assert sorted(lesson.slug for lesson in lessons) == [
        "conversacion-en-espanol", "fractions-as-parts", "linear-equations", "photosynthesis",
    ]  # fmt: skip
    assert {lesson.number for lesson in lessons} == {1}
    assert await store.list_for(database, other_school.student) == []
    assert await audit.verify(database, school.tenant.id) == []
