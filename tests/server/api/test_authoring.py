"""A school's lessons as their authors see them, over HTTP."""

from uuid import UUID

import pytest

from sessions.bus import school_topic
from sessions.lessons.plan import Plan
from sessions.news import LessonChanged
from tenancy import audit
from tenancy.ids import new_id

LESSONS = "/school/lessons"
YAML = """
title: Doubling
subject: Mathematics
level: Grade 2
goal: Double a number.
steps:
  - ask: What is two times three?
    answers: [{kind: number, text: "6"}]
    hints: [Take three twice.]
    solution: Three and three is six.
"""


@pytest.fixture
def make(send):
    """`await make(school, title="x")`: a lesson of the school, by its instructor."""

    async def make(school, **body):
        answer = await send(school.instructor, "POST", LESSONS, body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    return make


@pytest.fixture
def news(bus, school):
    """What the school hears."""
    heard = []
    bus.subscribe(school_topic(school.tenant.id), heard.append)
    return heard


async def verbs(database, school):
    """What the audit log says was done to lessons."""
    entries, _ = await audit.list_(
        database, school.tenant.id, audit.Filters(thing="lesson"), limit=100
    )
    return [entry.verb for entry in reversed(entries)]


async def test_a_lesson_is_begun_and_found(api, make, school, other_school, news, database):
    made = await make(school, title="  Halves  ")
    owner = {"id": str(school.instructor.id), "name": school.instructor.name}
    assert made == {
        "id": made["id"], "slug": "halves", "title": "Halves", "subject": "", "level": "",
        "language": "en", "state": "draft", "has_changes": True, "published_number": None,
        "owner": owner, "changed_at": made["changed_at"], "changed_by": owner, "assignments": 0,
    }  # fmt: skip
    found = (await api(school.admin, f"{LESSONS}/{made['id']}")).json()
    draft = found.pop("draft")
    assert found == made
    (step,) = draft["plan"]["steps"]
    assert draft["plan"] == {"title": "Halves", "language": "en", "steps": [{"id": step["id"]}]}
    assert (draft["revision"], draft["based_on"], draft["changed_by"]) == (1, None, owner)
    listed = (await api(school.instructor, LESSONS)).json()
    assert (listed["items"], listed["next_cursor"], listed["subjects"]) == ([made], None, [])
    assert (await api(other_school.instructor, LESSONS)).json()["items"] == []
    assert [one.lesson_id for one in news if isinstance(one, LessonChanged)] == [UUID(made["id"])]
    assert await verbs(database, school) == ["create"]


async def test_lessons_of_one_title_get_addresses_of_their_own(make, school):
    slugs = [(await make(school, title=title))["slug"] for title in ("¡Hola!", "Hola", "", "عربي")]
    assert slugs == ["hola", "hola-2", "lesson", "lesson-2"]
    assert (await make(school, title="0" * 32))["slug"] == "lesson-3"


@pytest.mark.parametrize("name", ["worked-problem", "new-words", "reading", "discussion"])
async def test_a_template_is_a_whole_lesson(api, make, school, name):
    offered = {
        one["name"]: one for one in (await api(school.admin, "/school/templates")).json()["items"]
    }
    made = await make(school, template=name)
    assert made["title"] == offered[name]["title"] and offered[name]["about"].endswith(".")
    checked = (await api(school.instructor, f"{LESSONS}/{made['id']}/draft/check")).json()
    assert (checked["findings"], checked["publishable"]) == ([], True)
    assert (await make(school, template=name, title="Mine"))["title"] == "Mine"


async def test_a_lesson_is_copied_as_its_draft_stands(api, make, send, school):
    first = await make(school, yaml=YAML)
    await send(
        school.instructor,
        "PATCH",
        f"{LESSONS}/{first['id']}/draft",
        {"path": "goal", "was": "Double a number.", "now": "Double all numbers."},
    )
    copy = await make(school, copy_of=first["id"])
    assert (copy["title"], copy["state"], copy["slug"]) == (
        "Doubling (copy)",
        "draft",
        "doubling-copy",
    )
    plan = (await api(school.instructor, f"{LESSONS}/{copy['id']}")).json()["draft"]["plan"]
    assert plan["goal"] == "Double all numbers."


async def test_a_plan_is_imported_or_every_problem_told_by_line(api, make, send, school, problem):
    made = await make(school, yaml=YAML)
    assert (made["subject"], made["level"]) == ("Mathematics", "Grade 2")
    answer = await send(
        school.instructor,
        "POST",
        LESSONS,
        {"yaml": YAML.replace("goal", "gaol").replace('"6"', "six x")},
    )
    assert "Mend what is listed" in problem(answer, 422)
    assert answer.json()["code"] == "plan_invalid"
    told = [(one["line"], one["path"]) for one in answer.json()["problems"]]
    assert (5, "gaol") in told and (8, "steps[0].answers[0].text") in told
    assert (await api(school.instructor, LESSONS)).json()["items"] == [made]


@pytest.mark.parametrize(
    ("body", "status", "sentence"),
    [
        ({"template": "reading", "yaml": "x"}, 400, "Choose one of"),
        ({"template": "none"}, 404, "no template 'none'"),
        ({"copy_of": str(new_id())}, 404, "no such lesson"),
        ({"copy_of": "x"}, 400, "'copy_of'"),
        ({"title": "x" * 121}, 400, "'title'"),
        ({"name": "x"}, 400, "no field 'name'"),
        ({"yaml": "a: &x {b: *x}"}, 422, "Mend what is listed"),
        ({"yaml": "x" * 300_000}, 422, "Mend what is listed"),
        ({"yaml": ""}, 422, "Mend what is listed"),
    ],
)  # fmt: skip
async def test_what_no_lesson_can_be_made_of_is_refused(
    api, send, school, problem, body, status, sentence
):
    assert sentence in problem(await send(school.instructor, "POST", LESSONS, body), status)
    assert (await api(school.instructor, LESSONS)).json()["items"] == []


async def test_lists_are_narrowed_and_paged(api, make, send, school, other_school):
    await make(other_school, title="Halves")
    halves = await make(school, title="Halves")
    doubling = await make(school, yaml=YAML)
    reading = await make(school, template="reading")
    await send(school.admin, "POST", f"{LESSONS}/{reading['id']}/archive")

    async def titles(**query):
        items = (await api(school.instructor, LESSONS, **query)).json()["items"]
        return [item["title"] for item in items]

    assert await titles() == ["Doubling", "Halves"]
    assert await titles(state="archived") == ["Reading a short text"]
    assert await titles(state="published") == []
    assert await titles(state="draft", search="hALV") == ["Halves"]
    assert await titles(search="math") == await titles(subject="Mathematics") == ["Doubling"]
    assert await titles(search="%") == await titles(subject="maths") == []
    first = (await api(school.instructor, LESSONS, limit=1)).json()
    await make(school, title="Meanwhile")
    second = (await api(school.instructor, LESSONS, limit=1, cursor=first["next_cursor"])).json()
    assert [one["items"][0]["id"] for one in (first, second)] == [doubling["id"], halves["id"]]
    assert second["next_cursor"] is None
    assert first["subjects"] == ["Mathematics", "Reading"]


async def test_a_cursor_is_of_one_list_and_one_person(api, make, school, other_school, problem):
    for title in ("One", "Two"):
        await make(school, title=title)
    cursor = (await api(school.instructor, LESSONS, limit=1)).json()["next_cursor"]
    for person, query in (
        (school.admin, {}),
        (other_school.instructor, {}),
        (school.instructor, {"search": "x"}),
    ):
        problem(await api(person, LESSONS, cursor=cursor, **query), 400)


async def test_an_archived_lesson_is_nobodys_to_begin_and_comes_back(
    api, send, offer, school, problem, database, news
):
    lesson = await offer(school)
    path = f"{LESSONS}/{lesson.lesson_id}"
    assert (await send(school.instructor, "POST", f"{path}/archive")).json()["state"] == "archived"
    assert (await send(school.admin, "POST", f"{path}/archive")).json()["state"] == "archived"
    assert (await api(school.student, "/lessons")).json()["items"] == []
    problem(await api(school.student, f"/lessons/{lesson.slug}"), 404)
    body = {"revision": 1, "note": ""}
    assert "Bring it back" in problem(
        await send(school.admin, "POST", f"{path}/publish", body), 409
    )
    assert (await send(school.instructor, "POST", f"{path}/restore")).json()["state"] == "published"
    assert [one["slug"] for one in (await api(school.student, "/lessons")).json()["items"]] == [
        lesson.slug
    ]
    assert (await verbs(database, school))[-2:] == ["archive", "restore"]
    assert len(news) == 2


@pytest.mark.parametrize("role", ["student", "tutor", "parent"])
async def test_lessons_are_their_authors_to_see(api, send, make, school, problem, role):
    made = await make(school, title="Halves")
    person = getattr(school, role)
    path = f"{LESSONS}/{made['id']}"
    for asked in (
        LESSONS,
        path,
        f"{path}/draft",
        f"{path}/versions",
        "/school/templates",
        "/school/plan-schema",
    ):
        assert "by teachers" in problem(await api(person, asked), 403)
    assert "by teachers" in problem(await send(person, "POST", LESSONS, {"title": "x"}), 403)


async def test_another_schools_lesson_is_as_one_that_never_was(
    api, send, make, school, other_school
):
    made = await make(other_school, title="Halves")
    for path in ("", "/draft", "/draft/check", "/versions", "/versions/1"):
        theirs = await api(school.instructor, f"{LESSONS}/{made['id']}{path}")
        never = await api(school.instructor, f"{LESSONS}/{new_id()}{path}")
        assert (theirs.status_code, theirs.text) == (
            never.status_code,
            never.text,
        ) and theirs.status_code == 404
    for path in ("archive", "restore"):
        assert (
            await send(school.admin, "POST", f"{LESSONS}/{made['id']}/{path}")
        ).status_code == 404
    assert (await send(school.admin, "POST", LESSONS, {"copy_of": made["id"]})).status_code == 404
    for nonsense in ("x", "halves", "%00", "x" * 500):
        assert (await api(school.instructor, f"{LESSONS}/{nonsense}")).status_code == 404


async def test_what_a_plan_may_be_is_there_as_a_schema(api, school):
    answer = await api(school.instructor, "/school/plan-schema")
    assert answer.headers["content-type"] == "application/schema+json"
    assert answer.json() == Plan.json_schema()
