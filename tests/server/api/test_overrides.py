"""Corrections over HTTP: who makes them, who sees them, and what becomes of bad ones."""

from uuid import UUID

import pytest

from sessions.bus import school_topic
from sessions.news import OverridePublished
from tenancy.ids import new_id


def words(text="two", item="item_2", **more):
    return {
        "target": {"kind": "words", "id": item},
        "new": {"text": text},
        "reasons": ["asr_misheard"],
        **more,
    }


@pytest.fixture
def path(held):
    return f"/sessions/{held.session_id}"


@pytest.fixture
def draft(send, path):
    """Begins a correction as somebody."""

    async def draft(person, body=None, status=200):
        answer = await send(person, "POST", f"{path}/overrides", body or words())
        assert answer.status_code == status, answer.text
        return answer.json()

    return draft


@pytest.fixture
def publish(send, path, draft):
    """Begins a correction and publishes it."""

    async def publish(person, body=None):
        made = await draft(person, body)
        answer = await send(person, "POST", f"{path}/overrides/{made['id']}/publish")
        assert answer.status_code == 200, answer.text
        return answer.json()

    return publish


async def test_a_misheard_word_is_corrected_for_every_reader(
    api, bus, school, held, path, draft, send
):
    news = []
    bus.subscribe(school_topic(school.tenant.id), news.append)
    made = await draft(school.tutor, words(note="She said two."))
    assert made == {
        "id": made["id"],
        "session_id": str(held.session_id),
        "target": {"kind": "words", "id": "item_2"},
        "original": {"text": "two <b>", "speaker": None},
        "new": {"text": "two", "speaker": None},
        "reasons": ["asr_misheard"],
        "note": "She said two.",
        "author": {"id": str(school.tutor.id), "name": school.tutor.name},
        "created_at": made["created_at"],
        "changed_at": made["created_at"],
        "published_at": None,
        "replaces": None,
        "state": "draft",
    }
    (_, before) = (await api(school.student, f"{path}/transcript")).json()["items"]
    assert (before["said"], before["correction"]) == ("two <b>", None)
    assert news == []
    published = (await send(school.tutor, "POST", f"{path}/overrides/{made['id']}/publish")).json()
    assert (published["state"], published["replaces"]) == ("published", None)
    assert news == [OverridePublished(held.session_id, school.student.id, UUID(made["id"]))]
    for reader, note in ((school.student, None), (school.admin, "She said two.")):
        (_, now) = (await api(reader, f"{path}/transcript")).json()["items"]
        assert now["said"] == "two"
        assert now["original"] == {"said": "two <b>", "speaker": "student"}
        assert now["correction"] == {
            "id": made["id"],
            "kind": "words",
            "text": "two",
            "by": {"id": str(school.tutor.id), "name": school.tutor.name},
            "at": published["published_at"],
            "reasons": ["asr_misheard"],
            "note": note,
        }
        assert now["corrections"] == [now["correction"]]
    text = (await api(school.student, f"{path}/transcript", format="text")).text
    assert f"{school.student.name}: two\n    ({school.tutor.name} corrected the words;" in text
    vtt = (await api(school.student, f"{path}/transcript", format="vtt")).text
    assert f"NOTE {school.tutor.name} corrected the words; recorded was: “two <b>”\n" in vtt
    assert f"<v {school.student.name}>two</v>" in vtt


async def test_a_speaker_and_an_answer_are_corrected_too(api, school, path, publish):
    await publish(
        school.tutor,
        {
            "target": {"kind": "speaker", "id": "item_2"},
            "new": {"speaker": "tutor"},
            "reasons": ["speaker_swap"],
        },
    )
    answer = await publish(
        school.instructor,
        {
            "target": {"kind": "answer", "id": "item_1"},
            "new": {"text": "What is a half?"},
            "reasons": ["other"],
            "note": "Too hard",
        },
    )
    asked, spoke = (await api(school.student, f"{path}/transcript")).json()["items"]
    assert (asked["said"], asked["original"]) == ("How many halves?", None)
    assert (asked["correction"]["kind"], asked["correction"]["text"]) == (
        "answer",
        "What is a half?",
    )
    assert asked["correction"]["id"] == answer["id"]
    assert (spoke["speaker"], spoke["role"], spoke["said"]) == ("tutor", "assistant", "two <b>")
    assert spoke["original"] == {"said": "two <b>", "speaker": "student"}
    assert spoke["correction"]["text"] is None


