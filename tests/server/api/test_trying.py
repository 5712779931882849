"""Trying a draft: the student's own page, in a session that counts nowhere and lasts a day."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest

from sessions.jobs import Worker, utc_now
from sessions.news import SessionChanged
from sessions.record.work import handlers
from tenancy.identities import issue_token
from tenancy.ids import new_id
from tenancy.model import Caller, Person
from tenancy.postgres import Database
from tests.conftest import School
from tests.server.api.test_authoring import LESSONS, YAML
from tests.server.matrix.world import House

Ask = Callable[..., Awaitable[httpx.Response]]


@pytest.fixture
async def house(database: Database) -> AsyncIterator[House]:
    house = House(database)
    yield house
    await house.close()


@pytest.fixture
async def ask(house: House, database: Database) -> AsyncIterator[Ask]:
    """`await ask(person, method, path, body)` on the whole application."""
    transport = httpx.ASGITransport(house.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost/api/v1") as client:

        async def ask(person: Person, method: str, path: str, body: Any = None) -> httpx.Response:
            slug = (await database.tenant(person.tenant_id)).slug
            token = await issue_token(database, person.email, slug, 600)
            headers = {"Authorization": f"Bearer {token}"}
            return await client.request(method, path, json=body, headers=headers)

        yield ask


@pytest.fixture
async def lesson(ask: Ask, school: School) -> dict[str, Any]:
    answer = await ask(school.instructor, "POST", LESSONS, {"yaml": YAML})
    return dict(answer.json())


async def begin(ask: Ask, person: Person, lesson: dict[str, Any], mode: str = "text") -> UUID:
    answer = await ask(person, "POST", f"{LESSONS}/{lesson['id']}/try", {"mode": mode})
    assert answer.status_code == 200, answer.text
    session = answer.json()["session_id"]
    assert answer.json()["address"] == f"/student/lessons/{lesson['slug']}?session={session}"
    return UUID(session)


async def count(database: Database, school: School, table: str) -> int:
    async with database.transaction(school.tenant.id) as connection:
        found = await connection.fetchval(
            f"SELECT count(*) FROM {table} WHERE tenant_id = $1", school.tenant.id
        )
    return int(found)


async def test_a_draft_is_tried_on_the_students_page_as_it_stands(
    ask: Ask, house: House, school: School, lesson: dict[str, Any]
) -> None:
    author, path = school.instructor, f"{LESSONS}/{lesson['id']}"
    change = {"path": "title", "was": "Doubling", "now": "Twice, {{student_name}}"}
    session = await begin(ask, author, lesson, "voice")
    page = await ask(author, "GET", f"/lessons/{lesson['slug']}?session={session}")
    assert (page.json()["title"], page.json()["sandbox"], page.json()["version"]) == (
        "Doubling", True, None,
    )  # fmt: skip
    await ask(author, "PATCH", f"{path}/draft", change)
    entered, resumed = await house.lobby.enter(
        Caller(author, UUID(int=1), "bearer"), lesson=None, session=session
    )
    assert resumed and entered.view().sandbox and entered.lesson.title == "Doubling"
    again = await begin(ask, author, lesson)
    assert again != session
    await entered.ended.wait()
    versions = await ask(author, "GET", f"{path}/versions")
    assert versions.json()["items"] == []


async def test_it_is_in_no_list_and_no_count(
    ask: Ask, house: House, school: School, lesson: dict[str, Any], database: Database
) -> None:
    heard: list[object] = []
    house.bus.subscribe(f"school:{school.tenant.id}", heard.append)
    author = school.instructor
    await ask(author, "POST", f"{LESSONS}/{lesson['id']}/publish", {"revision": 1, "note": ""})
    session = await begin(ask, author, lesson)
    live = house.lobby.live(session)
    assert live is not None
    live.end("finished")
    await live.ended.wait()
    await house.worker.run_due()
    for person in (author, school.admin):
        listed = await ask(person, "GET", "/sessions")
        assert listed.json()["items"] == []
    card = await ask(author, "GET", f"/lessons/{lesson['slug']}")
    assert (card.json()["status"], card.json()["live_session_id"]) == ("new", None)
    summary = await ask(author, "GET", f"/sessions/{session}/summary")
    assert summary.status_code == 200
    assert not [one for one in heard if isinstance(one, SessionChanged)]
    for _ in range(3):
        await house.lobby.enter(
            Caller(author, UUID(int=1), "bearer"), lesson=lesson["slug"], mode="text", fresh=True
        )
    await begin(ask, author, lesson)
    reads = await count(database, school, "reads")
    await ask(author, "GET", f"/sessions/{session}/transcript")
    assert await count(database, school, "reads") == reads


async def test_after_a_day_nothing_of_it_is_left(
    ask: Ask, house: House, school: School, lesson: dict[str, Any], database: Database
) -> None:
    session = await begin(ask, school.instructor, lesson)
    live = house.lobby.live(session)
    assert live is not None
    live.end("finished")
    await live.ended.wait()
    await house.worker.run_due()
    assert await count(database, school, "sessions") == 1
    later = Worker(
        database, handlers(database, house.bus), clock=lambda: utc_now() + timedelta(days=1)
    )
    await later.run_due()
    for table in ("sessions", "items", "usage", "summaries", "feedback", "lesson_versions"):
        assert await count(database, school, table) == 0
    shown = await ask(school.instructor, "GET", f"{LESSONS}/{lesson['id']}")
    assert shown.json()["draft"]["revision"] == 1


async def test_what_is_no_plan_yet_can_not_be_tried(
    ask: Ask, school: School, lesson: dict[str, Any], database: Database
) -> None:
    path = f"{LESSONS}/{lesson['id']}"
    change = {"path": "goal", "was": "Double a number.", "now": None}
    await ask(school.instructor, "PATCH", f"{path}/draft", change)
    answer = await ask(school.instructor, "POST", f"{path}/try", {"mode": "text"})
    assert (answer.status_code, answer.json()["code"]) == (422, "plan_invalid")
    assert [one["path"] for one in answer.json()["findings"]] == ["goal"]
    assert await count(database, school, "lesson_versions") == 0


async def test_drafts_are_their_authors_to_try(
    ask: Ask, school: School, other_school: School, lesson: dict[str, Any]
) -> None:
    path = f"{LESSONS}/{lesson['id']}/try"
    for person in (school.student, school.tutor, school.parent):
        assert (await ask(person, "POST", path, {})).status_code == 403
    theirs = await ask(other_school.instructor, "POST", path, {})
    never = await ask(other_school.instructor, "POST", f"{LESSONS}/{new_id()}/try", {})
    assert (theirs.status_code, theirs.text) == (404, never.text)
    session = await begin(ask, school.instructor, lesson)
    for person in (school.admin, school.student, other_school.admin):
        answer = await ask(person, "GET", f"/lessons/{lesson['slug']}?session={session}")
        assert answer.status_code == 404
