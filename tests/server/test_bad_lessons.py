"""What no author should send of lessons: sentences, nothing half written, and nothing hangs."""

import asyncio
import json
import random
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from structlog.testing import capture_logs

from sessions.lessons.draft_fields import FIELDS, STEP_FIELDS
from tenancy.identities import issue_token
from tenancy.ids import new_id
from tenancy.postgres import Database
from tests.conftest import School
from tests.server.api.test_authoring import LESSONS, YAML
from tests.server.matrix.world import House
from tests.server.test_bad_requests import BROKEN, anything, is_refusal

MEBIBYTE = 1 << 20


@pytest.fixture
async def author(database: Database, school: School) -> AsyncIterator[httpx.AsyncClient]:
    """An instructor on the whole application."""
    house = House(database)
    token = await issue_token(database, school.instructor.email, school.tenant.slug, 600)
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(house.app, raise_app_exceptions=False),
        base_url="http://localhost/api/v1",
        headers={"Authorization": f"Bearer {token}"},
    ) as client:
        yield client
    await house.close()


@pytest.fixture
async def lesson(author: httpx.AsyncClient) -> str:
    made = await author.post(LESSONS, json={"yaml": YAML})
    return f"{LESSONS}/{made.json()['id']}"


async def whole(author: httpx.AsyncClient, lesson: str) -> Any:
    """Everything there is of lessons."""
    listed = (await author.get(LESSONS)).json()
    versions = (await author.get(f"{lesson}/versions")).json()
    return listed, versions, (await author.get(f"{lesson}/draft")).json()


CHANGE = {"path": "goal", "was": "Double a number.", "now": "x"}
STEPS = "title: x\nsubject: x\ngoal: x\nsteps:\n" + "- ask: x?\n" * 10_000
BODIES: list[tuple[str, str, Any]] = [
    ("POST", "", {"title": 7}),
    ("POST", "", {"title": "x", "slug": "mine"}),
    ("POST", "", {"yaml": STEPS}),
    ("POST", "", {"yaml": STEPS[:100_000]}),
    ("POST", "", {"yaml": "x" * (10 * MEBIBYTE)}),
    ("POST", "", {"yaml": "a: " + "[" * 100_000}),
    ("POST", "", {"yaml": "a: " + "{" * 1_000 + "}" * 1_000}),
    ("POST", "", {"yaml": "\ud800".encode("utf-8", "replace").decode() + "\u0085: \u2028"}),
    ("POST", "", {"yaml": '{"title": "x", "steps": [' + "{}," * 10_000 + "{}]}"}),
    ("POST", "", {"yaml": YAML.replace("Doubling", "<script>alert(1)</script>")}),
    ("POST", "", {"yaml": YAML.replace("ask:", "aks:")}),
    ("POST", "", {"yaml": YAML + "\nunknown: key\n"}),
    ("POST", "", {"yaml": "!!python/object/apply:os.system ['true']"}),
    ("POST", "", {"yaml": "&a [*a, *a]"}),
    ("POST", "", {"template": "../demo/photosynthesis"}),
    ("POST", "", {"copy_of": str(new_id())}),
    ("PATCH", "/draft", {}),
    ("PATCH", "/draft", {"path": "goal"}),
    ("PATCH", "/draft", {**CHANGE, "by": "me"}),
    ("PATCH", "/draft", {**CHANGE, "path": 7}),
    ("PATCH", "/draft", {**CHANGE, "path": "g" * 101}),
    ("PATCH", "/draft", {**CHANGE, "path": "__class__"}),
    ("PATCH", "/draft", {**CHANGE, "path": "steps"}),
    ("PATCH", "/draft", {**CHANGE, "path": "steps.__proto__.ask"}),
    ("PATCH", "/draft", {**CHANGE, "now": ["x"]}),
    ("PATCH", "/draft", {**CHANGE, "now": {"x": {"x": "x"}}}),
    ("PATCH", "/draft", {**CHANGE, "now": "x" * (10 * MEBIBYTE)}),
    ("PATCH", "/draft", {**CHANGE, "now": "x" * 20_001}),
    ("PATCH", "/draft", {**CHANGE, "now": 10**400}),
    ("PATCH", "/draft", {**CHANGE, "now": "a\0b"}),
    ("PATCH", "/draft", {**CHANGE, "was": "Something else"}),
    ("PATCH", "/draft", {"path": "steps.gone.ask", "was": None, "now": "x"}),
    ("PATCH", "/draft", {"path": "step_order", "was": [], "now": [f"s{n}" for n in range(10_000)]}),
    ("PATCH", "/draft", {"path": "material", "was": None, "now": [{}] * 10_000}),
    ("PATCH", "/draft", {"path": "steps.x", "was": None, "now": {"steps": [], "ask": "x"}}),
    ("POST", "/draft/reset", {"number": 1}),
    ("POST", "/draft/reset", {"number": 0}),
    ("POST", "/draft/reset", {"number": 2**63}),
    ("POST", "/draft/reset", {"number": "1"}),
    ("POST", "/roll-back", {"number": 1}),
    ("POST", "/roll-back", {"number": -(2**31)}),
    ("POST", "/publish", {"revision": 7, "note": ""}),
    ("POST", "/publish", {"revision": 2**70, "note": ""}),
    ("POST", "/publish", {"revision": 1, "note": "x" * 501}),
    ("POST", "/publish", {"revision": 1, "note": "a\0b"}),
    ("POST", "/publish", {"revision": True, "note": ""}),
    ("POST", "/try", {"mode": "video"}),
    ("POST", "/try", {"mode": "text", "lesson": "other"}),
]
READS = [
    f"{LESSONS}?limit=0",
    f"{LESSONS}?limit=101",
    f"{LESSONS}?state=gone",
    f"{LESSONS}?cursor=AAAA",
    f"{LESSONS}?search=%00",
    f"{LESSONS}?search={'x' * 121}",
    f"{LESSONS}/7",
    f"{LESSONS}/%00/draft",
    "versions/0",
    "versions/1",
    "versions/99999999999999999999",
    "versions/one",
    "compare",
    "compare?left=1",
    "compare?left=draft&right=1",
    "compare?left=%00",
    "export?format=exe",
    "draft?revision=1",
]


