"""A voice behind `/audio/speech`: OpenAI's, or any server that speaks the same."""

import base64
import binascii
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping
from contextlib import aclosing
from functools import partial
from typing import Any

import orjson
from openai import omit

from ai.audio import BYTES_PER_MS
from ai.engine import EngineFailed, Spent, Spoken
from ai.openai.account import broken, client_of, refused_for
from ai.openai.chat_wire import count
from ai.openai.faults import classify
from ai.openai.settings import VOICES, OpenAISettings
from ai.retrying import patiently
from ai.speakable import speakable

LONGEST_INPUT = 4_096  # characters, OpenAI's limit
SLOWEST, FASTEST = 0.25, 4.0
PIECE_BYTES = 100 * BYTES_PER_MS  # small enough for a quick start, large enough to be cheap
MOST_EVENT = 8 << 20  # characters; some minutes of sound


class OpenAISpeaker:
    """`Speaker`; the sound is given as it comes.

    Events are asked for where the server knows them, because only they tell the tokens that were
    used; else the sound itself.
    """

    def __init__(self, settings: OpenAISettings) -> None:
        self.model = settings.model
        self._voice = settings.voice
        self._client = client_of(settings)
        self._events = not settings.model.startswith("tts-1")  # OpenAI: not for tts-1

    async def speak(
        self, text: str, *, language: str, voice: str, speed: float
    ) -> AsyncGenerator[Spoken, None]:
        """One sentence, 24 kHz.

        Raises:
            EngineUnavailable: If it can't be had now; EngineFailed: if it broke in the middle.
        """
        said = speakable(text, language).text[:LONGEST_INPUT]
        ask = partial(self._once, said, voice, min(FASTEST, max(SLOWEST, speed)))
        async with aclosing(patiently(ask)) as pieces:
            async for piece in pieces:
                yield piece

    async def close(self) -> None:
        await self._client.close()

    async def _once(self, text: str, voice: str, speed: float) -> AsyncGenerator[Spoken, None]:
        begun = False
        try:
            async with aclosing(self._sound(text, voice, speed)) as pieces:
                async for piece in pieces:
                    begun = True
                    yield piece
        except Exception as problem:
            raise broken(problem, begun=begun) from problem

    async def _sound(self, text: str, voice: str, speed: float) -> AsyncGenerator[Spoken, None]:
        by_events = self._events
        asked = self._client.audio.speech.with_streaming_response.create(
            model=self.model,
            voice=voice if voice in VOICES else self._voice,
            input=text,
            response_format="pcm",
            speed=speed if speed != 1.0 else omit,
            stream_format="sse" if by_events else omit,
        )
        pcm = bytearray()
        spent: tuple[Spent, ...] = (Spent("characters", len(text), self.model),)
        try:
            async with asked as answer:
                if "event-stream" in answer.headers.get("content-type", ""):
                    stream = _of_events(answer.iter_lines(), self.model)
                else:
                    stream = _of_bytes(answer.iter_bytes())
                async with aclosing(stream) as parts:
                    async for part in parts:
                        if isinstance(part, Spent):
                            spent += (part,)
                            continue
                        pcm += part
                        if len(pcm) >= PIECE_BYTES:
                            yield Spoken(_whole(pcm), model=self.model, spent=spent)
                            spent = ()
        except Exception as problem:
            if not by_events or "stream_format" not in refused_for(problem):
                raise
            self._events = False
        else:
            if spent or len(pcm) > 1:
                yield Spoken(_whole(pcm), model=self.model, spent=spent)
            return
        async with aclosing(self._sound(text, voice, speed)) as pieces:
            async for piece in pieces:
                yield piece


def _whole(pcm: bytearray) -> bytes:
    """Take what has come, in whole samples."""
    whole = bytes(pcm[: len(pcm) // 2 * 2])
    del pcm[: len(whole)]
    return whole


# ---- what comes ----------------------------------------------------------------------------------


async def _of_bytes(parts: AsyncIterator[bytes]) -> AsyncGenerator[bytes | Spent, None]:
    async for part in parts:
        yield part


async def _of_events(lines: AsyncIterator[str], model: str) -> AsyncGenerator[bytes | Spent, None]:
    async for line in lines:
        if line.startswith("data:") and len(line) < MOST_EVENT:
            for piece in event_of(line[5:].strip(), model):
                yield piece


def event_of(data: str, model: str) -> Iterator[bytes | Spent]:
    """Sound, or what it cost, in one event; nothing in one that is not understood.

    Raises:
        EngineFailed: If the event says that the speech failed.
    """
    try:
        event: Any = orjson.loads(data)
    except orjson.JSONDecodeError:
        return
    if not isinstance(event, Mapping):
        return
    error = event.get("error")
    if isinstance(error, Mapping) or event.get("type") == "error":
        about = error if isinstance(error, Mapping) else event
        fault = classify(
            code=str(about.get("code") or ""),
            type=str(about.get("type") or ""),
            detail=str(about.get("message") or "The speech failed."),
        )
        raise EngineFailed(fault.code, fault=fault)
    if event.get("type") == "speech.audio.delta" and isinstance(event.get("audio"), str):
        try:
            yield base64.b64decode(event["audio"], validate=True)
        except (binascii.Error, ValueError):
            return
    elif event.get("type") == "speech.audio.done" and isinstance(event.get("usage"), Mapping):
        for unit, name in (
            ("text_tokens_in", "input_tokens"),
            ("audio_tokens_out", "output_tokens"),
        ):
            if quantity := count(event["usage"].get(name)):
                yield Spent(unit, quantity, model)
