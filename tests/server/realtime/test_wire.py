"""The wire: golden files, what is refused, and that nothing a client sends can break it."""

import base64
import json
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openai.types.realtime import RealtimeServerEvent
from pydantic import TypeAdapter

from server.realtime import shapes, wire
from server.realtime.commands import COMMANDS
from server.realtime.limits import AUDIO_EVENT_BYTES, EVENT_BYTES
from server.realtime.wire import Append
from sessions.live.events import Command, CommandRefused, CreateItem, Event, UpdateSession
from tests.server.realtime.wire_samples import EVENTS

GOLDEN = Path(__file__).parents[2] / "golden"
SERVER = json.loads((GOLDEN / "realtime_server.json").read_text())
CLIENT = [json.loads(line) for line in (GOLDEN / "realtime_client.jsonl").read_text().splitlines()]
REFUSED = [
    json.loads(line) for line in (GOLDEN / "realtime_refused.jsonl").read_text().splitlines()
]
OPENAI: TypeAdapter[Any] = TypeAdapter(RealtimeServerEvent)
OURS = {*shapes.OURS.values()} - {"output_audio_buffer.cleared"}


# ---- what the server says --------------------------------------------------------------------


@pytest.mark.parametrize(("number", "name"), [*enumerate(EVENTS, 1)], ids=list(EVENTS))
def test_an_event_is_written_as_the_golden_file_has_it(number: int, name: str) -> None:
    assert json.loads(wire.encode(EVENTS[name], f"event_{number}")) == SERVER[name]


def test_every_event_has_a_sample() -> None:
    assert {type(event) for event in EVENTS.values()} == set(get_args(Event))


@pytest.mark.parametrize("name", [n for n, body in SERVER.items() if body["type"] not in OURS])
def test_the_official_types_read_a_standard_event_and_lose_nothing(name: str) -> None:
    event = OPENAI.validate_python(SERVER[name])
    assert event.type == SERVER[name]["type"]
    assert event.model_dump(mode="json", exclude_unset=True) == SERVER[name]


def test_sound_is_written_the_same_by_the_short_way() -> None:
    event = EVENTS["audio delta"]
    short = wire.encode_sound(event, "event_32", event.pcm)  # type: ignore[arg-type, union-attr]
    assert json.loads(short) == SERVER["audio delta"]


def test_sound_in_a_binary_frame_is_announced_without_delta() -> None:
    announced = json.loads(wire.encode_sound(EVENTS["audio delta"], "event_32", None))  # type: ignore[arg-type]
    assert announced == {k: v for k, v in SERVER["audio delta"].items() if k != "delta"}


# ---- what clients send -----------------------------------------------------------------------


def plain(command: Command | Append | CommandRefused) -> dict[str, Any]:
    """A command as the golden file writes it: without what is not set."""
    fields = {name: value for name, value in asdict(command).items() if value not in (None, ())}
    for name, value in fields.items():
        if isinstance(value, bytes):
            fields[name] = base64.b64encode(value).decode()
        elif isinstance(value, tuple):
            fields[name] = list(value)
        elif isinstance(value, dict):
            fields[name] = {k: v for k, v in value.items() if v is not None}
    return {"is": type(command).__name__, **fields}


@pytest.mark.parametrize("case", CLIENT, ids=lambda case: case["why"])
def test_a_client_event_is_read_as_the_golden_file_has_it(case: dict[str, Any]) -> None:
    assert plain(wire.decode(case["frame"])) == case["command"]


def test_every_command_has_a_sample() -> None:
    types = {json.loads(case["frame"])["type"] for case in CLIENT}
    assert types == {*COMMANDS, wire.APPEND} - {"conversation.item.delete"}


def test_a_binary_frame_is_audio() -> None:
    assert wire.decode(b"\x01\x02") == Append(b"\x01\x02")


@pytest.mark.parametrize("spaced", [True, False])
@pytest.mark.parametrize("type_first", [True, False])
def test_appends_of_official_clients_are_read_the_short_way(
    spaced: bool, type_first: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire, "parse_object", lambda text: pytest.fail("parsed as JSON"))
    fields = {"type": wire.APPEND, "audio": base64.b64encode(bytes(range(256))).decode()}
    if not type_first:
        fields = dict(reversed(fields.items()))
    frame = json.dumps(fields, separators=None if spaced else (",", ":"))
    assert wire.decode(frame) == Append(bytes(range(256)))


