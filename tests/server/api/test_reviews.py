"""Sessions are marked as reviewed, and their students say how they were."""

import pytest

from sessions.bus import school_topic
from sessions.news import SessionReviewed
from tenancy.ids import new_id


async def test_a_session_is_marked_as_reviewed_and_the_mark_taken_back(
    api, bus, school, held, send
):
    news = []
    bus.subscribe(school_topic(school.tenant.id), news.append)
    path = f"/sessions/{held.session_id}"
    mark = (await send(school.tutor, "POST", f"{path}/review", {"reviewed": True})).json()
    assert mark["reviewed"]["by"] == {"id": str(school.tutor.id), "name": school.tutor.name}
    again = await send(school.admin, "POST", f"{path}/review", {"reviewed": True})
    assert again.json() == mark, "who was first stays"
    assert (await api(school.student, path)).json()["reviewed"] == mark["reviewed"]
    summary = (await api(school.student, f"{path}/summary")).json()
    assert summary["narrative"][-1]["text"].endswith(f"{school.tutor.name} has looked through it.")
    for reviewed, found in ((True, 1), (False, 0)):
        listed = await api(school.tutor, "/sessions", reviewed=reviewed)
        assert len(listed.json()["items"]) == found
    back = await send(school.instructor, "POST", f"{path}/review", {"reviewed": False})
    assert back.json() == {"reviewed": None}
    summary = (await api(school.student, f"{path}/summary")).json()
    assert summary["narrative"][-1]["text"].endswith("nobody has checked it yet.")
    assert len((await api(school.tutor, "/sessions", reviewed=False)).json()["items"]) == 1
    await send(school.instructor, "POST", f"{path}/review", {"reviewed": False})
    assert news == [SessionReviewed(held.session_id, school.student.id)] * 2


async def test_what_is_still_running_is_not_reviewed(school, begin, send, problem):
    ref = await begin(school)
    for way, body in (("review", {"reviewed": True}), ("summary/renew", None)):
        answer = await send(school.tutor, "POST", f"/sessions/{ref.session_id}/{way}", body)
        assert "still running" in problem(answer, 409)


async def test_a_students_thumbs(api, school, held, send):
    path = f"/sessions/{held.session_id}"
    assert (await api(school.tutor, path)).json()["feedback"] is None
    body = {"helpful": False, "comment": "It did not hear me."}
    assert (await send(school.student, "PUT", f"{path}/feedback", body)).json() == body
    detail = (await api(school.tutor, path)).json()
    assert (detail["thumbs"], detail["feedback"]) == ("down", body)
    for thumbs, found in (("down", 1), ("up", 0), ("none", 0)):
        assert len((await api(school.tutor, "/sessions", thumbs=thumbs)).json()["items"]) == found
    answer = await send(school.student, "PUT", f"{path}/feedback", {"helpful": True})
    assert answer.json() == {"helpful": True, "comment": None}
    detail = (await api(school.student, path)).json()
    assert (detail["thumbs"], detail["feedback"]["comment"]) == ("up", None)


async def test_only_who_was_there_says_how_it_was(api, school, other_school, held, send, problem):
    path = f"/sessions/{held.session_id}/feedback"
    problem(await send(school.tutor, "PUT", path, {"helpful": True}), 403)
    missing = await send(school.student, "PUT", f"/sessions/{new_id()}/feedback", {"helpful": True})
    for person in (school.parent, other_school.student):
        answer = await send(person, "PUT", path, {"helpful": True})
        assert (answer.status_code, answer.content) == (404, missing.content)


@pytest.mark.parametrize(
    "body", [{}, {"helpful": "yes"}, {"helpful": True, "comment": "x" * 2_001}, {"helpful": None}]
)
async def test_bad_feedback_is_refused(school, held, send, problem, body):
    problem(await send(school.student, "PUT", f"/sessions/{held.session_id}/feedback", body), 400)


async def test_who_reviews(school, other_school, hold, held, send, problem):
    path, body = f"/sessions/{held.session_id}/review", {"reviewed": True}
    problem(await send(school.student, "POST", path, body), 403)
    theirs = await hold(school, student=school.instructor)
    missing = await send(school.tutor, "POST", f"/sessions/{new_id()}/review", body)
    for person, way in (
        (school.parent, path),
        (other_school.admin, path),
        (school.tutor, f"/sessions/{theirs.session_id}/review"),
    ):
        answer = await send(person, "POST", way, body)
        assert (answer.status_code, answer.content) == (404, missing.content)


async def test_what_one_may_do_is_told(api, school, held):
    path = f"/sessions/{held.session_id}"
    able = dict.fromkeys(("follow", "review", "override", "export", "renew"), True)
    for person in (school.tutor, school.instructor, school.admin):
        assert (await api(person, path)).json()["may"] == able
    assert (await api(school.student, path)).json()["may"] == {
        **dict.fromkeys(able, False),
        "export": True,
    }


async def test_the_brief_is_for_staff(api, database, school, other_school, held, problem):
    path = f"/sessions/{held.session_id}/brief"
    brief = (await api(school.tutor, path)).json()
    detail = (await api(school.student, f"/sessions/{held.session_id}")).json()
    assert (brief["hash"], brief["version"]) == (detail["brief_hash"], 1)
    assert "How many halves?" in brief["text"]
    assert [reader["name"] for reader in detail["readers"]] == [school.tutor.name]
    for person in (school.student, school.parent, other_school.admin):
        problem(await api(person, path), 404)
