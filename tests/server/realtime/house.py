"""A whole server in a test: sockets, database and sessions are real, the tutor is a parrot."""

import asyncio
import json
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import httpx
import uvicorn
import websockets
from openai import AsyncOpenAI, DefaultAsyncHttpxClient
from starlette.applications import Starlette
from starlette.middleware import Middleware
from websockets.asyncio.client import ClientConnection

from ai import g711
from ai.audio import BYTES_PER_MS
from ai.engine import Ask, Brief, TurnDetection, Utterance
from ai.events import AnswerEnded, EngineEvent, Failed, Spoke
from server.config import CallConfig, Config, EngineConfig
from server.engine_maker import Parts
from server.engines import Engines
from server.identity import Door, Site
from server.realtime.calls import Calls
from server.realtime.cors import Cors
from server.realtime.limits import FRAME_BYTES
from server.realtime.routes import routes
from server.realtime.uvicorn_socket import Socket
from server.services import Services
from server.sight import Sight
from sessions.bus import Bus
from sessions.jobs import Worker
from sessions.lessons import store
from sessions.lessons.plan import read_plan
from sessions.live.choice import alone
from sessions.live.lobby import Lobby, LobbySettings
from tenancy.identities import Identities, issue_token
from tenancy.model import Person
from tenancy.postgres import Database
from tests.conftest import School

# To read the world's certificates takes 30 ms a client, and nothing here is encrypted.
NO_CERTIFICATES = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)

PLAN = """
title: Halves
subject: maths
level: year 4
language: en
goal: Know a half when you see one.
opening: Hello. What part of a pizza is two of four slices?
closing: Well done.
steps:
  - ask: What part is two of four?
    answers: [{kind: number, text: 2/4, also: [1/2]}]
    hints: [Count all the slices first.]
    solution: Two of four is 2/4, and that is one half.
"""


class Parrot:
    """An engine that answers what it read, and can be made to wait, to chatter or to break."""

    name = "offline"
    key = "local"
    languages: frozenset[str] | None = None

    def __init__(self) -> None:
        self.legs: list[ParrotLeg] = []
        self.sound_ms = 200
        self.pieces = 1
        self.held: list[Callable[[], None]] | None = None
        "A list: answers wait there to be let go."
        self.breaks = False

    async def prepare(self, brief: Brief) -> "ParrotStandby":
        return ParrotStandby(self)

    async def close(self) -> None: ...


class ParrotStandby:
    lifetime_s: float | None = None

    def __init__(self, engine: Parrot) -> None:
        self.engine = engine

    def begin(self, memory: Sequence[Utterance], report: Any, **_: Any) -> "ParrotLeg":
        said = [one.text for one in memory if one.role == "student"]
        self.engine.legs.append(ParrotLeg(self.engine, report, said))
        return self.engine.legs[-1]

    async def close(self) -> None: ...


class ParrotLeg:
    def __init__(
        self, engine: Parrot, report: Callable[[EngineEvent], None], read: list[str]
    ) -> None:
        self.engine, self.report, self.texts = engine, report, read
        self.heard = bytearray()

    def hear(self, pcm: bytes) -> None:
        self.heard += pcm

    def read(self, text: str) -> None:
        self.texts.append(text)

    def answer(self, ask: Ask) -> None:
        if self.engine.held is None:
            self.say(ask)
        else:
            self.engine.held.append(lambda: self.say(ask))

    def say(self, ask: Ask) -> None:
        if self.engine.breaks:
            self.report(Failed("gone", "", ask.answer))
            return
        text = f"You said {self.texts[-1]!r}." if self.texts else "Hello."
        for number in range(self.engine.pieces):
            pcm = tone(self.engine.sound_ms) if ask.sound else b""
            self.report(Spoke(ask.answer, text if number == 0 else "More.", pcm))
        self.report(AnswerEnded(ask.answer))

    def detect(self, detection: TurnDetection | None) -> None: ...
    def commit(self, turn: str) -> None: ...
    def clear(self) -> None: ...
    def listen(self, turn: str, pcm: bytes) -> None: ...
    def note(self, text: str) -> None: ...
    def playing(self, on: bool) -> None: ...
    def give(self, call: str, output: str) -> None: ...
    def cancel(self, answer: str, heard: str) -> None: ...

    async def close(self) -> None: ...


