"""How a session was, said by its student: the last word counts, and lists know it."""

import pytest

from sessions.record import feedback, listing
from sessions.record.feedback import Feedback
from tenancy import audit


@pytest.fixture
async def ref(school, begin):
    return await begin(school)


async def test_the_last_word_counts_and_is_sealed(
    database, admin_connection, school, other_school, ref
):
    tenant_id, student = school.tenant.id, school.student
    of = (database, tenant_id, ref.session_id)
    assert await feedback.of(*of, student.id) is None
    for given, thumbs in (
        (Feedback(True, None), "up"),
        (Feedback(False, "It was plutonium."), "down"),
    ):
        await feedback.give(database, student, ref.session_id, given)
        assert await feedback.of(*of, student.id) == given
        assert (await listing.card(*of)).thumbs == thumbs
    row = await admin_connection.fetchrow(
        "SELECT comment FROM pool_1.feedback WHERE session_id = $1", ref.session_id
    )
    assert b"plutonium" not in row["comment"]
    there = (database, other_school.tenant.id, ref.session_id, student.id)
    assert await feedback.of(*there) is None
    assert await audit.verify(database, tenant_id) == []


async def test_the_thumbs_of_a_session_are_its_own_students(database, school, ref):
    await feedback.give(database, school.tutor, ref.session_id, Feedback(False, None))
    assert (await listing.card(database, school.tenant.id, ref.session_id)).thumbs == "none"