async def test_a_summary_sentence_is_corrected_and_made_anew_it_stays_so(
    api, school, path, publish, send, worker
):
    old = (await api(school.tutor, f"{path}/summary")).json()
    place = old["next_steps"][0]["id"]
    assert place == "1.next_steps.0"
    made = await publish(
        school.tutor,
        {
            "target": {"kind": "next_step", "id": place},
            "new": {"text": "Draw three halves."},
            "reasons": ["next_step_wrong"],
        },
    )
    gone = await publish(
        school.tutor,
        {
            "target": {"kind": "sentence", "id": old["narrative"][-1]["id"]},
            "new": {"text": "Tayo looked at it."},
            "reasons": ["factual_error"],
        },
    )
    (step,) = (await api(school.student, f"{path}/summary")).json()["next_steps"]
    assert (step["text"], step["original"]) == ("Draw three halves.", old["next_steps"][0]["text"])
    assert (await api(school.student, f"{path}/summary")).json()["stale"] is False
    await publish(school.tutor, words("three"))
    assert (await api(school.student, f"{path}/summary")).json()["stale"] is True

    assert (await send(school.tutor, "POST", f"{path}/summary/renew")).json() == {
        "status": "pending"
    }
    await worker.run_due()
    anew = (await api(school.student, f"{path}/summary")).json()
    assert (anew["number"], anew["stale"]) == (2, False)
    (step,) = anew["next_steps"]
    assert (step["id"], step["text"], step["correction"]["id"]) == (
        "2.next_steps.0",
        "Draw three halves.",
        made["id"],
    )
    assert "from the corrected transcript" in anew["narrative"][-1]["text"]
    (past,) = anew["past_corrections"]
    assert (past["original"], past["correction"]["id"]) == (
        old["narrative"][-1]["text"],
        gone["id"],
    )
    stale = await send(
        school.tutor,
        "POST",
        f"{path}/overrides",
        {
            "target": {"kind": "sentence", "id": "1.narrative.0"},
            "new": {"text": "x"},
            "reasons": ["tone"],
        },
    )
    assert (stale.status_code, stale.json()["code"]) == (409, "summary_renewed")


async def test_of_two_published_at_once_the_second_gets_the_first(
    api, school, path, draft, send, problem
):
    mine, hers = await draft(school.tutor), await draft(school.instructor, words("too"))
    assert (
        await send(school.instructor, "POST", f"{path}/overrides/{hers['id']}/publish")
    ).status_code == 200
    late = await send(school.tutor, "POST", f"{path}/overrides/{mine['id']}/publish")
    assert school.instructor.name in problem(late, 409)
    assert late.json()["code"] == "override_conflict"
    first = late.json()["published"]
    assert (first["id"], first["new"]["text"], first["state"]) == (hers["id"], "too", "published")
    listed = (await api(school.tutor, f"{path}/overrides")).json()["items"]
    assert {one["id"]: one["state"] for one in listed} == {
        mine["id"]: "draft",
        hers["id"]: "published",
    }
    taken = await send(
        school.tutor, "PATCH", f"{path}/overrides/{mine['id']}", {"replaces": hers["id"]}
    )
    assert taken.json()["replaces"] == hers["id"]
    assert (
        await send(school.tutor, "POST", f"{path}/overrides/{mine['id']}/publish")
    ).status_code == 200
    listed = (await api(school.tutor, f"{path}/overrides")).json()["items"]
    assert {one["id"]: one["state"] for one in listed} == {
        mine["id"]: "published",
        hers["id"]: "superseded",
    }
    (_, item) = (await api(school.student, f"{path}/transcript")).json()["items"]
    assert (item["said"], item["original"]["said"]) == ("two", "two <b>")
    (card,) = (await api(school.tutor, "/sessions")).json()["items"]
    assert card["corrections"] == 1


async def test_a_correction_of_what_is_corrected_names_what_it_replaces(
    school, draft, publish, problem
):
    first = await publish(school.tutor)
    second = await publish(school.tutor, words("too", replaces=first["id"]))
    for replaces in (None, first["id"], str(new_id())):
        refused = await draft(school.tutor, words("to", replaces=replaces), 409)
        assert refused["code"] == "override_conflict"
        assert refused["published"]["id"] == second["id"]
    nothing = await draft(school.tutor, words("x", item="item_1", replaces=first["id"]), 409)
    assert nothing["published"] is None
    assert "Leave `replaces` out" in nothing["detail"]


