"""Raw sockets against uvicorn with our protocol: the deadlines and limits of HTTP."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass

import orjson
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route
from uvicorn.server import ServerState

from server import http
from server.http import HEAD_BYTES, HEADER_LINES, Http

GET = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: "
PATIENCE_S = 5.0
SOON_S = 0.15


@dataclass
class Client:
    """One raw connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    def send(self, data: bytes) -> None:
        self.writer.write(data)

    @property
    def is_over(self) -> bool:
        """The server hung up, or cut the line while we were still sending."""
        return self.reader.at_eof() or self.reader.exception() is not None

    async def answer(self) -> tuple[int, dict[str, str], bytes]:
        """One whole response."""
        head = (await self._until(b"\r\n\r\n")).decode().split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in head[1:] if line)
        length = int(headers.get("content-length", "0"))
        async with asyncio.timeout(PATIENCE_S):
            return int(head[0].split()[1]), headers, await self.reader.readexactly(length)

    async def end(self) -> bytes:
        """All there is until the server hangs up."""
        async with asyncio.timeout(PATIENCE_S):
            with contextlib.suppress(ConnectionResetError):
                return await self.reader.read()
            return b""

    async def _until(self, mark: bytes) -> bytes:
        async with asyncio.timeout(PATIENCE_S):
            return await self.reader.readuntil(mark)


class Place:
    """A server with one page that reads what it is sent, and one that never stops talking."""

    port: int

    def __init__(self) -> None:
        self.gave_up = asyncio.Event()
        "The endless page noticed that nobody reads."
        self.clients: list[Client] = []
        pages = Starlette(
            routes=[
                Route("/", self.page, methods=["GET", "POST"]),
                Route("/endless", self.endless),
            ]
        )
        config = uvicorn.Config(pages, ws="websockets-sansio", log_config=None, access_log=False)
        state = ServerState()
        self.protocol = lambda: Http(config, state, {})

    async def page(self, request: Request) -> Response:
        try:
            return PlainTextResponse(f"{len(await request.body())} bytes")
        except ClientDisconnect:
            return PlainTextResponse("")

    async def endless(self, _: Request) -> Response:
        async def talk() -> AsyncIterator[bytes]:
            try:
                while True:
                    yield b"x" * 65_536
                    await asyncio.sleep(0)
            finally:
                self.gave_up.set()

        return StreamingResponse(talk())

    async def connect(self) -> Client:
        client = Client(*await asyncio.open_connection("127.0.0.1", self.port))
        self.clients.append(client)
        return client


@pytest.fixture
async def place() -> AsyncIterator[Place]:
    place = Place()
    server = await asyncio.get_running_loop().create_server(place.protocol, "127.0.0.1", 0)
    place.port = server.sockets[0].getsockname()[1]
    yield place
    server.close()
    for client in place.clients:
        client.writer.transport.abort()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HEAD_WITHIN_S", "BODY_WITHIN_S", "READ_WITHIN_S"):
        monkeypatch.setattr(http, name, SOON_S)


async def test_requests_follow_each_other_on_one_connection(place: Place) -> None:
    client = await place.connect()
    for _ in range(2):
        client.send(GET)
        status, _, body = await client.answer()
        assert (status, body) == (200, b"0 bytes")


async def test_a_request_may_come_in_pieces(place: Place) -> None:
    client = await place.connect()
    for byte in POST + b"3\r\n\r\nabc":
        client.send(bytes([byte]))
        await asyncio.sleep(0)
    assert (await client.answer())[2] == b"3 bytes"


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"GET / HTTP/1.1\r\nHost: loc",
        POST + b"10\r\n\r\nabc",
        POST.replace(b"Content-Length: ", b"Transfer-Encoding: chunked\r\n\r\n5\r\nab"),
        GET + b"\r\n\r\n",
        GET + GET[:20],
    ],
    ids=["nothing", "half a head", "half a body", "half a chunk", "blank lines", "half a second"],
)
async def test_who_keeps_us_waiting_is_cut_off(place: Place, impatient: None, sent: bytes) -> None:
    client = await place.connect()
    started = asyncio.get_running_loop().time()
    client.send(sent)
    if sent.startswith(GET):
        assert (await client.answer())[0] == 200
        client.send(b"\r\n" if sent[len(GET) :] == b"\r\n\r\n" else b"x")
    await client.end()
    assert asyncio.get_running_loop().time() - started < 10 * SOON_S


