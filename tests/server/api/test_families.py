"""What parents see: reviewed lessons of their own children, corrected, and nothing else."""

import json
from uuid import UUID

import pytest

from tenancy import accounts, guardians
from tenancy.accounts import Changes
from tenancy.audit import By
from tenancy.identities import Identities
from tenancy.ids import new_id


@pytest.fixture
def reviewed(send, hold):
    """Holds a session and has the tutor go through it."""

    async def reviewed(school, **changed):
        ref = await hold(school, **changed)
        body = {"reviewed": True}
        answer = await send(school.tutor, "POST", f"/sessions/{ref.session_id}/review", body)
        assert answer.status_code == 200, answer.text
        return ref

    return reviewed


@pytest.fixture
def sees(send):
    """The sessions that somebody sees of a child."""

    async def sees(person, student, **query):
        answer = await send(person, "GET", f"/children/{student.id}/sessions", **query)
        assert answer.status_code == 200, answer.text
        return answer.json()["items"]

    return sees


@pytest.fixture
def correct(send):
    """Corrects something of a session, as a tutor, and publishes it."""

    async def correct(tutor, ref, kind, id_, new, reason):
        path = f"/sessions/{ref.session_id}/overrides"
        body = {
            "target": {"kind": kind, "id": id_},
            "new": new,
            "reasons": [reason],
            "note": "For the staff room only.",
        }
        made = await send(tutor, "POST", path, body)
        assert made.status_code == 200, made.text
        done = await send(tutor, "POST", f"{path}/{made.json()['id']}/publish")
        assert done.status_code == 200, done.text
        return done.json()

    return correct


async def test_parents_see_what_was_reviewed(send, school, hold, reviewed, begin, sees):
    await hold(school)
    await begin(school)
    await begin(school, sandbox=True)
    (child,) = (await send(school.parent, "GET", "/children")).json()["items"]
    assert child == {
        "id": str(school.student.id),
        "name": school.student.name,
        "sessions": 0,
        "wall_ms": 0,
        "last_at": None,
    }
    assert await sees(school.parent, school.student) == []
    ref = await reviewed(school)
    (child,) = (await send(school.parent, "GET", "/children")).json()["items"]
    assert (child["sessions"], child["wall_ms"]) == (1, 5_000)
    (session,) = await sees(school.parent, school.student)
    assert session["id"] == str(ref.session_id)
    assert session["reviewed"]["by"]["name"] == school.tutor.name
    assert (session["wall_ms"], session["student_speech_ms"], session["step"]) == (5_000, 1_300, 2)
    assert session["narrative"][0]["text"].startswith("You worked on")
    assert session["next_steps"] and session["corrections"] == []
    assert "item_" not in json.dumps(session)


async def test_and_everything_that_is_over_if_the_school_says_so(send, school, hold, begin, sees):
    await hold(school)
    await begin(school)
    await begin(school, sandbox=True)
    await send(school.admin, "PATCH", "/settings", {"parents_read": "all"})
    shown = (await send(school.parent, "GET", "/children")).json()
    assert (shown["items"][0]["sessions"], shown["shows_all"]) == (1, True)
    (session,) = await sees(school.parent, school.student)
    assert session["reviewed"] is None


async def test_corrections_are_shown_as_such_and_notes_are_not(
    send, school, reviewed, sees, correct, worker
):
    ref, tutor = await reviewed(school), school.tutor
    heard = await correct(tutor, ref, "words", "item_2", {"text": "two"}, "asr_misheard")
    (session,) = await sees(school.parent, school.student)
    sentence = session["narrative"][-1]
    new = {"text": "Somebody has checked it."}
    reason = "factual_error"
    await correct(tutor, ref, "sentence", sentence["id"], new, reason)
    (session,) = await sees(school.parent, school.student)
    told = session["narrative"][-1]
    assert (told["text"], told["original"]) == ("Somebody has checked it.", sentence["text"])
    assert told["correction"]["by"]["name"] == tutor.name
    first, second = session["corrections"]
    assert first == {
        "kind": "words",
        "was": "two <b>",
        "now": "two",
        "private": False,
        "by": {"id": str(tutor.id), "name": tutor.name},
        "at": heard["published_at"],
    }
    assert second["was"].endswith("nobody has checked it yet."), "as it was made"
    assert second["now"] == "Somebody has checked it."
    assert "staff room" not in json.dumps(session)
    renewed = await send(tutor, "POST", f"/sessions/{ref.session_id}/summary/renew")
    assert renewed.status_code == 200
    await worker.run_due()
    (session,) = await sees(school.parent, school.student)
    assert len(session["corrections"]) == 2
    assert "two <b>" not in json.dumps(session["narrative"] + session["next_steps"])


async def test_what_was_private_is_shown_to_no_family(school, reviewed, sees, correct):
    ref, tutor = await reviewed(school), school.tutor
    (session,) = await sees(school.parent, school.student)
    sentence = session["narrative"][0]
    await correct(tutor, ref, "sentence", sentence["id"], {"text": "(left out)"}, "privacy")
    await correct(tutor, ref, "words", "item_2", {"text": "(left out)"}, "privacy")
    (session,) = await sees(school.parent, school.student)
    assert session["narrative"][0]["original"] is None
    assert [one["private"] for one in session["corrections"]] == [True, True]
    told = json.dumps(session["corrections"] + session["narrative"])
    assert sentence["text"] not in told and "two <b>" not in told


async def test_another_family_sees_nothing_of_it(
    send, school, other_school, reviewed, problem, database
):
    await reviewed(school)
    await reviewed(other_school)
    sentences = set()
    for person, child in (
        (school.parent, other_school.student.id),
        (other_school.parent, school.student.id),
        (school.parent, school.tutor.id),
        (school.parent, new_id()),
        (school.parent, "nobody"),
        (school.tutor, school.student.id),
        (school.admin, school.student.id),
        (school.instructor, school.student.id),
        (school.student, school.student.id),
    ):
        answer = await send(person, "GET", f"/children/{child}/sessions")
        sentences.add(problem(answer, 404))
    assert len(sentences) == 1
    for person in (school.student, school.tutor):
        problem(await send(person, "GET", "/children"), 403)
    assert (await send(school.admin, "GET", "/children")).json()["items"] == []
    await guardians.remove(database, school.tenant.id, school.parent.id, school.student.id, by=By())
    path = f"/children/{school.student.id}/sessions"
    problem(await send(school.parent, "GET", path), 404)


async def test_who_is_no_parent_any_more_sees_nothing(send, school, reviewed, problem, database):
    await reviewed(school)
    identities = Identities(database)
    roles = Changes(roles=frozenset({"tutor"}))
    await accounts.change(database, identities, school.tenant.id, school.parent.id, roles, by=By())
    identities.close()
    path = f"/children/{school.student.id}/sessions"
    problem(await send(school.parent, "GET", path), 404)
    problem(await send(school.parent, "GET", "/children"), 403)


async def test_pages_go_on_for_this_child_only(send, school, reviewed, problem, database):
    ids = [str((await reviewed(school)).session_id) for _ in range(3)]
    path = f"/children/{school.student.id}/sessions"
    first = (await send(school.parent, "GET", path, limit=2)).json()
    cursor = first["next_cursor"]
    rest = (await send(school.parent, "GET", path, limit=2, cursor=cursor)).json()
    seen = [session["id"] for session in first["items"] + rest["items"]]
    assert (seen, rest["next_cursor"]) == (sorted(ids, key=UUID, reverse=True), None)
    problem(await send(school.parent, "GET", path, cursor="x"), 400)
    problem(await send(school.parent, "GET", path, limit=51), 400)
