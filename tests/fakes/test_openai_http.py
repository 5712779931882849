"""The simulated OpenAI, as the official client sees it, and the faults it can have."""

import asyncio
import io
import json
import ssl
import wave
from collections.abc import AsyncIterator
from typing import Any

import httpx
import openai
import pytest
import websockets
from openai import AsyncOpenAI, DefaultAsyncHttpxClient

from ai.audio import RATE_HZ, duration_ms
from tests.fakes.certificates import self_signed
from tests.fakes.ears import Told
from tests.fakes.faults import Fault
from tests.fakes.mind import Call, Reply, Script
from tests.fakes.openai_desk import NO_SUCH_MODEL
from tests.fakes.openai_manners import Manners
from tests.fakes.openai_mishaps import FOREIGN
from tests.fakes.openai_server import OpenAISimulator, simulate_openai
from tests.fakes.voice import spoken

MODEL = "gpt-5.6-terra"
WORDS = "¿Qué tal? Ein Drittel ist größer — as 1 ÷ 3 shows 🍕."
HELLO: Any = [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "hello"}]
TOOL: Any = {"name": "look_up", "parameters": {"type": "object", "properties": {}}}
ARGUMENTS = '{"word": "größer"}'


@pytest.fixture
async def simulator() -> AsyncIterator[OpenAISimulator]:
    look = Reply("One moment.", (Call("look_up", ARGUMENTS),), Reply("Here it is."))
    script = Script(WORDS, [], {"look": look})
    async with simulate_openai(Manners(script=script, ears=Told(["one half"]))) as running:
        yield running


@pytest.fixture
async def client(simulator: OpenAISimulator) -> AsyncIterator[AsyncOpenAI]:
    async with client_of(simulator) as made:
        yield made


def client_of(simulator: OpenAISimulator, **more: Any) -> AsyncOpenAI:
    more = {"max_retries": 0, "timeout": 5, **more}
    return AsyncOpenAI(base_url=simulator.base_url, api_key=simulator.key, **more)


async def test_realtime_by_the_official_client(client: AsyncOpenAI) -> None:
    async with client.realtime.connect(model="gpt-realtime-2.1") as connection:
        await connection.session.update(session={"type": "realtime", "output_modalities": ["text"]})
        content: Any = [{"type": "input_text", "text": "hello"}]
        await connection.conversation.item.create(
            item={"type": "message", "role": "user", "content": content}
        )
        await connection.response.create()
        text = ""
        async for event in connection:
            if event.type == "response.output_text.delta":
                text += event.delta
            elif event.type == "response.done":
                assert event.response.usage is not None
                break
        assert text == WORDS


async def test_chat_at_once_and_in_pieces(client: AsyncOpenAI, simulator: OpenAISimulator) -> None:
    whole = await client.chat.completions.create(model=MODEL, messages=HELLO)
    assert whole.choices[0].message.content == WORDS
    assert whole.usage is not None and whole.usage.total_tokens > 10
    usages = []
    for options in ({}, {"stream_options": {"include_usage": True}}):
        stream: Any = await client.chat.completions.create(
            model=MODEL,
            messages=HELLO,
            stream=True,
            **options,  # type: ignore[call-overload]
        )
        chunks = [chunk async for chunk in stream]
        text = "".join(c.delta.content or "" for chunk in chunks for c in chunk.choices)
        assert text == WORDS
        assert chunks[0].choices[0].delta.role == "assistant"
        usages.append(chunks[-1].usage)
    assert usages[0] is None and usages[1].prompt_tokens > 0
    assert len({chunk.id for chunk in chunks}) == 1
    short = await client.chat.completions.create(
        model=MODEL, messages=HELLO, max_completion_tokens=2
    )
    assert short.choices[0].finish_reason == "length"
    assert simulator.violations == []


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
async def test_streams_are_cut_anywhere(
    client: AsyncOpenAI, simulator: OpenAISimulator, line_end: str
) -> None:
    simulator.http.manners.split = 3
    simulator.http.manners.line_end = line_end
    async with httpx.AsyncClient() as raw:
        url = f"{simulator.base_url}/chat/completions"
        body = {"model": MODEL, "messages": HELLO, "stream": True}
        bearer = {"Authorization": f"Bearer {simulator.key}"}
        async with raw.stream("POST", url, json=body, headers=bearer) as response:
            pieces = [piece async for piece in response.aiter_raw()]
    assert b"".join(pieces).endswith(f"data: [DONE]{line_end}{line_end}".encode())
    assert max(map(len, pieces)) <= 3
    assert any(_broken(piece) for piece in pieces)
    if line_end == "\r\n":
        assert any(piece.endswith(b"\r") for piece in pieces)
    stream = await client.responses.create(model=MODEL, input="hello", stream=True)
    texts = [event.delta async for event in stream if event.type == "response.output_text.delta"]
    assert "".join(texts) == WORDS


