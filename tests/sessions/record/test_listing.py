"""Lists of sessions: newest first, every one once, nobody else's."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from sessions.bus import Bus
from sessions.errors import SessionUnknown
from sessions.lessons import store
from sessions.record import feedback, listing, sessions, summaries
from sessions.record.feedback import Feedback
from sessions.record.listing import Filters, Standing
from sessions.record.model import Batch, Durations, Progress, Summary
from sessions.review import overrides, reviews
from sessions.review.override import Content, Target
from tenancy.ids import new_id
from tests.sessions.record.conftest import PLAN

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


@pytest.fixture
async def five(database, school, other_school, begin_at, make_lesson, turn):
    """Five sessions of two students and two lessons, oldest first, and one of another school."""
    lesson, other = await make_lesson(school), await make_lesson(school)
    again = await store.save(
        database, school.tenant.id, lesson.lesson_id, PLAN, school.instructor.id
    )
    her, him = school.student.id, school.tutor.id
    refs = []
    for hours, student_id, version, engine in (
        (0, her, lesson, "offline"),
        (1, him, lesson, "offline"),
        (2, her, again, "nova-sonic"),
        (3, him, other, "offline"),
        (4, her, other, "offline"),
    ):
        at = NOON + timedelta(hours=hours)
        how = {"student_id": student_id, "lesson": version, "engine": engine}
        refs.append(await begin_at(school, at, **how))
    await begin_at(other_school, NOON + timedelta(hours=2))
    for ref, reason, wall_ms in zip(
        refs, ("finished", "abandoned"), (60_000, 90_000), strict=False
    ):
        batch = Batch(items=(turn(1),), durations=Durations(wall_ms=wall_ms))
        await sessions.end(database, ref, reason, batch)
    bus = Bus()
    for ref in refs[:2]:
        await reviews.mark(database, bus, school.tutor, ref.session_id, True)
    await feedback.give(database, school.student, refs[0].session_id, Feedback(True, None))
    await feedback.give(database, school.tutor, refs[1].session_id, Feedback(False, "No"))
    return [ref.session_id for ref in refs], lesson, other


async def test_each_filter_alone_and_with_whose_sessions_they_are(database, school, five):
    ids, lesson, other = five
    hers, his = frozenset({school.student.id}), frozenset({school.tutor.id})

    async def only(**filters):
        """By places in `five`, newest first."""
        listed = await pages(database, school, Filters(**filters))
        return [ids.index(id_) for page in listed for id_ in page]

    for filters, found in (
        ({}, [4, 3, 2, 1, 0]),
        ({"lesson_id": lesson.lesson_id}, [2, 1, 0]),
        ({"lesson_id": lesson.lesson_id, "version": 2}, [2]),
        ({"lesson_id": lesson.lesson_id, "version": 3}, []),
        ({"lesson_id": other.lesson_id, "version": 1}, [4, 3]),
        ({"version": 1}, []),  # a version of no lesson
        ({"status": "live"}, [4, 3, 2]),
        ({"status": "ended"}, [1, 0]),
        ({"min_ms": 60_000}, [1, 0]),
        ({"min_ms": 60_001}, [1]),
        ({"max_ms": 60_000}, [4, 3, 2, 0]),
        ({"min_ms": 60_000, "max_ms": 60_000}, [0]),
        ({"engine": "offline"}, [4, 3, 1, 0]),
        ({"engine": "nova-sonic"}, [2]),
        ({"engine": "off"}, []),
        ({"end_reason": "abandoned"}, [1]),
        ({"reviewed": True}, [1, 0]),
        ({"reviewed": False}, [4, 3, 2]),
        ({"thumbs": "up"}, [0]),
        ({"thumbs": "down"}, [1]),
        ({"thumbs": "none"}, [4, 3, 2]),
        ({"reviewed": True, "thumbs": "down", "end_reason": "abandoned"}, [1]),
        ({"from_": NOON + timedelta(hours=1), "to": NOON + timedelta(hours=4)}, [3, 2, 1]),
    ):
        assert await only(**filters) == found, filters
        assert await only(**filters, student_ids=hers) == [n for n in found if n % 2 == 0]
        assert await only(**filters, student_ids=his) == [n for n in found if n % 2 == 1]
        assert await only(**filters, student_ids=hers | his) == found
        assert await only(**filters, student_ids=frozenset()) == []


async def test_what_stands_beside_a_session_in_a_list(database, school, other_school, five):
    ids, lesson, _ = five

    async def beside(number, **filters):
        card = await listing.card(database, school.tenant.id, ids[number])
        found = await listing.neighbours(database, school.tenant.id, Filters(**filters), card.place)
        ends = (found.previous, found.next, found.next_unreviewed)
        return tuple(None if id_ is None else ids.index(id_) for id_ in ends)

    assert await beside(4) == (None, 3, 3)
    assert await beside(3) == (4, 2, 2)
    assert await beside(2) == (3, 1, None)
    assert await beside(0) == (1, None, None)
    assert await beside(2, lesson_id=lesson.lesson_id) == (None, 1, None)
    hers = frozenset({school.student.id})
    assert await beside(4, student_ids=hers) == (None, 2, 2)
    assert await beside(2, student_ids=hers) == (4, 0, None)
    assert await beside(1, reviewed=False) == (2, None, None), "itself it is reviewed by now"
    assert await beside(3, reviewed=True) == (None, 1, 2)
    theirs = await listing.neighbours(
        database, other_school.tenant.id, Filters(), listing.Place(NOON, UUID(int=1))
    )
    assert theirs.previous not in ids and theirs.next is None


async def test_a_card_counts_the_corrections_in_force(database, school, five):
    ids, _, _ = five
    tenant_id, session_id = school.tenant.id, ids[0]

    async def correct(kind, new, replaces=None, publish=True):
        made = await overrides.draft(
            database, school.tutor, session_id, Target(kind, "item_1"), new, ["other"], "n",
            replaces,
        )  # fmt: skip
        if publish:
            await overrides.publish(database, Bus(), school.tutor, session_id, made.id)
        return made.id

    first = await correct("words", Content("two"))
    await correct("words", Content("to"), first)
    await correct("speaker", Content(speaker="tutor"))
    await correct("answer", Content("x"), publish=False)
    card = await listing.card(database, tenant_id, session_id)
    assert card.corrections == 2
    assert (card.reviewed.by, card.reviewed.by_id) == (school.tutor.name, school.tutor.id)
    assert card.thumbs == "up"


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
