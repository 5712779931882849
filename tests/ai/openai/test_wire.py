"""Events of OpenAI Realtime to facts, and ours to events, held against OpenAI's own types."""

import base64
import json
import random
from typing import Any

import pytest
from openai.types.realtime import RealtimeServerEvent
from openai.types.realtime.realtime_client_event import RealtimeClientEvent
from pydantic import TypeAdapter

from ai.engine import Brief, Step, TurnDetection, Utterance
from ai.openai import client_events as ours
from ai.openai import wire
from ai.openai.settings import OpenAISettings
from ai.tools import NAMES

CLIENT: TypeAdapter[Any] = TypeAdapter(RealtimeClientEvent)
SERVER: TypeAdapter[Any] = TypeAdapter(RealtimeServerEvent)
PART = {
    "response_id": "resp_1",
    "item_id": "item_2",
    "output_index": 0,
    "content_index": 0,
    "event_id": "event_1",
}
ITEM = {
    "id": "item_2",
    "type": "message",
    "role": "assistant",
    "status": "completed",
    "content": [],
}
CALL = {
    "id": "item_3",
    "type": "function_call",
    "status": "completed",
    "call_id": "call_1",
    "name": "show",
    "arguments": '{"kind":"text"}',
}
USAGE = {
    "total_tokens": 253,
    "input_tokens": 132,
    "output_tokens": 121,
    "input_token_details": {
        "text_tokens": 119,
        "audio_tokens": 13,
        "image_tokens": 0,
        "cached_tokens": 70,
        "cached_tokens_details": {"text_tokens": 64, "audio_tokens": 6},
    },
    "output_token_details": {"text_tokens": 30, "audio_tokens": 91},
}
TRANSCRIPTION = "conversation.item.input_audio_transcription"
SAID: list[tuple[dict[str, Any], wire.Fact]] = [
    (
        {"type": "session.created", "session": {"type": "realtime", "id": "sess_1"}},
        wire.Greeted("sess_1"),
    ),
    (
        {"type": "session.updated", "session": {"type": "realtime", "id": "sess_1"}},
        wire.Agreed("sess_1"),
    ),
    (
        {"type": "input_audio_buffer.speech_started", "item_id": "item_1", "audio_start_ms": 120},
        wire.VoiceBegan("item_1", 120),
    ),
    (
        {"type": "input_audio_buffer.speech_stopped", "item_id": "item_1", "audio_end_ms": 2120},
        wire.VoiceEnded("item_1", 2120),
    ),
    (
        {
            "type": "input_audio_buffer.committed",
            "item_id": "item_1",
            "previous_item_id": "item_0",
        },
        wire.Committed("item_1"),
    ),
    (
        {
            "type": f"{TRANSCRIPTION}.completed",
            "item_id": "item_1",
            "content_index": 0,
            "transcript": "two quarters",
            "usage": {"type": "duration", "seconds": 2.5},
        },
        wire.Worded("item_1", "two quarters", wire.Cost(audio_ms=2500)),
    ),
    (
        {
            "type": f"{TRANSCRIPTION}.completed",
            "item_id": "item_1",
            "content_index": 0,
            "transcript": "two quarters",
            "usage": {
                "type": "tokens",
                "input_tokens": 22,
                "output_tokens": 3,
                "total_tokens": 25,
                "input_token_details": {"audio_tokens": 20, "text_tokens": 2},
            },
        },
        wire.Worded("item_1", "two quarters", wire.Cost(text_in=2, audio_in=20, text_out=3)),
    ),
    (
        {
            "type": f"{TRANSCRIPTION}.failed",
            "item_id": "item_1",
            "content_index": 0,
            "error": {"type": "server_error", "code": "x", "message": "no", "param": None},
        },
        wire.Unworded("item_1"),
    ),
    (
        {
            "type": "response.created",
            "response": {
                "id": "resp_1",
                "status": "in_progress",
                "conversation_id": "conv_1",
                "metadata": {"answer": "a1"},
            },
        },
        wire.Began("resp_1", "a1", "conv_1"),
    ),
    (
        {"type": "response.created", "response": {"id": "resp_1", "metadata": None}},
        wire.Began("resp_1", ""),
    ),
    (
        {
            "type": "response.output_item.added",
            "response_id": "resp_1",
            "output_index": 0,
            "item": ITEM,
        },
        wire.ItemOut("resp_1", "item_2"),
    ),
    (
        {**PART, "type": "response.output_audio.delta", "delta": "AAEC"},
        wire.Sound("resp_1", "item_2", b"\0\1\2"),
    ),
    (
        {**PART, "type": "response.output_audio_transcript.delta", "delta": " half"},
        wire.Text("resp_1", "item_2", " half"),
    ),
    (
        {**PART, "type": "response.output_text.delta", "delta": " half"},
        wire.Text("resp_1", "item_2", " half"),
    ),
    (
        {
            "type": "response.output_item.done",
            "response_id": "resp_1",
            "output_index": 0,
            "item": ITEM,
        },
        wire.ItemSaid("resp_1", "item_2"),
    ),
    (
        {
            "type": "response.output_item.done",
            "response_id": "resp_1",
            "output_index": 1,
            "item": CALL,
        },
        wire.Called("resp_1", "call_1", "show", '{"kind":"text"}'),
    ),
    (
        {
            "type": "response.done",
            "response": {
                "id": "resp_1",
                "status": "cancelled",
                "status_details": {"type": "cancelled", "reason": "turn_detected"},
                "output": [ITEM],
                "usage": USAGE,
            },
        },
        wire.Done(
            "resp_1",
            "cancelled",
            "turn_detected",
            wire.Trouble(),
            wire.Cost(55, 7, 64, 6, 30, 91),
            ("item_2",),
        ),
    ),
    (
        {
            "type": "response.done",
            "response": {
                "id": "resp_1",
                "status": "failed",
                "status_details": {
                    "type": "failed",
                    "error": {"type": "server_error", "code": "rate_limit_exceeded"},
                },
                "usage": {"total_tokens": 90, "input_tokens": 50, "output_tokens": 40},
            },
        },
        wire.Done(
            "resp_1",
            "failed",
            "",
            wire.Trouble("rate_limit_exceeded", "server_error"),
            wire.Cost(text_in=50, text_out=40),
            (),
        ),
    ),
    (
        {
            "type": "error",
            "error": {
                "type": "invalid_request_error",
                "code": "session_expired",
                "message": "over",
                "param": None,
                "event_id": "cut_7",
            },
        },
        wire.Trouble("session_expired", "invalid_request_error", "over", "cut_7"),
    ),
    (
        {"type": "rate_limits.updated", "rate_limits": []},
        wire.Ignored("rate_limits.updated"),
    ),
]


