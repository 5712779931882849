import base64
import json
import random
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ai.bedrock import wire
from ai.bedrock.eventstream import Decoder, Message
from ai.bedrock.wire import (
    AudioInput,
    BlockEnded,
    BlockStarted,
    Fact,
    Interrupted,
    Other,
    Refused,
    Sound,
    Spending,
    Text,
    ToolWanted,
    WireBroken,
)
from ai.tools import Tool


def sent(event: bytes) -> Any:
    return json.loads(event)["event"]


def got(name: str, **fields: Any) -> Fact:
    event = {"event": {name: {"sessionId": "S", "promptName": "P", "completionId": "K", **fields}}}
    wrapped = base64.b64encode(json.dumps(event).encode()).decode()
    headers = {":message-type": "event", ":event-type": "chunk"}
    payloads = ({"bytes": wrapped, "p": "abcdefgh"}, {"p": "abc", "bytes": wrapped})
    facts = [
        wire.read(Message(headers, write(payload)))
        for payload in payloads
        for write in (orjson.dumps, lambda payload: json.dumps(payload, indent=1).encode())
    ]
    assert all(fact == facts[0] for fact in facts)
    return facts[0]


# ---- what we say: the JSON of the protocol's description -----------------------------------------


def test_a_session_starts() -> None:
    assert sent(wire.session_start(max_tokens=4096, sensitivity="MEDIUM")) == {
        "sessionStart": {
            "inferenceConfiguration": {"maxTokens": 4096, "topP": 0.9, "temperature": 0.7},
            "turnDetectionConfiguration": {"endpointingSensitivity": "MEDIUM"},
        }
    }
    assert wire.session_end() == b'{"event":{"sessionEnd":{}}}'


def test_a_prompt_starts() -> None:
    tool = Tool("lookup", "Looks up.", {"type": "object", "properties": {}})
    assert sent(wire.prompt_start("P", voice="tiffany", tools=[tool])) == {
        "promptStart": {
            "promptName": "P",
            "textOutputConfiguration": {"mediaType": "text/plain"},
            "audioOutputConfiguration": {
                "mediaType": "audio/lpcm",
                "sampleRateHertz": 24000,
                "sampleSizeBits": 16,
                "channelCount": 1,
                "voiceId": "tiffany",
                "encoding": "base64",
                "audioType": "SPEECH",
            },
            "toolUseOutputConfiguration": {"mediaType": "application/json"},
            "toolConfiguration": {
                "toolChoice": {"auto": {}},
                "tools": [
                    {
                        "toolSpec": {
                            "name": "lookup",
                            "description": "Looks up.",
                            "inputSchema": {"json": '{"type":"object","properties":{}}'},
                        }
                    }
                ],
            },
        }
    }


def test_a_text_block() -> None:
    events = list(wire.text_block("P", "C1", "SYSTEM", "You are a tutor…", interactive=False))
    assert [sent(event) for event in events] == [
        {
            "contentStart": {
                "promptName": "P",
                "contentName": "C1",
                "type": "TEXT",
                "interactive": False,
                "role": "SYSTEM",
                "textInputConfiguration": {"mediaType": "text/plain"},
            }
        },
        {"textInput": {"promptName": "P", "contentName": "C1", "content": "You are a tutor…"}},
        {"contentEnd": {"promptName": "P", "contentName": "C1"}},
    ]


def test_audio_opens_and_flows() -> None:
    assert sent(wire.audio_start("P", "A")) == {
        "contentStart": {
            "promptName": "P",
            "contentName": "A",
            "type": "AUDIO",
            "interactive": True,
            "role": "USER",
            "audioInputConfiguration": {
                "mediaType": "audio/lpcm",
                "sampleRateHertz": 16000,
                "sampleSizeBits": 16,
                "channelCount": 1,
                "audioType": "SPEECH",
                "encoding": "base64",
            },
        }
    }
    pcm = bytes(range(256)) * 4
    (message,) = Decoder().feed(AudioInput("P", "A").chunk(pcm))
    assert message.headers == {
        ":message-type": "event",
        ":event-type": "chunk",
        ":content-type": "application/json",
    }
    assert sent(base64.b64decode(json.loads(message.payload)["bytes"])) == {
        "audioInput": {
            "promptName": "P",
            "contentName": "A",
            "content": base64.b64encode(pcm).decode(),
        }
    }


def test_a_tools_result_is_json_in_plain_text() -> None:
    start, result, end = map(sent, wire.tool_result("P", "T", "tu-1", '{"result":42}'))
    assert start["contentStart"] == {
        "promptName": "P",
        "contentName": "T",
        "interactive": False,
        "type": "TOOL",
        "role": "TOOL",
        "toolResultInputConfiguration": {
            "toolUseId": "tu-1",
            "type": "TEXT",
            "textInputConfiguration": {"mediaType": "text/plain"},
        },
    }
    assert result["toolResult"]["content"] == '{"result":42}'
    assert list(end) == ["contentEnd"]
    spoilt = list(wire.tool_result("P", "T", "tu-1", "half \ud800"))[1]
    assert json.loads(sent(spoilt)["toolResult"]["content"]) == {"result": "half ?"}


@settings(max_examples=80, deadline=None)
@given(st.text(max_size=4_000), st.integers(4, 600))
def test_a_text_in_pieces_is_the_same_text(text: str, most: int) -> None:
    pieces = list(wire.pieces(text, most))
    assert "".join(pieces) == text.encode("utf-8", "replace").decode()
    assert all(1 <= len(piece.encode()) <= most for piece in pieces)


def test_a_text_is_cut_between_words() -> None:
    assert list(wire.pieces("one two three", 9)) == ["one two ", "three"]


