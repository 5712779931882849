"""Chat completions as a language model: the wire, its oddities, and what breaks."""

import random
from collections.abc import AsyncIterator
from typing import Any

import pytest

from ai.engine import EngineError, EngineFailed, EngineUnavailable, Spent
from ai.language import ModelPiece, Said, Stopped, TextDelta, ToolResult, ToolUse
from ai.openai.chat import ChatModel
from ai.openai.chat_wire import ChatDecoder, Dialect, adapted, dialect_of, request
from ai.openai.settings import OpenAISettings
from ai.tools import CHECK_ANSWER
from tests.ai.fuzz import scrambled
from tests.ai.raw_http import CUT, HANG, RawHttp, bytewise, raw_http, sse

TURNS = [
    Said("student", "hi"),
    Said("tutor", "Let me see."),
    ToolUse("c1", "check_answer", '{"said":"2"}', {"extra_content": {"s": 1}}),
    ToolUse("c2", "show", "{}"),
    ToolResult("c1", '{"verdict":"right"}'),
    ToolResult("c2", "{}"),
    Said("student", "and now?"),
]


def chunk(delta: Any, finish: str | None = None, **more: Any) -> dict[str, Any]:
    return {"id": "c", "choices": [{"index": 0, "delta": delta, "finish_reason": finish}], **more}


HELLO = [chunk({"role": "assistant", "content": ""}), chunk({"content": "¿Qué "}),
         chunk({"content": "es ½?"}), chunk({}, "stop"),
         {"id": "c", "choices": [], "usage": {"prompt_tokens": 20, "completion_tokens": 4,
                                  "prompt_tokens_details": {"cached_tokens": 15}}}]  # fmt: skip
SAID = [
    TextDelta("¿Qué "), TextDelta("es ½?"), Stopped("end"),
    Spent("text_tokens_in", 5, "m"), Spent("cached_tokens_in", 15, "m"),
    Spent("text_tokens_out", 4, "m"),
]  # fmt: skip


@pytest.fixture
async def server() -> AsyncIterator[RawHttp]:
    async with raw_http() as server:
        yield server