@pytest.mark.parametrize(("event", "fact"), SAID, ids=lambda value: type(value).__name__)
def test_events_of_the_provider_are_facts(event: dict[str, Any], fact: wire.Fact) -> None:
    event = {"event_id": "event_1", **event}
    assert SERVER.validate_python(event).type == event["type"]
    assert wire.decode(json.dumps(event).encode()) == ("event_1", fact)


def test_newer_events_are_ignored() -> None:
    assert wire.decode(b'{"type":"response.dreamt"}') == ("", wire.Ignored("response.dreamt"))


@pytest.mark.parametrize(
    "frame",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"\xff\xfe",
        b"{}",
        b'{"type":7}',
        b'{"type":"error"',
        b'{"type":"response.output_audio.delta","delta":"A"}',
        b'{"type":"response.output_audio.delta","delta":7}',
        '{"type":"response.output_audio.delta","delta":"é"}'.encode(),
    ],
)
def test_what_is_no_event_is_told(frame: bytes) -> None:
    with pytest.raises(wire.WireBroken):
        wire.decode(frame)


def test_events_without_their_fields_are_still_facts() -> None:
    for kind in wire.READERS:
        if kind != "response.output_audio.delta":
            wire.decode(json.dumps({"type": kind}).encode())
    assert wire.decode(b'{"type":"response.output_audio.delta"}')[1] == wire.Sound("", "", b"")


def test_any_junk_is_a_fact_or_broken() -> None:
    """100,000 events: those above with something else in a place of theirs, cut or turned."""
    dice = random.Random(4)
    frames = [json.dumps({"event_id": "e", **event}) for event, _ in SAID]
    junk: list[Any] = [None, True, -1, 2**70, 1e308, "", "\0", "é" * 50, [], [{}], {}, {"id": 7}]

    def spoil(value: Any) -> Any:
        if dice.random() < 0.15:
            return dice.choice(junk)
        if isinstance(value, dict):
            return {dice.choice([k, k, k, "x"]): spoil(v) for k, v in value.items()}
        return [spoil(one) for one in value] if isinstance(value, list) else value

    outcomes = {"fact": 0, "broken": 0}
    for turn in range(100_000):
        whole = dice.choice(frames)
        if turn % 2:
            data = json.dumps(spoil(json.loads(whole))).encode()
        else:
            mutable = bytearray(whole.encode())
            for _ in range(dice.randint(1, 4)):
                mutable[dice.randrange(len(mutable))] = dice.randrange(256)
            data = bytes(mutable[: dice.randint(0, len(mutable))] if turn % 4 else mutable)
        try:
            event_id, fact = wire.decode(data)
        except wire.WireBroken:
            outcomes["broken"] += 1
        else:
            outcomes["fact"] += 1
            assert isinstance(event_id, str)
            assert isinstance(fact, wire.Fact)
    assert min(outcomes.values()) > 10_000


