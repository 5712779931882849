"""200 invalid messages and 200 invalid requests: each is refused, and nothing ends."""

import asyncio
import contextlib
import json
import socket
from random import Random
from typing import Any

import pytest
import websockets
from websockets.asyncio.client import ClientConnection

from tests.journeys.bad_input import messages, requests
from tests.journeys.conftest import Place

pytestmark = pytest.mark.slow

SEED = 20_261_121
COUNT = 200


async def test_a_session_goes_on_after_each_of_200_invalid_messages(place: Place) -> None:
    async with websockets.connect(
        f"ws://{place.server.address}/v1/realtime?model=fractions-as-parts",
        additional_headers={"Authorization": f"Bearer {place.token()}"},
        compression=None,
    ) as connection:
        assert (await next_event(connection))["type"] == "session.created"
        for frame, event_id in messages(Random(SEED), COUNT):
            await connection.send(frame)
            event = await next_event(connection)
            assert event["type"] == "error", (frame[:200], event)
            error = event["error"]
            assert error["event_id"] == event_id, (frame[:200], error)
            assert error["type"] == "invalid_request_error", (frame[:200], error)
            assert error["message"].endswith((".", "}")), error
            await connection.send('{"type":"input_audio_buffer.clear"}')
            assert (await next_event(connection))["type"] == "input_audio_buffer.cleared"
        await connection.send('{"type":"response.create"}')
        while (event := await next_event(connection))["type"] != "response.done":
            assert event["type"] != "error", event
        assert event["response"]["status"] == "completed"


async def next_event(connection: ClientConnection) -> dict[str, Any]:
    async with asyncio.timeout(5):
        event: dict[str, Any] = json.loads(await connection.recv())
        return event


def test_200_invalid_requests_are_refused_and_none_is_our_fault(place: Place) -> None:
    for bad in requests(Random(SEED), COUNT, place.token()):
        status, headers, body = exchange(place.server.port, bad.sent)
        assert 400 <= status < 500, (bad.what, status, body[:300])
        if b"application/problem+json" in headers:
            problem = json.loads(body)
            assert problem["status"] == status and problem["detail"], bad.what
        elif b"application/json" in headers:
            error = json.loads(body)["error"]
            assert set(error) == {"message", "type", "param", "code"}, bad.what
        else:
            assert "/v1" not in bad.what, (bad.what, headers)
    assert place.server.request("GET", "/readyz")[0] == 200


def exchange(port: int, sent: bytes) -> tuple[int, bytes, bytes]:
    """Status, head and body of the answer to raw bytes."""
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        with contextlib.suppress(ConnectionError):  # it may be refused before it is whole
            connection.sendall(sent)
        received = b""
        try:
            while part := connection.recv(65_536):
                received += part
        except ConnectionResetError:
            assert received, "hung up without an answer"
    head, _, body = received.partition(b"\r\n\r\n")
    return int(head.split()[1]), head, body
