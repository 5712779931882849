"""A school with one of everything, and a word of its own in each: whatever leaks is found by it."""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast
from uuid import UUID

from ai import g711
from server.app import build
from server.config import Config, EngineConfig
from server.engine_maker import Parts
from server.engines import Engines
from server.identity import Door, Site
from server.services import Services
from server.sight import Sight
from sessions.bus import Bus
from sessions.jobs import Worker
from sessions.lessons import assigning, store
from sessions.lessons.brief import SchoolPolicy, StudentFacts, brief_text, compile
from sessions.lessons.plan import read_plan
from sessions.live.choice import alone
from sessions.live.lobby import Lobby
from sessions.record import sessions as record
from sessions.record.model import Batch, Item, Progress, SessionRef
from sessions.record.work import handlers
from sessions.review import overrides, reviews
from sessions.review.override import Content, Target
from tenancy import accounts, assignments, classes
from tenancy.accounts import NewAccount
from tenancy.audit import By
from tenancy.identities import Identities, issue_token
from tenancy.model import Caller, Person
from tenancy.policy import Thing
from tenancy.postgres import Database
from tests.conftest import School
from tests.server.realtime.house import Parrot

PLAN = """
title: The {word} lesson
subject: {word} studies
level: year 4
goal: Know the {word} when you hear it.
opening: This is the {word}.
closing: Goodbye, {word}.
steps:
  - ask: How many {word}s are two halves?
    answers: [{{kind: number, text: "1"}}]
    hints: [Think of a {word}.]
    solution: It is one {word}.
"""


ITEMS = 100


@dataclass
class World:
    """One school, its things by name, and what rights to them depend on."""

    school: School
    word: str
    "Stands in everything that was ever written at the school."
    ids: dict[str, str] = field(default_factory=dict)
    things: dict[str, Thing] = field(default_factory=dict)
    tokens: dict[UUID, str] = field(default_factory=dict)
    strangers: str = ""
    "The word of a student whom neither the tutor nor the parent has anything to do with."
    unread: str = ""
    "The word of a session that nobody has reviewed: not for parents."

    def secrets(self) -> list[str]:
        """What nobody of another school may ever read."""
        ids = [id for id in self.ids.values() if len(id) == 36]
        ids += [str(person.id) for person in self.school.people]
        tenant = self.school.tenant
        return [self.word, tenant.slug, tenant.name, str(tenant.id), *ids]


