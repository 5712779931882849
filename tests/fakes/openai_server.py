"""A simulated OpenAI on one port: `/v1/realtime` by WebSocket, everything else by HTTP."""

import asyncio
import json
import logging
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs, urlsplit

import uvicorn
from starlette.requests import Request as HttpRequest
from uvicorn.protocols.http.h11_impl import H11Protocol
from websockets.asyncio.server import Server, ServerConnection
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.protocol import State
from websockets.server import ServerProtocol

from tests.fakes.faults import Fault, Faults
from tests.fakes.openai_desk import NO_SUCH_MODEL
from tests.fakes.openai_http import OpenAIHttp
from tests.fakes.openai_manners import Manners
from tests.fakes.openai_outgoing import ABNORMAL, Close, Violation
from tests.fakes.openai_realtime import Session

KEY = "sk-simulated"
LARGEST_BYTES = 24 << 20  # 15 MiB of audio as base64, and what is around it
REALTIME = b"/v1/realtime"

_log = logging.getLogger("tests.fakes.openai")
_log.setLevel(logging.CRITICAL)  # connections that break off are what it is for


class OpenAISimulator:
    """The provider. `manners` may be changed at any time, and are those of all sessions."""

    def __init__(
        self, manners: Manners | None = None, *, key: str = KEY, tls: ssl.SSLContext | None = None
    ) -> None:
        self.manners = manners or Manners()
        self.key = key
        self.faults = Faults()
        "Of the next Realtime sessions; `http.faults` are those of the next calls."
        self.violations: list[Violation] = []
        "What clients sent that the real one would not take."
        self.http = OpenAIHttp(self)
        self.sessions: list[Session] = []
        "All that were opened, in order."
        self.open: set[Session] = set()
        self.refused = 0
        "Realtime connections that did not become a session."
        self.port = 0
        self.transports: dict[Any, asyncio.Transport] = {}
        "Every connection there ever was, by the client's address."
        self._tls = tls
        self._host = ""
        self._websockets = Server(self._listen, self._serve_websocket, _log)
        config = uvicorn.Config(
            self.http.app, lifespan="off", log_config=None, access_log=False, http="h11", ws="none"
        )
        config.load()
        self._uvicorn = config
        self._state = uvicorn.Server(config).server_state

    @property
    def base_url(self) -> str:
        """What `OpenAI(base_url=...)` takes."""
        return f"http{'s' if self._tls else ''}://{self._host}:{self.port}/v1"

    @property
    def opened(self) -> int:
        return len(self.sessions)

    # ---- life --------------------------------------------------------------------------------

    async def listen(self, host: str, port: int) -> None:
        """Be there; again, after `go_away`, where it was."""
        self._host, self.port = host, port
        self._websockets.server = await self._listen()
        self.port = self._websockets.server.sockets[0].getsockname()[1]

    async def _listen(self) -> asyncio.Server:
        loop = asyncio.get_running_loop()
        return await loop.create_server(
            lambda: _Front(self), self._host, self.port, ssl=self._tls, reuse_address=True
        )

    def go_away(self) -> None:
        """From now on connections are refused; those that are open stay."""
        self._websockets.server.close()

    async def come_back(self) -> None:
        await self.listen(self._host, self.port)

    async def end(self) -> None:
        """Cut everything."""
        self.go_away()
        tasks = [*self._websockets.handler_tasks, *self._state.tasks]
        for transport in self.transports.values():
            transport.abort()
        for task in self._state.tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def protocol(self, *, realtime: bool) -> asyncio.Protocol:
        """For a connection of which the first line is known."""
        if realtime:
            wire = ServerProtocol(max_size=LARGEST_BYTES, logger=_log)
            return ServerConnection(wire, self._websockets, ping_interval=None)
        return H11Protocol(self._uvicorn, self._state, {})

    def cut(self, request: HttpRequest) -> None:
        assert request.client is not None
        self.transports[tuple(request.client)].abort()

    # ---- Realtime ----------------------------------------------------------------------------

    def refusal(self, connection: ServerConnection, request: Request) -> Response | None:
        """Before the upgrade."""
        query = parse_qs(urlsplit(request.path).query)
        model = query.get("model", [NO_SUCH_MODEL])[0]
        if self.faults.next_is("refuse_connection"):
            self.faults.take()
            self.refused += 1
            connection.transport.abort()
            return _refusal(503, "Refused.", "server_error")
        if self.faults.next_is("throttled") or self.faults.next_is("server_error"):
            fault = self.faults.take()
            assert fault is not None
            self.refused += 1
            return _of_fault(fault)
        if request.headers.get("Authorization") != f"Bearer {self.key}":
            self.refused += 1
            return _refusal(
                401, "Incorrect API key provided.", "invalid_request_error", "invalid_api_key"
            )
        if model == NO_SUCH_MODEL:
            self.refused += 1
            return _refusal(
                404, "The model does not exist.", "invalid_request_error", "model_not_found"
            )
        return None

    async def _serve_websocket(self, connection: ServerConnection) -> None:
        try:
            await connection.handshake(self.refusal, None, None)
            if connection.protocol.state is not State.OPEN:
                connection.transport.close()
                return
            async with connection:
                await self._serve_session(connection)
        finally:
            self._websockets.handler_tasks.discard(asyncio.current_task())

    async def _serve_session(self, connection: ServerConnection) -> None:
        assert connection.request is not None
        model = parse_qs(urlsplit(connection.request.path).query)["model"][0]
        session = Session(self.manners, model, self.violations, self.faults.take())
        self.sessions.append(session)
        self.open.add(session)
        writer = asyncio.create_task(_write(connection, session))
        try:
            async for message in connection:
                session.take(message)
        except ConnectionClosed:
            pass
        finally:
            self.open.discard(session)
            writer.cancel()
            await session.end()
            await asyncio.gather(writer, return_exceptions=True)


