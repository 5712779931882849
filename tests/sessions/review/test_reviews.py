"""Marks: who was there first stays, and another school's sessions are not marked."""

import asyncio

from sessions.bus import school_topic
from sessions.news import SessionReviewed
from sessions.record import listing
from sessions.review import reviews
from tenancy import audit


async def test_of_two_who_mark_at_once_one_has_done_it(database, bus, school, held):
    news = []
    bus.subscribe(school_topic(school.tenant.id), news.append)
    done = await asyncio.gather(
        *(
            reviews.mark(database, bus, person, held.session_id, True)
            for person in (school.tutor, school.instructor)
        )
    )
    assert sorted(done) == [False, True]
    first = (school.tutor, school.instructor)[done.index(True)]
    card = await listing.card(database, school.tenant.id, held.session_id)
    assert card.reviewed.by == first.name
    assert news == [SessionReviewed(held.session_id, school.student.id)]
    assert await reviews.mark(database, bus, school.admin, held.session_id, False)
    assert not await reviews.mark(database, bus, school.admin, held.session_id, False)
    card = await listing.card(database, school.tenant.id, held.session_id)
    assert card.reviewed is None
    async with database.transaction(school.tenant.id) as connection:
        verbs = await connection.fetch(
            "SELECT verb FROM audit WHERE thing = 'session' ORDER BY seq"
        )
    assert [row["verb"] for row in verbs] == ["review", "unreview"]
    assert await audit.verify(database, school.tenant.id) == []


async def test_a_trial_is_nobodys_news(database, bus, school, hold):
    trial = await hold(school, sandbox=True)
    news = []
    bus.subscribe(school_topic(school.tenant.id), news.append)
    assert await reviews.mark(database, bus, school.instructor, trial.session_id, True)
    assert news == []
