"""A school's limits keep new sessions from beginning, and touch none that run."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from sessions.record import sessions
from sessions.record.model import Batch, Durations, Usage
from tenancy import audit, quota
from tenancy.audit import By
from tenancy.errors import LimitReached
from tenancy.quota import Limits, Quota, Standing

NOW = datetime(2026, 12, 30, 22, 30, tzinfo=UTC)


@pytest.fixture
def limit(database, school):
    async def limit(**limits):
        return await quota.change(database, school.tenant.id, limits, by=By(school.admin.id))

    return limit


async def standing(database, school, name):
    found = await quota.standings(database, school.tenant.id, datetime.now(UTC))
    return next(one for one in found if one.name == name)


async def spend(database, ref, cost, price, *, key="k"):
    use = Usage("cascade", "text_tokens_in", 1, f"model {key}", cost, price)
    await sessions.append(database, ref, Batch(usage=(use,), usage_key=key))


async def test_without_limits_nothing_is_asked(database, school):
    assert await quota.limits(database, school.tenant.id) == Limits()
    assert await quota.standings(database, school.tenant.id, NOW) == []
    await Quota(database).check(school.tenant.id)


async def test_limits_are_decided_noted_and_taken_back(database, school, other_school, limit):
    after = await limit(sessions=30, money_month_micros=5_000_000, price_factor_permille=1_200)
    assert after == Limits(30, None, 5_000_000, 1_200)
    assert await quota.limits(database, other_school.tenant.id) == Limits()
    assert await limit(sessions=None, price_factor_permille=None) == Limits(None, None, 5_000_000)
    entries, _ = await audit.list_(database, school.tenant.id, audit.Filters(), limit=5)
    assert [(one.thing_id, one.detail) for one in entries[:2]] == [
        ("limit_price_factor_permille", {"was": 1_200, "now": 1_000}),
        ("limit_sessions", {"was": 30, "now": None}),
    ]


@pytest.mark.parametrize("value", [-1, 1.5, True, "3", 10**13])
async def test_what_is_no_limit_is_refused(limit, value):
    for name in quota.NAMES:
        with pytest.raises(ValueError, match="whole number"):
            await limit(**{name: value})


async def test_one_too_many_at_once_waits_and_whoever_runs_goes_on(
    database, school, other_school, begin, limit, turn
):
    await limit(sessions=2)
    first, _ = await begin(school), await begin(school)
    with pytest.raises(LimitReached, match="All 2 places") as refused:
        await begin(school)
    assert refused.value.retry_after_s == quota.AGAIN_S
    with pytest.raises(LimitReached, match="All 2 places"):
        await Quota(database).check(school.tenant.id)
    await begin(other_school)
    await sessions.append(database, first, Batch(items=(turn(1),)))
    await sessions.end(database, first, "finished", Batch())
    await Quota(database).check(school.tenant.id)
    await begin(school)


async def test_many_who_begin_at_once_do_not_overshoot(database, school, begin, limit, lesson_of):
    await lesson_of(school)
    await limit(sessions=5)
    came = await asyncio.gather(*(begin(school) for _ in range(20)), return_exceptions=True)
    refused = [one for one in came if isinstance(one, LimitReached)]
    assert (len(came) - len(refused), len(refused)) == (5, 15)
    assert await standing(database, school, "sessions") == Standing("sessions", 5, 5)


async def test_who_left_without_a_word_holds_no_place(
    database, school, begin, limit, admin_connection
):
    await limit(sessions=1)
    ref = await begin(school)
    async with database.transaction(school.tenant.id) as connection:
        await connection.execute(
            "UPDATE sessions SET last_seen_at = $3 WHERE tenant_id = $1 AND id = $2",
            *(school.tenant.id, ref.session_id, datetime.now(UTC) - timedelta(seconds=90)),
        )
    await begin(school)


async def test_minutes_of_a_day_count_the_sessions_that_began_in_it(database, school, begin, limit):
    await limit(minutes_day=10)
    ref = await begin(school)
    watched = Quota(database, clock=lambda: 0.0)
    for minutes, state in ((7, "well"), (8, "near"), (9, "near"), (10, "reached")):
        spent = Durations(wall_ms=minutes * 60_000 + 30_000)
        await sessions.append(database, ref, Batch(durations=spent))
        found = await standing(database, school, "minutes_day")
        assert (found.used, found.state) == (minutes, state)
        if state == "well":
            await watched.check(school.tenant.id)
    await watched.check(school.tenant.id)  # it has summed up a moment ago
    watched.forget(school.tenant.id)
    with pytest.raises(LimitReached, match="lesson time for today") as refused:
        await watched.check(school.tenant.id)
    assert 0 < refused.value.retry_after_s <= 86_401
    assert (await quota.standings(database, school.tenant.id, NOW + timedelta(days=9)))[0].used == 0


async def test_money_of_a_month_is_at_the_schools_price(database, school, begin, limit):
    await limit(money_month_micros=1_000_000)
    ref = await begin(school)
    await spend(database, ref, 400_000, 600_000, key="a")
    await spend(database, ref, None, None, key="b")
    assert (await standing(database, school, "money_month")).used == 600_000
    await Quota(database).check(school.tenant.id)
    await spend(database, ref, 300_000, 450_000, key="c")
    with pytest.raises(LimitReached, match="set aside for lessons this month"):
        await Quota(database).check(school.tenant.id)


@pytest.mark.parametrize(
    ("name", "seconds"),
    [("sessions", 30), ("minutes_day", 1.5 * 3_600 + 1), ("money_month", 25.5 * 3_600 + 1)],
)
def test_it_is_told_when_to_come_again(name, seconds):
    assert quota.reached(Standing(name, 1, 1), NOW).retry_after_s == seconds