async def _write(connection: ServerConnection, session: Session) -> None:
    while True:
        match await session.outgoing.queue.get():
            case Close(code=code):
                if code == ABNORMAL:
                    connection.transport.abort()
                else:
                    await connection.close(code)
                return
            case text:
                await connection.send(text)


def _of_fault(fault: Fault) -> Response:
    if fault.name == "throttled":
        return _refusal(
            429,
            "Rate limit reached.",
            "requests",
            "rate_limit_exceeded",
            retry_after=fault.detail or "1",
        )
    return _refusal(int(fault.detail or 503), "The server is overloaded.", "server_error")


def _refusal(
    status: int, message: str, kind: str, code: str | None = None, *, retry_after: str = ""
) -> Response:
    error = {"message": message, "type": kind, "param": None, "code": code}
    body = json.dumps({"error": error}).encode()
    headers = Headers({"Content-Type": "application/json", "Content-Length": str(len(body))})
    headers["Connection"] = "close"
    if retry_after:
        headers["Retry-After"] = retry_after
    return Response(status, HTTPStatus(status).phrase, headers, body)


# ---- one port for both ---------------------------------------------------------------------------


class _Front(asyncio.Protocol):
    """Reads who is asked for, and hands the connection over."""

    def __init__(self, house: OpenAISimulator) -> None:
        self._house = house
        self._head = b""
        self._transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._house.transports[transport.get_extra_info("peername")[:2]] = self._transport

    def connection_lost(self, error: Exception | None) -> None: ...

    def data_received(self, data: bytes) -> None:
        self._head += data
        line, ended, _ = self._head.partition(b"\r\n")
        if not ended:
            return
        path = (*line.split(b" "), b"")[1]
        protocol = self._house.protocol(realtime=path.partition(b"?")[0] == REALTIME)
        self._transport.set_protocol(protocol)
        protocol.connection_made(self._transport)
        protocol.data_received(self._head)


@asynccontextmanager
async def simulate_openai(
    manners: Manners | None = None,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    key: str = KEY,
    tls: ssl.SSLContext | None = None,
) -> AsyncIterator[OpenAISimulator]:
    """The simulator, running; at the end all connections are cut."""
    simulator = OpenAISimulator(manners, key=key, tls=tls)
    await simulator.listen(host, port)
    try:
        yield simulator
    finally:
        await simulator.end()
