"""The event stream: what comes, to whom, until when; and nothing stays behind."""

import asyncio
from types import SimpleNamespace

import orjson
import pytest
from starlette.applications import Starlette

from server.api import events
from server.api.events import encode
from server.api.table import PREFIX, starlette_routes
from server.identity import COOKIE, Door, Site
from server.sight import Sight
from server.streams import PER_PERSON, WAITING, Streams
from sessions.bus import Bus, school_topic
from sessions.news import LessonChanged, OverridePublished, SessionChanged
from tenancy import accounts
from tenancy.audit import By
from tenancy.identities import Identities, issue_token
from tenancy.ids import new_id


class Reader:
    """A page with its stream open, in ASGI."""

    def __init__(self, app, headers, method="GET"):
        self.status, self.headers, self._text = None, {}, ""
        self._said, self._gone = asyncio.Queue(), asyncio.Event()
        self._asked = False
        scope = {
            "type": "http", "method": method, "path": f"{PREFIX}/events", "raw_path": b"",
            "query_string": b"", "root_path": "", "scheme": "http", "http_version": "1.1",
            "headers": [(b"host", b"localhost"), *headers], "client": ("203.0.113.20", 1),
            "server": ("localhost", 80), "asgi": {"version": "3.0", "spec_version": "2.3"},
        }  # fmt: skip
        self.task = asyncio.create_task(app(scope, self._receive, self._send))

    async def _receive(self):
        if not self._asked:
            self._asked = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message):
        self._said.put_nowait(message)

    def leave(self):
        self._gone.set()

    async def opened(self):
        """Wait until it listens."""
        message = await asyncio.wait_for(self._said.get(), 2)
        self.status = message["status"]
        self.headers = {name.decode(): value.decode() for name, value in message["headers"]}
        if self.status == 200:
            assert (await self._block()).startswith("retry: ")
        return self

    async def next(self):
        """The next event: its name and data; None: the stream has ended."""
        while (block := await self._block()) is not None:
            fields = dict(line.split(": ", 1) for line in block.split("\n") if ": " in line)
            if "event" in fields:
                return fields["event"], orjson.loads(fields["data"])
        return None

    async def _block(self):
        while "\n\n" not in self._text:
            message = await asyncio.wait_for(self._said.get(), 2)
            self._text += message.get("body", b"").decode()
            if not message.get("more_body"):
                return None
        block, self._text = self._text.split("\n\n", 1)
        return block


class House:
    """The API around the event stream."""

    def __init__(self, database):
        self.database, self.identities = database, Identities(database)
        self.bus, self.streams, self.sight = Bus(), Streams(), Sight(database)
        self.door = Door(self.identities, Site())
        routes = starlette_routes(events.ROUTES, lambda _: SimpleNamespace(**vars(self)))
        self.app = Starlette(routes=routes)
        self.readers = []

    async def token(self, person):
        slug = (await self.database.tenant(person.tenant_id)).slug
        return await issue_token(self.database, person.email, slug, 600)

    async def open(self, person, token=None):
        token = token or await self.token(person)
        headers = [(b"authorization", f"Bearer {token}".encode())]
        self.readers.append(Reader(self.app, headers))
        return await self.readers[-1].opened()

    def tell(self, school, *news):
        for one in news:
            self.bus.publish(school_topic(school.tenant.id), one)


@pytest.fixture
async def house(database):
    house = House(database)
    yield house
    house.streams.close()
    await asyncio.gather(*(reader.task for reader in house.readers))
    assert (len(house.streams), house.bus._callbacks) == (0, {})
    assert house.identities.revocations._listeners == {}
    house.identities.close()


def changed(school, session_id=None, status="live"):
    return SessionChanged(session_id or new_id(), school.student.id, status)


async def test_everyone_hears_what_is_theirs_to_see(house, school, other_school):
    readers = {p: await house.open(p) for p in (*school.people, *other_school.people)}
    (session_id, override_id, lesson_id), mine = (new_id() for _ in range(3)), school.student.id
    house.tell(
        school,
        SessionChanged(session_id, mine, "live"),
        SessionChanged(new_id(), new_id(), "ended"),
        OverridePublished(session_id, mine, override_id),
        LessonChanged(lesson_id, 7, school.instructor.id),
    )
    for one in (school, other_school):
        house.tell(one, SessionChanged(last := new_id(), one.student.id, "ended"))
        end = ("session.changed", {"session_id": str(last), "student_id": str(one.student.id),
               "status": "ended"})  # fmt: skip
        for person in one.people:
            heard = []
            if person.roles != {"parent"}:
                while (event := await readers[person].next()) != end:
                    heard.append(event[0])
            about = ["session.changed", "override.published"]
            expected = {
                "student": about,
                "tutor": about,
                "instructor": ["session.changed", *about, "lesson.changed"],
                "admin": ["session.changed", *about, "lesson.changed"],
                "parent": [],
            }[next(iter(person.roles))]
            assert heard == (expected if one is school else []), person.name


async def test_it_is_an_event_stream_that_no_proxy_holds_back(house, school):
    reader = await house.open(school.tutor)
    assert reader.headers["content-type"].startswith("text/event-stream")
    assert reader.headers["x-accel-buffering"] == "no"
    assert "content-length" not in reader.headers


