"""The wire of OpenAI Realtime (GA): client events to commands, and our events to JSON.

Pure: no sockets, no clock. Shapes of sessions, items and responses are in `shapes`, the single
client events in `commands`. Audio stays in the format in which it came, or is to go.
"""

from base64 import b64encode
from dataclasses import dataclass
from typing import Any

import orjson

from server.realtime import shapes
from server.realtime.commands import COMMANDS
from server.realtime.limits import AUDIO_EVENT_BYTES, EVENT_BYTES
from server.realtime.reading import (
    EVENT_ID_CHARACTERS,
    Bad,
    Fields,
    base64,
    loose_event_id,
    parse_object,
)
from sessions.live import events
from sessions.live.events import Command, CommandRefused, Event

APPEND = "input_audio_buffer.append"
CREATE_ITEM = "conversation.item.create"
# How the official clients begin an append: Python (with spaces) and JavaScript.
APPEND_BEGINNINGS = (
    f'{{"type": "{APPEND}", "audio": "',
    f'{{"type":"{APPEND}","audio":"',
    '{"audio": "',
    '{"audio":"',
)
APPEND_ENDINGS = ('"}', '"}', f'", "type": "{APPEND}"}}', f'","type":"{APPEND}"}}')


@dataclass(frozen=True, slots=True)
class Append:
    """Microphone audio in the session's input format."""

    audio: bytes
    event_id: str | None = None


# ---- what clients send -----------------------------------------------------------------------


def decode(data: str | bytes) -> Command | Append | CommandRefused:
    """Read one frame. Binary frames are audio. Never raises."""
    if isinstance(data, bytes):
        if len(data) > AUDIO_EVENT_BYTES:
            return _too_large(len(data), None, AUDIO_EVENT_BYTES)
        return Append(data)
    if len(data) > AUDIO_EVENT_BYTES:
        return _too_large(len(data), loose_event_id(data), AUDIO_EVENT_BYTES)
    fast = _fast_append(data)
    if fast is not None:
        return fast
    try:
        fields = Fields(parse_object(data))
    except Bad as bad:
        return _refused(bad, loose_event_id(data))
    event_id = _event_id(fields)
    try:
        return _command(fields, event_id, data)
    except Bad as bad:
        return _refused(bad, event_id)


def _fast_append(data: str) -> Append | None:
    """The common append without parsing; None for anything that is not plainly one."""
    for beginning, ending in zip(APPEND_BEGINNINGS, APPEND_ENDINGS, strict=True):
        if data.startswith(beginning) and data.endswith(ending):
            try:
                return Append(base64(data[len(beginning) : -len(ending)]))
            except ValueError:
                return None  # something else stands between, or bad base64: read it with care
    return None


def _event_id(fields: Fields) -> str | None:
    event_id = fields.values.get("event_id")
    usable = isinstance(event_id, str) and 0 < len(event_id) <= EVENT_ID_CHARACTERS
    return event_id if usable else None


def _command(fields: Fields, event_id: str | None, data: str) -> Command | Append | CommandRefused:
    kind = fields.string("type", required=True, limit=EVENT_ID_CHARACTERS) or ""
    fields.string("event_id", limit=EVENT_ID_CHARACTERS)
    size = len(data) if data.isascii() else len(data.encode())
    limit = AUDIO_EVENT_BYTES if _holds_audio(kind, fields) else EVENT_BYTES
    if size > limit:
        return _too_large(size, event_id, limit)
    if kind == APPEND:
        return Append(fields.audio("audio"), event_id)
    command = COMMANDS.get(kind)
    if command is None:
        raise Bad(
            f"There is no client event {kind[:64]!r}. See docs/protocol.md for those that there"
            " are.",
            code="unknown_event",
            param="type",
        )
    return command(fields, event_id)


def _holds_audio(kind: str, fields: Fields) -> bool:
    if kind != CREATE_ITEM:
        return kind == APPEND
    item = fields.values.get("item")
    parts = item.get("content") if isinstance(item, dict) else None
    return isinstance(parts, list) and any(
        isinstance(part, dict) and part.get("type") == "input_audio" for part in parts
    )


def _refused(bad: Bad, event_id: str | None) -> CommandRefused:
    return CommandRefused(event_id, bad.code, bad.message, bad.param)


def _too_large(size: int, event_id: str | None, limit: int) -> CommandRefused:
    with_audio = limit == AUDIO_EVENT_BYTES
    return CommandRefused(
        event_id,
        "too_large",
        f"This event has {size:,} bytes; at most {limit:,} are taken"
        f" {'with' if with_audio else 'without'} audio. Send it in smaller pieces.",
    )


# ---- what the server says --------------------------------------------------------------------


def encode(event: Event, event_id: str) -> bytes:
    """Write one event as JSON."""
    body = _body(event)
    return orjson.dumps({"type": body.pop("type"), "event_id": event_id, **body})