def test_an_append_may_be_a_mebibyte_and_no_more() -> None:
    frame = '{"type":"input_audio_buffer.append","event_id":"big","audio":"%s"}'
    room = AUDIO_EVENT_BYTES - len(frame) + 2
    fits = wire.decode(frame % ("A" * (room // 4 * 4)))
    assert isinstance(fits, Append)
    refused = wire.decode(frame % ("A" * (room // 4 * 4 + 4)))
    assert isinstance(refused, CommandRefused)
    assert (refused.code, refused.event_id) == ("too_large", "big")
    assert "at most 1,048,576" in refused.message
    assert wire.decode(bytes(AUDIO_EVENT_BYTES + 1)).code == "too_large"  # type: ignore[union-attr]


def test_an_event_without_audio_may_be_64_kib_and_no_more() -> None:
    frame = json.dumps({"type": "session.update", "event_id": "e", "session": {"x": "PAD"}})
    fits = wire.decode(frame.replace("PAD", "é" * ((EVENT_BYTES - len(frame)) // 2)))
    assert isinstance(fits, UpdateSession)
    refused = wire.decode(frame.replace("PAD", "é" * (EVENT_BYTES // 2)))
    assert isinstance(refused, CommandRefused)
    assert (refused.code, refused.event_id) == ("too_large", "e")
    assert "at most 65,536" in refused.message


def test_a_spoken_item_may_be_larger_than_a_typed_one() -> None:
    content = [{"type": "input_audio", "audio": "AAAA" * 30_000}]
    item = {"type": "message", "role": "user", "content": content}
    spoken = wire.decode(json.dumps({"type": "conversation.item.create", "item": item}))
    assert isinstance(spoken, CreateItem) and spoken.pcm == bytes(90_000)


def test_a_tower_of_brackets_is_refused_at_once() -> None:
    for frame in ("[" * 1_000 + "]" * 1_000, '{"a":' * 100_000, "[[" * 30_000):
        began = time.process_time()
        refused = wire.decode(frame)
        assert time.process_time() - began < 0.1
        assert isinstance(refused, CommandRefused) and refused.code == "invalid_json"


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case["frame"][:60])
def test_a_bad_event_is_refused_with_a_code_a_sentence_and_its_id(case: dict[str, Any]) -> None:
    refused = wire.decode(case["frame"])
    assert isinstance(refused, CommandRefused)
    assert (refused.code, refused.event_id) == (case["code"], case.get("event_id"))
    assert refused.message.endswith(".") and refused.message.isprintable()
    assert OPENAI.validate_json(wire.encode(refused, "event_1")).error.code == case["code"]


# ---- nothing breaks it -----------------------------------------------------------------------

names = st.sampled_from(
    [
        *("type", "item", "role", "content", "session", "audio", "input", "output", "format"),
        *("turn_detection", "response", "metadata", "output_modalities", "item_id", "audio_ms"),
        *("id", "text"),
    ]
)
json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(), max_size=20)
    | st.sampled_from(["user", "message", "input_text", "input_audio", "audio/pcm", "AAAA", "e1"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(names | st.text(max_size=5), inner, max_size=5)
    ),
    max_leaves=20,
)


def answers_properly(frame: str | bytes, event_id: str | None = None) -> None:
    command = wire.decode(frame)
    assert isinstance(command, Command | Append | CommandRefused)
    if isinstance(command, CommandRefused):
        assert command.event_id == event_id
        error = json.loads(wire.encode(command, "event_1"))["error"]
        assert error["code"] and error["message"].endswith(".")


@settings(max_examples=100, deadline=None)
@given(
    st.sampled_from([*COMMANDS, wire.APPEND]),
    st.dictionaries(names | st.text(max_size=8), json_values, max_size=4),
)
def test_any_fields_in_any_event_are_read_or_refused(kind: str, fields: dict[str, Any]) -> None:
    event = fields | {"type": kind, "event_id": "mine"}
    answers_properly(json.dumps(event), "mine")


@settings(max_examples=100, deadline=None)
@given(json_values, st.sampled_from([*COMMANDS, wire.APPEND]))
def test_any_value_in_the_place_of_a_known_field_is_read_or_refused(value: Any, kind: str) -> None:
    for name in ("item", "session", "response", "audio", "item_id", "audio_ms", "on", "reason"):
        answers_properly(json.dumps({"type": kind, "event_id": "mine", name: value}), "mine")


@settings(max_examples=200, deadline=None)
@given(st.text(st.characters(), max_size=200) | st.binary(max_size=200))
def test_any_frame_is_read_or_refused(frame: str | bytes) -> None:
    answers_properly(frame)


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from([case["frame"] for case in CLIENT]),
    st.integers(0, 10_000),
    st.text(st.characters(), max_size=3),
)
def test_a_damaged_event_is_read_or_refused(frame: str, at: int, put: str) -> None:
    at %= len(frame)
    command = wire.decode(frame[:at] + put + frame[at + 1 :])
    assert isinstance(command, Command | Append | CommandRefused)