async def test_a_draft_is_its_authors_alone(api, school, path, draft, send, problem):
    mine = await draft(school.tutor)
    one = f"{path}/overrides/{mine['id']}"
    for other in (school.instructor, school.admin):
        assert (await api(other, f"{path}/overrides")).json()["items"] == []
        for method, way, body in (
            ("PATCH", one, {"note": "x"}),
            ("DELETE", one, None),
            ("POST", f"{one}/publish", None),
        ):
            answer = await send(other, method, way, body)
            assert (problem(answer, 404), answer.json()["code"])[1] == "override_not_found"
    changed = await send(
        school.tutor, "PATCH", one, {"new": {"text": "too"}, "reasons": ["privacy"], "note": "n"}
    )
    assert changed.status_code == 200
    assert (changed.json()["new"]["text"], changed.json()["reasons"]) == ("too", ["privacy"])
    assert changed.json()["note"] == "n"
    assert (await send(school.tutor, "DELETE", one)).status_code == 204
    assert (await api(school.tutor, f"{path}/overrides")).json()["items"] == []
    problem(await send(school.tutor, "DELETE", one), 404)


async def test_what_is_published_stays_as_it_is(api, school, path, publish, send, problem):
    made = await publish(school.tutor)
    one = f"{path}/overrides/{made['id']}"
    for person in (school.tutor, school.instructor):
        for method, body in (("PATCH", {"note": "x"}), ("DELETE", None)):
            answer = await send(person, method, one, body)
            assert "stays as it is" in problem(answer, 409)
    again = await send(school.tutor, "POST", f"{one}/publish")
    assert again.json() == made  # a lost answer is asked for again
    problem(await send(school.instructor, "POST", f"{one}/publish"), 409)


async def test_who_sees_and_who_writes(
    api, school, other_school, path, held, draft, publish, send, problem
):
    made = await publish(school.tutor, words(note="for staff"))
    await draft(school.tutor, words("to", replaces=made["id"]))
    (seen,) = (await api(school.student, f"{path}/overrides")).json()["items"]
    assert (seen["note"], seen["new"]["text"]) == (None, "two")
    missing = await api(school.student, f"/sessions/{new_id()}/overrides")
    for person in (school.parent, other_school.tutor, other_school.admin):
        for answer in (
            await api(person, f"{path}/overrides"),
            await send(person, "POST", f"{path}/overrides", words()),
            await send(person, "PATCH", f"{path}/overrides/{made['id']}", {"note": "x"}),
            await send(person, "DELETE", f"{path}/overrides/{made['id']}"),
            await send(person, "POST", f"{path}/overrides/{made['id']}/publish"),
            await send(person, "POST", f"{path}/summary/renew"),
        ):
            assert (answer.status_code, answer.content) == (404, missing.content)
    refused = await send(school.student, "POST", f"{path}/overrides", words())
    assert "by tutors and teachers" in problem(refused, 403)
    await send(school.tutor, "POST", f"{path}/review", {"reviewed": True})
    (seen,) = (await api(school.parent, f"{path}/overrides")).json()["items"]
    assert (seen["note"], seen["id"]) == (None, made["id"])
    problem(await send(school.parent, "POST", f"{path}/overrides", words()), 403)


async def test_what_was_private_is_not_told_to_families(api, school, path, publish, send):
    first = await publish(school.tutor, words("I live at 5 Elm Street"))
    gone = await publish(
        school.tutor,
        {**words("I live at …", replaces=first["id"]), "reasons": ["privacy"]},
    )
    place = (await api(school.tutor, f"{path}/summary")).json()["narrative"][0]
    sentence = await publish(
        school.tutor,
        {
            "target": {"kind": "sentence", "id": place["id"]},
            "new": {"text": "You worked."},
            "reasons": ["privacy"],
        },
    )
    await send(school.tutor, "POST", f"{path}/review", {"reviewed": True})
    seen = (await api(school.parent, f"{path}/overrides")).json()["items"]
    assert [one["id"] for one in seen] == [gone["id"], sentence["id"]]
    assert {one["original"]["text"] for one in seen} == {None}
    told = (await api(school.parent, f"{path}/summary")).json()["narrative"][0]
    assert (told["text"], told["original"]) == ("You worked.", None)
    told = (await api(school.student, f"{path}/summary")).json()["narrative"][0]
    assert told["original"] == place["text"]
    assert len((await api(school.student, f"{path}/overrides")).json()["items"]) == 3


async def test_a_tutor_of_other_students_finds_nothing(api, school, hold, send, held):
    theirs = await hold(school, student=school.instructor)
    missing = await api(school.tutor, f"/sessions/{new_id()}/overrides")
    for answer in (
        await api(school.tutor, f"/sessions/{theirs.session_id}/overrides"),
        await send(school.tutor, "POST", f"/sessions/{theirs.session_id}/overrides", words()),
    ):
        assert (answer.status_code, answer.content) == (404, missing.content)


