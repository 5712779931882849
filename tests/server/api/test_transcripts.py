"""What was said, what it came to and what the tutor was told, over HTTP: as it is read now."""

from uuid import UUID

import pytest

from sessions.record import reads

PARTS = ("", "/transcript", "/summary", "/usage", "/neighbours")


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
        "tool": None,
        "original": None,
        "correction": None,
        "corrections": [],
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
    await api(school.student, f"{path}/summary")
    await api(school.tutor, path)
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


async def test_the_summary_when_it_is_there(api, school, begin, held):
    summary = (await api(school.student, f"/sessions/{held.session_id}/summary")).json()
    assert (summary["status"], summary["kind"], summary["engine"]) == ("ready", "brief", "rules")
    assert summary["narrative"][0]["text"].startswith("You worked on “Fractions as parts”.")
    assert summary["narrative"][0]["item_ids"] == ["item_1"]
    assert summary["narrative"][0]["id"] == "1.narrative.0"
    assert summary["number"] == 1
    assert summary["stale"] is False
    assert summary["subjects"] == ["Mathematics"]
    running = await begin(school)
    pending = (await api(school.student, f"/sessions/{running.session_id}/summary")).json()
    assert pending == {
        "status": "pending",
        "number": None,
        "made_at": None,
        "stale": False,
        "kind": None,
        "narrative": [],
        "next_steps": [],
        "subjects": [],
        "done_well": None,
        "practice": [],
        "engine": None,
        "past_corrections": [],
    }


async def test_usage(api, school, held):
    usage = await api(school.student, f"/sessions/{held.session_id}/usage")
    entry = {"engine": "offline", "model": "", "unit": "characters", "quantity": 16}
    assert usage.json() == {"items": [entry]}
