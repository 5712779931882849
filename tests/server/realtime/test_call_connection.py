"""A call without a network: what it sends, what it holds back, when it gives up."""

import asyncio
import base64
import json
from typing import Any
from uuid import uuid4

import pytest

from ai import g711
from server.realtime import call_connection, limits
from server.realtime.call_connection import CallConnection, pieces
from server.rtc.rtp import ReceiverReport
from sessions.live.events import (
    AudioDelta,
    AudioDone,
    CreateResponse,
    Notice,
    OutputCleared,
    OutputPaused,
    OutputResumed,
    ReportPlayed,
    TextDelta,
)
from tenancy.model import Person

MIA = Person(uuid4(), uuid4(), "Mia", "mia@example.org", frozenset({"student"}))


class MemoryPeer:
    """A peer whose channel may be full."""

    def __init__(self, *, events: bool = True) -> None:
        self.events = events
        self.max_message = 65_536
        self.buffered = 0
        self.arrived = True
        self.messages: list[dict[str, Any]] = []
        self.closed = False

    def tell(self, text: str) -> bool:
        self.messages.append(json.loads(text))
        return True

    async def close(self) -> None:
        self.closed = True

    def types(self) -> list[str]:
        return [message["type"] for message in self.messages]


class MemoryVoice:
    """A voice that notes what is asked of it."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, ...]] = []
        self.sent: dict[str, int] = {}

    def begin(self) -> None:
        self.asked.append(("begin",))

    def packet(self, sequence: int, timestamp: int, payload: bytes, ssrc: int) -> None: ...

    def report(self, report: ReceiverReport) -> None: ...

    def play(self, response_id: str, item_id: str, pcm: bytes) -> None:
        self.asked.append(("play", response_id, item_id))

    def complete(self, response_id: str) -> None:
        self.asked.append(("complete", response_id))

    def pause(self) -> None:
        self.asked.append(("pause",))

    def resume(self) -> None:
        self.asked.append(("resume",))

    def clear(self, response_id: str | None = None) -> list[tuple[str, int]]:
        self.asked.append(("clear", response_id or "all"))
        return []

    def sent_ms(self, item_id: str) -> int | None:
        return self.sent.get(item_id)

    def close(self) -> None:
        self.asked.append(("close",))


class Line:
    """A connected call of a session that only remembers."""

    def __init__(self, *, events: bool = True) -> None:
        self.peer, self.voice = MemoryPeer(events=events), MemoryVoice()
        self.commands: list[Any] = []
        self.heard, self.made_up = b"", b""
        self.pause_s = self.now = 0.0
        self.ready = 0
        self.ended: list[str] = []
        self.connection = CallConnection(
            MIA, g711, self, ready=self._ready, ended=self.ended.append, clock=lambda: self.now
        )
        self.connection.use(self.peer, self.voice)

    def _ready(self) -> None:
        self.ready += 1

    def receive(self, connection: Any, command: Any) -> None:
        self.commands.append(command)

    def hear(
        self, connection: Any, pcm: bytes, event_id: str | None = None, *, made_up: bool = False
    ) -> float:
        self.heard += pcm
        if made_up:
            self.made_up += pcm
        return self.pause_s


@pytest.fixture
async def line() -> Line:
    line = Line()
    line.connection.connected()
    line.connection.opened()
    return line


async def test_sound_goes_to_the_voice_and_words_to_the_channel(line: Line) -> None:
    tell = line.connection.tell
    tell(AudioDelta("resp_1", "item_1", b"\0\0"))
    tell(TextDelta("resp_1", "item_1", "audio", "Hi"))
    tell(AudioDone("resp_1", "item_1"))
    assert line.voice.asked == [("begin",), ("play", "resp_1", "item_1"), ("complete", "resp_1")]
    assert line.peer.types() == [
        "response.output_audio_transcript.delta",
        "response.output_audio.done",
    ]


async def test_sound_that_is_ahead_of_its_time_is_dropped(line: Line) -> None:
    line.connection.hear(b"a" * 960)
    line.pause_s = 3.0
    line.connection.hear(b"b" * 960)
    line.connection.hear(b"c" * 960)
    line.now = 3.1
    line.pause_s = 0.0
    line.connection.hear(b"d" * 960)
    assert line.heard == b"a" * 960 + b"b" * 960 + b"d" * 960


async def test_what_is_made_up_is_heard_as_such(line: Line) -> None:
    line.connection.hear(b"a" * 960)
    line.connection.hear(b"b" * 960, made_up=True)
    assert (line.heard, line.made_up) == (b"a" * 960 + b"b" * 960, b"b" * 960)


async def test_no_silence_is_made_up_between_words_that_come_in_events(line: Line) -> None:
    said = base64.b64encode(b"a" * 960).decode()
    for _ in range(3):
        line.connection.message(json.dumps({"type": "input_audio_buffer.append", "audio": said}))
        line.now += 0.05
        line.connection.hear(b"\0" * 960, made_up=True)
    assert line.heard == b"a" * 960 * 3
    line.now += call_connection.APPENDED_S
    line.connection.hear(b"\0" * 960, made_up=True)
    line.connection.hear(b"b" * 960)
    assert line.heard[960 * 3 :] == b"\0" * 960 + b"b" * 960


async def test_a_suspicion_pauses_and_an_interruption_clears_at_once(line: Line) -> None:
    for event in (OutputPaused("item_1"), OutputResumed("item_1"), OutputCleared("resp_1")):
        line.connection.tell(event)
    assert line.voice.asked[1:] == [("pause",), ("resume",), ("clear", "resp_1")]
    assert [kind.rpartition(".")[2] for kind in line.peer.types()] == [
        "paused",
        "resumed",
        "cleared",
    ]


async def test_the_session_has_the_call_when_the_channel_is_open() -> None:
    line = Line()
    line.connection.connected()
    line.connection.hear(b"\1\0")
    assert (line.ready, line.heard) == (0, b"")
    line.connection.opened()
    line.connection.hear(b"\2\0")
    assert (line.ready, line.heard) == (1, b"\1\0\2\0")


async def test_a_channel_that_does_not_open_holds_nothing_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(call_connection, "CHANNEL_WITHIN_S", 0.01)
    line = Line()
    line.connection.connected()
    await asyncio.sleep(0.05)
    assert line.ready == 1


async def test_without_a_channel_an_answer_is_asked_for_and_nothing_told() -> None:
    line = Line(events=False)
    line.connection.connected()
    assert (line.ready, line.commands) == (1, [CreateResponse()])
    line.connection.tell(Notice("a", "b"))
    line.connection.started("resp_1", "item_1", 0, 0)
    assert line.peer.messages == []


async def test_what_was_heard_is_the_calls_word_until_the_device_says_it(line: Line) -> None:
    line.connection.position("item_1", 200)
    line.connection.message('{"type":"output_audio_buffer.played","item_id":"item_1","audio_ms":9}')
    line.connection.position("item_1", 400)
    played = [command for command in line.commands if isinstance(command, ReportPlayed)]
    assert [command.audio_ms for command in played] == [200, 9]


async def test_of_another_item_the_device_has_said_nothing(line: Line) -> None:
    """It may have gone away before the first packet of it came."""
    line.connection.message('{"type":"output_audio_buffer.played","item_id":"item_1","audio_ms":9}')
    line.connection.position("item_2", 400)
    assert line.commands[-1] == ReportPlayed(item_id="item_2", audio_ms=400)


async def test_nobody_has_heard_what_was_not_sent(line: Line) -> None:
    line.voice.sent["item_1"] = 500
    told = '"item_id":"item_1","content_index":0'
    line.connection.message(f'{{"type":"output_audio_buffer.played",{told},"audio_ms":1900}}')
    line.connection.message(f'{{"type":"conversation.item.truncate",{told},"audio_end_ms":1900}}')
    played, cut = line.commands
    assert (played.audio_ms, cut.audio_end_ms) == (500, 500)


async def test_the_call_ends_when_its_last_word_has_arrived(line: Line) -> None:
    line.peer.arrived = False
    line.connection.close(4001, "taken over")
    await asyncio.sleep(0.15)
    assert line.ended == []
    line.peer.arrived = True
    await asyncio.wait_for(line.connection.closed(), 2)
    assert line.ended == ["closed"]


async def test_a_full_channel_is_waited_for(line: Line) -> None:
    line.peer.buffered = call_connection.CHANNEL_BYTES + 1
    line.connection.tell(Notice("a", "b"))
    assert line.peer.messages == []
    line.peer.buffered = 0
    line.connection.writable()
    assert line.peer.types() == ["notice"]


async def test_a_client_that_does_not_read_is_let_go(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "CLOSING_S", 0.02)
    line.peer.buffered = call_connection.CHANNEL_BYTES + 1
    while line.connection.closing is None:
        line.connection.tell(Notice("a", "b" * 1_000))
    assert line.connection.closing[0] == 1008
    await asyncio.wait_for(line.connection.closed(), 2)
    assert line.ended == ["closed"] and line.peer.closed


async def test_so_is_one_that_reads_nothing_for_a_while(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "STALLED_S", 0.02)
    monkeypatch.setattr(limits, "CLOSING_S", 0.02)
    line.peer.buffered = call_connection.CHANNEL_BYTES + 1
    line.connection.tell(Notice("a", "b"))
    await asyncio.sleep(0.1)
    assert line.connection.closing == (1008, "too_slow")


async def test_messages_that_come_too_fast_are_read_later_and_in_order(line: Line) -> None:
    line.pause_s = 0.02
    line.connection.message('{"type":"input_audio_buffer.append","audio":"AAA="}')
    line.pause_s = 0.0
    line.connection.message('{"type":"input_audio_buffer.append","audio":"AQE="}')
    line.connection.message('{"type":"response.create"}')
    assert line.heard == b"\0\0" and line.commands == []
    await asyncio.sleep(0.1)
    assert line.heard == b"\0\0\1\1" and line.commands == [CreateResponse()]


async def test_what_waits_to_be_read_is_bounded(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(call_connection, "HELD_BYTES", 100)
    line.pause_s = 5.0
    for _ in range(4):
        line.connection.message('{"type":"input_audio_buffer.append","audio":"AAA="}')
    assert line.connection.closing == (1008, "too_many_events")


async def test_a_binary_message_is_refused_in_a_sentence(line: Line) -> None:
    line.connection.binary()
    assert line.peer.messages[0]["error"]["code"] == "binary_not_taken"


async def test_the_last_word_is_sent_before_the_end(line: Line) -> None:
    line.connection.withdraw()
    assert line.ended == []
    await asyncio.wait_for(line.connection.closed(), 2)
    assert line.peer.messages[-1]["code"] == "signed_out"
    assert line.ended == ["closed"] and line.peer.closed


async def test_the_end_is_told_once(line: Line) -> None:
    line.connection.gone("consent")
    line.connection.gone("closed_by_peer")
    line.connection.close(1000, "over")
    await line.connection.closed()
    assert line.ended == ["consent"] and ("close",) in line.voice.asked


@pytest.mark.parametrize("most", [600, 1_200, 65_536])
def test_a_long_event_comes_in_pieces_that_fit(most: int) -> None:
    text = '"\\ Ist das gleich? ½ 🍕' * 200
    event = json.dumps({"type": "notice", "event_id": "event_7", "text": text}).encode()
    sent = list(pieces(event, most))
    assert all(len(message.encode()) <= most for message in sent)
    if most == 65_536:
        assert [message.encode() for message in sent] == [event]
        return
    read = [json.loads(message) for message in sent]
    assert [piece["index"] for piece in read] == list(range(read[0]["count"]))
    assert {(piece["type"], piece["event_id"]) for piece in read} == {("event.piece", "event_7")}
    assert json.loads("".join(piece["data"] for piece in read))["text"] == text
