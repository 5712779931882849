"""Sessions: one writer, gapless, saved exactly once, ended honestly."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from sessions.bus import Bus, school_topic
from sessions.errors import SessionIsOver, SessionUnknown
from sessions.jobs import Job, utc_now
from sessions.news import SessionChanged
from sessions.record import items as log
from sessions.record import sessions
from sessions.record.model import Batch, Durations, Heard, Progress, SessionTaken, Usage
from sessions.record.sessions import CLOSE_ABANDONED, SUMMARISE
from tenancy.ids import new_id

GRACE = timedelta(seconds=600)


@pytest.fixture
def numbers(database):
    """The item ids of a session by `seq`; a gap fails the test."""

    async def numbers(ref):
        async with database.transaction(ref.tenant_id) as connection:
            rows = await connection.fetch(
                "SELECT seq, item_id FROM items WHERE session_id = $1 ORDER BY seq",
                ref.session_id,
            )
        row = await sessions.get(database, ref.tenant_id, ref.session_id)
        assert [found["seq"] for found in rows] == list(range(1, row.last_seq + 1))
        return [found["item_id"] for found in rows]

    return numbers


async def jobs_of(database, ref):
    async with database.control() as connection:
        return {
            row["kind"]: row
            for row in await connection.fetch(
                "SELECT * FROM jobs WHERE tenant_id = $1 AND key = $2",
                ref.tenant_id,
                str(ref.session_id),
            )
        }


def closing(ref, due_at, grace_s=600.0):
    """The job that closes a session."""
    payload = {"session_id": str(ref.session_id), "grace_s": grace_s}
    key = str(ref.session_id)
    return Job(ref.tenant_id, new_id(), CLOSE_ABANDONED, key, payload, 1, due_at, "lease")


async def close(database, ref, now, **more):
    """What the job says when it runs at its time."""
    return await sessions.close_abandoned(database, Bus(), closing(ref, now, **more), now)


# ---- start ------------------------------------------------------------------------------------


async def test_a_started_session_is_live_with_its_brief_and_the_job_that_closes_it(
    database, school, begin, lesson_of
):
    lesson = await lesson_of(school)
    ref = await begin(school, brief_text="Be kind.", mode="voice")
    row = await sessions.get(database, school.tenant.id, ref.session_id)
    assert (row.student_id, row.lesson_id, row.lesson_version_id) == (
        school.student.id,
        lesson.lesson_id,
        lesson.version_id,
    )
    assert (row.status, row.mode, row.sandbox, row.engines) == (
        "live",
        "voice",
        False,
        ("offline",),
    )
    assert (row.epoch, row.last_seq, row.ended_at, row.end_reason) == (1, 0, None, None)
    assert row.progress == Progress(0, 3, "asking")
    assert row.durations == Durations()
    assert await sessions.brief_text(database, school.tenant.id, row.brief_hash) == "Be kind."
    jobs = await jobs_of(database, ref)
    assert list(jobs) == [CLOSE_ABANDONED]
    assert jobs[CLOSE_ABANDONED]["due_at"] == row.started_at + GRACE


async def test_a_start_that_fails_leaves_nothing(database, school, begin):
    with pytest.raises(Exception, match="foreign key"):
        await begin(school, student_id=new_id())
    async with database.transaction(school.tenant.id) as connection:
        assert await connection.fetchval("SELECT count(*) FROM briefs") == 0
    async with database.control() as connection:
        assert await connection.fetchval("SELECT count(*) FROM jobs") == 0


async def test_a_brief_is_kept_once(database, school, other_school, begin):
    for where in (school, school, other_school):
        await begin(where)
    async with database.transaction(school.tenant.id) as connection:
        assert await connection.fetchval("SELECT count(*) FROM briefs") == 1


# ---- append -----------------------------------------------------------------------------------


async def test_items_are_numbered_without_gaps(database, school, begin, turn, numbers):
    ref = await begin(school)
    assert await sessions.append(database, ref, Batch(items=(turn(2), turn(1)))) == 2
    assert await sessions.append(database, ref, Batch()) == 2
    assert await sessions.append(database, ref, Batch(items=(turn(3),))) == 3
    assert await numbers(ref) == ["item_2", "item_1", "item_3"]


async def test_an_empty_batch_moves_durations_progress_and_the_sign_of_life(
    database, school, begin
):
    ref = await begin(school)
    before = await sessions.get(database, school.tenant.id, ref.session_id)
    spent = Durations(5_000, 1_000, 2_000, 2_500)
    await sessions.append(database, ref, Batch(durations=spent, progress=Progress(1, 3, "hinting")))
    await sessions.append(database, ref, Batch(durations=spent))
    row = await sessions.get(database, school.tenant.id, ref.session_id)
    assert row.durations == spent
    assert row.progress == Progress(1, 3, "hinting")
    assert row.last_seen_at > before.last_seen_at


async def test_the_same_batch_again_changes_nothing(database, school, begin, turn, numbers):
    """Its commit was reached, but nobody was told."""
    ref = await begin(school)
    batch = Batch(
        items=(turn(1), turn(2)),
        heard=(Heard("item_1", "Hel", 100, True),),
        usage=(Usage("cascade", "text_tokens_in", 5, "m", 20, 25),),
        usage_key="k1",
    )
    for _ in range(3):
        assert await sessions.append(database, ref, batch) == 2
    assert await numbers(ref) == ["item_1", "item_2"]
    assert await sessions.usage_of(database, school.tenant.id, ref.session_id) == [
        Usage("cascade", "text_tokens_in", 5, "m", 20, 25)
    ]


async def test_a_batch_cut_otherwise_the_second_time_doubles_nothing(
    database, school, begin, turn, numbers
):
    ref = await begin(school)
    await sessions.append(database, ref, Batch(items=(turn(1), turn(2))))
    assert await sessions.append(database, ref, Batch(items=(turn(2), turn(3), turn(1)))) == 3
    assert await numbers(ref) == ["item_1", "item_2", "item_3"]


async def test_a_first_try_that_still_commits_doubles_nothing(
    database, school, begin, turn, numbers
):
    """The connection was lost, but the database goes on with what it was told."""
    ref = await begin(school)
    inside, may_commit = asyncio.Event(), asyncio.Event()
    batch = Batch(items=(turn(1), turn(2)))

    async def first_try():
        async with database.transaction(ref.tenant_id) as connection:
            await sessions._saving(database, ref, batch, batch.items, None)(connection)
            inside.set()
            await may_commit.wait()

    first = asyncio.create_task(first_try())
    await inside.wait()
    second = asyncio.create_task(sessions.append(database, ref, batch))
    await _somebody_waits_for_a_lock(database)
    may_commit.set()
    await first
    assert await second == 2
    assert await numbers(ref) == ["item_1", "item_2"]


@pytest.mark.parametrize("dies_after", ["insert", "hear"])
async def test_a_process_that_dies_within_a_save_leaves_nothing_of_it(
    database, school, begin, turn, numbers, monkeypatch, dies_after
):
    ref = await begin(school)
    batch = Batch(
        items=(turn(1),), heard=(Heard("item_1", "H", 1, True),), durations=Durations(wall_ms=9)
    )
    real = getattr(log, dies_after)

    async def dies(*arguments):
        await real(*arguments)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(log, dies_after, dies)
        with pytest.raises(KeyboardInterrupt):
            await sessions.append(database, ref, batch)
    assert await numbers(ref) == []
    row = await sessions.get(database, school.tenant.id, ref.session_id)
    assert row.durations == Durations()
    assert await sessions.append(database, ref, batch) == 1


async def test_a_thousand_items_in_batches(database, school, begin, turn, numbers):
    ref = await begin(school)
    items = tuple(turn(position, f"word {position}") for position in range(1, 1_001))
    for start in range(0, 1_000, 200):
        await sessions.append(database, ref, Batch(items=items[start : start + 200]))
    assert len(await numbers(ref)) == 1_000
    assert await sessions.items(database, school.tenant.id, ref.session_id) == items


async def test_engines_are_noted_once_in_the_order_they_came(database, school, begin, turn):
    ref = await begin(school)
    await sessions.append(database, ref, Batch(items=(turn(1, engine="nova-sonic"),)))
    await sessions.append(database, ref, Batch(engine="cascade"))
    await sessions.append(database, ref, Batch(items=(turn(3, engine="offline"), turn(2))))
    row = await sessions.get(database, school.tenant.id, ref.session_id)
    assert row.engines == ("offline", "nova-sonic", "cascade")


async def test_usage_adds_up_by_engine_unit_and_model(database, school, other_school, begin):
    ref, other = await begin(school), await begin(other_school)

    async def use(where, key, *usage):
        await sessions.append(database, where, Batch(usage=usage, usage_key=key))

    def tokens(quantity, cost=None, *, model="m", unit="text_tokens_in", engine="cascade"):
        return Usage(engine, unit, quantity, model, cost, None if cost is None else 2 * cost)

    free = Usage("offline", "audio_out_ms", 3, "", 0, 0)
    await use(ref, "a", tokens(5, 50), tokens(7, 70, unit="text_tokens_out"), tokens(1, model="x"))
    await use(ref, "b", tokens(1, 10), free)
    await use(ref, "b", tokens(1, 10), free)
    await use(ref, "c", tokens(2, 20), tokens(2, 30, model="x"))
    await use(other, "a", tokens(100, 1))
    assert await sessions.usage_of(database, school.tenant.id, ref.session_id) == [
        tokens(8, 80),
        tokens(7, 70, unit="text_tokens_out"),
        tokens(3, None, model="x"),  # of a part nobody knows what it cost
        free,
    ]


# ---- one writer -------------------------------------------------------------------------------


async def test_who_takes_a_session_over_finds_its_items_and_stops_the_former_writer(
    database, school, begin, turn, numbers
):
    former = await begin(school)
    spent = Durations(5_000, 1_000, 2_000, 2_000)
    await sessions.append(
        database, former, Batch(items=(turn(2), turn(1)), durations=spent, progress=Progress(1, 3))
    )
    row, items = await sessions.resume(database, school.tenant.id, former.session_id)
    assert (row.epoch, row.durations, row.progress) == (2, spent, Progress(1, 3))
    assert [item.id for item in items] == ["item_1", "item_2"]
    with pytest.raises(SessionTaken):
        await sessions.append(database, former, Batch(items=(turn(3, "late"),)))
    with pytest.raises(SessionTaken):
        await sessions.end(database, former, "finished", Batch())
    now = replace(former, epoch=row.epoch)
    assert await sessions.append(database, now, Batch(items=(turn(3, "mine"),))) == 3
    assert await numbers(now) == ["item_2", "item_1", "item_3"]


async def test_two_writers_at_once_and_only_one_writes(database, school, begin, turn, numbers):
    old = await begin(school)
    row, _ = await sessions.resume(database, school.tenant.id, old.session_id)
    new = replace(old, epoch=row.epoch)
    done = await asyncio.gather(
        *(
            sessions.append(database, ref, Batch(items=(turn(n, id=f"{ref.epoch}.{n}"),)))
            for n in range(1, 11)
            for ref in (old, new)
        ),
        return_exceptions=True,
    )
    assert sum(isinstance(one, SessionTaken) for one in done) == 10
    assert sorted(one for one in done if isinstance(one, int)) == list(range(1, 11))
    assert set(await numbers(new)) == {f"2.{n}" for n in range(1, 11)}


async def test_another_schools_session_is_no_session(
    database, school, other_school, begin, turn, numbers
):
    ref = await begin(school)
    foreign = replace(ref, tenant_id=other_school.tenant.id)
    with pytest.raises(SessionTaken):
        await sessions.append(database, foreign, Batch(items=(turn(1),)))
    with pytest.raises(SessionUnknown):
        await sessions.end(database, foreign, "finished", Batch())
    with pytest.raises(SessionUnknown):
        await sessions.resume(database, other_school.tenant.id, ref.session_id)
    with pytest.raises(SessionUnknown):
        await sessions.get(database, other_school.tenant.id, ref.session_id)
    assert await close(database, foreign, utc_now(), grace_s=0) is None
    row = await sessions.get(database, school.tenant.id, ref.session_id)
    assert (row.epoch, row.status, row.last_seq) == (1, "live", 0)


# ---- the end ----------------------------------------------------------------------------------


async def test_the_end_saves_the_rest_and_asks_for_the_summary(
    database, school, begin, turn, numbers
):
    ref = await begin(school)
    for _ in range(2):  # the second time nobody knew of the first
        await sessions.end(
            database, ref, "finished", Batch(items=(turn(1),), durations=Durations(wall_ms=7))
        )
    row = await sessions.get(database, school.tenant.id, ref.session_id)
    assert (row.status, row.end_reason, row.durations.wall_ms) == ("ended", "finished", 7)
    assert row.ended_at is not None
    assert await numbers(ref) == ["item_1"]
    jobs = await jobs_of(database, ref)
    assert jobs[SUMMARISE]["payload"] == {"session_id": str(ref.session_id), "after": 0}


async def test_an_ended_session_is_neither_written_nor_taken_over(database, school, begin, turn):
    ref = await begin(school)
    await sessions.end(database, ref, "time_limit", Batch())
    with pytest.raises(SessionTaken):
        await sessions.append(database, ref, Batch(items=(turn(1),)))
    with pytest.raises(SessionIsOver, match="time_limit"):
        await sessions.resume(database, school.tenant.id, ref.session_id)


# ---- abandoned --------------------------------------------------------------------------------


async def test_an_abandoned_session_ended_when_it_was_last_seen(database, school, begin, turn):
    ref = await begin(school)
    await sessions.append(database, ref, Batch(items=(turn(1),), durations=Durations(wall_ms=7)))
    seen = (await sessions.get(database, school.tenant.id, ref.session_id)).last_seen_at
    assert await close(database, ref, seen + GRACE) is None
    row = await sessions.get(database, school.tenant.id, ref.session_id)
    assert (row.status, row.end_reason, row.ended_at) == ("ended", "abandoned", seen)
    assert row.durations.wall_ms == 7
    assert SUMMARISE in await jobs_of(database, ref)
    with pytest.raises(SessionTaken):  # a writer that slept all the while
        await sessions.append(database, ref, Batch(items=(turn(2),)))
    with pytest.raises(SessionTaken):
        await sessions.end(database, ref, "finished", Batch())


async def test_a_session_its_own_process_gives_up_ended_when_it_was_last_seen(
    database, school, begin, turn, numbers
):
    ref = await begin(school)
    await sessions.append(database, ref, Batch(items=(turn(1),)))
    seen = (await sessions.get(database, school.tenant.id, ref.session_id)).last_seen_at
    await sessions.end(database, ref, "abandoned", Batch(items=(turn(2),)))
    row = await sessions.get(database, school.tenant.id, ref.session_id)
    assert (row.status, row.end_reason, row.ended_at) == ("ended", "abandoned", seen)
    assert await numbers(ref) == ["item_1", "item_2"]


async def test_a_sign_of_life_puts_the_closing_off(database, school, begin):
    ref = await begin(school)
    await sessions.append(database, ref, Batch())
    row = await sessions.get(database, school.tenant.id, ref.session_id)
    almost = row.last_seen_at + GRACE - timedelta(microseconds=1)
    again = await close(database, ref, almost)
    assert again == row.last_seen_at + GRACE
    assert (await sessions.get(database, school.tenant.id, ref.session_id)).status == "live"


async def test_after_an_outage_students_get_time_to_come_back(database, school, begin):
    """The job runs an hour late: nobody could be seen meanwhile."""
    ref = await begin(school)
    due_at = utc_now() + GRACE
    late = due_at + timedelta(hours=1)
    again = await sessions.close_abandoned(database, Bus(), closing(ref, due_at), late)
    assert again == late + timedelta(seconds=30)
    assert (await sessions.get(database, school.tenant.id, ref.session_id)).status == "live"
    assert await close(database, ref, again) is None
    assert (await sessions.get(database, school.tenant.id, ref.session_id)).status == "ended"


async def test_the_school_hears_of_what_was_closed_and_of_nothing_else(
    database, school, other_school, begin
):
    bus, heard, elsewhere = Bus(), [], []
    bus.subscribe(school_topic(school.tenant.id), heard.append)
    bus.subscribe(school_topic(other_school.tenant.id), elsewhere.append)
    ref, trial = await begin(school), await begin(school, sandbox=True)
    for one in (ref, trial):
        row = await sessions.get(database, school.tenant.id, one.session_id)
        for now in (row.last_seen_at, row.last_seen_at + GRACE, row.last_seen_at + 2 * GRACE):
            await sessions.close_abandoned(database, bus, closing(one, now), now)
    assert heard == [SessionChanged(ref.session_id, school.student.id, "ended")]
    assert elsewhere == []


async def test_closing_leaves_an_ended_session_as_it_is(database, school, begin):
    ref = await begin(school)
    await sessions.end(database, ref, "finished", Batch())
    before = await sessions.get(database, school.tenant.id, ref.session_id)
    late = utc_now() + 2 * GRACE
    assert await close(database, ref, late) is None
    assert await sessions.get(database, school.tenant.id, ref.session_id) == before


# ---- what there is ----------------------------------------------------------------------------


async def test_live_sessions_are_the_students_own_of_that_lesson_newest_first(
    database, school, other_school, begin, lesson_of
):
    lesson = await lesson_of(school)
    old, new = await begin(school), await begin(school)
    await sessions.end(database, await begin(school), "finished", Batch())
    await begin(school, student_id=school.tutor.id)
    await begin(school, sandbox=True)
    await begin(other_school)
    tenant_id, student_id = school.tenant.id, school.student.id
    found = await sessions.live_of(database, tenant_id, student_id, lesson.lesson_id)
    assert [row.id for row in found] == [new.session_id, old.session_id]
    assert await sessions.live_of(database, tenant_id, student_id, new_id()) == []
    assert await sessions.count_live(database, tenant_id, student_id) == 2
    assert await sessions.count_live(database, other_school.tenant.id, student_id) == 0


async def _somebody_waits_for_a_lock(database):
    waiting = 0
    while not waiting:
        async with database.control() as connection:  # a transaction sees one state only
            waiting = await connection.fetchval(
                "SELECT count(*) FROM pg_stat_activity"
                " WHERE datname = current_database() AND wait_event_type = 'Lock'"
            )


async def test_what_is_only_typed_and_read_is_text_whatever_the_door_expected(
    database, school, begin, turn
):
    async def mode(ref):
        return (await sessions.get(database, ref.tenant_id, ref.session_id)).mode

    typed = await begin(school, mode="voice")
    await sessions.append(database, typed, Batch())
    assert await mode(typed) == "voice", "nothing was said yet"
    await sessions.append(database, typed, Batch(items=(turn(1),)))
    await sessions.append(database, typed, Batch(items=(turn(2),)))
    assert await mode(typed) == "text"
    await sessions.append(database, typed, Batch(items=(turn(3, kind="audio"),)))
    await sessions.append(database, typed, Batch(items=(turn(4),)))
    assert await mode(typed) == "voice"

    spoken = await begin(school, mode="text")
    await sessions.append(database, spoken, Batch(items=(turn(1, kind="audio"), turn(2))))
    assert await mode(spoken) == "voice"


async def test_what_is_told_after_the_end_counts_once(database, school, begin):
    ref = await begin(school)
    await sessions.end(database, ref, "finished", Batch())
    used = [Usage("nova-sonic", "audio_tokens_out", 7, "m", 70, 70)]
    for _ in range(2):  # nobody knew whether the first was committed
        of = school.tenant.id, ref.session_id
        await sessions.add_usage(database, *of, used, key="the end")
    assert await sessions.usage_of(database, *of) == used