class House:
    """The whole application over one database, and the worlds in it."""

    def __init__(self, database: Database) -> None:
        self.database, self.bus = database, Bus()
        self.identities = Identities(database)
        self.worker = Worker(database, handlers(database, self.bus))
        tutor = Parrot()
        nobody: Any = None  # speaks: its voice is not tried
        self.engines = Engines(EngineConfig(), database, Parts(tutor, nobody, nobody, nobody))
        self.lobby = Lobby(database, alone(tutor), self.bus, self.worker)
        self.services = Services(
            config=Config(),
            database=database,
            identities=self.identities,
            door=Door(self.identities, Site()),
            engines=self.engines,
            lobby=self.lobby,
            worker=self.worker,
            bus=self.bus,
            codecs=g711,
            sight=Sight(database),
        )
        self.app = build(self.services)
        self._items = itertools.count(3)

    async def close(self) -> None:
        await self.lobby.close(2.0)
        await self.engines.close()
        self.identities.close()

    async def token(self, world: World, person: Person) -> str:
        """One that lasts."""
        if person.id not in world.tokens:
            world.tokens[person.id] = await self.fresh_token(world, person)
        return world.tokens[person.id]

    async def fresh_token(self, world: World, person: Person) -> str:
        return await issue_token(self.database, person.email, world.school.tenant.slug, 3_600)

    async def draft(self, person: Person, session: str) -> str:
        """A correction that somebody began, of words that nobody else corrects."""
        made = await overrides.draft(
            self.database,
            person,
            UUID(session),
            Target("words", f"item_{next(self._items)}"),
            Content("one half"),
            ["asr_misheard"],
        )
        return str(made.id)

    async def settle(self, school: School, word: str) -> World:
        """Make one of everything."""
        world = World(school, word, strangers=f"stranger-{word}", unread=f"unread-{word}")
        await self._people(world)
        await self._lessons(world)
        for name, student, words, reviewed in (
            ("session", "student", word, True),
            ("unreviewed", "student", f"{word} {world.unread}", False),
            ("strangers", "stranger", f"{word} {world.strangers}", True),
        ):
            await self._session(world, name, student, words, reviewed=reviewed)
        live, _ = await self.lobby.enter(
            Caller(school.student, UUID(int=1), "bearer"), lesson=world.ids["lesson"], mode="text"
        )
        world.ids["live"] = str(live.id)
        world.things["live"] = world.things["unreviewed"]
        return world

    # ---- inside --------------------------------------------------------------------------------

    async def _people(self, world: World) -> None:
        school, by = world.school, By(world.school.admin.id)
        tenant_id = school.tenant.id
        for name, role in (("stranger", "student"), ("spare", "student"), ("other", "parent")):
            called = world.strangers if name == "stranger" else f"{name} {world.word}"
            wanted = NewAccount(
                called, f"{name}@{school.tenant.slug}.example", frozenset({cast(Any, role)}), "", ()
            )
            person_id, _ = await accounts.create(
                self.database, self.identities, tenant_id, wanted, by=by
            )
            world.ids[name] = str(person_id)
        for person in school.people:
            (role,) = person.roles
            world.ids[role] = str(person.id)
        for name in ("stranger", "spare", "other"):
            world.things[name] = Thing("person", tenant_id, student_id=UUID(world.ids[name]))
        parents = frozenset({school.parent.id})
        world.things["student"] = Thing(
            "person", tenant_id, student_id=school.student.id, guardian_ids=parents, shown=True
        )
        world.things["somebody's"] = Thing(
            "summary", tenant_id, student_id=tenant_id, guardian_ids=parents, shown=True
        )
        made = await classes.create(self.database, tenant_id, f"Class {world.word}", by=by)
        world.ids["class"] = str(made.id)
        await classes.put_member(
            self.database, tenant_id, made.id, school.student.id, role=None, by=by
        )
        given = await assignments.create(
            self.database,
            tenant_id,
            school.tutor.id,
            UUID(world.ids["spare"]),
            subject=world.word,
            by=by,
        )
        world.ids["care"] = str(given.id)
        world.ids["slug"] = school.tenant.slug
        world.ids["number"] = "1"  # of a lesson's version
        world.ids["provider"] = "openai"

    async def _lessons(self, world: World) -> None:
        school = world.school
        tenant_id, author = school.tenant.id, school.instructor.id
        plan = read_plan(PLAN.format(word=world.word))
        for name, student in (("lesson", None), ("hidden", "stranger")):
            slug = f"{name}-{world.word}"
            made = await store.create(self.database, tenant_id, plan, slug, author)
            await store.publish(self.database, tenant_id, made.lesson_id, made.version_id, author)
            takers = UUID(world.ids[student]) if student else None
            await store.assign(self.database, tenant_id, made.lesson_id, author, student_id=takers)
            world.ids[name] = str(made.lesson_id)
            world.ids[f"{name} slug"] = slug
            (given,) = await assigning.of(self.database, tenant_id, made.lesson_id)
            world.ids["given"] = str(given.id)
            world.things[name] = Thing(
                "lesson", tenant_id, student_ids=frozenset({takers}) if takers else None
            )

    async def _session(
        self, world: World, name: str, student: str, words: str, *, reviewed: bool
    ) -> None:
        school, student_id = world.school, UUID(world.ids[student])
        lesson = await store.get(self.database, school.instructor, world.ids["lesson"])
        brief = compile(lesson.plan, school=SchoolPolicy(), student=StudentFacts())
        row = await record.start(
            self.database,
            tenant_id=school.tenant.id,
            student_id=student_id,
            lesson=lesson,
            brief_hash=brief.hash,
            brief_text=brief_text(brief),
            sandbox=False,
            mode="text",
            engine="offline",
            grace_s=600.0,
        )
        said = [
            Item(
                id=f"item_{position}",
                role="assistant" if position == 1 else "user",
                speaker="ai" if position == 1 else "student",
                kind="text",
                position=position,
                status="completed",
                said=f"{words} {position}",
                started_ms=position,
                ended_ms=position + 1,
            )
            for position in range(1, ITEMS)
        ]
        ref = SessionRef(school.tenant.id, row.id, row.epoch)
        batch = Batch(items=tuple(said), progress=Progress(1, 1, "lesson_done"))
        await record.end(self.database, ref, "finished", batch)
        await self.worker.run_due()
        if reviewed:
            await reviews.mark(self.database, self.bus, school.admin, row.id, True)
        world.ids[name] = str(row.id)
        world.things[name] = Thing(
            "session",
            school.tenant.id,
            student_id=student_id,
            tutor_ids=frozenset({school.tutor.id} if student == "student" else ()),
            guardian_ids=frozenset({school.parent.id} if student == "student" else ()),
            shown=reviewed,
        )
        corrected = await overrides.draft(
            self.database,
            school.admin,
            row.id,
            Target("words", "item_1"),
            Content(f"{words} corrected"),
            ["asr_misheard"],
            f"A note on {words}",
        )
        await overrides.publish(self.database, self.bus, school.admin, row.id, corrected.id)
        world.ids[f"{name} override"] = str(corrected.id)


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    text: str


