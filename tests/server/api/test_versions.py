"""A lesson's versions over HTTP: listed, read, compared, gone back to, exported."""

import pytest

from sessions.lessons import store
from sessions.lessons.plan import read_plan
from tenancy.ids import new_id
from tests.server.api.test_authoring import LESSONS, YAML, make, news, verbs
from tests.server.api.test_drafts import at, change, lesson, plan

__all__ = ["at", "change", "lesson", "make", "news", "plan"]


@pytest.fixture
async def two(send, at, change, school):
    """Two versions, the second published, and a draft that is a third."""
    await send(school.instructor, "POST", at("publish"), {"revision": 1, "note": "First"})
    await change("title", "Doubling", "Twice")
    await send(school.admin, "POST", at("publish"), {"revision": 2, "note": "Second"})
    await change("goal", "Double a number.", "Double it.")


async def test_versions_are_listed_and_read(api, at, two, school, lesson):
    items = (await api(school.admin, at("versions"))).json()["items"]
    assert [(one["number"], one["note"], one["published"]) for one in items] == [
        (2, "Second", True), (1, "First", False),
    ]  # fmt: skip
    assert [one["author"]["name"] for one in items] == [school.admin.name, school.instructor.name]
    first = (await api(school.instructor, at("versions/1"))).json()
    assert {name: first[name] for name in items[1]} == items[1]
    assert first["plan"] == read_plan(YAML).plain()
    assert read_plan(first["yaml"]) == read_plan(YAML)


@pytest.mark.parametrize("number", ["3", "0", "-1", "x", "1.0", "9" * 40, "٢"])
async def test_a_version_that_is_not_there_is_not_found(api, at, two, school, problem, number):
    assert "no version" in problem(await api(school.admin, at(f"versions/{number}")), 404)
    assert "no version" in problem(await api(school.admin, at("compare"), left=number[:20]), 404)


async def test_going_back_moves_the_pointer_and_nothing_else(
    api, at, two, send, school, lesson, database, problem, news
):
    before = (await api(school.admin, at("draft"))).json()
    told = len(news)
    back = await send(school.instructor, "POST", at("roll-back"), {"number": 1})
    assert (back.json()["published_number"], back.json()["title"]) == (1, "Doubling")
    again = await send(school.instructor, "POST", at("roll-back"), {"number": 1})
    assert again.json() == back.json()
    taken = (await api(school.instructor, f"/lessons/{lesson['slug']}")).json()
    assert (taken["title"], taken["version"]) == ("Doubling", 1)
    assert (await api(school.admin, at("draft"))).json() == before
    assert "no version 3" in problem(
        await send(school.admin, "POST", at("roll-back"), {"number": 3}), 404
    )
    forward = await send(school.admin, "POST", at("roll-back"), {"number": 2})
    assert forward.json()["published_number"] == 2
    assert len(news) - told == 2
    assert await verbs(database, school) == [
        "create",
        "publish",
        "publish",
        "roll_back",
        "roll_back",
    ]
    assert [one["number"] for one in (await api(school.admin, at("versions"))).json()["items"]] == [
        2,
        1,
    ]


async def test_a_session_keeps_the_version_it_began_with(
    api, at, two, send, school, lesson, begin, database
):
    started = await begin(school, lesson=await store.get(database, school.admin, lesson["slug"]))
    await send(school.instructor, "POST", at("roll-back"), {"number": 1})
    await send(school.instructor, "POST", at("archive"))
    held = await api(school.student, f"/lessons/{lesson['slug']}", session=str(started.session_id))
    assert (held.json()["title"], held.json()["version"]) == ("Twice", 2)


async def test_two_states_are_compared(api, at, two, change, plan, school):
    (step,) = (await plan())["steps"]
    compared = (await api(school.instructor, at("compare"), left=1, right=2)).json()
    assert compared == {
        "left": {"label": "Version 1", "number": 1},
        "right": {"label": "Version 2", "number": 2},
        "changes": [
            {"path": "title", "place": "Title", "kind": "changed", "left": "Doubling",
             "right": "Twice"}
        ],
    }  # fmt: skip
    await change("steps.new", None, {"ask": "And four?"})
    await change("step_order", [step["id"], "new"], ["new", step["id"]])
    compared = (await api(school.instructor, at("compare"), left=2)).json()
    assert compared["right"] == {"label": "The draft", "number": None}
    assert [(one["path"], one["place"], one["kind"]) for one in compared["changes"]] == [
        ("goal", "Goal", "changed"), ("steps.new", "Step 1", "added"),
    ]  # fmt: skip


async def test_a_step_that_was_moved_between_versions_is_told_as_moved(
    api, at, send, change, plan, school
):
    (step,) = (await plan())["steps"]
    other = {name: value for name, value in step.items() if name != "id"} | {"ask": "Three twice?"}
    await change("steps.new", None, other)
    await send(school.admin, "POST", at("publish"), {"revision": 2, "note": ""})
    await change("step_order", [step["id"], "new"], ["new", step["id"]])
    await send(school.admin, "POST", at("publish"), {"revision": 3, "note": ""})
    (moved,) = (await api(school.admin, at("compare"), left=1, right=2)).json()["changes"]
    assert (moved["kind"], {moved["left"], moved["right"]}) == ("moved", {"Step 1", "Step 2"})


async def test_a_draft_is_exported_as_it_stands(api, at, two, school, lesson, problem):
    answer = await api(school.admin, at("export"))
    assert answer.headers["content-type"].startswith("application/yaml")
    assert answer.headers["content-disposition"] == f'attachment; filename="{lesson["slug"]}.yaml"'
    assert read_plan(answer.text).goal == "Double it."
    answer = await api(school.admin, at("export"), format="json")
    assert answer.json()["title"] == "Twice"
    problem(await api(school.admin, at("export"), format="xml"), 400)


async def test_another_schools_versions_are_not_there(api, at, two, send, other_school):
    for path, query in (
        ("versions", {}),
        ("versions/1", {}),
        ("compare", {"left": 1}),
        ("export", {}),
    ):
        theirs = await api(other_school.admin, at(path), **query)
        never = await api(other_school.admin, f"{LESSONS}/{new_id()}/{path}", **query)
        assert (theirs.status_code, theirs.text) == (404, never.text)
    back = await send(other_school.admin, "POST", at("roll-back"), {"number": 1})
    assert back.status_code == 404