async def test_trickling_does_not_extend_the_time_of_a_head(place: Place, impatient: None) -> None:
    client = await place.connect()
    client.send(GET[:-2])
    started, trickled = asyncio.get_running_loop().time(), 0
    while not client.is_over and trickled < 100:
        client.send(b"X: y\r\n")
        trickled += 1
        await asyncio.sleep(SOON_S / 10)
    assert trickled < 40
    assert asyncio.get_running_loop().time() - started > SOON_S / 2


async def test_who_does_not_read_the_answer_is_cut_off(place: Place, impatient: None) -> None:
    client = await place.connect()
    client.send(GET.replace(b"/ ", b"/endless ", 1))
    async with asyncio.timeout(PATIENCE_S):
        await place.gave_up.wait()


async def test_a_hundred_header_lines_are_enough(place: Place) -> None:
    client = await place.connect()
    client.send(GET[:-2] + b"X: y\r\n" * (HEADER_LINES - 1) + b"\r\n")
    assert (await client.answer())[0] == 200
    client.send(GET[:-2] + b"X: y\r\n" * HEADER_LINES + b"\r\n")
    status, headers, body = await client.answer()
    assert status == 431
    assert headers["content-type"] == "application/problem+json"
    assert headers["x-content-type-options"] == "nosniff"
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "100 header lines" in orjson.loads(body)["detail"]
    assert await client.end() == b""


async def test_a_head_that_does_not_end_is_refused(place: Place) -> None:
    client = await place.connect()
    client.send(b"GET /v1/models HTTP/1.1\r\nX: ")
    for _ in range(2 * HEAD_BYTES // 8192):
        client.send(b"x" * 8192)
        await asyncio.sleep(0)
    status, _, body = await client.answer()
    assert status == 431
    assert "64 KiB" in orjson.loads(body)["error"]["message"]


@pytest.mark.parametrize(
    "sent",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\n\r\n",
        b"CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example\r\n\r\n",
        GET[:-2] + b"No colon\r\n\r\n",
        GET[:-2] + b"X: a\x00b\r\n\r\n",
        POST + b"3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        POST + b"3\r\nContent-Length: 4\r\n\r\nabcd",
        POST + b"-3\r\n\r\nabc",
        POST.replace(b"Content-Length: ", b"Transfer-Encoding: chunked\r\n\r\nzz\r\n"),
        GET[:-2] + b"Transfer-Encoding: gzip\r\n\r\n",
        GET[:-2] + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    ],
    ids=range(12),
)
async def test_what_is_no_http_gets_a_sentence_and_the_door(place: Place, sent: bytes) -> None:
    client = await place.connect()
    client.send(sent)
    received = await client.end()
    assert received.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert b"application/problem+json" in received


@pytest.mark.parametrize(
    "headers",
    [
        b"",
        b"Sec-WebSocket-Version: 13\r\n",
        b"Sec-WebSocket-Version: 12\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: x\r\n",
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: c2hvcnQ=\r\n",
        b"Sec-WebSocket-Version: 13\r\n" + b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" * 2,
    ],
    ids=range(6),
)
async def test_what_is_no_handshake_is_refused_in_the_words_of_its_door(
    place: Place, headers: bytes
) -> None:
    client = await place.connect()
    upgrade = b"Connection: Upgrade\r\nUpgrade: websocket\r\n"
    client.send(b"GET /v1/realtime HTTP/1.1\r\nHost: localhost\r\n" + upgrade + headers + b"\r\n")
    status, _, body = await client.answer()
    assert status == 400
    assert "RFC 6455" in orjson.loads(body)["error"]["message"]


async def test_an_offer_of_another_protocol_is_passed_over(place: Place) -> None:
    client = await place.connect()
    client.send(GET[:-2] + b"Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n")
    assert (await client.answer())[0] == 200
