"""What a client of OpenAI Realtime says, as JSON. Pure."""

from base64 import b64encode
from collections.abc import Iterable, Mapping
from typing import Any, Literal

import orjson

from ai.audio import RATE_HZ
from ai.engine import Brief, TurnDetection, Utterance
from ai.openai.settings import VOICES, OpenAISettings
from ai.tools import Tool, named

SLOWEST, FASTEST = 0.25, 1.5  # audio.output.speed
LONGEST_MEMORY = 60_000  # characters of history; some 15,000 tokens of a context of 32,000
LONGEST_KEYWORD = 60
KEYWORDS = 100
KEYWORD_MODELS = ("gpt-transcribe", "gpt-live-transcribe")
SHORTENED = "[The conversation before this is left out.]"

PCM = {"type": "audio/pcm", "rate": RATE_HZ}
APPEND = b'{"type":"input_audio_buffer.append","audio":"'
COMMIT = "input_audio_buffer.commit"
CLEAR = b'{"type":"input_audio_buffer.clear"}'


def append(pcm: bytes) -> bytes:
    """Student audio, 24 kHz. The hot path: no dictionary is built."""
    return APPEND + b64encode(pcm) + b'"}'


def commit(event_id: str) -> bytes:
    """What was heard is a turn."""
    return _event(COMMIT, event_id)


def truncate(event_id: str, item: str, audio_end_ms: int) -> bytes:
    """So much of an item was heard."""
    return _event(
        "conversation.item.truncate",
        event_id,
        item_id=item,
        content_index=0,
        audio_end_ms=audio_end_ms,
    )


def delete(event_id: str, item: str) -> bytes:
    """It never happened."""
    return _event("conversation.item.delete", event_id, item_id=item)


def cancel(event_id: str, response: str) -> bytes:
    """Stop a response."""
    return _event("response.cancel", event_id, response_id=response)


def respond(event_id: str, answer: str, *, sound: bool, tools: bool = True) -> bytes:
    """Answer now; `response.created` brings `answer` back."""
    about: dict[str, Any] = {
        "output_modalities": ["audio" if sound else "text"],
        "metadata": {"answer": answer},
    }
    if not tools:
        about["tool_choice"] = "none"
    return _event("response.create", event_id, response=about)


def message(role: Literal["user", "assistant", "system"], text: str) -> bytes:
    """A message of the conversation."""
    kind = "output_text" if role == "assistant" else "input_text"
    return _item({"type": "message", "role": role, "content": [{"type": kind, "text": text}]})


def spoken(item: str, pcm: bytes) -> bytes:
    """A whole spoken turn of the student, beside the microphone."""
    part = {"type": "input_audio", "audio": b64encode(pcm).decode("ascii")}
    return _item({"id": item, "type": "message", "role": "user", "content": [part]})


def result(call: str, output: str) -> bytes:
    """What a tool came to."""
    return _item({"type": "function_call_output", "call_id": call, "output": output})


def configure(brief: Brief, settings: OpenAISettings) -> bytes:
    """The whole session as a brief wants it. Turns end by hand until `detect`."""
    language = brief.language.split("-")[0]
    transcription: dict[str, Any] = {"model": settings.transcription_model, "language": language}
    if brief.vocabulary and settings.transcription_model in KEYWORD_MODELS:
        fitting = [word for word in brief.vocabulary if len(word) <= LONGEST_KEYWORD]
        transcription["keywords"] = fitting[:KEYWORDS]
    noise = {"type": settings.noise} if settings.noise else None
    session: dict[str, Any] = {
        "type": "realtime",
        "instructions": brief.instructions,
        "output_modalities": ["audio"],
        "audio": {
            "input": {
                "format": PCM,
                "transcription": transcription,
                "noise_reduction": noise,
                "turn_detection": None,
            },
            "output": {
                "format": PCM,
                "voice": brief.voice if brief.voice in VOICES else settings.voice,
                "speed": min(FASTEST, max(SLOWEST, brief.speed)),
            },
        },
        # What falls out of the context falls in one piece, so that the rest stays cached.
        "truncation": {"type": "retention_ratio", "retention_ratio": 0.8},
    }
    if brief.tools:
        session["tools"] = [_declared(tool) for tool in named(brief.tools)]
        session["tool_choice"] = "auto"
    return _event("session.update", session=session)


def detect(event_id: str, detection: TurnDetection | None) -> bytes:
    """From now on their turns end by this rule.

    A response is never interrupted by them: they would cut it at the first sound, and a cough
    would cost the student the rest of a sentence, which nothing brings back. It is cancelled by us,
    once it is known to be speech.
    """
    rule = (
        None
        if detection is None
        else {
            "type": "server_vad",
            "threshold": min(1.0, max(0.0, detection.threshold)),
            "prefix_padding_ms": detection.prefix_ms,
            "silence_duration_ms": detection.silence_ms,
            "create_response": detection.answers,
            "interrupt_response": False,
        }
    )
    session = {"type": "realtime", "audio": {"input": {"turn_detection": rule}}}
    return _event("session.update", event_id, session=session)


def remember(memory: Iterable[Utterance]) -> list[bytes]:
    """The conversation so far; where it is long, its end."""
    lines: list[bytes] = []
    left = LONGEST_MEMORY
    for line in reversed([line for line in memory if line.text.strip()]):
        left -= len(line.text)
        if left < 0:
            lines.append(message("system", SHORTENED))
            break
        lines.append(message(ROLES[line.role], line.text))
    return lines[::-1]


ROLES: dict[str, Literal["user", "assistant", "system"]] = {
    "student": "user",
    "tutor": "assistant",
    "system": "system",
}


def _declared(tool: Tool) -> Mapping[str, Any]:
    return {
        "type": "function",
        "name": tool.name,
        "description": tool.description,
        "parameters": tool.parameters,
    }


def _item(item: Mapping[str, Any]) -> bytes:
    return _event("conversation.item.create", item=item)


def _event(kind: str, event_id: str = "", **fields: Any) -> bytes:
    named = {"event_id": event_id} if event_id else {}
    return orjson.dumps({"type": kind, **named, **fields})
