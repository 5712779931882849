"""Ears and voice of OpenAI, or of a server that speaks the same."""

import base64
import io
import json
import random
import wave
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import orjson
import pytest

from ai.audio import duration_ms, silence
from ai.engine import (
    Answer,
    Brief,
    EngineError,
    EngineFailed,
    EngineUnavailable,
    Spent,
    Spoken,
    Step,
)
from ai.openai.ears import PROMPT_CHARACTERS, OpenAIEars, heard_speech, prompt, wav
from ai.openai.settings import OpenAISettings
from ai.openai.speaker import OpenAISpeaker, event_of
from tests.ai.fuzz import scrambled
from tests.ai.raw_http import CUT, HANG, RawHttp, raw_http, sse

STEP = Step("What?", (Answer("number", "2/4", ("two quarters",)),), "S")
BRIEF = Brief("", "T", "G", "es-MX", "Hi.", "Bye.", (STEP,), vocabulary=("pizza", "slice"))
SOUND = bytes(range(256)) * 40


@pytest.fixture
async def server() -> AsyncIterator[RawHttp]:
    async with raw_http() as server:
        yield server


@pytest.fixture
async def ears(server: RawHttp) -> AsyncIterator[OpenAIEars]:
    ears = OpenAIEars(OpenAISettings("key", f"{server.url}/v1", transcription_model="ear-1"))
    yield ears
    await ears.close()
    await server.until_closed()


@pytest.fixture
async def speaker(server: RawHttp) -> AsyncIterator[OpenAISpeaker]:
    speaker = OpenAISpeaker(OpenAISettings("key", f"{server.url}/v1", "voice-1", voice="nova"))
    yield speaker
    await speaker.close()
    await server.until_closed()


# ---- ears ----------------------------------------------------------------------------------------


def test_a_turn_is_a_file() -> None:
    with wave.open(io.BytesIO(wav(SOUND))) as sound:
        assert (sound.getnchannels(), sound.getsampwidth(), sound.getframerate()) == (1, 2, 24_000)
        assert sound.readframes(99_999) == SOUND


def test_ears_are_told_what_to_expect() -> None:
    assert prompt(BRIEF, 0) == "2/4, two quarters, pizza, slice"
    assert prompt(BRIEF, 7) == prompt(BRIEF, -1) == "pizza, slice"
    long = replace(BRIEF, vocabulary=tuple(f"word{n}" for n in range(400)))
    assert len(prompt(long, 0)) <= PROMPT_CHARACTERS


async def test_words_of_a_turn_and_what_they_cost(server: RawHttp, ears: OpenAIEars) -> None:
    usage = {"type": "tokens", "input_tokens": 12, "output_tokens": 3,
             "input_token_details": {"audio_tokens": 10, "text_tokens": 2}}  # fmt: skip
    answer = orjson.dumps({"text": " two\nquarters ", "usage": usage})
    server.says(answer, content_type="application/json")
    heard = await ears.transcribe(SOUND, BRIEF, 0)
    assert (heard.text, heard.sure, heard.model) == ("two quarters", True, "ear-1")
    assert heard.spent == (
        Spent("audio_tokens_in", 10, "ear-1"), Spent("text_tokens_in", 2, "ear-1"),
        Spent("text_tokens_out", 3, "ear-1"),
    )  # fmt: skip
    body = server.asked[0].body
    assert wav(SOUND) in body and b"ear-1" in body and b"2/4, two quarters" in body
    assert b'name="language"\r\n\r\nes\r\n' in body


async def test_too_little_sound_is_not_sent(server: RawHttp, ears: OpenAIEars) -> None:
    assert (await ears.transcribe(silence(90), BRIEF, 0)).text == ""
    assert not server.asked


async def test_sound_that_is_refused_says_nothing_against_the_ears(
    server: RawHttp, ears: OpenAIEars
) -> None:
    server.refuses(400, {"message": "Audio file is corrupted", "type": "invalid_request_error"})
    with pytest.raises(EngineError) as failed:
        await ears.transcribe(SOUND, BRIEF, 0)
    assert failed.value.fault.kind == "transient"


async def test_ears_without_a_right_to_hear(server: RawHttp, ears: OpenAIEars) -> None:
    server.refuses(401, {"message": "no", "code": "invalid_api_key"})
    with pytest.raises(EngineUnavailable) as failed:
        await ears.transcribe(SOUND, BRIEF, 0)
    assert failed.value.fault.kind == "terminal"


def test_a_prompt_that_comes_back_was_not_said() -> None:
    hint = "one half, two quarters, three quarters, pizza, slice"
    assert heard_speech({"text": hint}, "m", hint).text == ""
    assert heard_speech({"text": "two quarters"}, "m", hint).text == "two quarters"


@pytest.mark.parametrize("answer", [None, 3, [], {}, {"text": None}, {"text": 3, "usage": 7}])
def test_an_answer_without_words(answer: Any) -> None:
    heard = heard_speech(answer, "m", "")
    assert (heard.text, heard.sure, heard.spent) == ("", False, ())


