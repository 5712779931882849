"""What OpenAI Realtime (GA) says to its clients: events to facts.

Pure: no sockets, no clock; what clients say is in `client_events`. `decode` takes whatever comes:
an event that nobody here needs is `Ignored`, one that can't be read raises WireBroken, and nothing
else is raised.
"""

from binascii import a2b_base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from ai.engine import EngineError


class WireBroken(EngineError):
    """What came is no event."""


@dataclass(frozen=True, slots=True)
class Greeted:
    """`session.created`."""

    session: str


@dataclass(frozen=True, slots=True)
class Agreed:
    """`session.updated`."""

    session: str


@dataclass(frozen=True, slots=True)
class VoiceBegan:
    """Their turn detection hears the student; `at_ms` counts audio sent, with the prefix."""

    item: str
    at_ms: int


@dataclass(frozen=True, slots=True)
class VoiceEnded:
    """The silence outlasted the patience; `at_ms` is after it."""

    item: str
    at_ms: int


@dataclass(frozen=True, slots=True)
class Committed:
    """The student's audio so far is an item now."""

    item: str


@dataclass(frozen=True, slots=True)
class Cost:
    """Tokens by kind; cached ones are not in the other counts."""

    text_in: int = 0
    audio_in: int = 0
    cached_text_in: int = 0
    cached_audio_in: int = 0
    text_out: int = 0
    audio_out: int = 0
    audio_ms: int = 0
    "Where audio is billed by its length."


@dataclass(frozen=True, slots=True)
class Worded:
    """The transcription of an item."""

    item: str
    text: str
    cost: Cost


@dataclass(frozen=True, slots=True)
class Unworded:
    """The transcription of an item failed."""

    item: str


@dataclass(frozen=True, slots=True)
class Began:
    """A response; `answer` is what we called it, empty where we did not ask for it."""

    response: str
    answer: str
    conversation: str = ""


@dataclass(frozen=True, slots=True)
class ItemOut:
    """A response has an item, which is a message or a call of a tool."""

    response: str
    item: str


@dataclass(frozen=True, slots=True)
class Sound:
    """More of an item's sound. The bytes may end within a sample."""

    response: str
    item: str
    pcm: bytes


@dataclass(frozen=True, slots=True)
class Text:
    """More of what an item says."""

    response: str
    item: str
    text: str


@dataclass(frozen=True, slots=True)
class ItemSaid:
    """Nothing more comes for an item."""

    response: str
    item: str


@dataclass(frozen=True, slots=True)
class Called:
    """A tool is to be used."""

    response: str
    call: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Trouble:
    """An error, by itself or of a response."""

    code: str = ""
    type: str = ""
    message: str = ""
    event_id: str = ""
    "Of ours, if it is about one."


@dataclass(frozen=True, slots=True)
class Done:
    """A response is over."""

    response: str
    status: str
    "completed | cancelled | failed | incomplete"
    reason: str
    trouble: Trouble
    cost: Cost
    items: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Ignored:
    """An event that means nothing to us, perhaps because it is newer than this."""

    type: str


Fact = (
    Greeted
    | Agreed
    | VoiceBegan
    | VoiceEnded
    | Committed
    | Worded
    | Unworded
    | Began
    | ItemOut
    | Sound
    | Text
    | ItemSaid
    | Called
    | Done
    | Trouble
    | Ignored
)
OfResponse = Began | ItemOut | Sound | Text | ItemSaid | Called | Done
Event = Mapping[str, Any]


def decode(data: bytes | memoryview) -> tuple[str, Fact]:
    """One event: its id (empty where it has none) and what it says.

    Raises:
        WireBroken: If it is no JSON object with a `type`, or its audio is no base64.
    """
    try:
        event = orjson.loads(data)
    except ValueError as problem:
        raise WireBroken("not JSON") from problem
    if not isinstance(event, dict):
        raise WireBroken("no object")
    kind = event.get("type")
    if not isinstance(kind, str):
        raise WireBroken("no type")
    read = READERS.get(kind)
    return _text(event, "event_id"), Ignored(kind[:80]) if read is None else read(event)


def _sound(event: Event) -> Fact:
    try:
        pcm = a2b_base64(event.get("delta") or b"")
    except (ValueError, TypeError) as problem:
        raise WireBroken("audio is no base64") from problem
    return Sound(_text(event, "response_id"), _text(event, "item_id"), pcm)