async def ask(
    app: Any,
    method: str,
    path: str,
    token: str | None,
    *,
    query: str = "",
    body: bytes | None = None,
    media: str = "application/json",
) -> Answer:
    """One request in ASGI. The client has gone once it has sent it: what never ends, ends."""
    headers = [(b"host", b"localhost"), (b"origin", b"http://localhost")]
    if token is not None:
        headers.append((b"authorization", f"Bearer {token}".encode()))
    if body is not None:
        headers += [(b"content-type", media.encode()), (b"content-length", b"%d" % len(body))]
    scope = {
        "type": "http", "method": method, "path": path, "raw_path": path.encode(),
        "query_string": query.encode(), "root_path": "", "scheme": "http", "http_version": "1.1",
        "headers": headers, "client": ("203.0.113.20", 1), "server": ("localhost", 80),
        "asgi": {"version": "3.0", "spec_version": "2.4"},
    }  # fmt: skip
    asked, said = [True], []

    async def receive() -> dict[str, Any]:
        if asked:
            asked.pop()
            return {"type": "http.request", "body": body or b"", "more_body": False}
        return {"type": "http.disconnect"}

    async def send(message: dict[str, Any]) -> None:
        said.append(message)

    await app(scope, receive, send)
    named = {name.decode(): value.decode() for name, value in said[0]["headers"]}
    text = b"".join(message.get("body", b"") for message in said[1:]).decode("utf-8", "replace")
    return Answer(said[0]["status"], named, text)


async def knock(app: Any, query: str, token: str | None) -> Answer:
    """One WebSocket handshake in ASGI: 101 and the first events, or the refusal."""
    headers = [(b"host", b"localhost")]
    if token is not None:
        headers.append((b"authorization", f"Bearer {token}".encode()))
    scope = {
        "type": "websocket", "path": "/v1/realtime", "raw_path": b"/v1/realtime",
        "query_string": query.encode(), "root_path": "", "scheme": "ws", "headers": headers,
        "client": ("203.0.113.20", 1), "server": ("localhost", 80), "subprotocols": [],
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "extensions": {"websocket.http.response": {}},
    }  # fmt: skip
    come = [{"type": "websocket.disconnect", "code": 1005}, {"type": "websocket.connect"}]
    said: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return come.pop() if len(come) > 1 else come[0]

    async def send(message: dict[str, Any]) -> None:
        said.append(message)

    await app(scope, receive, send)
    text = "".join(message.get("text") or message.get("body", b"").decode() for message in said)
    first = said[0]
    return Answer(101 if first["type"] == "websocket.accept" else first["status"], {}, text)