def _broken(piece: bytes) -> bool:
    try:
        piece.decode()
    except UnicodeDecodeError:
        return True
    return False


async def test_chat_calls_tools_and_waits_for_what_they_bring(
    client: AsyncOpenAI, simulator: OpenAISimulator
) -> None:
    tools: Any = [{"type": "function", "function": TOOL}]
    messages = [*HELLO, {"role": "assistant", "content": "Hi."}]
    messages += [{"role": "user", "content": "look it up"}]
    stream: Any = await client.chat.completions.create(
        model=MODEL, messages=messages, tools=tools, stream=True
    )
    name, arguments, call_id, finish = "", "", "", None
    async for chunk in stream:
        for call in chunk.choices[0].delta.tool_calls or ():
            name += call.function.name or ""
            arguments += call.function.arguments or ""
            call_id += call.id or ""
        finish = chunk.choices[0].finish_reason or finish
    assert (name, arguments, finish) == ("look_up", ARGUMENTS, "tool_calls")
    function = {"name": name, "arguments": arguments}
    call_made: Any = {"id": call_id, "type": "function", "function": function}
    messages += [{"role": "assistant", "content": "One moment.", "tool_calls": [call_made]}]
    with pytest.raises(openai.BadRequestError):
        await client.chat.completions.create(
            model=MODEL, messages=[*messages, {"role": "user", "content": "Well?"}], tools=tools
        )
    assert len(simulator.violations) == 1
    messages += [{"role": "tool", "tool_call_id": call_id, "content": "{}"}]
    whole = await client.chat.completions.create(model=MODEL, messages=messages, tools=tools)
    assert whole.choices[0].message.content == "Here it is."


async def test_responses_tell_each_step_with_a_number(
    client: AsyncOpenAI, simulator: OpenAISimulator
) -> None:
    tools: Any = [{"type": "function", "strict": False, **TOOL}]
    given: Any = [{"role": "user", "content": "look it up"}]
    stream = await client.responses.create(
        model=MODEL, instructions="Be kind.", input=given, tools=tools, stream=True
    )
    events = [event async for event in stream]
    assert [event.sequence_number for event in events] == list(range(len(events)))
    kinds = [event.type for event in events]
    assert kinds[:4] == [
        "response.created",
        "response.in_progress",
        "response.output_item.added",
        "response.content_part.added",
    ]
    last = events[-1]
    assert last.type == "response.completed" and last.response.usage is not None
    call = last.response.output[1]
    assert call.type == "function_call" and json.loads(call.arguments) == {"word": "größer"}
    output: Any = [{"type": "function_call_output", "call_id": call.call_id, "output": "{}"}]
    whole = await client.responses.create(
        model=MODEL, previous_response_id=last.response.id, input=output, tools=tools
    )
    assert whole.output_text == "Here it is."
    assert simulator.violations == []


def wav(pcm: bytes, rate_hz: int = RATE_HZ) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(rate_hz)
        sound.writeframes(pcm)
    return file.getvalue()


async def test_it_listens(client: AsyncOpenAI, simulator: OpenAISimulator) -> None:
    file = ("turn.wav", wav(await spoken("one half")))
    heard = await client.audio.transcriptions.create(file=file, model="gpt-transcribe")
    assert heard.text == "one half"
    simulator.manners.ears = Told(["one half"])
    stream = await client.audio.transcriptions.create(
        file=file, model="gpt-transcribe", language="en", stream=True
    )
    events = [event async for event in stream]
    assert [event.type for event in events] == ["transcript.text.delta"] * 2 + [
        "transcript.text.done"
    ]
    done = events[-1]
    assert done.type == "transcript.text.done" and done.usage is not None
    assert done.usage.input_tokens > 3
    assert simulator.violations == []
    with pytest.raises(openai.BadRequestError):
        await client.audio.transcriptions.create(file=("x.wav", b"x"), model="gpt-transcribe")


async def test_it_speaks(client: AsyncOpenAI, simulator: OpenAISimulator) -> None:
    wish: Any = {"model": "gpt-4o-mini-tts", "voice": "marin", "input": "Three quarters."}
    wish["response_format"] = "pcm"
    async with client.audio.speech.with_streaming_response.create(**wish) as response:
        pcm = b"".join([piece async for piece in response.iter_bytes()])
    assert 500 < duration_ms(pcm) < 2_500
    for change in ({"speed": 5}, {"voice": "bob"}, {"input": "x" * 4_097}):
        with pytest.raises(openai.BadRequestError):
            await client.audio.speech.create(**{**wish, **change})
    assert len(simulator.violations) == 3


