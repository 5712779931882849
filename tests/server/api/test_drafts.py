"""Drafts over HTTP: two write at once, and what is published of it."""

import asyncio

import pytest

from sessions.lessons.drafts import EXAMPLE
from tenancy import settings
from tenancy.audit import By
from tenancy.ids import new_id
from tests.server.api.test_authoring import LESSONS, YAML, make, news, verbs

__all__ = ["make", "news"]


@pytest.fixture
async def lesson(make, school, news):
    return await make(school, yaml=YAML)


@pytest.fixture
def at(lesson):
    """An address below the lesson."""
    return lambda path: f"{LESSONS}/{lesson['id']}/{path}"


@pytest.fixture
def change(send, at, school):
    async def change(path, was, now, *, person=None, **more):
        body = {"path": path, "was": was, "now": now, **more}
        return await send(person or school.instructor, "PATCH", at("draft"), body)

    return change


@pytest.fixture
def plan(api, at, school):
    async def plan():
        return (await api(school.instructor, at("draft"))).json()["plan"]

    return plan


async def test_a_field_is_saved_and_sent_again_saved_once(
    api, at, change, plan, school, news, lesson
):
    answer = await change("goal", "Double a number.", "Double it.")
    (step,) = (await plan())["steps"]
    assert answer.json() == {
        "revision": 2,
        "path": "goal",
        "value": "Double it.",
        "steps": [step["id"]],
    }
    assert (await change("goal", "Double a number.", "Double it.")).json()["revision"] == 2
    assert (await plan())["goal"] == "Double it."
    draft = (await api(school.admin, at("draft"))).json()
    assert (draft["revision"], draft["changed_by"]["id"]) == (2, str(school.instructor.id))
    assert [(str(one.lesson_id), one.revision, one.by) for one in news][-1] == (
        lesson["id"], 2, school.instructor.id,
    )  # fmt: skip
    assert len(news) == 2  # the lesson, and the one change


async def test_different_fields_by_two_are_both_kept(change, plan, school):
    (step,) = (await plan())["steps"]
    await asyncio.gather(
        change("goal", "Double a number.", "Double it."),
        change("title", "Doubling", "Twice as much", person=school.admin),
        change(f"steps.{step['id']}.hints", step["hints"], ["Add it."], person=school.admin),
        change(f"steps.{step['id']}.solution", step["solution"], "Six."),
        change("voice.speed", None, 0.9),
        change("steps.new", None, {"ask": "And four?"}, after=step["id"]),
    )
    now = await plan()
    assert (now["goal"], now["title"], now["voice"]) == (
        "Double it.",
        "Twice as much",
        {"speed": 0.9},
    )
    assert [one["id"] for one in now["steps"]] == [step["id"], "new"]
    assert (now["steps"][0]["hints"], now["steps"][0]["solution"]) == (["Add it."], "Six.")


async def test_the_same_field_by_two_shows_both_texts_and_whose(change, plan, school, problem):
    await change("goal", "Double a number.", "Theirs", person=school.admin)
    await change("title", "Doubling", "Twice")
    answer = await change("goal", "Double a number.", "Mine")
    assert school.admin.name in problem(answer, 409)
    told = answer.json()
    assert told["code"] == "draft_conflict"
    assert {name: told[name] for name in ("path", "was", "yours", "theirs", "revision")} == {
        "path": "goal", "was": "Double a number.", "yours": "Mine", "theirs": "Theirs",
        "revision": 3,
    }  # fmt: skip
    assert told["changed_by"] == {"id": str(school.admin.id), "name": school.admin.name}
    assert (await plan())["goal"] == "Theirs"
    assert (await change("goal", "Theirs", "Mine")).status_code == 200


async def test_what_can_not_be_kept_is_refused_and_nothing_changes(change, plan, problem):
    before = await plan()
    (step,) = before["steps"]
    ask = f"steps.{step['id']}.ask"
    assert "no field 'gaol'" in problem(await change("gaol", None, "x"), 400)
    assert "one value" in problem(await change("goal", before["goal"], ["x"]), 400)
    assert "no step 'gone'" in problem(await change("steps.gone.ask", None, "x"), 404)
    assert "20,000" in problem(await change(ask, step["ask"], "x" * 20_001), 400)
    assert "1 MiB" in problem(await change(ask, step["ask"], "x" * (10 << 20)), 413)
    many = [f"s{n}" for n in range(10_000)]
    assert "100 entries" in problem(await change("step_order", [step["id"]], many), 400)
    assert "too large" in problem(await change("patience_s", None, 1e300), 400)
    assert "NUL" in problem(await change("goal", before["goal"], "a\0b"), 400)
    problem(await change("goal", before["goal"], 10**400), 400)
    assert await plan() == before


@pytest.mark.parametrize(
    "text", ["<script>alert(1)</script>", "{{", "{{ student", "}}{{{{", "\u202e", ""]
)
async def test_whatever_was_typed_is_kept_and_told_to_be_mended(
    api, at, change, plan, school, text
):
    (step,) = (await plan())["steps"]
    path = f"steps.{step['id']}.ask"
    assert (await change(path, step["ask"], text)).json()["value"] == text
    assert (await plan())["steps"][0]["ask"] == text
    checked = (await api(school.instructor, at("draft/check"))).json()
    assert not checked["publishable"]
    if text != "}}{{{{":
        assert path in [one["path"] for one in checked["findings"] if one["severity"] == "error"]


