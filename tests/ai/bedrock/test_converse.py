"""A language model on Bedrock: what is asked, what comes, and what breaks."""

import random
from collections.abc import AsyncIterator
from typing import Any

import orjson
import pytest

from ai.bedrock.converse import ConverseModel, ConverseSettings
from ai.bedrock.converse_wire import ConverseDecoder, request
from ai.bedrock.credentials import AwsCredentials, fixed
from ai.bedrock.eventstream import Message, encode
from ai.engine import EngineError, EngineFailed, EngineUnavailable, Spent
from ai.language import ModelPiece, Said, Stopped, TextDelta, ToolResult, ToolUse
from ai.tools import CHECK_ANSWER
from tests.ai.fuzz import scrambled
from tests.ai.raw_http import CUT, HANG, RawHttp, raw_http

STREAM = "application/vnd.amazon.eventstream"
KEY = AwsCredentials("AKIDEXAMPLE", "secret", "token")


def event(kind: str, **about: Any) -> tuple[str, dict[str, Any]]:
    return kind, {**about, "p": "abcdefgh"}


def delta(index: int, **part: Any) -> tuple[str, dict[str, Any]]:
    return event("contentBlockDelta", contentBlockIndex=index, delta=part)


USAGE = {"inputTokens": 5, "outputTokens": 4, "cacheReadInputTokens": 15, "totalTokens": 24}
HELLO = [
    event("messageStart", role="assistant"),
    delta(0, text="¿Qué "), delta(0, reasoningContent={"text": "hm"}), delta(0, text="es ½?"),
    event("contentBlockStop", contentBlockIndex=0),
    event("messageStop", stopReason="end_turn"),
    event("metadata", usage=USAGE, metrics={"latencyMs": 9}),
]  # fmt: skip
SAID = [
    TextDelta("¿Qué "), TextDelta("es ½?"), Stopped("end"), Spent("text_tokens_in", 5, "m:0"),
    Spent("cached_tokens_in", 15, "m:0"), Spent("text_tokens_out", 4, "m:0"),
]  # fmt: skip
USES = [
    event("contentBlockStart", contentBlockIndex=1,
          start={"toolUse": {"toolUseId": "t1", "name": "show"}}),
    delta(1, toolUse={"input": '{"ki'}), delta(1, toolUse={"input": 'nd":1}'}),
    event("contentBlockStart", contentBlockIndex=2,
          start={"toolUse": {"toolUseId": "t2", "name": "look_up"}}),
    event("messageStop", stopReason="tool_use"),
]  # fmt: skip


def frame(kind: str, about: Any) -> bytes:
    headers = {":event-type": kind, ":content-type": "application/json", ":message-type": "event"}
    return encode(headers, orjson.dumps(about))


def exception(kind: str, message: str) -> bytes:
    headers = {":exception-type": kind, ":message-type": "exception"}
    return encode(headers, orjson.dumps({"message": message}))


def body(*events: tuple[str, Any]) -> bytes:
    return b"".join(frame(*each) for each in events)


def decoded(*events: tuple[str, Any]) -> list[ModelPiece]:
    decoder = ConverseDecoder("m:0")
    pieces = [
        piece
        for kind, about in events
        for piece in decoder.decode(Message({":event-type": kind}, orjson.dumps(about)))
    ]
    decoder.end()
    return pieces


# ---- the wire ------------------------------------------------------------------------------------


def test_a_request_takes_turns_and_has_tools_as_objects() -> None:
    turns = [
        Said("student", "hi"), Said("tutor", "Hm."), ToolUse("c/1", "check_answer", '{"said":"2"}'),
        ToolUse("c2", "show", "nonsense"), ToolResult("c/1", '{"verdict":"right"}'),
        ToolResult("c2", "[]"), Said("student", "and?"),
    ]  # fmt: skip
    asked = request("us.amazon.nova-2-lite-v1:0", "SYS", turns, [CHECK_ANSWER], 99)
    assert asked["system"] == [{"text": "SYS"}, {"cachePoint": {"type": "default"}}]
    assert asked["inferenceConfig"] == {"maxTokens": 99}
    assert asked["messages"] == [
        {"role": "user", "content": [{"text": "hi"}]},
        {"role": "assistant", "content": [
            {"text": "Hm."},
            {"toolUse": {"toolUseId": "c_1", "name": "check_answer", "input": {"said": "2"}}},
            {"toolUse": {"toolUseId": "c2", "name": "show", "input": {}}},
        ]},
        {"role": "user", "content": [
            {"toolResult": {"toolUseId": "c_1", "content": [{"json": {"verdict": "right"}}]}},
            {"toolResult": {"toolUseId": "c2", "content": [{"text": "[]"}]}},
            {"text": "and?"},
        ]},
    ]  # fmt: skip
    [spec] = asked["toolConfig"]["tools"]
    assert set(spec["toolSpec"]["inputSchema"]["json"]) == {"type", "properties", "required"}
    plain = request("other.model", "SYS", turns[:1], [], 99)
    assert plain["system"] == [{"text": "SYS"}] and "toolConfig" not in plain


