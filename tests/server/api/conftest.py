"""The record over HTTP: `api` asks as a person, `begin` starts a session to ask about.

`held` is one that is over: the tutor asked and was interrupted, the student answered.
"""

from types import SimpleNamespace

import httpx
import pytest
from starlette.applications import Starlette

from ai.chain import Chain
from server.api import (
    audit,
    authoring,
    care,
    classes,
    drafts,
    engines,
    exports,
    families,
    lesson_assignments,
    lessons,
    overrides,
    people,
    reviews,
    roster,
    roster_import,
    sessions,
    settings,
    students,
    transcripts,
    usage,
    versions,
)
from server.api.table import starlette_routes
from server.config import EngineConfig, Secret
from server.engine_maker import Parts
from server.engines import Engines
from server.exports import Exports
from server.identity import Door, Site
from sessions.bus import Bus
from sessions.jobs import Worker
from sessions.lessons import store
from sessions.lessons.brief import SchoolPolicy, StudentFacts, brief_text, compile
from sessions.lessons.plan import Plan
from sessions.record import sessions as record
from sessions.record.model import Batch, Durations, Item, Progress, SessionRef, Usage
from sessions.record.work import handlers
from tenancy.engines import EngineSettings
from tenancy.identities import Identities, issue_token
from tenancy.ids import new_id
from tenancy.quota import Quota

STEP = {
    "ask": "How many halves?",
    "answers": [{"kind": "number", "text": "2"}],
    "hints": ["Count them."],
    "solution": "It is 2.",
}


def plan(title="Fractions as parts", language="en"):
    return Plan.model_validate(
        {
            "title": title,
            "subject": "Mathematics",
            "level": "Grade 4",
            "language": language,
            "goal": "Say what part of a whole is shown.",
            "steps": [STEP, STEP, STEP],
        }
    )


@pytest.fixture
def bus():
    return Bus()


@pytest.fixture
def worker(database, bus):
    """Does what is due when a test says so: `await worker.run_due()`."""
    return Worker(database, handlers(database, bus))


async def offline(tenant_id, version, mode):
    """The engines of any session: one that hears English."""
    return Chain([SimpleNamespace(name="offline", key="local", languages=frozenset({"en"}))])


@pytest.fixture
async def send(database, bus, worker):
    """`await send(person, method, path, body)`: asks as that person, with a token of theirs."""
    identities = Identities(database)
    services = SimpleNamespace(
        database=database,
        identities=identities,
        door=Door(identities, Site()),
        lobby=SimpleNamespace(chain=offline),
        bus=bus,
        worker=worker,
        exports=Exports(patience_s=0.05),
    )
    tables = (
        lessons,
        exports,
        sessions,
        transcripts,
        reviews,
        overrides,
        families,
        settings,
        lesson_assignments,
        students,
        authoring,
        drafts,
        versions,
    )
    routes = starlette_routes([r for table in tables for r in table.ROUTES], lambda _: services)
    transport = httpx.ASGITransport(Starlette(routes=routes), client=("203.0.113.20", 50_000))
    tokens = {}

    async with httpx.AsyncClient(transport=transport, base_url="http://localhost/api/v1") as client:

        async def ask(person, method, path, body=None, **query):
            headers = {}
            if person is not None:
                if person.id not in tokens:
                    slug = (await database.tenant(person.tenant_id)).slug
                    tokens[person.id] = await issue_token(database, person.email, slug, 600)
                headers = {"Authorization": f"Bearer {tokens[person.id]}"}
            return await client.request(method, path, json=body, params=query, headers=headers)

        ask.services = services
        yield ask
    identities.close()


@pytest.fixture
def api(send):
    """`await api(person, path)`: GET as that person."""

    async def ask(person, path, **query):
        return await send(person, "GET", path, **query)

    return ask


@pytest.fixture
async def home(database):
    """The schools' engines. No vendor is imported for them: none can be had without a key."""
    offline = SimpleNamespace(name="offline", key="local", languages=None)
    nobody = SimpleNamespace()
    config = EngineConfig(
        settings=EngineSettings(order=("nova-sonic", "offline")),
        openai_key=Secret("sk-of-the-server"),
    )
    made = Engines(config, database, Parts(offline, nobody, nobody, nobody))
    yield made
    await made.close()


