"""What uvicorn's WebSocket lacks for clients that don't read, and for handshakes it can't read."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
import uvicorn
import websockets
from websockets.frames import apply_mask

from server.realtime import uvicorn_socket
from server.realtime.taking import let
from server.realtime.uvicorn_socket import FRAGMENTS, Socket, whole_frame

App = Callable[[Any, Any, Any], Awaitable[None]]


@asynccontextmanager
async def serving(app: App) -> AsyncIterator[tuple[uvicorn.Server, int]]:
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    config = uvicorn.Config(app, ws=Socket, lifespan="off", log_config=None)
    config.load()
    server = uvicorn.Server(config)
    server.lifespan = config.lifespan_class(config)
    await server.startup(sockets=[listening])
    try:
        yield server, listening.getsockname()[1]
    finally:
        await server.shutdown(sockets=[listening])


def address(port: int) -> str:
    return f"ws://127.0.0.1:{port}/"


async def accept(receive: Any, send: Any) -> None:
    await receive()
    await send({"type": "websocket.accept"})


async def echo(scope: Any, receive: Any, send: Any) -> None:
    await accept(receive, send)
    while (message := await receive())["type"] == "websocket.receive":
        await send({"type": "websocket.send", "text": message["text"]})


async def test_frames_are_taken_as_they_come_and_in_order() -> None:
    """Every third frame is not taken at once, and the reader takes its time with it."""
    taken: list[str | bytes] = []
    queued = 0

    async def talk(scope: Any, receive: Any, send: Any) -> None:
        nonlocal queued
        await accept(receive, send)

        def take(frame: str | bytes) -> bool:
            if len(taken) % 3 == 2:
                return False
            taken.append(frame)
            return True

        let(scope, take)
        while (message := await receive())["type"] == "websocket.receive":
            queued += 1
            taken.append(message.get("text") or message.get("bytes"))
            await asyncio.sleep(0.01)
        await send({"type": "websocket.close"})

    sent: list[str | bytes] = [str(n) if n % 2 else str(n).encode() for n in range(60)]
    async with serving(talk) as (_, port), websockets.connect(address(port)) as client:
        for frame in sent:
            await client.send(frame)
        async with asyncio.timeout(3):
            while len(taken) < len(sent):
                await asyncio.sleep(0.01)
    assert taken == sent
    assert 0 < queued < len(sent)


MASK = b"\1\2\3\4"


def frame(head: bytes, payload: bytes) -> bytes:
    return head + MASK + apply_mask(payload, MASK)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (frame(b"\x82\xfe\x03\xc0", b"x" * 960), b"x" * 960),
        (frame(b"\x81\xfe\x03\xc0", b"x" * 960), "x" * 960),
        (frame(b"\x81\xfe\x00\x80", "é".encode() * 64), "é" * 64),
        (frame(b"\x81\xfe\x00\x80", b"\xff" * 128), None),  # no text
        (frame(b"\x02\xfe\x03\xc0", b"x" * 960), None),  # a fragment
        (frame(b"\x80\xfe\x03\xc0", b"x" * 960), None),  # the end of one
        (frame(b"\xc2\xfe\x03\xc0", b"x" * 960), None),  # compressed
        (frame(b"\x89\xfe\x03\xc0", b"x" * 960), None),  # a ping, too long
        (frame(b"\x82\xfe\x03\xc0", b"x" * 961), None),  # more than one
        (frame(b"\x82\xfe\x03\xc0", b"x" * 959), None),  # less
        (b"\x82\x7e\x03\xc0" + b"x" * 964, None),  # not masked
        (frame(b"\x82\x85", b"short"), None),
        (frame(b"\x82\xff" + (70_000).to_bytes(8, "big"), b"x" * 70_000), None),
        (b"", None),
        (b"\x82\xfe", None),
    ],
)
def test_a_whole_frame_is_read_at_once(data: bytes, message: str | bytes | None) -> None:
    assert whole_frame(data) == message


async def test_frames_in_pieces_and_fragments_are_whole_again() -> None:
    taken: list[str | bytes] = []

    async def talk(scope: Any, receive: Any, send: Any) -> None:
        await accept(receive, send)
        let(scope, lambda frame: taken.append(frame) is None)
        while (await receive())["type"] == "websocket.receive":
            pass

    sound = frame(b"\x82\xfe\x03\xc0", b"x" * 960)
    first = frame(b"\x02\xfe\x03\xc0", b"1" * 960)
    last = frame(b"\x80\xfe\x03\xc0", b"2" * 960)
    async with serving(talk) as (_, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(f"{HANDSHAKE}\r\n".encode())
        await reader.readuntil(b"\r\n\r\n")
        for piece in (sound, sound[:500], sound[500:], sound * 2 + sound[:9], sound[9:], first):
            writer.write(piece)
            await asyncio.sleep(0.02)
        writer.write(frame(b"\x89\x84", b"ping"))  # between two fragments
        await asyncio.sleep(0.02)
        writer.write(last)
        assert await asyncio.wait_for(reader.readexactly(6), 3) == b"\x8a\x04ping"
        async with asyncio.timeout(3):
            while len(taken) < 6:
                await asyncio.sleep(0.01)
        writer.close()
    assert taken == [b"x" * 960] * 5 + [b"1" * 960 + b"2" * 960]


async def test_a_frame_that_is_no_text_is_never_taken() -> None:
    taken: list[str | bytes] = []

    async def talk(scope: Any, receive: Any, send: Any) -> None:
        await accept(receive, send)
        let(scope, lambda frame: taken.append(frame) is None)
        while (await receive())["type"] == "websocket.receive":
            pass

    async with serving(talk) as (_, port), websockets.connect(address(port)) as client:
        await client.send(b"\xff\xfe", text=True)
        with pytest.raises(websockets.ConnectionClosed) as caught:
            await asyncio.wait_for(client.recv(), 3)
    assert caught.value.rcvd is not None and caught.value.rcvd.code == 1007
    assert taken == []


HANDSHAKE = (
    "GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
)


async def test_a_close_does_not_wait_for_a_client_that_does_not_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(uvicorn_socket, "LINGER_S", 0.2)
    closed = asyncio.Event()

    async def talk(scope: Any, receive: Any, send: Any) -> None:
        await accept(receive, send)
        with pytest.raises(TimeoutError):
            while True:
                await asyncio.wait_for(
                    send({"type": "websocket.send", "bytes": bytes(65_536)}), 0.1
                )
        await asyncio.wait_for(send({"type": "websocket.close", "code": 1008}), 1)
        closed.set()

    async with serving(talk) as (_, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1_024)
        writer.write(f"{HANDSHAKE}\r\n".encode())
        await asyncio.wait_for(closed.wait(), 3)
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            while True:  # what the kernel holds still comes, then the line is cut
                await asyncio.wait_for(reader.readexactly(65_536), 3)
        writer.close()


async def test_a_client_that_reads_late_still_learns_why(monkeypatch: pytest.MonkeyPatch) -> None:
    async def talk(scope: Any, receive: Any, send: Any) -> None:
        await accept(receive, send)
        with pytest.raises(TimeoutError):
            while True:
                await asyncio.wait_for(
                    send({"type": "websocket.send", "bytes": bytes(65_536)}), 0.1
                )
        await send({"type": "websocket.close", "code": 1008, "reason": "too slow"})

    async with serving(talk) as (_, port):
        late = websockets.connect(address(port), max_queue=1, compression=None)
        async with late as connection:
            await asyncio.sleep(0.3)
            with pytest.raises(websockets.ConnectionClosedError) as closed:
                while True:
                    await asyncio.wait_for(connection.recv(), 3)
    assert closed.value.rcvd is not None and closed.value.rcvd.code == 1008


async def test_a_message_in_too_many_fragments_is_refused() -> None:
    async def pieces(number: int) -> AsyncIterator[str]:
        for _ in range(number):
            yield "x"

    async with serving(echo) as (_, port), websockets.connect(address(port)) as connection:
        await connection.send(pieces(FRAGMENTS - 1))
        assert await connection.recv() == "x" * (FRAGMENTS - 1)
        with pytest.raises(websockets.ConnectionClosedError) as closed:
            await connection.send(pieces(10_000))
            await connection.recv()
    assert closed.value.rcvd is not None and closed.value.rcvd.code == 1008


@pytest.mark.parametrize(
    "headers", [f"Authorization: Bearer {'x' * 9_000}\r\n", "X-A: b\r\n" * 300]
)
async def test_a_handshake_too_large_to_read_is_answered(headers: str) -> None:
    async with serving(echo) as (_, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(f"{HANDSHAKE}{headers}\r\n".encode())
        answer = (await asyncio.wait_for(reader.read(), 3)).decode()
        writer.close()
    head, _, body = answer.partition("\r\n\r\n")
    assert head.startswith("HTTP/1.1 431 ")
    assert json.loads(body)["error"]["message"].endswith(".")


async def test_a_refusal_before_the_upgrade_is_no_fault_of_ours(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def refuse(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "websocket.http.response.start", "status": 401, "headers": []})
        await send({"type": "websocket.http.response.body", "body": b"no"})

    async with serving(refuse) as (_, port):
        with pytest.raises(websockets.InvalidStatus) as refused:
            async with websockets.connect(address(port)):
                pass
    assert refused.value.response.status_code == 401
    assert not caplog.records


async def test_a_server_that_stops_says_1001() -> None:
    async with serving(echo) as (server, port), websockets.connect(address(port)) as connection:
        await connection.send("hello")
        assert await connection.recv() == "hello"
        for one in list(server.server_state.connections):
            one.shutdown()
        with pytest.raises(websockets.ConnectionClosed) as closed:
            await asyncio.wait_for(connection.recv(), 3)
    assert closed.value.rcvd is not None and closed.value.rcvd.code == 1001
