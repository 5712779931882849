"""One connection, without a socket: what it sends, what it drops, when it gives up."""

import asyncio
import base64
import json
from typing import Any
from uuid import uuid4

import pytest

from ai import g711
from ai.audio import silence
from server.realtime import limits, wire
from server.realtime.socket_connection import Message, SocketConnection
from sessions.live.events import (
    AudioDelta,
    CommandRefused,
    CreateItem,
    CreateResponse,
    ItemAdded,
    ItemDone,
    Notice,
    OutputCleared,
    OutputPaused,
    ResponseCreated,
    ResponseDone,
    ResponseView,
    SessionUpdated,
    TextDelta,
)
from tenancy.model import Person
from tests.server.realtime.wire_samples import BY_HAND, EVENTS, TYPED, VIEW

MIA = Person(uuid4(), uuid4(), "Mia", "mia@example.org", frozenset({"student"}))


class Client:
    """The other end: reads what is sent, or does not."""

    def __init__(self) -> None:
        self.frames: list[Any] = []
        self.code: int | None = None
        self.reads = asyncio.Event()
        self.reads.set()

    async def send(self, message: Message) -> None:
        if message["type"] == "websocket.close":
            self.code = message["code"]
            return
        await self.reads.wait()
        text = message.get("text")
        self.frames.append(message["bytes"] if text is None else json.loads(text))

    def types(self) -> list[str]:
        return [frame["type"] for frame in self.frames if isinstance(frame, dict)]


class Listener:
    """A session that only remembers."""

    def __init__(self) -> None:
        self.commands: list[Any] = []
        self.heard = b""
        self.pause_s = 0.0

    def receive(self, connection: Any, command: Any) -> None:
        self.commands.append(command)

    def hear(self, connection: Any, pcm: bytes, event_id: str | None = None) -> float:
        self.heard += pcm
        return self.pause_s


@pytest.fixture
async def connection() -> SocketConnection:
    return SocketConnection(MIA, g711)


async def written(connection: SocketConnection) -> Client:
    """All that was told, read by a client after the connection was closed."""
    client = Client()
    await asyncio.wait_for(connection.write(client.send), 5)
    return client


# ---- what it sends ---------------------------------------------------------------------------


async def test_events_are_sent_in_order_with_ids_of_their_own(
    connection: SocketConnection,
) -> None:
    connection.tell(Notice("a", "b"))
    connection.tell(AudioDelta("resp_1", "item_1", b"\x01\x02"))
    connection.tell(TextDelta("resp_1", "item_1", "audio", "Hi"))
    connection.close(1000, "over")
    client = await written(connection)
    kinds = ["notice", "response.output_audio.delta", "response.output_audio_transcript.delta"]
    assert client.types() == kinds
    assert len({frame["event_id"] for frame in client.frames}) == 3
    assert base64.b64decode(client.frames[1]["delta"]) == b"\x01\x02"
    assert client.code == 1000


async def test_nothing_is_sent_after_a_close_and_the_first_close_counts(
    connection: SocketConnection,
) -> None:
    connection.close(4001, "taken over")
    connection.tell(Notice("late", "late"))
    connection.close(1000, "over")
    client = await written(connection)
    assert (client.frames, client.code) == ([], 4001)


async def test_a_pause_is_told_only_to_who_plays_binary_sound(connection: SocketConnection) -> None:
    connection.tell(OutputPaused("item_1"))
    connection.tell(SessionUpdated(BY_HAND))
    connection.tell(OutputPaused("item_1"))
    connection.close(1000, "over")
    assert (await written(connection)).types() == ["session.updated", "output_audio_buffer.paused"]


async def test_sound_that_was_not_sent_is_dropped_at_a_barge_in(
    connection: SocketConnection,
) -> None:
    connection.tell(AudioDelta("resp_1", "item_1", silence(100)))
    connection.tell(AudioDelta("resp_2", "item_2", silence(100)))
    connection.tell(OutputCleared("resp_1"))
    connection.close(1000, "over")
    client = await written(connection)
    assert client.types() == ["response.output_audio.delta", "output_audio_buffer.cleared"]
    assert client.frames[0]["response_id"] == "resp_2"


async def test_a_format_asked_for_one_response_is_for_that_response(
    connection: SocketConnection,
) -> None:
    class Session(Listener):
        def receive(self, connection: Any, command: Any) -> None:
            connection.tell(ResponseCreated(ResponseView("resp_1", "in_progress", ("audio",))))

    wish = {"audio": {"output": {"format": {"type": "audio/pcmu"}}}}
    connection.take(Session(), json.dumps({"type": "response.create", "response": wish}))
    connection.tell(AudioDelta("resp_1", "item_1", silence(300)))
    connection.tell(AudioDelta("resp_2", "item_2", silence(300)))
    connection.tell(ResponseDone(ResponseView("resp_1", "completed", ("audio",))))
    connection.tell(AudioDelta("resp_1", "item_1", silence(300)))
    connection.close(1000, "over")
    client = await written(connection)
    sizes = [len(base64.b64decode(f["delta"])) for f in client.frames if "delta" in f]
    assert sizes == [pytest.approx(2_400, abs=20), 14_400, 14_400]


