"""A spoken lesson with the official client: a voice in real time, and the tutor's voice back."""

import asyncio
import base64
from array import array
from math import sqrt
from typing import Any

import pytest
from openai.resources.realtime.realtime import AsyncRealtimeConnection

from ai.audio import duration_ms
from bench import speech
from bench.microphone import Microphone
from tests.journeys.conftest import Place
from tests.journeys.pupil import Pupil

LESSON = "fractions-as-parts"
WORDS_PER_S = (1.5, 4.5)  # slow and fast speech
LEVEL = (0.02, 0.3)  # RMS of full scale: audible, and not distorted

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not speech.available, reason="flite is not installed"),
]


async def test_a_student_speaks_is_understood_answered_aloud_and_may_interrupt(
    place: Place,
) -> None:
    async with place.client() as client, client.realtime.connect(model=LESSON) as connection:
        pupil = Pupil(connection)
        session = await pupil.begins("audio")
        await connection.response.create(response={"output_modalities": ["text"]})
        await pupil.answer()
        async with microphone(connection) as mic:
            praise = await speak(pupil, mic, "two quarters")
            assert pupil.step == 2, praise
            said_ms = length_ms(pupil)
            assert 500 < said_ms < 1_500
            assert pupil.words[0] == "two quarters"
            interrupted = pupil.seen("response.output_audio.done")[-1]["item_id"]
            check_speech(pupil.sound_of(interrupted), praise)

            await speak(pupil, mic, "the bottom number")
            assert "the bottom number" in pupil.words
        await pupil.finishes()
    items = place.read(f"/sessions/{session}/transcript")["items"]
    assert [item["said"] for item in items if item["role"] == "user"] == pupil.words
    (cut,) = [item for item in items if item["id"] == interrupted]
    assert cut["interrupted"]
    assert cut["said"].startswith(cut["heard"]) and cut["heard"] != cut["said"]
    check_durations(place.read(f"/sessions/{session}"), len(pupil.words), said_ms)
    used = {entry["unit"] for entry in place.read(f"/sessions/{session}/usage")["items"]}
    assert {"audio_in_ms", "audio_out_ms"} <= used


async def speak(pupil: Pupil, mic: Microphone, text: str) -> str:
    """Say it while the tutor may still be speaking; where the tutor asks back, say yes."""
    speaking = asyncio.create_task(mic.say(speech.say(text)))
    await pupil.until("input_audio_buffer.speech_stopped")
    answer = await pupil.answer()
    await speaking
    return await speak(pupil, mic, "yes") if answer.startswith("I heard") else answer


def length_ms(pupil: Pupil) -> int:
    """Of the first turn, as the server heard it."""
    started = pupil.seen("input_audio_buffer.speech_started")[0]["audio_start_ms"]
    return int(pupil.seen("input_audio_buffer.speech_stopped")[0]["audio_end_ms"] - started)


def microphone(connection: AsyncRealtimeConnection) -> Microphone:
    async def send(pcm: bytes) -> None:
        await connection.input_audio_buffer.append(audio=base64.b64encode(pcm).decode())

    return Microphone(send)


def check_speech(pcm: bytes, text: str) -> None:
    """As long and as loud as somebody who says this."""
    words_per_s = len(text.split()) / (duration_ms(pcm) / 1000)
    assert WORDS_PER_S[0] < words_per_s < WORDS_PER_S[1]
    samples = array("h", pcm)
    level = sqrt(sum(sample * sample for sample in samples) / len(samples)) / 32_768
    assert LEVEL[0] < level < LEVEL[1]


def check_durations(card: dict[str, Any], turns: int, turn_ms: int) -> None:
    assert card["mode"] == "voice"
    assert abs(card["student_speech_ms"] - turns * turn_ms) < turns * 700
    assert 500 < card["tutor_speech_ms"] < card["wall_ms"]
    spoken_ms = card["student_speech_ms"] + card["tutor_speech_ms"]
    assert card["silence_ms"] == max(0, card["wall_ms"] - spoken_ms)
