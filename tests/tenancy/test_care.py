"""Who looks after whom, as rights turn on it."""

from datetime import UTC, datetime, timedelta

import pytest

from tenancy import care
from tenancy.ids import new_id
from tenancy.policy import may

NOW = datetime.now(UTC)


@pytest.fixture
def run(database):
    """Runs a statement in a school's cell."""

    async def run(school, statement, *values):
        async with database.transaction(school.tenant.id) as connection:
            await connection.execute(statement, school.tenant.id, *values)

    return run


@pytest.fixture
def says(run):
    """A school sets something."""

    async def says(school, name, value, expires_at=None):
        await run(
            school,
            "INSERT INTO settings (tenant_id, layer, name, value, expires_at, changed_at)"
            " VALUES ($1, 'school', $2, $3, $4, $5)",
            *(name, value, expires_at, NOW),
        )

    return says


async def test_a_tutor_looks_after_those_who_are_assigned_to_them(database, school, other_school):
    thing = await care.about(database, "transcript", school.tenant.id, school.student.id)
    assert thing.tutor_ids == {school.tutor.id}
    assert thing.guardian_ids == {school.parent.id}
    assert may(school.tutor, "read", thing)
    assert not may(other_school.tutor, "read", thing)
    assert await care.whose(database, school.tutor, "session") == {
        school.tutor.id,
        school.student.id,
    }
    theirs = await care.about(database, "transcript", other_school.tenant.id, school.student.id)
    assert theirs.tutor_ids == theirs.guardian_ids == frozenset()


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE assignments SET status = 'paused' WHERE tenant_id = $1",
        "UPDATE assignments SET ends_at = now() - interval '1 minute' WHERE tenant_id = $1",
        "UPDATE assignments SET starts_at = now() + interval '1 minute' WHERE tenant_id = $1",
    ],
)
async def test_and_no_longer_than_that(database, school, run, change):
    await run(school, change)
    thing = await care.about(database, "transcript", school.tenant.id, school.student.id)
    assert not may(school.tutor, "read", thing)
    assert await care.whose(database, school.tutor, "session") == {school.tutor.id}


async def test_a_school_may_let_every_tutor_look_after_everybody(database, school, run, says):
    await run(school, "UPDATE assignments SET status = 'paused' WHERE tenant_id = $1")
    await says(school, "tutors_read", "school", NOW - timedelta(seconds=1))
    assert await care.whose(database, school.tutor, "session") == {school.tutor.id}
    await run(school, "UPDATE settings SET expires_at = NULL WHERE tenant_id = $1")
    assert await care.whose(database, school.tutor, "session") is None
    thing = await care.about(database, "transcript", school.tenant.id, school.student.id)
    assert may(school.tutor, "read", thing)


async def test_lists_show_each_role_what_is_theirs(database, school):
    assert await care.whose(database, school.admin, "session") is None
    assert await care.whose(database, school.instructor, "session") is None
    assert await care.whose(database, school.student, "session") == {school.student.id}
    assert await care.whose(database, school.parent, "session") == frozenset()


async def test_parents_see_what_was_reviewed_or_all_if_the_school_says_so(
    database, school, other_school, says
):
    async def sees(**how):
        student = school.student.id
        return bool(
            may(
                school.parent,
                "read",
                await care.about(database, "summary", school.tenant.id, student, **how),
            )
        )

    assert await sees(reviewed=True)
    assert not await sees()
    await says(other_school, "parents_read", "all")
    assert not await care.shows_all(database, school.tenant.id)
    await says(school, "parents_read", "all")
    assert await care.shows_all(database, school.tenant.id)
    assert await sees()


async def test_a_parent_has_their_own_children(database, school, other_school):
    (child,) = await care.children_of(database, school.parent)
    assert (child.id, child.name) == (school.student.id, school.student.name)
    assert await care.children_of(database, school.tutor) == []
    nobody = await care.about(database, "summary", school.tenant.id, new_id())
    assert nobody.guardian_ids == frozenset()