async def test_an_event_that_cannot_be_written_ends_the_connection_not_the_session(
    connection: SocketConnection,
) -> None:
    connection.tell(Notice("a", "\ud800"))
    client = await written(connection)
    assert (client.types(), client.code) == (["notice"], 1011)


# ---- what it takes ---------------------------------------------------------------------------


async def test_samples_cut_in_two_are_put_together(connection: SocketConnection) -> None:
    session = Listener()
    for part in (b"\x01", b"\x02\x03", b"", b"\x04"):
        connection.take(session, part)
    assert session.heard == b"\x01\x02\x03\x04"


async def test_a_spoken_item_comes_as_pcm_whatever_the_format(connection: SocketConnection) -> None:
    connection.tell(SessionUpdated(BY_HAND))
    session = Listener()
    audio = base64.b64encode(b"\xff" * 800).decode()
    content = [{"type": "input_audio", "audio": audio}]
    item = {"type": "message", "role": "user", "content": content}
    connection.take(session, json.dumps({"type": "conversation.item.create", "item": item}))
    (command,) = session.commands
    assert isinstance(command, CreateItem) and command.pcm is not None
    assert len(command.pcm) == pytest.approx(4_800, abs=120) and not any(command.pcm)


async def test_reading_pauses_as_long_as_the_session_asks(connection: SocketConnection) -> None:
    session = Listener()
    session.pause_s = 1.5
    assert connection.take(session, silence(20)) == 1.5
    assert connection.take(session, '{"type":"response.create"}') == 0.0
    assert session.commands == [CreateResponse()]


async def test_a_fault_of_ours_is_told_with_the_clients_id(connection: SocketConnection) -> None:
    class Broken(Listener):
        def receive(self, connection: Any, command: Any) -> None:
            raise KeyError("ours")

    connection.take(Broken(), '{"type":"response.create","event_id":"mine"}')
    connection.close(1000, "over")
    (error,) = (await written(connection)).frames
    assert (error["error"]["type"], error["error"]["event_id"]) == ("server_error", "mine")


# ---- when it gives up ------------------------------------------------------------------------


async def test_a_client_that_stops_reading_is_closed_with_1008(
    connection: SocketConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "STALLED_S", 0.02)
    client = Client()
    client.reads.clear()
    connection.tell(Notice("a", "b"))
    await asyncio.wait_for(connection.write(client.send), 1)
    assert client.code == 1008


async def test_a_closing_connection_does_not_wait_as_long(
    connection: SocketConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "CLOSING_S", 0.02)
    client = Client()
    client.reads.clear()
    connection.tell(Notice("a", "b"))
    writer = asyncio.create_task(connection.write(client.send))
    await asyncio.sleep(0)
    connection.withdraw()
    await asyncio.wait_for(writer, 1)
    assert client.code == 4002


async def test_what_waits_for_a_slow_client_is_bounded(connection: SocketConnection) -> None:
    client = Client()
    client.reads.clear()
    writer = asyncio.create_task(connection.write(client.send))
    await asyncio.sleep(0)
    told = 0
    while connection.closing is None:
        connection.tell(CommandRefused(None, "x", "y" * 1_000))
        told += 1
        assert connection._outbox.unsent <= limits.UNSENT_BYTES + 2_000
    assert 200 < told < 300
    client.reads.set()
    await asyncio.wait_for(writer, 1)
    assert (client.code, client.frames[-1]["code"]) == (1008, "too_slow")


async def test_sound_that_waits_is_bounded_too(connection: SocketConnection) -> None:
    for _ in range(limits.UNSENT_SOUND_BYTES // 48_000 + 2):
        connection.tell(AudioDelta("resp_1", "item_1", silence(1_000)))
    assert connection.closing is not None
    client = await written(connection)
    assert (client.code, client.types()) == (1008, ["notice"])


async def test_a_long_replay_is_not_held_against_the_client(connection: SocketConnection) -> None:
    connection.expect_replay(2_000)
    for _ in range(2_000):
        connection.tell(ItemAdded(TYPED, None))
        connection.tell(ItemDone(TYPED, None))
    assert connection.closing is None
    while connection.closing is None:  # after it, items count like everything else
        connection.tell(ItemAdded(TYPED, None))
    assert connection.closing[0] == 1008


async def test_every_event_there_is_can_be_told(connection: SocketConnection) -> None:
    connection.tell(SessionUpdated(VIEW))
    for event in EVENTS.values():
        connection.tell(event)
    connection.close(1000, "over")
    told = (await written(connection)).types()
    samples = {json.loads(wire.encode(event, "e"))["type"] for event in EVENTS.values()}
    assert samples - {*told} == {
        "output_audio_buffer.paused",  # only for binary sound
        "output_audio_buffer.resumed",
        "response.output_audio.delta",  # cleared before it was sent
    }