async def test_a_check_tells_what_to_mend_and_where_each_line_comes_from(
    api, at, change, plan, school, database
):
    await settings.change(database, school.tenant.id, {"rules": "Be kind."}, by=By(school.admin.id))
    (step,) = (await plan())["steps"]
    id_ = step["id"]
    await change(
        f"steps.{id_}.hints", step["hints"], ["Look at it, {{student_name}}.", "It is six."]
    )
    checked = (await api(school.instructor, at("draft/check"))).json()
    assert [(one["rule"], one["path"], one["place"]) for one in checked["findings"]] == [
        ("hint_reveals", f"steps.{id_}.hints.1", "Step 1, hint 2")
    ]
    assert checked["publishable"] and checked["revision"] == 2
    lines = {(part["source"], part["path"]): part["text"] for part in checked["brief"]}
    assert lines["lesson", f"steps.{id_}.hints.0"] == f"Hint 1: Look at it, {EXAMPLE.name}."
    assert lines["lesson", "goal"] == "Goal: Double a number."
    texts = [part["text"] for part in checked["brief"]]
    assert "Be kind." in texts and f"School: {school.tenant.name}" in texts
    assert checked["brief"][0]["source"] == checked["brief"][-1]["source"] == "platform"

    await change("steps.empty", None, {})
    checked = (await api(school.instructor, at("draft/check"))).json()
    assert not checked["publishable"]
    lines = {part["path"]: part["text"] for part in checked["brief"]}
    assert lines["steps.empty.ask"] == "Ask: [not written yet]"
    assert {"steps.empty.ask", "steps.empty.answers"} <= {
        one["path"] for one in checked["findings"]
    }


async def test_a_version_is_published_and_students_get_it(
    api, at, change, send, school, database, lesson, problem, news
):
    first = await send(
        school.instructor, "POST", at("publish"), {"revision": 1, "note": " The first "}
    )
    assert first.json() == {
        "number": 1, "note": "The first", "published": True,
        "created_at": first.json()["created_at"],
        "author": {"id": str(school.instructor.id), "name": school.instructor.name},
    }  # fmt: skip
    again = await send(school.instructor, "POST", at("publish"), {"revision": 1, "note": "Twice"})
    assert again.json() == first.json()
    shown = (await api(school.admin, f"{LESSONS}/{lesson['id']}")).json()
    assert (shown["state"], shown["published_number"], shown["has_changes"]) == (
        "published",
        1,
        False,
    )
    assert (shown["draft"]["revision"], shown["draft"]["based_on"]) == (1, 1)

    await change("title", "Doubling", "Twice")
    shown = (await api(school.admin, f"{LESSONS}/{lesson['id']}")).json()
    assert (shown["title"], shown["has_changes"]) == ("Doubling", True)
    await change("title", "Twice", "Doubling")
    assert not (await api(school.admin, f"{LESSONS}/{lesson['id']}")).json()["has_changes"]
    await change("title", "Doubling", "Twice")
    moved = await send(school.admin, "POST", at("publish"), {"revision": 3, "note": ""})
    assert "changed meanwhile" in problem(moved, 409) and moved.json()["revision"] == 4
    second = await send(school.admin, "POST", at("publish"), {"revision": 4, "note": ""})
    assert second.json()["number"] == 2
    assert (await api(school.instructor, f"/lessons/{lesson['slug']}")).json()["title"] == "Twice"
    assert await verbs(database, school) == ["create", "publish", "publish"]
    assert len(news) == 6  # made, published, changed three times, published


async def test_what_is_to_be_mended_is_not_published(at, change, send, school, problem, api):
    await change("goal", "Double a number.", None)
    await change("opening", None, "Hello {{name}}!")
    answer = await send(school.instructor, "POST", at("publish"), {"revision": 3, "note": ""})
    assert "2 things to mend" in problem(answer, 422)
    assert [(one["rule"], one["path"]) for one in answer.json()["findings"]] == [
        ("plan", "goal"), ("variable", "opening"),
    ]  # fmt: skip
    assert (await api(school.instructor, at("versions"))).json()["items"] == []
    for body in ({"revision": 3, "note": "x" * 501}, {"revision": "3", "note": ""}, {"note": ""}):
        problem(await send(school.instructor, "POST", at("publish"), body), 400)


async def test_two_who_publish_at_once_make_one_version(api, at, send, school):
    answers = await asyncio.gather(
        *(
            send(who, "POST", at("publish"), {"revision": 1, "note": ""})
            for who in (school.instructor, school.admin)
        )
    )
    assert [answer.json()["number"] for answer in answers] == [1, 1]
    assert len((await api(school.admin, at("versions"))).json()["items"]) == 1


async def test_a_draft_is_made_a_version_again(api, at, change, plan, send, school, problem):
    before = await plan()
    await send(school.instructor, "POST", at("publish"), {"revision": 1, "note": ""})
    await change("goal", "Double a number.", "Other")
    await change("steps.new", None, {"ask": "x"})
    for number in (0, 2, -1, 2**40):
        assert f"no version {number}" in problem(
            await send(school.instructor, "POST", at("draft/reset"), {"number": number}), 404
        )
    fresh = (await send(school.admin, "POST", at("draft/reset"), {"number": 1})).json()
    assert (fresh["revision"], fresh["based_on"], fresh["plan"]) == (4, 1, before)
    late = await change("goal", "Other", "Mine")
    assert late.json()["changed_by"]["id"] == str(school.admin.id)


async def test_a_draft_of_another_school_is_not_there(send, at, other_school):
    body = {"path": "goal", "was": None, "now": "Ours"}
    theirs = await send(other_school.instructor, "PATCH", at("draft"), body)
    never = await send(other_school.instructor, "PATCH", f"{LESSONS}/{new_id()}/draft", body)
    assert (theirs.status_code, theirs.text) == (404, never.text)
    for path, body in (("publish", {"revision": 1, "note": ""}), ("draft/reset", {"number": 1})):
        assert (await send(other_school.admin, "POST", at(path), body)).status_code == 404