# ---- what we say -------------------------------------------------------------------------------

BRIEF = Brief(
    "You are a tutor.",
    "T",
    "G",
    "en-GB",
    "Hello.",
    "Bye.",
    (Step("What?", (), "S"),),
    voice="cedar",
    speed=2.0,
    vocabulary=("numerator", "x" * 100),
    tools=NAMES,
)
SETTINGS = OpenAISettings("sk-secret")


@pytest.mark.parametrize(
    "event",
    [
        ours.append(b"\0\1" * 480),
        ours.CLEAR,
        ours.commit("commit_1"),
        ours.truncate("cut_1", "item_2", 1480),
        ours.delete("cut_2", "item_2"),
        ours.cancel("cancel_1", "resp_1"),
        ours.respond("respond_1", "a1", sound=True),
        ours.respond("respond_1", "a1", sound=False, tools=False),
        ours.message("user", "hi"),
        ours.message("assistant", "hello"),
        ours.message("system", "the student is back"),
        ours.spoken("spoken_1", b"\0\1"),
        ours.result("call_1", '{"ok":true}'),
        ours.configure(BRIEF, SETTINGS),
        ours.detect("detect_1", TurnDetection(1200, 0.6, 250)),
        ours.detect("detect_1", None),
    ],
)
def test_our_events_are_what_openai_takes(event: bytes) -> None:
    said = json.loads(event)
    taken = CLIENT.validate_python(said, strict=True)
    assert taken.type == said["type"]
    assert taken.model_dump(mode="json", exclude_unset=True, by_alias=True) == said


def test_audio_is_sent_as_it_is() -> None:
    pcm = bytes(range(256)) * 7
    assert base64.b64decode(json.loads(ours.append(pcm))["audio"]) == pcm


def test_a_session_is_what_the_brief_wants() -> None:
    session = json.loads(ours.configure(BRIEF, SETTINGS))["session"]
    sound = {"type": "audio/pcm", "rate": 24_000}
    assert session["instructions"] == "You are a tutor."
    assert session["audio"]["output"] == {"format": sound, "voice": "cedar", "speed": 1.5}
    assert session["audio"]["input"] == {
        "format": sound,
        "noise_reduction": {"type": "near_field"},
        "transcription": {
            "model": "gpt-transcribe",
            "language": "en",
            "keywords": ["numerator"],
        },
        "turn_detection": None,
    }
    assert [tool["name"] for tool in session["tools"]] == list(NAMES)


def test_a_voice_of_others_is_not_asked_for() -> None:
    brief = Brief("", "T", "G", "es", "", "", (), voice="tiffany")
    session = json.loads(ours.configure(brief, SETTINGS))["session"]
    assert session["audio"]["output"]["voice"] == "marin"
    assert "tools" not in session


def test_turns_end_by_the_lesson_s_patience() -> None:
    event = json.loads(ours.detect("detect_1", TurnDetection(1200, 0.6, 250, answers=False)))
    assert event["session"]["audio"]["input"]["turn_detection"] == {
        "type": "server_vad",
        "threshold": 0.6,
        "prefix_padding_ms": 250,
        "silence_duration_ms": 1200,
        "create_response": False,
        "interrupt_response": False,
    }


def test_the_conversation_is_remembered() -> None:
    memory = [
        Utterance("tutor", "What is half of four?"),
        Utterance("student", "Two."),
        Utterance("tutor", ""),
        Utterance("system", "The student was away."),
    ]
    items = [json.loads(line)["item"] for line in ours.remember(memory)]
    assert [(item["role"], item["content"][0]) for item in items] == [
        ("assistant", {"type": "output_text", "text": "What is half of four?"}),
        ("user", {"type": "input_text", "text": "Two."}),
        ("system", {"type": "input_text", "text": "The student was away."}),
    ]


def test_of_a_long_conversation_its_end_is_remembered() -> None:
    memory = [Utterance("student", f"{number} " + "x" * 998) for number in range(100)]
    items = [json.loads(line)["item"] for line in ours.remember(memory)]
    assert len(items) == 60
    assert items[0]["content"][0]["text"] == ours.SHORTENED
    assert items[-1]["content"][0]["text"].startswith("99 ")
