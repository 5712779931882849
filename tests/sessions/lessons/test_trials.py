"""A draft that was kept to be tried, and never got a session."""

from datetime import timedelta

from sessions.bus import Bus
from sessions.jobs import Worker, utc_now
from sessions.lessons import store
from sessions.lessons.demo import demo_plan
from sessions.record.work import handlers

PLAN = demo_plan("photosynthesis")


async def test_it_goes_after_a_day_and_what_was_published_stays(database, school, other_school):
    kept = []
    for place in (school, other_school):
        author = place.instructor.id
        made = await store.create(database, place.tenant.id, PLAN, "leaves", author)
        await store.keep_trial(database, place.tenant.id, made.lesson_id, PLAN, author)
        kept.append(place.tenant.id)

    async def numbers(tenant_id):
        async with database.transaction(tenant_id) as connection:
            rows = await connection.fetch(
                "SELECT number FROM lesson_versions WHERE tenant_id = $1 ORDER BY number", tenant_id
            )
        return [row["number"] for row in rows]

    for hours, left in ((24, [1, None]), (26, [1])):
        clock = lambda hours=hours: utc_now() + timedelta(hours=hours)  # noqa: E731
        await Worker(database, handlers(database, Bus()), clock=clock).run_due()
        assert [await numbers(tenant_id) for tenant_id in kept] == [left, left]