def encode_sound(event: events.AudioDelta, event_id: str, audio: bytes | None) -> str:
    """`response.output_audio.delta`, without building a dictionary.

    `audio` is in the connection's output format; None: it follows as a binary frame.
    """
    delta = f',"delta":"{b64encode(audio).decode("ascii")}"' if audio is not None else ""
    return (
        f'{{"type":"response.output_audio.delta","event_id":"{event_id}"'
        f',"response_id":{_quoted(event.response_id)},"item_id":{_quoted(event.item_id)}'
        f',"output_index":0,"content_index":0{delta}}}'
    )


def _quoted(text: str) -> str:
    return orjson.dumps(text).decode()


def _in_part(kind: str, event: Any, **fields: Any) -> dict[str, Any]:
    """An event about an answer's only part."""
    return {
        "type": kind,
        "response_id": event.response_id,
        "item_id": event.item_id,
        "output_index": 0,
        "content_index": 0,
        **fields,
    }


def _of_item(kind: str, event: events.ItemAdded | events.ItemDone) -> dict[str, Any]:
    return {
        "type": kind,
        "previous_item_id": event.previous_item_id,
        "item": shapes.item(event.item),
    }


def _body(event: Event) -> dict[str, Any]:
    match event:
        case events.TextDelta():
            if event.modality == "text":
                return _in_part("response.output_text.delta", event, delta=event.delta)
            timing = {"at_ms": event.at_ms, "words": event.words} if event.at_ms is not None else {}
            kind = "response.output_audio_transcript.delta"
            return _in_part(kind, event, delta=event.delta, **timing)
        case events.TextDone(modality="text"):
            return _in_part("response.output_text.done", event, text=event.text)
        case events.TextDone():
            kind = "response.output_audio_transcript.done"
            return _in_part(kind, event, transcript=event.text)
        case events.AudioDelta():
            audio = b64encode(event.pcm).decode("ascii")
            return _in_part("response.output_audio.delta", event, delta=audio)
        case events.AudioDone():
            return _in_part("response.output_audio.done", event)
        case events.ContentPartAdded():
            part = shapes.part(event.modality, "")
            return _in_part("response.content_part.added", event, part=part)
        case events.ContentPartDone():
            part = shapes.part(event.modality, event.text)
            return _in_part("response.content_part.done", event, part=part)
        case events.OutputItemAdded() | events.OutputItemDone():
            done = isinstance(event, events.OutputItemDone)
            return {
                "type": f"response.output_item.{'done' if done else 'added'}",
                "response_id": event.response_id,
                "output_index": 0,
                "item": shapes.item(event.item),
            }
        case events.ResponseCreated():
            return {"type": "response.created", "response": shapes.response(event.response)}
        case events.ResponseDone():
            return {"type": "response.done", "response": shapes.response(event.response)}
        case events.ItemAdded():
            return _of_item("conversation.item.added", event)
        case events.ItemDone():
            return _of_item("conversation.item.done", event)
        case events.ItemRetrieved():
            return {"type": "conversation.item.retrieved", "item": shapes.item(event.item)}
        case events.ItemTruncated():
            return {
                "type": "conversation.item.truncated",
                "item_id": event.item_id,
                "content_index": 0,
                "audio_end_ms": event.audio_end_ms,
                "heard": event.heard,
            }
        case _:
            return _other(event)


def _other(event: Event) -> dict[str, Any]:
    """Events about the session, the microphone, and ours."""
    match event:
        case events.InputSpeechStarted():
            return {
                "type": "input_audio_buffer.speech_started",
                "item_id": event.item_id,
                "audio_start_ms": event.audio_start_ms,
            }
        case events.InputSpeechStopped():
            return {
                "type": "input_audio_buffer.speech_stopped",
                "item_id": event.item_id,
                "audio_end_ms": event.audio_end_ms,
            }
        case events.InputCommitted():
            return {
                "type": "input_audio_buffer.committed",
                "item_id": event.item_id,
                "previous_item_id": event.previous_item_id,
            }
        case events.InputCleared():
            return {"type": "input_audio_buffer.cleared"}
        case events.TranscriptionCompleted():
            usage = shapes.heard_usage(event.audio_ms)
            return usage | {
                "type": "conversation.item.input_audio_transcription.completed",
                "item_id": event.item_id,
                "content_index": 0,
                "transcript": event.transcript,
            }
        case events.TranscriptionFailed():
            error = shapes.error("transcription_error", "transcription_failed", event.message)
            del error["param"]  # @openai/agents-realtime takes no null here
            return {
                "type": "conversation.item.input_audio_transcription.failed",
                "item_id": event.item_id,
                "content_index": 0,
                "error": error,
            }
        case events.SessionCreated():
            session = shapes.session(event.session)
            if event.resumed is not None:
                session["resumed"] = {
                    "after": event.resumed.after,
                    "complete": event.resumed.complete,
                }
            return {"type": "session.created", "session": session}
        case events.SessionUpdated():
            session = shapes.session(event.session) | {"locked": list(event.locked)}
            return {"type": "session.updated", "session": session}
        case events.CommandRefused():
            error = shapes.error(event.type, event.code, event.message, event.param)
            return {"type": "error", "error": error | {"event_id": event.event_id}}
        case _:
            return shapes.ours(event)