# ---- voice ---------------------------------------------------------------------------------------


async def said(speaker: OpenAISpeaker, text: str = "What is 2/4?", **how: Any) -> list[Spoken]:
    how = {"language": "en", "voice": "", "speed": 1.0} | how
    return [piece async for piece in speaker.speak(text, **how)]


def events(sound: bytes, size: int) -> list[dict[str, Any]]:
    parts = [sound[at : at + size] for at in range(0, len(sound), size)]
    deltas = [{"type": "speech.audio.delta", "audio": base64.b64encode(part).decode()}
              for part in parts]  # fmt: skip
    usage = {"input_tokens": 6, "output_tokens": 90}
    return [*deltas, {"type": "speech.audio.done", "usage": usage}]


async def test_sound_comes_in_pieces_of_whole_samples(
    server: RawHttp, speaker: OpenAISpeaker
) -> None:
    parts = [SOUND[at : at + 1_601] for at in range(0, len(SOUND), 1_601)]
    server.says(*parts, content_type="audio/pcm")
    pieces = await said(speaker)
    assert b"".join(piece.pcm for piece in pieces) == SOUND
    assert len(pieces) > 1 and all(len(piece.pcm) % 2 == 0 for piece in pieces)
    assert [piece.spent for piece in pieces if piece.spent] == [
        (Spent("characters", len("What is 2 quarters?"), "voice-1"),)
    ]
    asked = server.asked[0].json
    assert asked == {
        "model": "voice-1", "voice": "nova", "input": "What is 2 quarters?",
        "response_format": "pcm", "stream_format": "sse",
    }  # fmt: skip


async def test_events_tell_what_the_sound_cost(server: RawHttp, speaker: OpenAISpeaker) -> None:
    body = sse(*events(SOUND, 999), done=False)
    server.says(body[:1_000], body[1_000:], content_type="text/event-stream")
    pieces = await said(speaker, voice="coral", speed=9)
    assert b"".join(piece.pcm for piece in pieces) == SOUND
    assert [spent for piece in pieces for spent in piece.spent][1:] == [
        Spent("text_tokens_in", 6, "voice-1"), Spent("audio_tokens_out", 90, "voice-1"),
    ]  # fmt: skip
    assert server.asked[0].json["voice"] == "coral" and server.asked[0].json["speed"] == 4.0


async def test_a_server_without_events_is_asked_for_sound(
    server: RawHttp, speaker: OpenAISpeaker
) -> None:
    server.refuses(422, {"message": "stream_format: extra field"})
    server.says(SOUND, content_type="application/octet-stream")
    assert b"".join(piece.pcm for piece in await said(speaker)) == SOUND
    assert await said(speaker)
    assert [("stream_format" in asked.json) for asked in server.asked] == [True, False, False]


async def test_the_first_sound_comes_before_the_last(
    server: RawHttp, speaker: OpenAISpeaker
) -> None:
    server.says(SOUND[:6_000], HANG, content_type="audio/pcm")
    pieces = speaker.speak("Hi.", language="en", voice="", speed=1.0)
    assert duration_ms((await anext(pieces)).pcm) == 125
    await pieces.aclose()
    await server.until_closed()


async def test_a_voice_that_breaks_in_mid_sentence_is_not_asked_again(
    server: RawHttp, speaker: OpenAISpeaker
) -> None:
    server.says(SOUND[:6_000], CUT, content_type="audio/pcm")
    with pytest.raises(EngineFailed) as failed:
        await said(speaker)
    assert failed.value.fault.kind == "transient" and len(server.asked) == 1


async def test_a_voice_that_breaks_before_is_asked_again(
    server: RawHttp, speaker: OpenAISpeaker
) -> None:
    server.says(CUT)
    server.says(SOUND, content_type="audio/pcm")
    assert await said(speaker) and len(server.asked) == 2


async def test_an_error_among_events_is_ours(server: RawHttp, speaker: OpenAISpeaker) -> None:
    error = {"error": {"message": "no", "code": "insufficient_quota"}}
    server.says(sse(error, done=False), content_type="text/event-stream")
    with pytest.raises(EngineError) as failed:
        await said(speaker)
    assert failed.value.fault.kind == "terminal"


@pytest.mark.slow
def test_any_event_is_sound_or_nothing_or_our_error() -> None:
    """10^5 events, each a known one with parts of it exchanged for nonsense."""
    known = [*events(SOUND[:9], 4), {"type": "error", "message": "no"}, {"error": {"code": "x"}}]
    dice = random.Random(6)
    for _ in range(100_000):
        text = json.dumps(scrambled(dice, dice.choice(known)))
        try:
            pieces = list(event_of(text, "m"))
        except EngineError:
            continue
        assert all(isinstance(piece, bytes | Spent) for piece in pieces)