def _words(event: Event) -> Fact:
    return Text(_text(event, "response_id"), _text(event, "item_id"), _text(event, "delta"))


def _output_added(event: Event) -> Fact:
    return ItemOut(_text(event, "response_id"), _text(_object(event, "item"), "id"))


def _output_done(event: Event) -> Fact:
    response, item = _text(event, "response_id"), _object(event, "item")
    if item.get("type") != "function_call":
        return ItemSaid(response, _text(item, "id"))
    call, name = _text(item, "call_id"), _text(item, "name")
    if item.get("status") == "incomplete" or not call:
        return ItemSaid(response, _text(item, "id"))  # cut off while it was written
    return Called(response, call, name, _text(item, "arguments"))


def _began(event: Event) -> Fact:
    response = _object(event, "response")
    answer = _text(_object(response, "metadata"), "answer")
    return Began(_text(response, "id"), answer, _text(response, "conversation_id"))


def _done(event: Event) -> Fact:
    response = _object(event, "response")
    details = _object(response, "status_details")
    output = response.get("output")
    items = output if isinstance(output, list) else []
    return Done(
        _text(response, "id"),
        _text(response, "status"),
        _text(details, "reason"),
        _trouble_in(_object(details, "error")),
        _cost(_object(response, "usage")),
        tuple(_text(item, "id") for item in items if isinstance(item, dict)),
    )


def _worded(event: Event) -> Fact:
    cost = _cost(_object(event, "usage"))
    return Worded(_text(event, "item_id"), _text(event, "transcript"), cost)


def _cost(usage: Event) -> Cost:
    """What a response or a transcription used; what is not told apart counts as text."""
    given, made = _object(usage, "input_token_details"), _object(usage, "output_token_details")
    cached = _object(given, "cached_tokens_details")
    audio_in, audio_out = _count(given, "audio_tokens"), _count(made, "audio_tokens")
    text_in = _count(given, "text_tokens") or max(0, _count(usage, "input_tokens") - audio_in)
    text_out = _count(made, "text_tokens") or max(0, _count(usage, "output_tokens") - audio_out)
    cached_audio = min(audio_in, _count(cached, "audio_tokens"))
    all_cached = _count(given, "cached_tokens")
    cached_text = min(text_in, _count(cached, "text_tokens") or all_cached - cached_audio)
    cached_text = max(0, cached_text)
    seconds = usage.get("seconds")
    long = isinstance(seconds, int | float) and 0 < seconds < 1e6
    return Cost(
        text_in - cached_text,
        audio_in - cached_audio,
        cached_text,
        cached_audio,
        text_out,
        audio_out,
        round(seconds * 1000) if long and seconds else 0,
    )


def _trouble_in(error: Event) -> Trouble:
    return Trouble(
        _text(error, "code"),
        _text(error, "type"),
        _text(error, "message"),
        _text(error, "event_id"),
    )


def _object(event: Event, name: str) -> Event:
    value = event.get(name)
    return value if isinstance(value, dict) else {}


def _text(event: Event, name: str) -> str:
    value = event.get(name)
    return value if isinstance(value, str) else ""


def _count(event: Event, name: str) -> int:
    value = event.get(name)
    return min(value, 10**9) if isinstance(value, int) and value > 0 else 0


def _voice(event: Event, end: str) -> tuple[str, int]:
    return _text(event, "item_id"), _count(event, end)


READERS: dict[str, Callable[[Event], Fact]] = {
    "session.created": lambda event: Greeted(_text(_object(event, "session"), "id")),
    "session.updated": lambda event: Agreed(_text(_object(event, "session"), "id")),
    "input_audio_buffer.speech_started": lambda e: VoiceBegan(*_voice(e, "audio_start_ms")),
    "input_audio_buffer.speech_stopped": lambda e: VoiceEnded(*_voice(e, "audio_end_ms")),
    "input_audio_buffer.committed": lambda event: Committed(_text(event, "item_id")),
    "conversation.item.input_audio_transcription.completed": _worded,
    "conversation.item.input_audio_transcription.failed": lambda e: Unworded(_text(e, "item_id")),
    "response.created": _began,
    "response.output_item.added": _output_added,
    "response.output_audio.delta": _sound,
    "response.output_audio_transcript.delta": _words,
    "response.output_text.delta": _words,
    "response.output_item.done": _output_done,
    "response.done": _done,
    "error": lambda event: _trouble_in(_object(event, "error")),
}
