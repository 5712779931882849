"""Lessons over HTTP: what one may take, and where one stands with it."""

from datetime import UTC, datetime

import pytest

from sessions.lessons import store
from sessions.record import sessions
from sessions.record.model import Batch, Progress
from tenancy.ids import new_id

DUE = datetime(2026, 12, 1, 8, tzinfo=UTC)


async def test_a_card_says_what_the_student_needs_to_choose(api, school, offer):
    lesson = await offer(school, due_at=DUE)
    answer = await api(school.student, "/lessons")
    assert answer.json() == {
        "items": [
            {
                "id": str(lesson.lesson_id),
                "slug": lesson.slug,
                "title": "Fractions as parts",
                "subject": "Mathematics",
                "level": "Grade 4",
                "language": "en",
                "goal": "Say what part of a whole is shown.",
                "steps": 3,
                "hears_speech": True,
                "due_at": "2026-12-01T08:00:00Z",
                "status": "new",
                "live_session_id": None,
            }
        ],
        "next_cursor": None,
    }


async def test_each_lists_what_they_may_take(api, school, other_school, offer):
    everyones = await offer(school, title="A")
    mine = await offer(school, title="B", student=school.student)
    theirs = await offer(school, title="C", student=school.tutor)
    await offer(school, title="D", published=False)
    await offer(other_school, title="E")

    async def listed(person):
        return [card["id"] for card in (await api(person, "/lessons")).json()["items"]]

    assert await listed(school.student) == [str(everyones.lesson_id), str(mine.lesson_id)]
    staff = [str(lesson.lesson_id) for lesson in (everyones, mine, theirs)]
    assert await listed(school.instructor) == staff
    assert await listed(school.parent) == []


async def test_pages_go_through_the_titles_whatever_their_case(api, school, offer, problem):
    for title in ("beta", "Alpha", "alpha", "Gamma", "Ärger"):
        await offer(school, title=title)
    seen, cursor = [], {}
    while cursor is not None:
        page = (await api(school.student, "/lessons", limit=2, **cursor)).json()
        assert len(page["items"]) <= 2
        seen += [card["title"] for card in page["items"]]
        cursor = {"cursor": page["next_cursor"]} if page["next_cursor"] else None
    assert [title.casefold() for title in seen] == ["alpha", "alpha", "beta", "gamma", "ärger"]
    assert sorted(seen[:2]) == ["Alpha", "alpha"]
    first = (await api(school.student, "/lessons", limit=2)).json()["next_cursor"]
    problem(await api(school.tutor, "/lessons", cursor=first), 400)
    problem(await api(school.student, "/sessions", cursor=first), 400)


async def test_where_the_student_stands(api, database, school, offer, begin):
    lesson = await offer(school)

    async def stands():
        card = (await api(school.student, f"/lessons/{lesson.slug}")).json()
        return card["status"], card["live_session_id"]

    await begin(school, lesson=lesson, student=school.tutor)
    assert await stands() == ("new", None)
    ref = await begin(school, lesson=lesson)
    assert await stands() == ("in_progress", str(ref.session_id))
    await sessions.end(database, ref, "finished", Batch(progress=Progress(2, 3, "lesson_done")))
    assert await stands() == ("done", None)


async def test_one_lesson_by_slug_or_id_says_who_can_read_it(api, school, offer):
    lesson = await offer(school, title="Conversación", language="es")
    by_slug = await api(school.student, f"/lessons/{lesson.slug}")
    by_id = await api(school.student, f"/lessons/{lesson.lesson_id}")
    assert by_slug.json() == by_id.json()
    detail = by_slug.json()
    assert (detail["version"], detail["version_id"]) == (1, str(lesson.version_id))
    assert detail["hears_speech"] is False
    assert school.tenant.name in detail["readers"]


@pytest.mark.parametrize("name", ["no-such-lesson", "%00", "a" * 300, "é", "%2e%2e"])
async def test_a_lesson_that_is_not_there(api, school, problem, name):
    problem(await api(school.student, f"/lessons/{name}"), 404)


async def test_what_one_may_not_take_is_not_there(api, school, other_school, offer, problem):
    missing = await api(school.student, f"/lessons/{new_id()}")
    problem(missing, 404)
    for lesson in (
        await offer(school, student=school.tutor),
        await offer(school, published=False),
        await offer(other_school),
    ):
        for name in (lesson.slug, lesson.lesson_id):
            answer = await api(school.student, f"/lessons/{name}")
            assert (answer.status_code, answer.content) == (404, missing.content)
    problem(await api(None, "/lessons"), 401)


async def test_a_session_has_its_lesson_whatever_became_of_it(
    api, database, school, other_school, offer, begin, problem
):
    lesson = await offer(school)
    ref = await begin(school, lesson=lesson)
    trial = await store.keep_trial(
        database, school.tenant.id, lesson.lesson_id, lesson.plan, school.instructor.id
    )
    tried = await begin(school, lesson=trial, student=school.instructor, sandbox=True)
    async with database.transaction(school.tenant.id) as connection:
        await connection.execute(
            "UPDATE lessons SET archived_at = now() WHERE tenant_id = $1", school.tenant.id
        )
    path = f"/lessons/{lesson.slug}"
    problem(await api(school.student, path), 404)
    held = (await api(school.student, path, session=str(ref.session_id))).json()
    assert (held["version"], held["sandbox"]) == (1, False)
    draft = (await api(school.instructor, path, session=str(tried.session_id))).json()
    assert (draft["version"], draft["sandbox"]) == (None, True)
    assert "deleted after a day" in draft["readers"]
    for person, session in (
        (school.tutor, ref),
        (school.student, tried),
        (other_school.student, ref),
    ):
        problem(await api(person, path, session=str(session.session_id)), 404)
    problem(await api(school.student, "/lessons/other", session=str(ref.session_id)), 404)