def test_words_tools_and_what_they_cost() -> None:
    assert decoded(*HELLO) == SAID
    assert decoded(*USES) == [
        ToolUse("t1", "show", '{"kind":1}'), ToolUse("t2", "look_up", "{}"), Stopped("tools"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("reason", "stopped"),
    [("max_tokens", "length"), ("guardrail_intervened", "filtered"), ("new_reason", "end")],
)
def test_why_it_stopped(reason: str, stopped: str) -> None:
    assert decoded(event("messageStop", stopReason=reason)) == [Stopped(stopped)]  # type: ignore[arg-type]


def test_malformed_output_has_failed() -> None:
    with pytest.raises(EngineFailed) as failed:
        decoded(event("messageStop", stopReason="malformed_tool_use"))
    assert failed.value.fault.code == "answer_malformed"


@pytest.mark.slow
def test_any_event_is_decoded_ignored_or_our_error() -> None:
    """10^5 events, each a known one with parts of it exchanged for nonsense."""
    dice = random.Random(8)
    known = [*HELLO, *USES]
    for _ in range(2_000):
        decoder = ConverseDecoder("m")
        for _ in range(50):
            kind, about = dice.choice(known)
            try:
                payload = orjson.dumps(scrambled(dice, about))
            except TypeError:  # it can't be written, so it can't come
                payload = b'{"delta": '
            try:
                pieces = list(decoder.decode(Message({":event-type": kind}, payload)))
            except EngineError:
                continue
            assert all(isinstance(one, TextDelta | ToolUse | Stopped | Spent) for one in pieces)


# ---- the line ------------------------------------------------------------------------------------


@pytest.fixture
async def server() -> AsyncIterator[RawHttp]:
    async with raw_http() as server:
        yield server


@pytest.fixture
async def model(server: RawHttp, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[ConverseModel]:
    monkeypatch.setattr(
        "ai.retrying.pause_s", lambda fault, failed: None if fault.kind == "terminal" else 0.0
    )
    model = ConverseModel(ConverseSettings("us-east-1", "m:0", server.url), fixed(KEY))
    yield model
    await model.close()
    await server.until_closed()


async def said(model: ConverseModel) -> list[ModelPiece]:
    return [piece async for piece in model.stream("SYS", [Said("student", "hi")], (), 77)]


async def test_a_stream_cut_anywhere_is_the_same(server: RawHttp, model: ConverseModel) -> None:
    whole = body(*HELLO)
    server.says(*(whole[at : at + 7] for at in range(0, len(whole), 7)), content_type=STREAM)
    assert await said(model) == SAID
    asked = server.asked[0]
    assert asked.path == "/model/m%3A0/converse-stream"
    assert asked.headers["authorization"].startswith("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/")
    assert asked.headers["x-amz-security-token"] == "token"
    assert asked.json["messages"][0]["content"] == [{"text": "hi"}]


async def test_a_fault_before_the_first_word_is_bridged(
    server: RawHttp, model: ConverseModel
) -> None:
    server.says(CUT)
    server.says(exception("throttlingException", "slow down"), content_type=STREAM)
    server.says(body(*HELLO), content_type=STREAM)
    assert await said(model) == SAID


@pytest.mark.parametrize(
    ("rest", "kind"),
    [
        (exception("modelStreamErrorException", "broke"), "transient"),
        (exception("throttlingException", "slow down"), "throttled"),
        (b"\0" * 40, "transient"),
        (CUT, "transient"),
        (b"", "transient"),
    ],
    ids=["exception", "throttled", "no frame", "cut", "over too early"],
)
async def test_a_stream_that_breaks_is_not_asked_again(
    server: RawHttp, model: ConverseModel, rest: Any, kind: str
) -> None:
    parts = [part for part in (body(*HELLO[:2]), rest) if part]
    server.says(*parts, content_type=STREAM)
    with pytest.raises(EngineError) as failed:
        await said(model)
    assert failed.value.fault.kind == kind and len(server.asked) == 1


@pytest.mark.parametrize(
    ("status", "name", "kind"),
    [
        (403, "AccessDeniedException", "terminal"),
        (404, "ResourceNotFoundException", "terminal"),
        (429, "ThrottlingException:http://internal", "throttled"),
        (500, "InternalServerException", "transient"),
        (502, "", "transient"),
    ],
)
async def test_refusals_are_told_with_what_helps(
    server: RawHttp, model: ConverseModel, status: int, name: str, kind: str
) -> None:
    server.says(b'{"message":"no"}', status=status, x_amzn_errortype=name)
    with pytest.raises(EngineUnavailable) as failed:
        await said(model)
    assert failed.value.fault.kind == kind
    assert len(server.asked) == (1 if kind == "terminal" else 3)


async def test_an_answer_that_is_not_wanted_any_more_is_hung_up(
    server: RawHttp, model: ConverseModel
) -> None:
    server.says(body(*HELLO[:2]), HANG, content_type=STREAM)
    pieces = model.stream("SYS", [Said("student", "hi")], (), 77)
    assert await anext(pieces) == TextDelta("¿Qué ")
    assert server.open == 1
    await pieces.aclose()
    await server.until_closed()
