"""The job that sums a session up, and what it leaves."""

import pytest

from sessions.bus import Bus, school_topic, session_topic
from sessions.jobs import Worker, utc_now
from sessions.live.events import SummaryReady
from sessions.news import SummaryRenewed
from sessions.record import sessions, summaries
from sessions.record.model import Batch, Progress, Sentence, Summary
from sessions.record.work import handlers
from sessions.review import overrides
from sessions.review.override import Content, Target

WHOLE = Summary(
    kind="normal",
    narrative=(Sentence("You said “plutonium”.", ("item_2",)), Sentence("Well.", ("item_1",))),
    next_steps=(Sentence("Go on.", ("item_1", "item_2")),),
    subjects=("Mathematics",),
    done_well=Sentence("Plutonium!", ("item_2",)),
    practice=("How many?",),
    engine="rules",
    overrides=("0199",),
)


@pytest.fixture
def bus():
    return Bus()


@pytest.fixture
def worker(database, bus):
    return Worker(database, handlers(database, bus))


async def test_a_summary_comes_back_as_it_was_and_the_first_one_stays(
    database, school, other_school, begin
):
    ref = await begin(school)
    tenant_id = school.tenant.id
    assert await summaries.get(database, tenant_id, ref.session_id) is None
    await summaries.keep(database, tenant_id, ref.session_id, WHOLE)
    await summaries.keep(database, tenant_id, ref.session_id, Summary("brief", (), (), ()))
    kept = await summaries.get(database, tenant_id, ref.session_id)
    assert (kept.summary, kept.number) == (WHOLE, 1)
    await begin(other_school)
    assert await summaries.get(database, other_school.tenant.id, ref.session_id) is None


async def test_made_anew_it_is_the_next_one_and_readers_get_that(
    database, school, other_school, begin
):
    tenant_id, (one, two) = school.tenant.id, [await begin(school) for _ in range(2)]
    anew = Summary("brief", (Sentence("Anew.", ("item_1",)),), (), ())
    await summaries.keep(database, tenant_id, one.session_id, WHOLE)
    await summaries.keep(database, tenant_id, one.session_id, anew, 2)
    await summaries.keep(database, tenant_id, two.session_id, WHOLE)
    ids = (one.session_id, two.session_id)
    found = await summaries.newest_of(database, tenant_id, ids)
    assert {id_: (kept.number, kept.summary) for id_, kept in found.items()} == {
        one.session_id: (2, anew),
        two.session_id: (1, WHOLE),
    }
    assert await summaries.newest_of(database, other_school.tenant.id, ids) == {}


async def test_a_bare_summary_comes_back_too(database, school, begin):
    ref = await begin(school)
    bare = Summary("no_transcript", (), (), ())
    await summaries.keep(database, school.tenant.id, ref.session_id, bare)
    assert (await summaries.get(database, school.tenant.id, ref.session_id)).summary == bare


async def test_no_word_of_a_summary_is_readable_in_the_database(
    database, admin_connection, school, begin
):
    ref = await begin(school)
    await summaries.keep(database, school.tenant.id, ref.session_id, WHOLE)
    row = await admin_connection.fetchrow(
        "SELECT content FROM pool_1.summaries WHERE session_id = $1", ref.session_id
    )
    assert len(row["content"]) > 100
    assert b"lutonium" not in row["content"]
    assert b"narrative" not in row["content"]


async def test_after_the_end_the_job_sums_up_and_tells_who_listens(
    database, school, other_school, begin, turn, worker, bus
):
    ref, other = await begin(school), await begin(other_school)
    heard: list[object] = []
    bus.subscribe(session_topic(ref.session_id), heard.append)
    items = (turn(1, "How many halves?"), turn(2, "two"), turn(4, "three"), turn(6, "four"))
    await sessions.end(
        database, ref, "finished", Batch(items=items, progress=Progress(1, 3, "asking"))
    )
    assert await worker.run_due() == 1
    summary = (await summaries.get(database, school.tenant.id, ref.session_id)).summary
    assert (summary.kind, summary.subjects) == ("normal", ("Mathematics",))
    assert summary.narrative[0].text.startswith("You worked on “Fractions as parts”.")
    assert summary.narrative[0].item_ids == ("item_1",)
    assert summary.next_steps[0].text == "Go on with “How many quarters?”"
    assert heard == [
        SummaryReady(
            narrative=" ".join(sentence.text for sentence in summary.narrative),
            next_steps=("Go on with “How many quarters?”",),
        )
    ]
    assert await summaries.get(database, other_school.tenant.id, other.session_id) is None