async def test_a_page_reads_by_its_cookie(house, school, database):
    await house.identities.create_person(
        school.tenant.id, email="p@x.example", name="P", roles={"admin"}, password="long enough 1"
    )
    signed_in = await house.identities.sign_in(
        school.tenant.id, "p@x.example", "long enough 1", address="203.0.113.20"
    )
    reader = Reader(house.app, [(b"cookie", f"{COOKIE}={signed_in.token.value}".encode())])
    house.readers.append(await reader.opened())
    house.tell(school, changed(school))
    assert (await reader.next())[0] == "session.changed"


async def test_nobody_reads_without_a_credential(house):
    reader = await Reader(house.app, []).opened()
    assert reader.status == 401
    await reader.task


async def test_asked_for_its_head_it_ends_at_once(house, school):
    headers = [(b"authorization", f"Bearer {await house.token(school.tutor)}".encode())]
    reader = Reader(house.app, headers, "HEAD")
    await asyncio.wait_for(reader.task, 2)


async def test_a_reader_who_leaves_leaves_nothing_behind(house, school):
    reader = await house.open(school.tutor)
    assert len(house.streams) == 1
    reader.leave()
    await asyncio.wait_for(reader.task, 2)
    assert (len(house.streams), house.bus._callbacks) == (0, {})
    assert house.identities.revocations._listeners == {}


@pytest.mark.parametrize("how", ["sign_out", "deactivate"])
async def test_who_may_read_no_longer_is_told_to_stay_away(house, school, how):
    token = await house.token(school.tutor)
    reader = await house.open(school.tutor, token)
    if how == "sign_out":
        await house.identities.sign_out(await house.identities.verify(token))
    else:
        tenant_id, tutor = school.tenant.id, school.tutor.id
        await accounts.deactivate(house.database, house.identities, tenant_id, tutor, by=By())
    house.tell(school, changed(school))
    assert await reader.next() == ("closed", {"reason": "signed_out"})
    assert await reader.next() is None
    await asyncio.wait_for(reader.task, 2)


async def test_whose_roles_changed_elsewhere_is_out_with_the_next_look(house, school, monkeypatch):
    monkeypatch.setattr(events, "RECHECK_S", 0.0)
    reader = await house.open(school.tutor)
    async with house.database.transaction(school.tenant.id) as connection:
        await connection.execute(
            "INSERT INTO person_roles (tenant_id, person_id, role) VALUES ($1, $2, 'parent')",
            school.tenant.id,
            school.tutor.id,
        )
    house.tell(school, changed(school))
    while (event := await reader.next())[0] != "closed":
        assert event[0] == "session.changed"
    assert event[1] == {"reason": "signed_out"}


async def test_an_idle_page_signs_itself_out_though_its_stream_is_open(house, school):
    """A cookie that nobody uses ends after half an hour; being told of news is no use."""
    token = await house.token(school.tutor)
    caller = await house.identities.verify(token)
    async with house.database.transaction(school.tenant.id) as connection:
        await connection.execute(
            "UPDATE access_tokens SET idle_s = 60, last_used_at = now() - interval '2 minutes'"
            " WHERE id = $1",
            caller.credential_id,
        )
    assert not await house.identities.still_valid(caller, in_use=False)
    assert await house.identities.still_valid(caller)
    assert await house.identities.still_valid(caller, in_use=False)


async def test_the_oldest_of_too_many_streams_is_told_to_stay_away(house, school):
    readers = [await house.open(school.tutor) for _ in range(PER_PERSON + 1)]
    assert await readers[0].next() == ("closed", {"reason": "too_many"})
    assert await readers[0].next() is None
    house.tell(school, changed(school))
    for reader in readers[1:]:
        assert (await reader.next())[0] == "session.changed"


async def test_when_the_server_stops_streams_end_and_browsers_may_come_back(house, school):
    reader = await house.open(school.tutor)
    house.streams.close()
    assert await reader.next() is None
    token = await house.token(school.tutor)
    late = await Reader(house.app, [(b"authorization", f"Bearer {token}".encode())]).opened()
    assert late.status == 503
    await late.task


async def test_who_reads_too_slowly_is_told_to_ask_anew(house, school):
    reader = await house.open(school.admin)
    house.tell(school, *(changed(school) for _ in range(WAITING + 10)))
    assert await reader.next() == ("missed", {})
    assert (await reader.next())[0] == "session.changed"


async def test_what_can_not_be_judged_is_not_told(house, school, monkeypatch):
    async def broken(*_):
        raise OSError("away")

    monkeypatch.setattr(house.sight, "sees", broken)
    reader = await house.open(school.tutor)
    house.tell(school, changed(school))
    assert await reader.next() == ("missed", {})


async def test_silence_is_broken_now_and_then(house, school, monkeypatch):
    monkeypatch.setattr(events, "KEEP_ALIVE_S", 0.01)
    reader = await house.open(school.tutor)
    assert await reader._block() == ":"


async def test_an_event_says_ids_and_nothing_else(school):
    lesson_id, by = new_id(), new_id()
    data = f'{{"lesson_id":"{lesson_id}","revision":null,"by":"{by}"}}'
    said = encode(LessonChanged(lesson_id, None, by)).decode()
    assert said == f"event: lesson.changed\ndata: {data}\n\n"