def tone(ms: int) -> bytes:
    """Something that is not silence."""
    return b"\x10\x27\xf0\xd8" * (ms * BYTES_PER_MS // 4)


class House:
    """The server and how tests reach it."""

    def __init__(self, services: Services, engine: Parrot, school: School, port: int) -> None:
        self.services = services
        self.engine = engine
        self.school = school
        self.address = f"127.0.0.1:{port}"
        self.token = ""

    @property
    def lobby(self) -> Lobby:
        return self.services.lobby

    async def token_of(self, person: Person, slug: str) -> str:
        return await issue_token(self.services.database, person.email, slug, 3600)

    def client(self, token: str | None = None) -> AsyncOpenAI:
        return AsyncOpenAI(
            base_url=f"http://{self.address}/v1",
            api_key=token or self.token,
            max_retries=0,
            http_client=DefaultAsyncHttpxClient(verify=NO_CERTIFICATES),
        )

    def http(self, token: str | None = None) -> httpx.AsyncClient:
        headers = {"Authorization": f"Bearer {token or self.token}"}
        return httpx.AsyncClient(
            base_url=f"http://{self.address}", headers=headers, verify=NO_CERTIFICATES
        )

    def connect(self, query: str = "model=halves", token: str | None = None, **more: Any) -> Any:
        """A WebSocket of the `websockets` library."""
        headers = {"Authorization": f"Bearer {token or self.token}"}
        return websockets.connect(
            f"ws://{self.address}/v1/realtime?{query}",
            additional_headers=headers,
            compression=None,
            max_size=None,
            **more,
        )

    def only_session(self) -> Any:
        (session,) = self.lobby._live.values()
        return session


@asynccontextmanager
async def open_house(
    database: Database,
    school: School,
    *,
    lobby_settings: LobbySettings | None = None,
    origins: tuple[str, ...] = (),
    calls: Calls | None = None,
    call_config: CallConfig | None = None,
) -> AsyncIterator[House]:
    engine, bus = Parrot(), Bus()
    identities, worker = Identities(database), Worker(database, {})
    nobody: Any = None
    services = Services(
        config=Config(origins=origins, calls=call_config or CallConfig()),
        database=database,
        identities=identities,
        door=Door(identities, Site()),
        engines=Engines(EngineConfig(), database, Parts(engine, nobody, nobody, nobody)),
        lobby=Lobby(database, alone(engine), bus, worker, lobby_settings),
        worker=worker,
        bus=bus,
        codecs=g711,
        sight=Sight(database),
        calls=calls,
    )
    await add_lesson(database, school)
    app = Starlette(
        routes=routes(services), middleware=[Middleware(Cors, origins=services.config.origins)]
    )
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    config = uvicorn.Config(
        app, ws=Socket, ws_max_size=FRAME_BYTES, ws_per_message_deflate=False,
        lifespan="off", log_config=None, access_log=False,
    )  # fmt: skip
    config.load()
    server = uvicorn.Server(config)
    server.lifespan = config.lifespan_class(config)
    await server.startup(sockets=[listening])
    house = House(services, engine, school, listening.getsockname()[1])
    house.token = await house.token_of(school.student, school.tenant.slug)
    try:
        yield house
    finally:
        await services.lobby.close(2.0)
        if calls is not None:
            await calls.close()
        await shut(server)
        identities.close()


async def shut(server: uvicorn.Server) -> None:
    """As `server.shutdown` does, which sleeps for 0.1 s in between."""
    for one in server.servers:
        one.close()
    for connection in tuple(server.server_state.connections):
        connection.shutdown()
    await eventually(lambda: not (server.server_state.connections or server.server_state.tasks))


async def add_lesson(database: Database, school: School, slug: str = "halves") -> UUID:
    author = school.instructor.id
    lesson = await store.create(database, school.tenant.id, read_plan(PLAN), slug, author)
    await store.publish(database, school.tenant.id, lesson.lesson_id, lesson.version_id, author)
    await store.assign(database, school.tenant.id, lesson.lesson_id, author)
    return lesson.lesson_id


# ---- speaking with it ------------------------------------------------------------------------


async def send(connection: ClientConnection, kind: str, **fields: Any) -> None:
    await connection.send(json.dumps({"type": kind, **fields}))


async def receive(connection: ClientConnection, within_s: float = 5.0) -> dict[str, Any]:
    """The next event."""
    async with asyncio.timeout(within_s):
        event: dict[str, Any] = json.loads(await connection.recv())
        return event


async def until(connection: ClientConnection, kind: str, within_s: float = 5.0) -> dict[str, Any]:
    """The next event of a type; those before it are passed over."""
    async with asyncio.timeout(within_s):
        while True:
            data = await connection.recv()
            if isinstance(data, str) and (event := json.loads(data))["type"] == kind:
                found: dict[str, Any] = event
                return found


async def closed(connection: ClientConnection, within_s: float = 5.0) -> tuple[int, list[Any]]:
    """The close code, and every event that came before."""
    events = []
    async with asyncio.timeout(within_s):
        try:
            while True:
                data = await connection.recv()
                events.append(json.loads(data) if isinstance(data, str) else data)
        except websockets.ConnectionClosed as end:
            return (end.rcvd.code if end.rcvd else 1006), events


def typed(text: str, **fields: Any) -> dict[str, Any]:
    """A user item."""
    content = [{"type": "input_text", "text": text}]
    return {"type": "message", "role": "user", "content": content, **fields}


async def eventually(condition: Callable[[], Any], within_s: float = 3.0) -> Any:
    async with asyncio.timeout(within_s):
        while not (found := condition()):
            await asyncio.sleep(0.005)
        return found