@pytest.fixture
async def office(database, home):
    """`await office(person, method, path, body)`: what the school office has over HTTP, as them.

    A body that is bytes is sent as CSV. `office.identities` are those of the server.
    """
    identities = Identities(database)
    services = SimpleNamespace(
        database=database,
        identities=identities,
        door=Door(identities, Site()),
        engines=home,
        lobby=SimpleNamespace(quota=Quota(database)),
    )
    modules = (people, roster_import, roster, classes, care, settings, engines, usage, audit)
    routes = starlette_routes(
        [route for module in modules for route in module.ROUTES], lambda _: services
    )
    transport = httpx.ASGITransport(Starlette(routes=routes), client=("203.0.113.20", 50_000))
    tokens = {}

    async with httpx.AsyncClient(transport=transport, base_url="http://localhost/api/v1") as client:

        async def ask(person, method, path, body=None, **query):
            if person.id not in tokens:
                slug = (await database.tenant(person.tenant_id)).slug
                tokens[person.id] = await issue_token(database, person.email, slug, 600)
            more = {"json": body}
            if isinstance(body, bytes):
                more = {"content": body}
            return await client.request(
                method,
                path,
                params=query or None,
                headers={"Authorization": f"Bearer {tokens[person.id]}"},
                **({} if body is None else more),
            )

        ask.identities = identities
        yield ask
    identities.close()


@pytest.fixture
def problem():
    """Checks a refusal and gives its sentence."""

    def check(answer, status):
        assert answer.status_code == status, answer.text
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["status"] == status
        assert answer.json()["detail"].endswith(".")
        return answer.json()["detail"]

    return check


@pytest.fixture
def offer(database):
    """Makes a lesson of a school that everyone there may take."""

    async def offer(school, *, student=None, due_at=None, published=True, **changed):
        tenant_id, author = school.tenant.id, school.instructor.id
        lesson = await store.create(
            database, tenant_id, plan(**changed), f"lesson-{new_id().hex}", author
        )
        if published:
            await store.publish(database, tenant_id, lesson.lesson_id, lesson.version_id, author)
        student_id = student.id if student else None
        await store.assign(
            database, tenant_id, lesson.lesson_id, author, student_id=student_id, due_at=due_at
        )
        return lesson

    return offer


@pytest.fixture
def begin(database, offer):
    """Starts a session of a school's student."""

    async def begin(school, *, student=None, lesson=None, sandbox=False):
        lesson = lesson or await offer(school)
        brief = compile(lesson.plan, school=SchoolPolicy(), student=StudentFacts())
        row = await record.start(
            database,
            tenant_id=school.tenant.id,
            student_id=(student or school.student).id,
            lesson=lesson,
            brief_hash=brief.hash,
            brief_text=brief_text(brief),
            sandbox=sandbox,
            mode="text",
            engine="offline",
            grace_s=600.0,
        )
        return SessionRef(school.tenant.id, row.id, row.epoch)

    return begin


@pytest.fixture
def said():
    """Two items: the tutor asks and is interrupted, the student answers."""
    asked = Item(
        id="item_1",
        role="assistant",
        speaker="ai",
        kind="audio",
        position=1,
        status="incomplete",
        said="How many halves?",
        heard="How many",
        heard_ms=600,
        interrupted=True,
        started_ms=0,
        ended_ms=900,
        engine="offline",
    )
    answered = Item(
        id="item_2",
        role="user",
        speaker="student",
        kind="audio",
        position=2,
        status="completed",
        said="two <b>",
        started_ms=700,
        ended_ms=2_000,
        data={"sure": True},
    )
    return asked, answered


@pytest.fixture
def hold(begin, database, worker, said):
    """Holds a session of a school's student to its end, and has it summed up."""

    async def hold(school, **changed):
        ref = await begin(school, **changed)
        batch = Batch(
            items=said,
            durations=Durations(5_000, 1_300, 900, 2_800),
            progress=Progress(1, 3, "asking"),
            usage=(Usage("offline", "characters", 16, "", 0, 0),),
            usage_key="a",
        )
        await record.end(database, ref, "finished", batch)
        await worker.run_due()
        return ref

    return hold


@pytest.fixture
async def held(hold, school):
    return await hold(school)