async def test_what_is_in_another_session_cannot_be_corrected_here(
    school, hold, held, draft, publish, send, problem
):
    other = await hold(school)
    published = await publish(school.tutor)
    there = f"/sessions/{other.session_id}/overrides"
    refused = await send(school.tutor, "POST", there, words(item="item_9"))
    assert "no item 'item_9' in this session" in problem(refused, 404)
    refused = await send(school.tutor, "POST", there, words(replaces=published["id"]))
    assert refused.json()["published"] is None
    problem(await send(school.tutor, "PATCH", f"{there}/{published['id']}", {"note": "x"}), 404)


@pytest.mark.parametrize(
    ("change", "param", "sentence"),
    [
        ({"reasons": ["boring"]}, "reasons", "no reason 'boring'"),
        ({"reasons": ["tone"]}, "reasons", "does not fit"),
        ({"reasons": []}, "reasons", "at least one"),
        ({"reasons": ["asr_misheard"] * 2}, "reasons", "only once"),
        ({"reasons": ["other"]}, "note", "has to say why"),
        ({"reasons": ["other"], "note": " "}, "note", "has to say why"),
        ({"note": "x" * 2_001}, "note", "2,000"),
        ({"new": {"text": "x" * 8_001}}, "new.text", "8,001"),
        ({"new": {"text": " \n"}}, "new.text", "Write"),
        ({"new": {}}, "new.text", "Write"),
        ({"new": {"text": "x", "speaker": "ai"}}, "new.text", "Write"),
        ({"new": {"speaker": "ai"}}, "new.text", "Write"),
        ({"new": {"text": "a\0b"}}, None, "NUL"),
        ({"new": {"text": "x", "by": "me"}}, "new.by", "no field"),
        ({"new": {"text": 7}}, "new.text", "string"),
        ({"target": {"kind": "mood", "id": "item_2"}}, "target.kind", "can't be used"),
        ({"target": {"kind": "words", "id": ""}}, "target.id", "can't be used"),
        ({"target": {"kind": "words", "id": "x" * 201}}, "target.id", "can't be used"),
        ({"replaces": "the first"}, "replaces", "can't be used"),
        ({"published_at": "now"}, "published_at", "no field"),
    ],
)
async def test_a_bad_correction_is_refused_in_a_sentence(
    api, school, path, send, problem, change, param, sentence
):
    answer = await send(school.tutor, "POST", f"{path}/overrides", {**words(), **change})
    assert sentence in problem(answer, 400)
    assert answer.json().get("param") == param
    assert (await api(school.tutor, f"{path}/overrides")).json()["items"] == []


@pytest.mark.parametrize(
    ("kind", "id_", "reason"),
    [
        ("words", "item_3", "asr_misheard"),
        ("answer", "item_2", "tone"),
        ("sentence", "item_2", "tone"),
        ("sentence", "1.narrative.99", "tone"),
        ("sentence", "2.narrative.0", "tone"),
        ("sentence", "0.narrative.0", "tone"),
        ("sentence", "01.narrative.0", "tone"),
        ("sentence", "1.narrative.-1", "tone"),
        ("sentence", "1.narrative.99999999999999999999", "tone"),
        ("sentence", "1.next_steps.0", "tone"),
        ("next_step", "1.narrative.0", "tone"),
        ("next_step", "1.practice.0", "tone"),
        ("sentence", "1.done_well.0", "tone"),
    ],
)
async def test_a_target_that_is_not_there_is_refused(
    school, path, send, problem, kind, id_, reason
):
    body = {"target": {"kind": kind, "id": id_}, "new": {"text": "x"}, "reasons": [reason]}
    answer = await send(school.tutor, "POST", f"{path}/overrides", body)
    problem(answer, 404)
    assert answer.json()["code"] == "target_not_found"


@pytest.mark.parametrize("new", [{"speaker": "dog"}, {"speaker": "system"}, {"text": "student"}])
async def test_a_speaker_is_one_of_those_who_speak(school, path, send, problem, new):
    body = {
        "target": {"kind": "speaker", "id": "item_2"},
        "new": new,
        "reasons": ["speaker_swap"],
    }
    problem(await send(school.tutor, "POST", f"{path}/overrides", body), 400)


async def test_the_reasons_are_listed_for_everyone(api, school):
    listed = (await api(school.student, "/reasons")).json()["items"]
    assert len(listed) == 20
    assert listed[0] == {
        "code": "asr_misheard",
        "words": "The words were misheard",
        "kinds": ["words"],
    }
    assert listed[-1]["code"] == "other"
