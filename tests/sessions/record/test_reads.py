"""Who opened whose transcript."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from sessions.record import reads
from sessions.record.reads import Read
from tenancy import audit

NINE = datetime(2026, 11, 2, 9, 10, tzinfo=UTC)


async def test_a_read_is_noted_once_an_hour_and_audited(database, school, other_school, begin):
    ref, other = await begin(school), await begin(school)
    tutor, teacher = school.tutor, school.instructor
    assert await reads.note(database, tutor, ref.session_id, NINE, "192.0.2.1")
    assert not await reads.note(database, tutor, ref.session_id, NINE + timedelta(minutes=49))
    assert await reads.note(database, teacher, ref.session_id, NINE + timedelta(minutes=1))
    assert await reads.note(database, tutor, ref.session_id, NINE + timedelta(minutes=50))
    assert await reads.note(database, tutor, other.session_id, NINE)
    assert await reads.of(database, school.tenant.id, ref.session_id) == [
        Read(tutor.name, "tutor", NINE + timedelta(minutes=50)),
        Read(teacher.name, "instructor", NINE + timedelta(minutes=1)),
        Read(tutor.name, "tutor", NINE),
    ]
    assert await reads.of(database, other_school.tenant.id, ref.session_id) == []
    async with database.transaction(school.tenant.id) as connection:
        noted = await connection.fetch(
            "SELECT actor, thing_id, address FROM audit WHERE thing = 'transcript' ORDER BY seq"
        )
    assert [tuple(row) for row in noted] == [
        (tutor.id, str(ref.session_id), "192.0.2.1"),
        (teacher.id, str(ref.session_id), None),
        (tutor.id, str(ref.session_id), None),
        (tutor.id, str(other.session_id), None),
    ]
    assert await audit.verify(database, school.tenant.id) == []


async def test_of_several_roles_the_one_with_most_rights_is_noted(database, school, begin):
    ref = await begin(school)
    both = replace(school.admin, roles=frozenset({"student", "parent", "tutor", "admin"}))
    await reads.note(database, both, ref.session_id, NINE)
    (read,) = await reads.of(database, school.tenant.id, ref.session_id)
    assert read.role == "admin"
