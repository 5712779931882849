"""A sandbox is deleted whole after a day; nothing else ever is."""

from datetime import UTC, datetime, timedelta

import pytest

from sessions.bus import Bus
from sessions.jobs import Job, Worker
from sessions.lessons import store
from sessions.record import feedback, sandboxes, sessions
from sessions.record.model import Batch, Usage
from sessions.record.work import handlers
from tenancy import quota, usage
from tenancy.audit import By
from tenancy.ids import new_id

from .conftest import PLAN

NOW = datetime.now(UTC)


@pytest.fixture
async def trial(database, school, lesson_of):
    """A draft of the school's lesson that its author tries."""
    lesson = await lesson_of(school)
    return await store.keep_trial(
        database, school.tenant.id, lesson.lesson_id, PLAN, school.instructor.id
    )


@pytest.fixture
async def held(database, school, begin, turn, trial):
    """A sandbox that is over: it has items, a summary, use and feedback."""
    ref = await begin(school, lesson=trial, student_id=school.instructor.id, sandbox=True)
    used = Usage("offline", "characters", 3)
    batch = Batch(items=(turn(1),), usage=(used,), usage_key="a")
    await sessions.end(database, ref, "finished", batch)
    await Worker(database, handlers(database, Bus())).run_due()
    said = feedback.Feedback(True, "Fine")
    await feedback.give(database, school.instructor, ref.session_id, said)
    return ref


def job(school, session_id):
    payload = {"session_id": str(session_id)}
    return Job(school.tenant.id, new_id(), sandboxes.DELETE_SANDBOX, "", payload, 1, NOW, lease="")


async def rows(database, school):
    """How many rows each table of the record has of this school."""
    counts = {}
    async with database.transaction(school.tenant.id) as connection:
        for table in ("sessions", "items", "summaries", "usage", "feedback", "lesson_versions"):
            counts[table] = await connection.fetchval(
                f"SELECT count(*) FROM {table} WHERE tenant_id = $1", school.tenant.id
            )
    return counts


async def test_all_of_it_goes_and_the_lesson_stays(database, school, held, trial):
    before = await rows(database, school)
    assert before == dict.fromkeys(before, 1) | {"lesson_versions": 2}
    assert await sandboxes.delete(database, job(school, held.session_id), NOW) is None
    after = await rows(database, school)
    assert after == dict.fromkeys(after, 0) | {"lesson_versions": 1}
    assert await sandboxes.delete(database, job(school, held.session_id), NOW) is None


async def test_what_it_cost_stays_of_the_month(database, school, other_school, begin, trial):
    ref = await begin(school, lesson=trial, student_id=school.instructor.id, sandbox=True)
    known = Usage("nova-sonic", "audio_tokens_in", 100, "nova", 300, 360)
    unknown = Usage("cascade", "text_tokens_in", 7, "llama", None, None)
    await sessions.end(database, ref, "finished", Batch(usage=(known, unknown), usage_key="k"))
    by = By(school.admin.id)
    await quota.change(database, school.tenant.id, {"money_month_micros": 1_000}, by=by)
    since = quota.month_of(NOW)

    async def told(of):
        month = await usage.of_month(database, of.tenant.id, since)
        return month.engines, await quota.standings(database, of.tenant.id, NOW)

    before = await told(school)
    assert [(one.quantity, one.price_micros) for one in before[0]] == [(7, None), (100, 360)]
    assert before[1][0].used == 360
    await sandboxes.delete(database, job(school, ref.session_id), NOW)
    assert (await rows(database, school))["usage"] == 0
    assert await told(school) == before
    await sandboxes.delete(database, job(school, ref.session_id), NOW)
    assert await told(school) == before
    assert (await told(other_school))[0] == ()


async def test_a_draft_that_another_trial_is_on_stays_for_it(database, school, held, trial, begin):
    await begin(school, lesson=trial, student_id=school.instructor.id, sandbox=True)
    await sandboxes.delete(database, job(school, held.session_id), NOW)
    assert (await rows(database, school))["lesson_versions"] == 2


async def test_one_that_still_goes_on_is_asked_again_later(database, school, begin, trial):
    ref = await begin(school, lesson=trial, student_id=school.instructor.id, sandbox=True)
    again = await sandboxes.delete(database, job(school, ref.session_id), NOW)
    assert again is not None and again > NOW
    assert (await rows(database, school))["sessions"] == 1


async def test_a_real_session_is_never_deleted(database, school, other_school, begin, turn, held):
    real = await begin(school)
    await sessions.end(database, real, "finished", Batch(items=(turn(1),)))
    assert await sandboxes.delete(database, job(school, real.session_id), NOW) is None
    assert await sandboxes.delete(database, job(other_school, held.session_id), NOW) is None
    counts = await rows(database, school)
    assert (counts["sessions"], counts["items"]) == (2, 2)


async def test_the_deletion_is_asked_for_when_it_begins(database, school, begin, trial):
    await begin(school, lesson=trial, student_id=school.instructor.id, sandbox=True)
    async with database.control() as connection:
        due = await connection.fetchval(
            "SELECT due_at FROM jobs WHERE tenant_id = $1 AND kind = $2",
            *(school.tenant.id, sandboxes.DELETE_SANDBOX),
        )
    left = due - datetime.now(UTC)
    assert timedelta(hours=23, minutes=59) < left <= timedelta(hours=24)


async def test_a_draft_is_tried_and_not_published(database, school, other_school, trial):
    assert trial.number is None
    found = await store.version(database, school.tenant.id, trial.version_id)
    assert found == trial
    with pytest.raises(store.LessonUnknown):
        await store.publish(
            database, school.tenant.id, trial.lesson_id, trial.version_id, school.instructor.id
        )
    with pytest.raises(store.LessonUnknown):
        await store.keep_trial(
            database, other_school.tenant.id, trial.lesson_id, PLAN, other_school.instructor.id
        )