async def test_the_school_hears_of_a_summary_once_it_can_be_read(
    database, school, other_school, begin, turn, worker, bus
):
    ref, trial = await begin(school), await begin(school, sandbox=True)
    heard: list[object] = []
    bus.subscribe(school_topic(school.tenant.id), heard.append)
    bus.subscribe(school_topic(other_school.tenant.id), heard.append)
    for one in (ref, trial):
        await sessions.end(database, one, "finished", Batch(items=(turn(1), turn(2))))
    await worker.run_due()
    assert heard == [SummaryRenewed(ref.session_id, school.student.id)]


async def test_run_twice_it_is_told_again_but_made_once(database, school, begin, turn, worker, bus):
    """A process died after it had stored the summary, before it could cross the job out."""
    ref = await begin(school)
    await sessions.end(database, ref, "finished", Batch(items=(turn(1), turn(2))))
    await worker.run_due()
    first = await summaries.get(database, school.tenant.id, ref.session_id)
    heard: list[object] = []
    bus.subscribe(session_topic(ref.session_id), heard.append)
    async with database.transaction(school.tenant.id) as connection:
        await sessions._ask_for_summary(connection, school.tenant.id, ref.session_id, utc_now())
    await worker.run_due()
    assert await summaries.get(database, school.tenant.id, ref.session_id) == first
    assert len(heard) == 1


async def test_made_anew_it_knows_the_corrections_and_is_made_once(
    database, school, other_school, begin, turn, worker, bus
):
    ref, tenant_id = await begin(school), school.tenant.id
    items = (turn(1, "How many halves?"), turn(2, "too"))
    await sessions.end(database, ref, "finished", Batch(items=items))
    await worker.run_due()
    first = await summaries.get(database, tenant_id, ref.session_id)
    await sessions.renew_summary(database, school.tutor, ref.session_id)
    await worker.run_due()
    assert await summaries.get(database, tenant_id, ref.session_id) == first, "nothing is new"
    draft = await overrides.draft(
        database, school.tutor, ref.session_id, Target("words", "item_2"), Content("two"),
        ["asr_misheard"],
    )  # fmt: skip
    await overrides.publish(database, bus, school.tutor, ref.session_id, draft.id)
    for _ in range(2):  # twice at once: it is one job
        await sessions.renew_summary(database, school.tutor, ref.session_id)
    assert await worker.run_due() == 1
    second = await summaries.get(database, tenant_id, ref.session_id)
    assert (second.number, second.summary.overrides) == (2, (str(draft.id),))
    assert "from the corrected transcript" in second.summary.narrative[-1].text
    assert "corrected" not in first.summary.narrative[-1].text


async def test_a_session_that_is_not_over_is_not_summed_up(database, school, begin, turn, worker):
    ref = await begin(school)
    await sessions.append(database, ref, Batch(items=(turn(1), turn(2))))
    async with database.transaction(school.tenant.id) as connection:
        await sessions._ask_for_summary(connection, school.tenant.id, ref.session_id, utc_now())
    assert await worker.run_due() == 1
    assert await summaries.get(database, school.tenant.id, ref.session_id) is None


async def test_an_abandoned_session_is_closed_and_summed_up_by_its_jobs(
    database, school, begin, turn, bus
):
    ref = await begin(school, grace_s=0.0)
    await sessions.append(database, ref, Batch(items=(turn(1), turn(2))))
    assert await Worker(database, handlers(database, bus)).run_due() == 2
    row = await sessions.get(database, school.tenant.id, ref.session_id)
    assert row.end_reason == "abandoned"
    summary = (await summaries.get(database, school.tenant.id, ref.session_id)).summary
    assert summary.kind == "brief"
