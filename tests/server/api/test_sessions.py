"""Sessions over HTTP: each sees what is theirs, page by page, and nothing of another school."""

import base64
from uuid import UUID

import pytest

from sessions.record import sessions
from sessions.record.model import Batch, Progress


async def test_a_student_lists_their_own_and_staff_the_schools(api, school, other_school, begin):
    mine = await begin(school)
    others = await begin(school, student=school.tutor)
    await begin(other_school)
    await begin(school, sandbox=True)

    async def listed(person, **query):
        answer = await api(person, "/sessions", **query)
        assert answer.status_code == 200, answer.text
        return [UUID(card["id"]) for card in answer.json()["items"]]

    assert await listed(school.student) == [mine.session_id]
    assert await listed(school.student, student=str(school.student.id)) == [mine.session_id]
    for person in (school.instructor, school.tutor, school.admin):
        assert await listed(person) == [others.session_id, mine.session_id]
    assert await listed(school.admin, student=str(school.student.id)) == [mine.session_id]
    assert await listed(school.admin, student=str(other_school.student.id)) == []


async def test_nobody_lists_sessions_of_others_without_the_right(api, school, problem):
    answer = await api(school.student, "/sessions", student=str(school.tutor.id))
    assert "your own sessions only" in problem(answer, 403)
    problem(await api(school.parent, "/sessions"), 403)
    problem(await api(None, "/sessions"), 401)


async def test_a_card_says_what_a_list_shows(api, school, held):
    (card,) = (await api(school.student, "/sessions")).json()["items"]
    assert card == {
        "id": str(held.session_id),
        "lesson": {**card["lesson"], "title": "Fractions as parts"},
        "student": {"id": str(school.student.id), "name": school.student.name},
        "status": "ended",
        "mode": "voice",
        "started_at": card["started_at"],
        "ended_at": card["ended_at"],
        "end_reason": "finished",
        "wall_ms": 5_000,
        "student_speech_ms": 1_300,
        "tutor_speech_ms": 900,
        "silence_ms": 2_800,
        "step": 2,
        "steps": 3,
        "engines": ["offline"],
        "has_summary": True,
        "version": 1,
        "reviewed": None,
        "thumbs": None,
        "corrections": 0,
    }
    assert card["started_at"].endswith("Z")
    assert set(card["lesson"]) == {"id", "slug", "title"}


async def test_pages_follow_one_another_by_cursor(api, school, begin, offer):
    lesson = await offer(school)
    refs = [await begin(school, lesson=lesson) for _ in range(5)]
    seen, cursor = [], {}
    while cursor is not None:
        page = (await api(school.student, "/sessions", limit=2, status="live", **cursor)).json()
        seen += [UUID(card["id"]) for card in page["items"]]
        cursor = {"cursor": page["next_cursor"]} if page["next_cursor"] else None
    assert seen == [ref.session_id for ref in reversed(refs)]


async def test_a_cursor_is_good_for_its_person_and_its_list_only(
    api, school, other_school, begin, offer, problem
):
    lesson = await offer(school)
    for _ in range(2):
        await begin(school, lesson=lesson)
        await begin(other_school)
    page = (await api(school.instructor, "/sessions", limit=1)).json()
    cursor = page["next_cursor"]
    assert str(page["items"][0]["id"]).encode() not in base64.urlsafe_b64decode(cursor + "===")
    for person, query in (
        (school.tutor, {}),
        (other_school.instructor, {}),
        (school.instructor, {"status": "live"}),
        (school.instructor, {"student": str(school.student.id)}),
    ):
        answer = await api(person, "/sessions", limit=1, cursor=cursor, **query)
        assert "first page" in problem(answer, 400)
    assert (await api(school.instructor, "/sessions", cursor=cursor)).status_code == 200


@pytest.mark.parametrize(
    "cursor", ["x", "AAAA", "é", "\x00", "a" * 500, "a" * 513, "=", "%", "AQAB" + "A" * 60]
)
async def test_a_made_up_cursor_is_refused(api, school, problem, cursor):
    problem(await api(school.student, "/sessions", cursor=cursor), 400)
    problem(await api(school.student, "/lessons", cursor=cursor), 400)


