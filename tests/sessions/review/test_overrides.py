"""Corrections in the database: whatever is done with them, the record stays, and one counts."""

import asyncio
from collections import Counter
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sessions.bus import school_topic, session_topic
from sessions.news import OverridePublished as Told
from sessions.record import sessions, summaries
from sessions.review import overrides, rows
from sessions.review.override import (
    DRAFTS,
    NIL,
    Content,
    OverrideConflict,
    OverrideError,
    OverridePublished,
    OverrideUnknown,
    Target,
    TooManyDrafts,
    in_force,
    resolve,
)
from sessions.review.overrides import Change, CorrectionsPublished
from sessions.review.readings import of_items, of_summary
from tenancy import audit

# ---- the property ------------------------------------------------------------------------------

TARGETS = (
    Target("words", "item_2"),
    Target("words", "item_4"),
    Target("speaker", "item_2"),
    Target("answer", "item_1"),
    Target("sentence", "1.narrative.0"),
    Target("sentence", "1.narrative.2"),  # it says who made the summary, and does not come again
    Target("next_step", "1.next_steps.0"),
    Target("next_step", "2.next_steps.0"),
)
AT = st.integers(0, len(TARGETS) - 1)
MADE = st.integers(0, 8)
ACTIONS = st.one_of(
    st.tuples(st.just("correct"), AT, st.booleans()),
    st.tuples(st.just("correct"), AT, st.booleans()),
    st.tuples(st.just("draft"), AT, st.booleans()),
    st.tuples(st.just("both"), AT, st.booleans()),
    st.tuples(st.sampled_from(("publish", "change", "drop")), MADE, st.booleans()),
    st.tuples(st.just("renew"), st.just(0), st.booleans()),
)


async def recorded(connection: Any, session_id: Any) -> list[Any]:
    """The rows of a session as they lie in the database."""
    found: list[Any] = []
    for table in ("items", "summaries"):
        found += await connection.fetch(
            f"SELECT * FROM pool_1.{table} WHERE session_id = $1 ORDER BY 3", session_id
        )
    return found


@pytest.mark.slow
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(actions=st.lists(ACTIONS, min_size=4, max_size=20))
async def test_any_series_leaves_every_original_and_one_current_text(
    database, admin_connection, school, hold, worker, bus, actions
):
    """Two authors correct, and draft, change, drop and publish in any order, also at once, and the
    summary is made anew between: the record stays as it was, and each target has one text, the
    last one that was published on what was in force."""
    ref = await hold(school)
    tenant_id, session_id = school.tenant.id, ref.session_id
    authors = (school.tutor, school.instructor)
    before = await recorded(admin_connection, session_id)
    known: list[Any] = []
    texts: dict[Target, Content] = {}

    async def draft(target, author, number):
        ends = resolve(await rows.of(database, tenant_id, session_id))
        original = await original_text(target)
        now = in_force(target, original, ends)
        new = Content(speaker="tutor") if target.kind == "speaker" else Content(f"text {number}")
        try:
            known.append(
                await overrides.draft(
                    database, author, session_id, target, new, ["other"], "n", now and now.id
                )
            )
        except OverrideError:
            return None
        return known[-1]

    async def original_text(target):
        kept = await summaries.get(database, tenant_id, session_id)
        number, _, _ = target.id.partition(".")
        if target.kind == "sentence":
            return Content(kept.summary.narrative[int(target.id[-1])].text)
        if target.kind == "next_step" and kept.number >= int(number):
            return Content(kept.summary.next_steps[0].text)
        return Content()

    async def publish(made, author):
        try:
            done = await overrides.publish(database, bus, author, session_id, made.id)
        except OverrideError:
            return 0
        known[[one.id for one in known].index(made.id)] = done
        if made.published_at is None:
            texts[made.target] = done.new
        return 1

    for number, (what, index, first) in enumerate(actions):
        author = authors[0 if first else 1]
        if what in ("draft", "correct"):
            made = await draft(TARGETS[index], author, number)
            if what == "correct" and made is not None:
                assert await publish(made, author) == 1, "nobody came between"
        elif what == "both":
            made = [await draft(TARGETS[index], one, number) for one in authors]
            if None not in made:
                went_in = await asyncio.gather(*map(publish, made, authors))
                assert sum(went_in) == 1, "of two published at once one is let in"
        elif what == "renew":
            await sessions.renew_summary(database, school.tutor, session_id)
            await worker.run_due()
        elif index < len(known):
            made = known[index]
            try:
                if what == "publish":
                    await publish(made, author)
                elif what == "change":
                    change = Change(note="other")
                    known[index] = await overrides.change(
                        database, author, session_id, made.id, change
                    )
                else:
                    await overrides.drop(database, author, session_id, made.id)
                    known.pop(index)
            except (OverrideUnknown, OverridePublished):
                assert made.author.id != author.id or made.published_at is not None

    after = await recorded(admin_connection, session_id)
    assert after[: len(before) - 1] == before[:-1], "every item as it was"
    assert before[-1] in after, "and every summary"
    stored = await rows.of(database, tenant_id, session_id)
    ends = resolve(stored)
    assert {target: end.new for target, end in ends.items()} == texts
    chains = Counter((one.target, one.succeeds) for one in stored)
    assert set(chains.values()) <= {1}
    assert sum(succeeds == NIL for _, succeeds in chains) == len(ends)
    items = await sessions.items(database, tenant_id, session_id)
    readings = {reading.item.id: reading for reading in of_items(items, stored)}
    assert [reading.original for reading in readings.values()] == list(items)
    for item in ("item_2", "item_4"):
        words = texts.get(Target("words", item))
        assert readings[item].item.said == (words.text if words else readings[item].original.said)
    kept = await summaries.get(database, tenant_id, session_id)
    read = of_summary(kept.summary, kept.number, kept.made_at, stored)
    assert [each.original for each in read.next_steps] == [
        sentence.text for sentence in kept.summary.next_steps
    ]
    shown = {each.override.id for each in (*read.narrative, *read.next_steps) if each.override}
    told = {one.id for one in read.past} | shown
    replaced = {one.replaces for one in stored}
    assert {
        end.id
        for end in ends.values()
        if end.target.kind in ("sentence", "next_step") and end.id not in replaced
    } <= told, "no correction of the summary vanishes silently"
    assert await audit.verify(database, tenant_id) == []


