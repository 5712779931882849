"""Ears behind `/audio/transcriptions`: OpenAI's, or any server that speaks the same."""

import struct
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from functools import partial
from typing import Any

from openai import omit

from ai.audio import RATE_HZ, duration_ms
from ai.engine import Brief, EngineError, HeardSpeech, Spent
from ai.events import Fault
from ai.openai.account import broken, client_of, refused_for
from ai.openai.chat_wire import count
from ai.openai.settings import OpenAISettings
from ai.retrying import patiently

SHORTEST_MS = 100  # OpenAI refuses less
PROMPT_CHARACTERS = 600  # Whisper reads the last 224 tokens
ECHO_CHARACTERS = 40  # so much of the prompt in a row nobody says by chance


class OpenAIEars:
    """`Ears`; the lesson's words and the answers that are expected help it to hear."""

    languages: frozenset[str] | None = None

    def __init__(self, settings: OpenAISettings) -> None:
        self.model = settings.transcription_model
        self._client = client_of(settings)

    async def transcribe(self, pcm: bytes, brief: Brief, step: int) -> HeardSpeech:
        """One turn, 24 kHz.

        Raises:
            EngineUnavailable: If it can't be had now; `fault` says why.
        """
        if duration_ms(pcm) < SHORTEST_MS:
            return HeardSpeech("", sure=False)
        async with aclosing(patiently(partial(self._once, pcm, brief, step))) as found:
            return await anext(found)

    async def close(self) -> None:
        await self._client.close()

    async def _once(self, pcm: bytes, brief: Brief, step: int) -> AsyncGenerator[HeardSpeech, None]:
        hint = prompt(brief, step)
        try:
            heard = await self._client.audio.transcriptions.create(
                file=("turn.wav", wav(pcm), "audio/wav"),
                model=self.model,
                language=brief.language.split("-")[0].lower() or omit,
                prompt=hint or omit,
                response_format="json",
            )
        except Exception as problem:
            raise _of_this_turn(problem) from problem
        answer: Any = heard.to_dict() if hasattr(heard, "to_dict") else heard
        yield heard_speech(answer, self.model, hint)


def _of_this_turn(problem: Exception) -> EngineError:
    """Sound that is refused as such says nothing against the ears."""
    found = broken(problem, begun=False)
    if refused_for(problem) and found.fault.code == "request_refused":
        found.fault = Fault("transient", "sound_refused", found.fault.detail)
    return found


# ---- what goes and comes, pure -------------------------------------------------------------------


def wav(pcm: bytes) -> bytes:
    """Sound as a file: 24 kHz, mono, 16-bit."""
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, RATE_HZ, RATE_HZ * 2, 2, 16)
    head = struct.pack("<4sI4s", b"RIFF", 36 + len(pcm), b"WAVE")
    return b"".join((head, form, struct.pack("<4sI", b"data", len(pcm)), pcm))


def prompt(brief: Brief, step: int) -> str:
    """The words to expect: first the answers to the open question, then the lesson's."""
    words: list[str] = []
    if 0 <= step < len(brief.steps):
        for answer in brief.steps[step].answers:
            words += (answer.text, *answer.also)
        words += brief.steps[step].choices
    text = ""
    for word in dict.fromkeys(filter(None, (*words, *brief.vocabulary))):
        longer = f"{text}, {word}" if text else word
        if len(longer) > PROMPT_CHARACTERS:
            break
        text = longer
    return text


def heard_speech(answer: Any, model: str, hint: str) -> HeardSpeech:
    """The words in an answer. A model that heard nothing may give its prompt back: no words."""
    about: Mapping[str, Any] = answer if isinstance(answer, Mapping) else {}
    text = about.get("text", answer)
    text = " ".join(text.split()) if isinstance(text, str) else ""
    if len(text) >= ECHO_CHARACTERS and text.strip(" .").lower() in hint.lower():
        text = ""
    return HeardSpeech(text, sure=bool(text), model=model, spent=_spent(about, model))


def _spent(about: Mapping[str, Any], model: str) -> tuple[Spent, ...]:
    usage = about.get("usage")
    if not isinstance(usage, Mapping) or usage.get("type") == "duration":
        return ()
    details = usage.get("input_token_details")
    audio = count(details.get("audio_tokens")) if isinstance(details, Mapping) else 0
    whole = count(usage.get("input_tokens"))
    audio = min(audio, whole) if whole else audio
    used: Sequence[tuple[str, int]] = (
        ("audio_tokens_in", audio),
        ("text_tokens_in", whole - audio if whole else 0),
        ("text_tokens_out", count(usage.get("output_tokens"))),
    )
    return tuple(Spent(unit, quantity, model) for unit, quantity in used if quantity)