@pytest.mark.parametrize(
    "query",
    [
        {"limit": "0"},
        {"limit": "101"},
        {"limit": "many"},
        {"status": "sleeping"},
        {"student": "me"},
        {"lesson": "fractions"},
        {"from": "yesterday"},
        {"to": "0001-01-01T00:00:00+23:00"},
        {"from": "9999-12-31T23:59:59-23:00"},
        {"order": "up"},
        {"version": "2"},
        {"version": "0", "lesson": str(UUID(int=1))},
        {"min_ms": "-1"},
        {"max_ms": "1e30"},
        {"engine": ""},
        {"engine": "x" * 65},
        {"end_reason": "bored"},
        {"reviewed": "perhaps"},
        {"thumbs": "sideways"},
    ],
)
async def test_a_filter_that_cannot_be_is_refused_in_a_sentence(api, school, problem, query):
    problem(await api(school.student, "/sessions", **query), 400)


@pytest.mark.parametrize("time", ["2026-01-01", "2026-01-01T10:00:00", "9999-12-31T00:00:00Z"])
async def test_times_may_be_written_in_many_ways(api, school, begin, time):
    await begin(school)
    assert (await api(school.student, "/sessions", **{"from": time})).status_code == 200
    before = (await api(school.student, "/sessions", to="2020-01-01")).json()
    assert before == {"items": [], "next_cursor": None}


async def test_one_session_names_its_brief_and_version(api, school, held):
    detail = (await api(school.admin, f"/sessions/{held.session_id}")).json()
    assert detail["version"] == 1
    assert len(detail["brief_hash"]) == 64


async def test_a_lesson_that_is_done_is_at_its_last_step(api, database, school, begin):
    ref = await begin(school)
    await sessions.append(database, ref, Batch(progress=Progress(3, 3, "lesson_done")))
    (card,) = (await api(school.student, "/sessions")).json()["items"]
    assert (card["step"], card["steps"], card["status"]) == (3, 3, "live")


async def test_the_neighbours_of_a_session_are_those_of_the_callers_list(
    api, school, begin, offer, problem
):
    lesson = await offer(school)
    first, second, third = [await begin(school, lesson=lesson) for _ in range(3)]
    theirs = await begin(school, lesson=lesson, student=school.instructor)
    path = f"/sessions/{third.session_id}/neighbours"

    async def beside(person, **query):
        answer = (await api(person, path, **query)).json()
        return [None if id_ is None else UUID(id_) for id_ in answer.values()]

    below = second.session_id
    assert await beside(school.admin) == [theirs.session_id, below, below]
    for person in (school.tutor, school.student):
        assert await beside(person) == [None, below, below], "nobody else's student"
    assert await beside(school.admin, student=str(school.student.id)) == [None, below, below]
    assert await beside(school.admin, reviewed="true") == [None, None, below]
    problem(await api(school.tutor, path, student=str(school.instructor.id)), 403)
    problem(await api(school.tutor, path, cursor="x"), 400)
    assert (await api(school.student, f"/sessions/{first.session_id}/neighbours")).json() == {
        "previous": str(below),
        "next": None,
        "next_unreviewed": None,
    }


async def test_a_cursor_stays_good_when_the_tutor_gets_another_student(
    api, database, school, begin, offer
):
    lesson = await offer(school)
    for _ in range(2):
        await begin(school, lesson=lesson)
    cursor = (await api(school.tutor, "/sessions", limit=1)).json()["next_cursor"]
    async with database.transaction(school.tenant.id) as connection:
        await connection.execute(
            "INSERT INTO assignments (tenant_id, id, tutor_id, student_id, starts_at)"
            " VALUES ($1, gen_random_uuid(), $2, $3, now())",
            *(school.tenant.id, school.tutor.id, school.instructor.id),
        )
    assert (await api(school.tutor, "/sessions", cursor=cursor)).status_code == 200