@pytest.fixture
async def model(server: RawHttp, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[ChatModel]:
    monkeypatch.setattr("ai.retrying.pause_s", lambda fault, failed: quick(fault))
    model = ChatModel(OpenAISettings("key", f"{server.url}/v1", "m"))
    yield model
    await model.close()
    await server.until_closed()


def quick(fault: Any) -> float | None:
    return None if fault.kind == "terminal" or (fault.retry_after_s or 0) > 2 else 0.0


async def said(model: ChatModel, tools: Any = ()) -> list[ModelPiece]:
    return [piece async for piece in model.stream("SYS", TURNS[:1], tools, 77)]


# ---- what is asked -------------------------------------------------------------------------------


def test_a_request_has_the_system_part_alone_and_tools_where_they_were_used() -> None:
    body = request("m", "SYS", TURNS, [CHECK_ANSWER], 50, Dialect())
    assert body["messages"][0] == {"role": "system", "content": "SYS"}
    assert [message["role"] for message in body["messages"]] == [
        "system", "user", "assistant", "tool", "tool", "user",
    ]  # fmt: skip
    assert body["messages"][2] == {
        "role": "assistant",
        "content": "Let me see.",
        "tool_calls": [
            {"id": "c1", "type": "function", "extra_content": {"s": 1},
             "function": {"name": "check_answer", "arguments": '{"said":"2"}'}},
            {"id": "c2", "type": "function", "function": {"name": "show", "arguments": "{}"}},
        ],
    }  # fmt: skip
    assert body["tools"][0]["function"]["name"] == "check_answer"
    assert body["max_completion_tokens"] == 50 and body["stream_options"]


def test_a_tool_without_words_has_a_message_of_its_own() -> None:
    body = request("m", "SYS", [TURNS[0], TURNS[3]], [], 50, Dialect("max_tokens", False, False))
    assert body["messages"][2]["content"] == ""
    assert body["max_tokens"] == 50
    assert "tools" not in body and "stream_options" not in body


@pytest.mark.parametrize(
    ("dialect", "refused_for", "known"),
    [
        (Dialect(), "max_completion_tokens: extra inputs are not permitted", Dialect("max_tokens")),
        (Dialect("max_tokens"),
         "unsupported parameter: 'max_tokens'. use 'max_completion_tokens' instead.", Dialect()),
        (Dialect(), "unknown field stream_options", Dialect(usage=False)),
        (Dialect(), "registry/phi does not support tools", Dialect(tools=False)),
        (Dialect(tools=False), "does not support tools", None),
        (Dialect(), "", None),
        (Dialect(), "the context is too long", None),
    ],
)  # fmt: skip
def test_what_a_server_does_not_know_is_left_out(
    dialect: Dialect, refused_for: str, known: Dialect | None
) -> None:
    assert adapted(dialect, refused_for) == known


def test_others_are_first_spoken_to_in_the_older_words() -> None:
    assert dialect_of("https://api.openai.com/v1").most == "max_completion_tokens"
    assert dialect_of("http://localhost:11434/v1").most == "max_tokens"


# ---- what comes ----------------------------------------------------------------------------------


async def test_words_come_as_they_are_written_and_then_what_they_cost(
    server: RawHttp, model: ChatModel
) -> None:
    server.says(sse(*HELLO), content_type="text/event-stream")
    assert await said(model, [CHECK_ANSWER]) == SAID
    asked = server.asked[0]
    assert asked.path == "/v1/chat/completions"
    assert asked.headers["authorization"] == "Bearer key"
    assert "openai-organization" not in asked.headers
    assert asked.json["max_tokens"] == 77 and asked.json["stream"] is True


async def test_a_stream_cut_within_every_character_is_the_same(
    server: RawHttp, model: ChatModel
) -> None:
    server.says(*bytewise(sse(*HELLO)), content_type="text/event-stream")
    assert await said(model) == SAID


async def test_lines_may_end_in_any_way(server: RawHttp, model: ChatModel) -> None:
    server.says(
        b": a comment\r\n\r\n" + sse(*HELLO).replace(b"\n", b"\r\n"),
        content_type="text/event-stream",
    )
    assert await said(model) == SAID


def decoded(*chunks: Any) -> list[ModelPiece]:
    decoder = ChatDecoder("m")
    pieces = [piece for one in chunks for piece in decoder.decode(one)]
    return [*pieces, *decoder.end()]


def call(index: Any = 0, call_id: Any = None, name: Any = None, arguments: Any = "") -> Any:
    return chunk(
        {"tool_calls": [{"index": index, "id": call_id, "type": "function",
                         "function": {"name": name, "arguments": arguments}}]}
    )  # fmt: skip


def test_tools_come_in_fragments() -> None:
    assert decoded(
        chunk({"content": "Hm."}),
        call(0, "a", "show", ""), call(0, None, None, '{"ki'), call(0, None, None, 'nd":1}'),
        call(1, "b", "look_up", "{}"),
        chunk({}, "tool_calls"),
    ) == [
        TextDelta("Hm."), ToolUse("a", "show", '{"kind":1}'), ToolUse("b", "look_up", "{}"),
        Stopped("tools"),
    ]  # fmt: skip


def test_servers_with_their_own_idea_of_tools_are_understood() -> None:
    whole = [call(0, "a", "show", {"kind": 1}), call(0, "b", "show", "{}"), chunk({}, "stop")]
    assert decoded(*whole) == [
        ToolUse("a", "show", '{"kind":1}'), ToolUse("b", "show", "{}"), Stopped("tools"),
    ]  # fmt: skip
    assert decoded(call(None, None, "show", ""), chunk({}, "stop")) == [
        ToolUse("call_0", "show", "{}"), Stopped("tools"),
    ]  # fmt: skip


def test_thinking_is_no_text() -> None:
    thought = chunk({"reasoning_content": "They are wrong.", "reasoning": "x", "content": None})
    assert decoded(thought, chunk({"content": "Hm."}), chunk({}, "length")) == [
        TextDelta("Hm."), Stopped("length"),
    ]  # fmt: skip


def test_a_chunk_of_another_answer_is_not_spoken() -> None:
    foreign = chunk({"content": "not yours"}) | {"id": "other"}
    assert decoded(chunk({"content": "a"}), foreign, chunk({}, "stop"))[0:2] == [
        TextDelta("a"), Stopped("end"),
    ]  # fmt: skip


def test_a_server_that_never_stops_calling_tools_is_bounded() -> None:
    chunks = [call(number, f"c{number}", "show", "x" * 30_000) for number in range(1_000)]
    pieces = decoded(*chunks, chunk({}, "tool_calls"))
    assert len(pieces) == 17 and all(len(one.arguments) < 30_000 for one in pieces[:-1])  # type: ignore[union-attr]


@pytest.mark.slow
def test_any_event_is_decoded_or_ignored() -> None:
    """10^5 events, each a known one with parts of it exchanged for nonsense."""
    known = [*HELLO, call(0, "a", "show", '{"a"'), call(1, "b", "x", {"y": []})]
    dice = random.Random(4)
    for _ in range(1_000):
        decoder = ChatDecoder("m")
        for _ in range(100):
            for piece in decoder.decode(scrambled(dice, dice.choice(known))):
                assert isinstance(piece, TextDelta) and isinstance(piece.text, str)
        try:
            pieces = list(decoder.end())
        except EngineFailed as problem:
            assert problem.fault.code == "stream_cut"
        else:
            assert sum(isinstance(piece, Stopped) for piece in pieces) == 1


# ---- what breaks ---------------------------------------------------------------------------------


async def test_a_passing_fault_before_the_first_word_is_bridged(
    server: RawHttp, model: ChatModel
) -> None:
    server.refuses(503, {"message": "busy", "type": "server_error"})
    server.says(CUT)
    server.says(sse(*HELLO), content_type="text/event-stream")
    assert await said(model) == SAID
    assert len(server.asked) == 3


async def test_after_the_first_word_nothing_is_asked_again(
    server: RawHttp, model: ChatModel
) -> None:
    server.says(sse(*HELLO[:2], done=False), CUT, content_type="text/event-stream")
    pieces = model.stream("SYS", TURNS[:1], (), 77)
    assert await anext(pieces) == TextDelta("¿Qué ")
    with pytest.raises(EngineFailed) as failed:
        await anext(pieces)
    assert failed.value.fault.kind == "transient" and len(server.asked) == 1


@pytest.mark.parametrize(
    "rest",
    [
        b'data: {"error": {"message": "The model broke.", "type": "server_error"}}\n\n',
        b'data: {"type": "\n\n',
        b"data: [DONE]\n\n",
        b"\xff\xfe\n\n",
        b"",
    ],
    ids=["error", "no JSON", "done too early", "no UTF-8", "over too early"],
)
async def test_a_stream_that_breaks_is_told_as_our_error(
    server: RawHttp, model: ChatModel, rest: bytes
) -> None:
    server.says(sse(*HELLO[:2], done=False), rest, content_type="text/event-stream")
    with pytest.raises(EngineFailed) as failed:
        await said(model)
    assert failed.value.fault.kind == "transient"


async def test_a_server_that_sends_us_on_is_not_followed(server: RawHttp, model: ChatModel) -> None:
    async with raw_http() as elsewhere:
        server.says(b"", status=307, location=f"{elsewhere.url}/v1/chat/completions")
        with pytest.raises(EngineUnavailable) as failed:
            await said(model)
        assert (failed.value.fault.kind, failed.value.fault.code) == ("terminal", "wrong_address")
        assert not elsewhere.asked


@pytest.mark.parametrize(
    ("status", "error", "kind"),
    [
        (401, {"message": "no", "code": "invalid_api_key"}, "terminal"),
        (404, {"message": "no", "code": "model_not_found"}, "terminal"),
        (429, {"message": "no", "code": "insufficient_quota"}, "terminal"),
        (429, {"message": "no", "code": "rate_limit_exceeded"}, "throttled"),
        (500, {"message": "no"}, "transient"),
    ],
)
async def test_refusals_are_told_with_what_helps(
    server: RawHttp, model: ChatModel, status: int, error: dict[str, str], kind: str
) -> None:
    server.refuses(status, error)
    with pytest.raises(EngineUnavailable) as failed:
        await said(model)
    assert failed.value.fault.kind == kind
    assert len(server.asked) == (1 if kind == "terminal" else 3)


async def test_who_asks_to_wait_long_is_not_asked_again(server: RawHttp, model: ChatModel) -> None:
    server.refuses(429, {"message": "no", "code": "rate_limit_exceeded"}, retry_after="20")
    with pytest.raises(EngineUnavailable) as failed:
        await said(model)
    assert failed.value.fault.retry_after_s == 20 and len(server.asked) == 1


async def test_a_server_that_knows_less_is_asked_for_less(
    server: RawHttp, model: ChatModel
) -> None:
    server.refuses(400, {"message": "Unknown field: stream_options"})
    server.refuses(400, {"message": "This model does not support tools"})
    server.says(sse(*HELLO), content_type="text/event-stream")
    assert (await said(model, [CHECK_ANSWER]))[0] == SAID[0]
    assert "tools" not in server.asked[2].json and "stream_options" not in server.asked[2].json
    await said(model, [CHECK_ANSWER])
    assert len(server.asked) == 4, "it is remembered"


async def test_nobody_there(model: ChatModel) -> None:
    model = ChatModel(OpenAISettings("key", "http://127.0.0.1:9/v1", "m"))
    with pytest.raises(EngineError) as failed:
        await said(model)
    assert failed.value.fault.code == "connection_lost"
    await model.close()


async def test_an_answer_that_is_not_wanted_any_more_is_hung_up(
    server: RawHttp, model: ChatModel
) -> None:
    server.says(sse(*HELLO[:2], done=False), HANG, content_type="text/event-stream")
    pieces = model.stream("SYS", TURNS[:1], (), 77)
    assert await anext(pieces) == TextDelta("¿Qué ")
    assert server.open == 1
    await pieces.aclose()
    await server.until_closed()


def test_the_key_is_nowhere_to_be_seen() -> None:
    model = ChatModel(OpenAISettings("sk-secret", "http://localhost/v1", "m"))
    assert "sk-secret" not in repr(vars(model))