async def test_what_no_author_should_send_is_refused_and_changes_nothing(
    author: httpx.AsyncClient, lesson: str
) -> None:
    before = await whole(author, lesson)
    passed = []
    with capture_logs() as logs:
        for method, path, body in BODIES:
            data = json.dumps(body).encode()
            address = f"{lesson}{path}" if path else LESSONS
            answer = await author.request(method, address, content=data)
            if not is_refusal(answer):
                passed.append((method, path, data[:80], answer.status_code))
        for method, path in {(method, path) for method, path, _ in BODIES}:
            for data in BROKEN:
                address = f"{lesson}{path}" if path else LESSONS
                answer = await author.request(method, address, content=data)
                if not is_refusal(answer):
                    passed.append((method, path, data[:80], answer.status_code))
        for path in READS:
            answer = await author.get(path if path.startswith("/") else f"{lesson}/{path}")
            if not is_refusal(answer):
                passed.append(("GET", path, b"", answer.status_code))
    assert passed == []
    assert [entry for entry in logs if entry["log_level"] == "error"] == []
    assert await whole(author, lesson) == before


async def test_anything_typed_anywhere_leaves_a_draft_that_can_be_read(
    author: httpx.AsyncClient, lesson: str
) -> None:
    """Fields with values of every kind; what is taken can be read, checked and exported."""
    chance = random.Random(20_261_125)
    (step,) = (await author.get(f"{lesson}/draft")).json()["plan"]["steps"]
    places = [*FIELDS, *(f"steps.{step['id']}.{name}" for name in STEP_FIELDS)]
    places += [f"steps.{step['id']}", "steps.new", "step_order"]
    taken = 0
    with capture_logs() as logs:
        for _ in range(120):
            path = chance.choice(places)
            answer = await author.patch(
                f"{lesson}/draft", json={"path": path, "was": None, "now": anything(chance)}
            )
            if answer.status_code == 409:
                again = {"path": path, "was": answer.json()["theirs"], "now": anything(chance)}
                answer = await author.patch(f"{lesson}/draft", json=again)
            assert answer.status_code == 200 or is_refusal(answer), answer.text
            taken += answer.status_code == 200
            if chance.random() < 0.1:
                for read in ("draft/check", "export", "export?format=json", "draft"):
                    assert (await author.get(f"{lesson}/{read}")).status_code == 200
                published = await author.post(f"{lesson}/publish", json={"revision": 1, "note": ""})
                assert is_refusal(published)
                tried = await author.post(f"{lesson}/try", json={"mode": "text"})
                assert tried.status_code == 422
    assert taken > 20
    assert [entry for entry in logs if entry["log_level"] == "error"] == []


@pytest.mark.slow
async def test_the_largest_lesson_is_checked_while_others_are_answered(
    author: httpx.AsyncClient, lesson: str
) -> None:
    step = {
        "say": "It is six and seven and three quarters. " * 14,
        "ask": "Are you a person, and why {{ is it six? " * 14,
        "answers": [{"kind": "number", "text": f"{n}/7"} for n in range(12)],
        "hints": ["It is seven hundred and twenty four quarters. " * 10] * 6,
        "solution": "I am a person. " * 30,
    }
    added = 0
    for n in range(60):
        change = {"path": f"steps.s{n}", "was": None, "now": step}
        answer = await author.patch(f"{lesson}/draft", json=change)
        if answer.status_code != 200:
            assert "at most" in answer.json()["detail"]
            break
        added += 1
    assert added > 40
    checking = asyncio.create_task(author.get(f"{lesson}/draft/check"))
    answered = 0
    while not checking.done():
        assert (await author.get("/me")).status_code == 200
        answered += 1
    assert answered > 0
    checked = (await checking).json()
    assert len(checked["findings"]) == 100 and not checked["publishable"]