# ---- one by one --------------------------------------------------------------------------------


async def test_no_word_of_a_correction_is_readable_in_the_database(
    admin_connection, held, draft, publish
):
    await publish(await draft(new="plutonium"))
    row = await admin_connection.fetchrow(
        "SELECT original, content, note FROM pool_1.overrides WHERE session_id = $1",
        held.session_id,
    )
    assert not any(word in part for part in row for word in (b"plutonium", b"too", b"because"))


async def test_a_correction_comes_back_as_it_was(database, school, held, draft, publish):
    made = await draft()
    assert await rows.of(database, school.tenant.id, held.session_id, school.tutor.id) == [made]
    assert await rows.of(database, school.tenant.id, held.session_id) == []
    done = await publish(made)
    assert (done.published_at is not None, done.succeeds) == (True, NIL)
    assert await rows.of(database, school.tenant.id, held.session_id) == [done]


async def test_another_schools_corrections_are_not_there(
    database, school, other_school, hold, held, bus, draft, publish
):
    done = await publish(await draft())
    theirs = await hold(other_school)
    for tenant_id in (other_school.tenant.id,):
        assert await rows.of(database, tenant_id, held.session_id) == []
        assert await rows.published_of(database, tenant_id, [held.session_id]) == {}
    found = await rows.published_of(
        database, school.tenant.id, [held.session_id, theirs.session_id]
    )
    assert found == {held.session_id: [done]}
    tutor = other_school.tutor
    for session_id in (held.session_id, theirs.session_id):
        with pytest.raises(OverrideUnknown):
            await overrides.publish(database, bus, tutor, session_id, done.id)
        with pytest.raises(OverrideUnknown):
            await overrides.change(database, tutor, session_id, done.id, Change(note="x"))
        with pytest.raises(OverrideUnknown):
            await overrides.drop(database, tutor, session_id, done.id)


async def test_of_two_published_at_once_one_is_let_in(
    database, school, held, draft, publish, admin_connection
):
    mine = await draft(new="two")
    theirs = await draft(new="to", author=school.instructor)
    done = await asyncio.gather(
        publish(mine), publish(theirs, school.instructor), return_exceptions=True
    )
    (refused,) = [one for one in done if isinstance(one, Exception)]
    (first,) = [one for one in done if not isinstance(one, Exception)]
    assert isinstance(refused, OverrideConflict)
    assert refused.published == first


async def test_even_without_the_lock_nobody_gets_in_twice(
    database, school, held, draft, publish, monkeypatch
):
    """The unique constraint alone: somebody publishes between our look and our write."""
    mine = await draft(new="two")
    first = await publish(await draft(new="to", author=school.instructor), school.instructor)
    monkeypatch.setattr(overrides, "successor", lambda draft, ends: NIL)
    with pytest.raises(OverrideConflict) as conflict:
        await publish(mine)
    assert conflict.value.published == first


async def test_who_holds_the_session_in_memory_is_told_all_that_is_in_force(
    bus, school, held, draft, publish
):
    heard, news = [], []
    bus.subscribe(session_topic(held.session_id), heard.append)
    bus.subscribe(school_topic(school.tenant.id), news.append)
    first = await publish(await draft())
    again = await publish(first)  # a lost answer is asked for again
    second = await publish(await draft("speaker", new="tutor"))
    assert again == first
    assert heard == [CorrectionsPublished((first,)), CorrectionsPublished((first, second))]
    assert [one.override_id for one in news if isinstance(one, Told)] == [first.id, second.id]


async def test_each_change_is_in_the_audit_without_a_word(database, school, held, draft, publish):
    made = await draft(new="plutonium")
    await overrides.change(
        database, school.tutor, held.session_id, made.id, Change(new=Content("two"))
    )
    await publish(made)
    await overrides.drop(
        database, school.tutor, held.session_id, (await draft("answer", "item_1")).id
    )
    async with database.transaction(school.tenant.id) as connection:
        entries = await connection.fetch(
            "SELECT verb, actor, detail FROM audit WHERE thing = 'override' ORDER BY seq"
        )
    assert [row["verb"] for row in entries] == ["draft", "change", "publish", "draft", "drop"]
    assert {row["actor"] for row in entries} == {school.tutor.id}
    assert entries[0]["detail"] == {
        "session": str(held.session_id),
        "kind": "words",
        "reasons": ["other"],
    }
    assert await audit.verify(database, school.tenant.id) == []


async def test_drafts_have_a_bound(database, school, held, draft, admin_connection):
    made = await draft()
    await admin_connection.execute(
        "INSERT INTO pool_1.overrides (tenant_id, session_id, id, target_kind, target_id, original,"
        " content, reasons, note, author_id, created_at, changed_at)"
        " SELECT tenant_id, session_id, gen_random_uuid(), target_kind, target_id, original,"
        " content, reasons, note, author_id, created_at, changed_at"
        " FROM pool_1.overrides, generate_series(2, $2) WHERE id = $1",
        made.id,
        DRAFTS,
    )
    with pytest.raises(TooManyDrafts, match="Publish or drop some"):
        await draft()
    await draft(author=school.instructor)
