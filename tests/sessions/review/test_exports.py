"""However many sessions go out, few are in memory, and others are not kept waiting."""

from datetime import UTC, datetime

import pytest

from sessions.record import items, reads
from sessions.record.listing import Filters
from sessions.review import exports

NOW = datetime(2026, 11, 2, 12, tzinfo=UTC)


@pytest.fixture
def loads(monkeypatch):
    """How many sessions were fetched at once."""
    sizes = []
    load = exports.load

    def counted(database, person, cards, now):
        sizes.append(len(cards))
        return load(database, person, cards, now)

    monkeypatch.setattr(exports, "load", counted)
    return sizes


async def test_a_list_is_walked_page_by_page_and_no_further_than_it_is_taken(
    database, school, other_school, hold, loads, monkeypatch
):
    monkeypatch.setattr(exports, "PAGE", 2)
    refs = [await hold(school) for _ in range(5)]
    await hold(other_school)
    walk = exports.walk(database, school.tutor, Filters(), NOW)
    found = [await anext(walk)]
    assert loads == [2]
    found += [exported async for exported in walk]
    assert loads == [2, 2, 1]
    assert [one.card.row.id for one in found] == [ref.session_id for ref in reversed(refs)]
    assert [reading.item.said for reading in found[0].readings] == [
        "How many halves?", "too", "Yes.", "four",
    ]  # fmt: skip
    assert found[0].summary is not None


async def test_what_others_read_is_noted_before_it_is_given(database, school, hold):
    ref = await hold(school)
    other = await hold(school, student_id=school.tutor.id)
    walk = exports.walk(database, school.tutor, Filters(), NOW)
    await anext(walk)
    await walk.aclose()
    tenant_id = school.tenant.id
    assert [r.name for r in await reads.of(database, tenant_id, ref.session_id)] == [
        school.tutor.name
    ]
    assert await reads.of(database, tenant_id, other.session_id) == [], "it is the tutor's own"
    walk = exports.walk(database, school.student, Filters(), NOW)
    await anext(walk)
    await walk.aclose()
    assert len(await reads.of(database, tenant_id, ref.session_id)) == 1


async def test_many_items_are_opened_a_few_at_a_time(database, school, held, monkeypatch):
    gave_way = []

    async def sleep(seconds):
        gave_way.append(seconds)

    monkeypatch.setattr(items, "AT_ONCE", 2)
    monkeypatch.setattr(items.asyncio, "sleep", sleep)
    found = await items.of_sessions(database, school.tenant.id, [held.session_id])
    assert [item.id for item in found[held.session_id]] == ["item_1", "item_2", "item_3", "item_4"]
    assert gave_way == [0, 0]
