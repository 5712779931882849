"""Sessions over HTTP: each sees what is theirs, page by page, and nothing of another school."""

import base64
from uuid import UUID

import pytest

from sessions.bus import Bus
from sessions.jobs import Worker
from sessions.record import reads, sessions
from sessions.record.model import Batch, Durations, Progress
from sessions.record.work import handlers

PARTS = ("", "/transcript", "/summary", "/usage")


@pytest.fixture
async def held(database, school, begin, said):
    """A finished session with its summary."""
    ref = await begin(school)
    batch = Batch(
        items=said,
        durations=Durations(5_000, 1_300, 900, 2_800),
        progress=Progress(1, 3, "asking"),
        usage={"characters": 16},
        usage_engine="offline",
        usage_key="a",
    )
    await sessions.end(database, ref, "finished", batch)
    await Worker(database, handlers(database, Bus())).run_due()
    return ref


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
        "mode": "text",
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


@pytest.mark.parametrize("part", PARTS)
async def test_what_one_may_not_read_is_not_there(
    api, school, other_school, begin, held, problem, part
):
    """Another student's, another school's, one that never was, and no id at all: one answer."""
    missing = await api(school.student, f"/sessions/{UUID(int=1)}{part}")
    problem(missing, 404)
    others = await begin(school, student=school.tutor)
    for person, id_ in (
        (school.student, others.session_id),
        (school.parent, held.session_id),
        (other_school.student, held.session_id),
        (other_school.admin, held.session_id),
        (school.student, "nonsense"),
        (school.admin, "%00"),
    ):
        answer = await api(person, f"/sessions/{id_}{part}")
        assert (answer.status_code, answer.content) == (404, missing.content)
    assert (await api(school.tutor, f"/sessions/{others.session_id}{part}")).status_code == 200
    problem(await api(None, f"/sessions/{held.session_id}{part}"), 401)


async def test_the_transcript_as_json(api, school, held):
    answer = await api(school.student, f"/sessions/{held.session_id}/transcript")
    transcript = answer.json()
    assert transcript["session_id"] == str(held.session_id)
    assert [item["said"] for item in transcript["items"]] == ["How many halves?", "two <b>"]
    assert transcript["items"][0] == {
        "id": "item_1",
        "role": "assistant",
        "speaker": "ai",
        "kind": "audio",
        "said": "How many halves?",
        "heard": "How many",
        "status": "incomplete",
        "interrupted": True,
        "started_ms": 0,
        "ended_ms": 900,
        "position": 1,
        "sure": None,
    }
    assert transcript["items"][1]["sure"] is True


async def test_the_transcript_as_subtitles_and_as_text(api, school, held, problem):
    path = f"/sessions/{held.session_id}/transcript"
    vtt = await api(school.student, path, format="vtt")
    assert vtt.headers["content-type"] == "text/vtt; charset=utf-8"
    assert vtt.text.startswith("WEBVTT\n")
    assert f"<v {school.student.name}>two &lt;b&gt;</v>" in vtt.text
    text = await api(school.student, path, format="text")
    assert text.headers["content-type"] == "text/plain; charset=utf-8"
    assert f"] {school.student.name}: two <b>\n" in text.text
    problem(await api(school.student, path, format="pdf"), 400)


async def test_that_staff_reads_is_noted_and_the_student_sees_it(api, database, school, held):
    path = f"/sessions/{held.session_id}"
    await api(school.student, f"{path}/transcript")
    await api(school.tutor, path)
    await api(school.tutor, f"{path}/summary")
    assert (await api(school.student, path)).json()["readers"] == []
    for format_ in ("json", "vtt", "text"):
        answer = await api(school.tutor, f"{path}/transcript", format=format_)
        assert answer.status_code == 200
    (reader,) = (await api(school.student, path)).json()["readers"]
    assert (reader["name"], reader["role"]) == (school.tutor.name, "tutor")
    async with database.transaction(school.tenant.id) as connection:
        row = await connection.fetchrow(
            "SELECT actor, thing_id, address FROM audit WHERE thing = 'transcript'"
        )
    assert tuple(row) == (school.tutor.id, str(held.session_id), "203.0.113.20")


async def test_who_may_not_read_is_not_noted_as_a_reader(api, database, school, held):
    await api(school.parent, f"/sessions/{held.session_id}/transcript")
    assert await reads.of(database, school.tenant.id, held.session_id) == []


async def test_one_session_names_its_brief_and_version(api, school, held):
    detail = (await api(school.admin, f"/sessions/{held.session_id}")).json()
    assert detail["version"] == 1
    assert len(detail["brief_hash"]) == 64


async def test_the_summary_when_it_is_there(api, school, begin, held):
    summary = (await api(school.student, f"/sessions/{held.session_id}/summary")).json()
    assert (summary["status"], summary["kind"], summary["engine"]) == ("ready", "brief", "rules")
    assert summary["narrative"][0]["text"].startswith("You worked on “Fractions as parts”.")
    assert summary["narrative"][0]["item_ids"] == ["item_1"]
    assert summary["subjects"] == ["Mathematics"]
    running = await begin(school)
    pending = (await api(school.student, f"/sessions/{running.session_id}/summary")).json()
    assert pending == {
        "status": "pending",
        "kind": None,
        "narrative": [],
        "next_steps": [],
        "subjects": [],
        "done_well": None,
        "practice": [],
        "engine": None,
    }


async def test_usage(api, school, held):
    usage = await api(school.student, f"/sessions/{held.session_id}/usage")
    assert usage.json() == {"items": [{"engine": "offline", "unit": "characters", "quantity": 16}]}


async def test_a_lesson_that_is_done_is_at_its_last_step(api, database, school, begin):
    ref = await begin(school)
    await sessions.append(database, ref, Batch(progress=Progress(3, 3, "lesson_done")))
    (card,) = (await api(school.student, "/sessions")).json()["items"]
    assert (card["step"], card["steps"], card["status"]) == (3, 3, "live")
