"""Lists of sessions: newest first, every one once, nobody else's."""

from datetime import UTC, datetime, timedelta

import pytest

from sessions.errors import SessionUnknown
from sessions.record import listing, sessions, summaries
from sessions.record.listing import Filters, Standing
from sessions.record.model import Batch, Progress, Summary
from tenancy.ids import new_id

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)


@pytest.fixture
def begin_at(begin, admin_connection):
    """Starts a session at a time of ours."""

    async def begin_at(school, at, **changed):
        ref = await begin(school, **changed)
        await admin_connection.execute(
            "UPDATE pool_1.sessions SET started_at = $2 WHERE id = $1", ref.session_id, at
        )
        return ref

    return begin_at


async def pages(database, school, filters=None, *, limit=2):
    """All pages of a list, as ids."""
    found, after = [], None
    while True:
        cards, after = await listing.list_(
            database, school.tenant.id, filters or Filters(), after=after, limit=limit
        )
        found.append([card.row.id for card in cards])
        if after is None:
            return found


async def test_pages_hold_every_session_once_newest_first(database, school, other_school, begin_at):
    """Some start in the same microsecond; one starts while we page."""
    refs = [await begin_at(school, NOON + timedelta(hours=n // 3)) for n in range(7)]
    await begin_at(other_school, NOON)
    cards, after = await listing.list_(database, school.tenant.id, Filters(), limit=3)
    found = [card.row.id for card in cards]
    await begin_at(school, NOON + timedelta(days=1))
    while after is not None:
        cards, after = await listing.list_(
            database, school.tenant.id, Filters(), after=after, limit=3
        )
        found += [card.row.id for card in cards]
    hours = {ref.session_id: n // 3 for n, ref in enumerate(refs)}
    assert sorted(found, key=lambda id_: (hours[id_], id_), reverse=True) == found
    assert len(found) == 7


async def test_a_page_that_is_just_full_is_the_last(database, school, begin):
    await begin(school)
    await begin(school)
    assert [len(page) for page in await pages(database, school)] == [2]


async def test_an_empty_school_has_one_empty_page(database, school):
    assert await pages(database, school) == [[]]


async def test_filters_by_student_lesson_status_and_time(database, school, begin_at, make_lesson):
    lesson = await make_lesson(school)
    hers = await begin_at(school, NOON)
    his = await begin_at(school, NOON + timedelta(hours=1), student_id=school.tutor.id)
    another = await begin_at(school, NOON + timedelta(hours=2), lesson=lesson)
    await sessions.end(database, another, "finished", Batch())

    async def only(**filters):
        return [id_ for page in await pages(database, school, Filters(**filters)) for id_ in page]

    assert await only(student_ids=frozenset({school.tutor.id})) == [his.session_id]
    assert await only(lesson_id=lesson.lesson_id) == [another.session_id]
    assert await only(status="ended") == [another.session_id]
    assert await only(status="live") == [his.session_id, hers.session_id]
    assert await only(from_=NOON + timedelta(hours=1)) == [another.session_id, his.session_id]
    assert await only(to=NOON + timedelta(hours=1)) == [hers.session_id]
    assert await only(student_ids=frozenset({new_id()})) == []


async def test_a_sandbox_is_in_no_list_but_can_be_looked_at(database, school, begin):
    ref = await begin(school, sandbox=True)
    assert await pages(database, school) == [[]]
    assert await listing.standing(database, school.tenant.id, school.student.id) == {}
    card = await listing.card(database, school.tenant.id, ref.session_id)
    assert card.row.sandbox


async def test_a_card_has_the_names_and_whether_there_is_a_summary(
    database, school, other_school, begin, lesson_of
):
    lesson = await lesson_of(school)
    ref = await begin(school)
    ((card,), _) = await listing.list_(database, school.tenant.id, Filters(), limit=9)
    assert (card.lesson_slug, card.lesson_title, card.version) == (lesson.slug, lesson.title, 1)
    assert (card.student_name, card.has_summary) == (school.student.name, False)
    summary = Summary("brief", (), (), ())
    await summaries.keep(database, school.tenant.id, ref.session_id, summary)
    card = await listing.card(database, school.tenant.id, ref.session_id)
    assert card.has_summary
    with pytest.raises(SessionUnknown):
        await listing.card(database, other_school.tenant.id, ref.session_id)


async def test_where_a_student_stands(database, school, other_school, begin, make_lesson):
    tenant_id, student_id = school.tenant.id, school.student.id
    done, again, broken, running = [await make_lesson(school) for _ in range(4)]
    complete = Batch(progress=Progress(2, 3, "lesson_done"))
    for lesson in (done, again):
        await sessions.end(database, await begin(school, lesson=lesson), "finished", complete)
    await sessions.end(database, await begin(school, lesson=broken), "abandoned", Batch())
    await begin(school, lesson=running)
    newest = await begin(school, lesson=running)
    second = await begin(school, lesson=again)
    await begin(school, lesson=done, student_id=school.tutor.id)
    await begin(other_school)
    assert await listing.standing(database, tenant_id, student_id) == {
        done.lesson_id: Standing("done", None),
        again.lesson_id: Standing("in_progress", second.session_id),
        broken.lesson_id: Standing("in_progress", None),
        running.lesson_id: Standing("in_progress", newest.session_id),
    }
    assert await listing.standing(database, other_school.tenant.id, student_id) == {}