async def test_refusals_have_the_official_shape(
    client: AsyncOpenAI, simulator: OpenAISimulator
) -> None:
    with pytest.raises(openai.AuthenticationError) as wrong:
        await client.with_options(api_key="other").models.list()
    assert wrong.value.code == "invalid_api_key"
    with pytest.raises(openai.NotFoundError) as unknown:
        await client.chat.completions.create(model=NO_SUCH_MODEL, messages=HELLO)
    assert unknown.value.code == "model_not_found"
    with pytest.raises(openai.BadRequestError) as bad:
        await client.chat.completions.create(model=MODEL, messages=HELLO, extra_body={"temp": 1})
    assert (bad.value.code, bad.value.param) == ("unknown_parameter", "temp")
    simulator.http.faults.plan(Fault("throttled", detail="7"))
    with pytest.raises(openai.RateLimitError) as throttled:
        await client.models.list()
    assert throttled.value.response.headers["retry-after"] == "7"
    simulator.http.faults.plan(Fault("server_error", detail="500"))
    with pytest.raises(openai.InternalServerError):
        await client.models.list()
    assert (await client.models.retrieve(MODEL)).id == MODEL


async def test_a_client_that_retries_gets_through(simulator: OpenAISimulator) -> None:
    simulator.http.faults.plan(Fault("throttled", detail="0.01"), 2)
    async with client_of(simulator, max_retries=2) as client:
        whole = await client.chat.completions.create(model=MODEL, messages=HELLO)
    assert whole.choices[0].message.content == WORDS


STREAM_FAULTS: dict[str, type[Exception]] = {
    "refuse_connection": openai.APIConnectionError,
    "hang_before_first_event": openai.APITimeoutError,
    "hang_mid_audio": Exception,
    "close_mid_utterance": Exception,
    "invalid_json": json.JSONDecodeError,
    "error_mid_stream": openai.APIError,
}


@pytest.mark.parametrize("name", STREAM_FAULTS)
async def test_a_stream_breaks(simulator: OpenAISimulator, name: str) -> None:
    simulator.http.faults.plan(Fault(name))
    client: Any
    async with client_of(simulator, timeout=0.3) as client:
        with pytest.raises(STREAM_FAULTS[name]):
            stream = await client.chat.completions.create(model=MODEL, messages=HELLO, stream=True)
            async for _ in stream:
                pass


async def test_a_stream_says_what_it_should_not(
    client: AsyncOpenAI, simulator: OpenAISimulator
) -> None:
    async def text(name: str) -> str:
        simulator.http.faults.plan(Fault(name))
        stream = await client.chat.completions.create(model=MODEL, messages=HELLO, stream=True)
        chunks = [chunk async for chunk in stream]
        choices = [choice for chunk in chunks for choice in chunk.choices or ()]
        return "".join(choice.delta.content or "" for choice in choices)

    assert FOREIGN in await text("wrong_session")
    assert len(await text("duplicate_ids")) == 2 * len(WORDS)
    assert await text("unknown_event") == WORDS
    assert 0 < len(await text("close_at_limit")) < len(WORDS)


async def test_it_can_be_away_and_come_back(simulator: OpenAISimulator) -> None:
    simulator.go_away()
    async with client_of(simulator) as client:
        with pytest.raises(openai.APIConnectionError):
            await client.models.list()
        await simulator.come_back()
        await client.models.list()


async def test_the_first_word_can_be_slow(client: AsyncOpenAI, simulator: OpenAISimulator) -> None:
    simulator.http.manners.first_s = 0.1
    began = asyncio.get_running_loop().time()
    await client.chat.completions.create(model=MODEL, messages=HELLO)
    assert asyncio.get_running_loop().time() - began >= 0.1


async def test_both_doors_behind_tls() -> None:
    context, certificate = self_signed("http/1.1")
    trusting = ssl.create_default_context(cadata=certificate)
    async with simulate_openai(Manners(script=Script(WORDS), checks=False), tls=context) as running:
        http = DefaultAsyncHttpxClient(verify=trusting)
        async with client_of(running, http_client=http) as client:
            whole = await client.chat.completions.create(model=MODEL, messages=HELLO)
            assert whole.choices[0].message.content == WORDS
        url = f"wss://127.0.0.1:{running.port}/v1/realtime?model=gpt-realtime-2.1"
        bearer = {"Authorization": f"Bearer {running.key}"}
        async with websockets.connect(url, ssl=trusting, additional_headers=bearer) as connection:
            assert json.loads(await connection.recv())["type"] == "session.created"
        assert running.opened == 1
