"""What a school uses, over HTTP: by month, engine, lesson and student; and its limits."""

from datetime import UTC, datetime

import pytest

from sessions.record import sessions as record
from sessions.record.model import Batch, Durations, Usage
from tenancy import quota, usage
from tenancy.usage import OfTest

THIS_MONTH = f"{datetime.now(UTC):%Y-%m}"


@pytest.fixture
async def used(database, school, begin):
    """Two sessions of the school's student: one whose cost is known, one whose is so in part."""
    known = Usage("nova-sonic", "audio_tokens_in", 100, "nova", 300, 360)
    free = Usage("offline", "audio_out_ms", 5_000, "", 0, 0)
    unknown = Usage("cascade", "text_tokens_in", 7, "=llama", None, None)
    for uses, wall_ms in (((known, free), 60_000), ((known, unknown), 90_000)):
        ref = await begin(school)
        batch = Batch(usage=uses, usage_key="k", durations=Durations(wall_ms=wall_ms))
        await record.end(database, ref, "finished", batch)


async def test_a_month_adds_up(office, school, other_school, used):
    month = (await office(school.admin, "GET", "/school/usage")).json()
    assert (month["month"], month["sessions"], month["lesson_ms"]) == (THIS_MONTH, 2, 150_000)
    assert (month["cost_micros"], month["price_micros"], month["in_part"]) == (600, 720, True)
    rows = [(one["engine"], one["sessions"], one["quantity"], one["cost_micros"])
            for one in month["engines"]]  # fmt: skip
    assert rows == [
        ("cascade", 1, 7, None), ("nova-sonic", 2, 200, 600), ("offline", 1, 5_000, 0),
    ]  # fmt: skip
    (student,) = month["students"]
    assert (student["name"], student["sessions"]) == (school.student.name, 2)
    assert (student["lesson_ms"], student["price_micros"]) == (150_000, 720)
    lessons = [(one["lesson_ms"], one["price_micros"], one["in_part"]) for one in month["lessons"]]
    assert lessons == [(90_000, 360, True), (60_000, 360, False)]
    earlier = (await office(school.admin, "GET", "/school/usage?month=2020-02")).json()
    assert (earlier["sessions"], earlier["engines"], earlier["lessons"]) == (0, [], [])
    theirs = (await office(other_school.admin, "GET", "/school/usage")).json()
    assert theirs["sessions"] == 0


async def test_it_is_a_table_for_spreadsheets_too(office, school, used):
    answer = await office(school.admin, "GET", "/school/usage?format=csv")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert f'usage-{THIS_MONTH}-by-engine.csv"' in answer.headers["content-disposition"]
    lines = answer.content.decode("utf-8-sig").splitlines()
    assert lines == [
        "kind,engine,model,unit,paid_by,sessions,quantity,cost_usd,price_usd",
        "lesson,cascade,'=llama,text_tokens_in,school,1,7,,",
        "lesson,nova-sonic,nova,audio_tokens_in,school,2,200,0.000600,0.000720",
        "lesson,offline,,audio_out_ms,nobody,1,5000,0.000000,0.000000",
    ]
    answer = await office(school.admin, "GET", "/school/usage?format=csv&by=student")
    assert answer.text.splitlines()[1] == f"{school.student.name},2,2.5,0.000600,0.000720,no"


async def test_limits_are_decided_and_shown_with_how_far_they_are_used_up(office, school, used):
    begun = (await office(school.admin, "GET", "/school/limits")).json()
    nothing = {"sessions": None, "minutes_day": None, "money_month_micros": None}
    assert begun == {"limits": {**nothing, "price_factor_permille": 1_000}, "standings": []}
    change = {"money_month_micros": 900, "minutes_day": 1_000, "sessions": 0}
    changed = (await office(school.admin, "PATCH", "/school/limits", change)).json()
    assert changed["standings"] == [
        {"name": "sessions", "limit": 0, "used": 0, "state": "reached"},
        {"name": "minutes_day", "limit": 1_000, "used": 2, "state": "well"},
        {"name": "money_month", "limit": 900, "used": 720, "state": "near"},
    ]
    month = (await office(school.admin, "GET", "/school/usage")).json()
    assert month["limits"] == changed["standings"]
    back = await office(school.admin, "PATCH", "/school/limits", {"sessions": None})
    assert back.json()["limits"]["sessions"] is None


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/school/limits", {"sessions": -1}),
        ("/school/limits", {"sessions": 1.5}),
        ("/school/limits", {"money_month_micros": 10**13}),
        ("/school/limits", {"hours": 1}),
        ("/school/usage?month=2026-13", None),
        ("/school/usage?month=november", None),
        ("/school/usage?by=class", None),
    ],
)
async def test_what_cannot_be_is_refused(office, school, problem, path, body):
    problem(await office(school.admin, "PATCH" if body else "GET", path, body), 400)


async def test_whose_key_paid_is_told(office, school, database, begin):
    server = Usage("nova-sonic", "audio_tokens_in", 100, "nova", 300, 360, 100, 300)
    school_own = Usage("nova-sonic", "audio_tokens_in", 50, "nova", 150, 180)
    theirs = Usage("cascade", "characters", 9, "tts", 90, 90)
    ref = await begin(school)
    await record.append(database, ref, Batch(usage=(server,), usage_key="a"))
    await record.append(database, ref, Batch(usage=(school_own, theirs), usage_key="b"))
    month = (await office(school.admin, "GET", "/school/usage")).json()
    assert [(one["model"], one["paid_by"]) for one in month["engines"]] == [
        ("tts", "school"), ("nova", "both"),
    ]  # fmt: skip
    assert (month["cost_micros"], month["server_cost_micros"]) == (540, 300)
    assert month["server_limit_micros"] is None
    month = await quota.server_money(database, school.tenant.id, datetime.now(UTC))
    assert month == 300


async def test_what_a_test_of_an_engine_cost_is_counted_apart(office, school, database):
    since = quota.month_of(datetime.now(UTC))
    used = [OfTest("audio_tokens_in", "nova", 10, 30, 36, 10, 30)]
    for _ in range(2):
        await usage.add_test(database, school.tenant.id, "nova-sonic", since, used)
    month = (await office(school.admin, "GET", "/school/usage")).json()
    assert (month["sessions"], month["price_micros"], month["server_cost_micros"]) == (0, 72, 60)
    (row,) = month["engines"]
    assert (row["kind"], row["sessions"], row["quantity"], row["paid_by"]) == (
        "test", 2, 20, "server",
    )  # fmt: skip
    assert await quota.server_money(database, school.tenant.id, datetime.now(UTC)) == 60