# ---- what Nova says ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "fields", "fact"),
    [
        (
            "contentStart",
            {
                "contentId": "c1",
                "type": "TEXT",
                "role": "USER",
                "additionalModelFields": '{"generationStage":"FINAL"}',
            },
            BlockStarted("c1", "TEXT", "USER", True),
        ),
        (
            "contentStart",
            {
                "contentId": "c3",
                "type": "TEXT",
                "role": "ASSISTANT",
                "additionalModelFields": '{"generationStage":"SPECULATIVE"}',
            },
            BlockStarted("c3", "TEXT", "ASSISTANT", False),
        ),
        (
            "contentStart",
            {"contentId": "c4", "type": "AUDIO", "role": "ASSISTANT"},
            BlockStarted("c4", "AUDIO", "ASSISTANT", False),
        ),
        (
            "contentStart",
            {"contentId": "c4", "type": "VIDEO", "role": "ASSISTANT"},
            BlockStarted("c4", "", "ASSISTANT", False),
        ),
        (
            "textOutput",
            {"contentId": "c1", "role": "USER", "content": "what is it"},
            Text("c1", "USER", "what is it"),
        ),
        (
            "textOutput",
            {"contentId": "c1", "role": "ASSISTANT", "content": '{ "interrupted" : true }'},
            Interrupted("c1"),
        ),
        (
            "textOutput",
            {"contentId": "c1", "role": "ASSISTANT", "content": '{"interrupted":true}'},
            Interrupted("c1"),
        ),
        ("audioOutput", {"contentId": "c4", "content": "AAEC"}, Sound("c4", b"\0\1")),
        (
            "toolUse",
            {"contentId": "c2", "toolName": "l", "toolUseId": "tu-1", "content": '{"q":"x"}'},
            ToolWanted("c2", "tu-1", "l", '{"q":"x"}'),
        ),
        (
            "toolUse",
            {"contentId": "c2", "toolName": "l", "toolUseId": "tu-1", "content": {"q": 1}},
            ToolWanted("c2", "tu-1", "l", '{"q":1}'),
        ),
        (
            "contentEnd",
            {"contentId": "c4", "type": "AUDIO", "stopReason": "END_TURN"},
            BlockEnded("c4", "AUDIO", "END_TURN"),
        ),
        (
            "usageEvent",
            {
                "details": {
                    "delta": {
                        "input": {"speechTokens": 8, "textTokens": 0},
                        "output": {"speechTokens": 4, "textTokens": 2},
                    },
                    "total": {"input": {"speechTokens": 90, "textTokens": 30}},
                }
            },
            Spending(0, 8, 2, 4),
        ),
        ("completionStart", {}, Other("completionStart")),
        ("neverHeardOf", {}, Other("neverHeardOf")),
    ],
)
def test_an_event_is_a_fact(name: str, fields: dict[str, Any], fact: Fact) -> None:
    assert got(name, **fields) == fact


def test_a_student_may_speak_of_interruptions() -> None:
    said = 'I was "interrupted": true story'
    assert got("textOutput", contentId="c", role="USER", content=said) == Text("c", "USER", said)


def test_an_exception_is_a_refusal() -> None:
    headers = {":message-type": "exception", ":exception-type": "throttlingException"}
    assert wire.read(Message(headers, b'{"message":"Slow down."}')) == Refused(
        "throttlingException", "Slow down."
    )
    assert wire.read(Message(headers, b"plain")) == Refused("throttlingException", "plain")
    headers = {":message-type": "error", ":error-code": "E", ":error-message": "text"}
    assert wire.read(Message(headers, b"")) == Refused("E", "text")


def test_what_is_no_event_is_told() -> None:
    for payload in (b"", b"[]", b'{"bytes":"\xc3\xa9"}', b'{"bytes":"AA', b'{"bytes":"AAAA"}'):
        with pytest.raises(WireBroken):
            wire.read(Message({}, payload))
    assert wire.read(Message({":event-type": "new"}, b'{"other":1}')) == Other("new")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 2**70) | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=6,
)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(sorted(wire._READERS)), JSON)
def test_known_events_with_anything_in_them_raise_only_our_error(name: str, inside: Any) -> None:
    raw = json.dumps({"event": {name: inside}}).encode()
    try:
        assert wire.decode(raw) is not None
    except WireBroken as problem:
        assert str(problem)


def test_a_hundred_thousand_spoilt_events_raise_nothing_else() -> None:
    chance = random.Random(7)
    fields = {
        "contentId": "c",
        "type": "TEXT",
        "role": "USER",
        "content": "AAEC",
        "additionalModelFields": '{"generationStage":"FINAL"}',
        "details": {"delta": {"input": {"speechTokens": 3}, "output": None}},
        "stopReason": "END_TURN",
        "toolUseId": "t",
        "toolName": "n",
    }
    odd = [None, True, 3, -1, 2.5, "", "é", "\x00", [], {}, [{}], {"input": 4}, "{", "[1]", "null"]
    names = [*sorted(wire._READERS), "x", ""]
    broken = 0
    for number in range(100_000):
        some = dict(fields)
        for _ in range(chance.randint(0, 3)):
            some[chance.choice(list(fields))] = chance.choice(odd)
        whole: Any = {
            "event": {chance.choice(names): chance.choice(odd) if number % 9 == 0 else some}
        }
        if number % 11 == 0:
            whole = chance.choice([[], None, 1, {"event": []}, {"event": None}, {}, {"event": {}}])
        raw = bytearray(orjson.dumps(whole))
        if number % 3 == 0:
            for _ in range(chance.randint(1, 4)):
                raw[chance.randrange(len(raw))] = chance.randrange(256)
        try:
            wire.decode(bytes(raw))
        except WireBroken:
            broken += 1
    assert 10_000 < broken < 90_000
