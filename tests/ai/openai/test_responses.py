"""OpenAI's Responses as a language model."""

import random
from collections.abc import AsyncIterator
from typing import Any

import pytest

from ai.engine import EngineError, EngineFailed, Spent
from ai.language import ModelPiece, Said, Stopped, TextDelta, ToolResult, ToolUse
from ai.openai.responses import ResponsesModel
from ai.openai.responses_wire import ResponsesDecoder, request
from ai.openai.settings import OpenAISettings
from ai.tools import SHOW
from tests.ai.fuzz import scrambled
from tests.ai.raw_http import RawHttp, bytewise, raw_http, sse

USAGE = {"input_tokens": 20, "output_tokens": 4, "input_tokens_details": {"cached_tokens": 15}}
COST = [
    Spent("text_tokens_in", 5, "m"), Spent("cached_tokens_in", 15, "m"),
    Spent("text_tokens_out", 4, "m"),
]  # fmt: skip


def events(*about: dict[str, Any]) -> list[dict[str, Any]]:
    return [{**event, "sequence_number": number} for number, event in enumerate(about)]


def delta(text: str, item: str = "msg_1") -> dict[str, Any]:
    return {"type": "response.output_text.delta", "item_id": item, "delta": text}


ADDED = {"type": "response.output_item.added", "item": {"id": "msg_1", "type": "message"}}
USE = {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "show",
       "arguments": '{"kind":"plot"}'}  # fmt: skip
USED = {"type": "response.output_item.done", "item": USE}
COMPLETED = {"type": "response.completed", "response": {"status": "completed", "usage": USAGE}}
HELLO = events({"type": "response.created"}, ADDED, delta("¿Qué "), delta("es ½?"), COMPLETED)
SAID = [TextDelta("¿Qué "), TextDelta("es ½?"), Stopped("end"), *COST]


def decoded(*about: Any) -> list[ModelPiece]:
    decoder = ResponsesDecoder("m")
    pieces = [piece for event in about for piece in decoder.decode(event)]
    decoder.end()
    return pieces


def test_a_request_brings_everything_and_leaves_nothing_there() -> None:
    turns = [
        Said("student", "hi"), Said("tutor", "Hm."), ToolUse("c", "show", "{}"),
        ToolResult("c", "[]"),
    ]  # fmt: skip
    body = request("m", "SYS", turns, [SHOW], 99)
    assert body["instructions"] == "SYS" and body["store"] is False
    assert body["input"] == [
        {"type": "message", "role": "user", "content": "hi"},
        {"type": "message", "role": "assistant", "content": "Hm."},
        {"type": "function_call", "call_id": "c", "name": "show", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c", "output": "[]"},
    ]  # fmt: skip
    assert body["tools"][0]["name"] == "show" and body["max_output_tokens"] == 99


def test_words_and_what_they_cost() -> None:
    assert decoded(*HELLO) == SAID


def test_an_event_that_comes_twice_counts_once() -> None:
    assert decoded(*(event for event in HELLO for _ in range(2))) == SAID


def test_words_of_another_response_are_not_spoken() -> None:
    foreign = delta("not yours", "msg_other")
    assert decoded(*events(ADDED, foreign, delta("a"), COMPLETED))[0] == TextDelta("a")


def test_tools_and_other_ends() -> None:
    assert decoded(*events(USED, COMPLETED))[:2] == [
        ToolUse("call_1", "show", '{"kind":"plot"}'), Stopped("tools"),
    ]  # fmt: skip
    for reason, stopped in (("max_output_tokens", "length"), ("content_filter", "filtered")):
        about = {
            "type": "response.incomplete",
            "response": {"incomplete_details": {"reason": reason}},
        }
        assert decoded(about) == [Stopped(stopped)]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("event", "kind"),
    [
        ({"type": "response.failed", "response": {"error": {"code": "server_error"}}}, "transient"),
        ({"type": "error", "code": "rate_limit_exceeded", "message": "slow"}, "throttled"),
        ({"type": "response.failed"}, "transient"),
    ],
)
def test_an_answer_that_failed_says_why(event: dict[str, Any], kind: str) -> None:
    with pytest.raises(EngineFailed) as failed:
        decoded(event)
    assert failed.value.fault.kind == kind


@pytest.mark.slow
def test_any_event_is_decoded_ignored_or_our_error() -> None:
    """10^5 events, each a known one with parts of it exchanged for nonsense."""
    known = [*HELLO, USED, {"type": "error", "code": 3}, {"type": "response.failed"}]
    dice = random.Random(5)
    for _ in range(2_000):
        decoder = ResponsesDecoder("m")
        for _ in range(50):
            try:
                pieces = list(decoder.decode(scrambled(dice, dice.choice(known))))
            except EngineError:
                continue
            assert all(isinstance(one, TextDelta | ToolUse | Stopped | Spent) for one in pieces)


@pytest.fixture
async def server() -> AsyncIterator[RawHttp]:
    async with raw_http() as server:
        yield server


async def said(server: RawHttp) -> list[ModelPiece]:
    model = ResponsesModel(OpenAISettings("key", f"{server.url}/v1", "m"))
    try:
        return [piece async for piece in model.stream("SYS", [Said("student", "hi")], (), 77)]
    finally:
        await model.close()
        await server.until_closed()


async def test_a_stream_cut_within_every_character_is_the_same(server: RawHttp) -> None:
    body = sse(*HELLO, done=False, name=lambda event: event["type"])
    server.says(*bytewise(body), content_type="text/event-stream")
    assert await said(server) == SAID
    assert server.asked[0].path == "/v1/responses"


async def test_a_stream_that_ends_too_early_has_failed(server: RawHttp) -> None:
    server.says(sse(*HELLO[:-1], done=False), content_type="text/event-stream")
    with pytest.raises(EngineFailed) as failed:
        await said(server)
    assert failed.value.fault.code == "stream_cut" and len(server.asked) == 1
