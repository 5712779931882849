"""Our nouns as OpenAI's clients expect to read them. Pure.

What official clients need stands in docs/protocol.md; extra fields of ours do them no harm.
"""

from dataclasses import fields
from typing import Any

from sessions.live import events
from sessions.live.events import AudioFormat, Event, Modality, ResponseView, SessionView
from sessions.record.model import Corrected, Item, tool_of

INCOMPLETE_REASONS = ("max_output_tokens", "content_filter")

OURS = {
    events.OutputPaused: "output_audio_buffer.paused",
    events.OutputResumed: "output_audio_buffer.resumed",
    events.OutputCleared: "output_audio_buffer.cleared",
    events.LessonProgressed: "lesson.progress",
    events.FloorChanged: "floor.changed",
    events.PresenceChanged: "presence",
    events.BoardShown: "board.show",
    events.EngineChanged: "engine.changed",
    events.Notice: "notice",
    events.SummaryReady: "session.summary",
    events.SessionEnded: "session.ended",
}
"Events whose fields are written as they are named."


def ours(event: Event) -> dict[str, Any]:
    """An event of our own, field by field."""
    body = {field.name: getattr(event, field.name) for field in fields(event)}
    return {"type": OURS[type(event)], **body}


def error(kind: str, code: str, message: str, param: str | None = None) -> dict[str, Any]:
    """OpenAI's error object, over HTTP and on the socket."""
    return {"type": kind, "code": code, "message": message, "param": param}


def part(modality: Modality, text: str) -> dict[str, Any]:
    """A content part of a response, which is `audio` or `text`."""
    if modality == "audio":
        return {"type": "audio", "transcript": text}
    return {"type": "text", "text": text}


def item(item: Item) -> dict[str, Any]:
    """An item; its sound is never part of it."""
    shape: dict[str, Any] = {
        "id": item.id,
        "object": "realtime.item",
        "type": "message",
        "status": item.status,
        "role": item.role,
        "content": _content(item),
        "speaker": item.speaker,
    }
    if item.role == "assistant" and item.heard is not None:
        shape["heard"] = item.heard
    if item.interrupted:
        shape["interrupted"] = True
    if item.data.get("sure") is False:
        shape["sure"] = False
    if (tool := tool_of(item)) is not None:
        shape["tool"] = tool["name"]
    if item.corrected is not None:
        shape["corrected"] = _corrected(item.corrected)
    return shape


def _corrected(corrected: Corrected) -> dict[str, Any]:
    """Who corrected it; `answer` is what the tutor should have said."""
    shape = {"by": corrected.by, "at": corrected.at.isoformat().replace("+00:00", "Z")}
    return shape if corrected.answer is None else {**shape, "answer": corrected.answer}


def _content(item: Item) -> list[dict[str, Any]]:
    if item.role == "user" and item.kind == "audio":
        return [{"type": "input_audio", "transcript": item.said}]
    if item.role != "assistant":
        return [{"type": "input_text", "text": item.said or ""}]
    if item.said is None:
        return []
    if item.kind == "audio":
        return [{"type": "output_audio", "transcript": item.said}]
    return [{"type": "output_text", "text": item.said}]


def response(view: ResponseView) -> dict[str, Any]:
    """A response; `usage` is whole or absent."""
    shape: dict[str, Any] = {
        "id": view.id,
        "object": "realtime.response",
        "status": view.status,
        "status_details": _status_details(view),
        "output": [item(each) for each in view.output],
        "output_modalities": list(view.output_modalities),
        "metadata": dict(view.metadata) if view.metadata is not None else None,
        "max_output_tokens": "inf",
    }
    if view.usage is not None:
        shape["usage"] = _usage(view)
    return shape


def _status_details(view: ResponseView) -> dict[str, Any] | None:
    if view.status == "cancelled":
        return {"type": "cancelled", "reason": view.reason or "client_cancelled"}
    if view.status == "failed":
        message = "The tutor could not finish this answer. Ask again with response.create."
        return {
            "type": "failed",
            "error": {"type": "server_error", "code": view.reason, "message": message},
        }
    if view.status == "incomplete":
        reason = view.reason if view.reason in INCOMPLETE_REASONS else "max_output_tokens"
        return {"type": "incomplete", "reason": reason}
    return None


def heard_usage(audio_ms: int | None) -> dict[str, Any]:
    """`usage` of a transcription, or nothing: clients break on null."""
    if audio_ms is None:
        return {}
    return {"usage": {"type": "duration", "seconds": audio_ms / 1000}}


def _usage(view: ResponseView) -> dict[str, Any]:
    used = view.usage or {}
    tokens_in, tokens_out = used.get("input_tokens", 0), used.get("output_tokens", 0)
    text_out = 0 if "audio" in view.output_modalities else tokens_out
    return {
        "total_tokens": tokens_in + tokens_out,
        "input_tokens": tokens_in,
        "output_tokens": tokens_out,
        "input_token_details": {
            "text_tokens": tokens_in,
            "audio_tokens": 0,
            "image_tokens": 0,
            "cached_tokens": 0,
            "cached_tokens_details": {"text_tokens": 0, "audio_tokens": 0, "image_tokens": 0},
        },
        "output_token_details": {"text_tokens": text_out, "audio_tokens": tokens_out - text_out},
    }


def audio_format(kind: AudioFormat) -> dict[str, Any]:
    return {"type": kind, "rate": 24_000} if kind == "audio/pcm" else {"type": kind}


def session(view: SessionView) -> dict[str, Any]:
    """The whole effective session."""
    return {
        "id": view.id,
        "object": "realtime.session",
        "type": "realtime",
        "model": view.model,
        "instructions": view.instructions,
        "output_modalities": list(view.output_modalities),
        "audio": {
            "input": {
                "format": audio_format(view.input_format),
                "transcription": {"model": view.engine},
                "noise_reduction": None,
                "turn_detection": _turn_detection(view),
            },
            "output": {
                "format": audio_format(view.output_format),
                "voice": view.voice,
                "speed": view.speed,
                "binary": view.binary,
            },
        },
        "tools": [],
        "tool_choice": "none",
        "max_output_tokens": "inf",
        "tracing": None,
        "prompt": None,
        "expires_at": view.expires_at,
        "engine": view.engine,
        "hears_speech": view.hears_speech,
        "sandbox": view.sandbox,
        **({"read_only": True} if view.read_only else {}),
    }


def _turn_detection(view: SessionView) -> dict[str, Any] | None:
    detection = view.turn_detection
    if detection is None:
        return None
    shape: dict[str, Any] = {
        "type": detection.type,
        "create_response": detection.create_response,
        "interrupt_response": detection.interrupt_response,
        "silence_duration_ms": detection.silence_duration_ms,
    }
    if detection.type == "semantic_vad":
        return shape | {"eagerness": "auto"}
    return shape | {
        "threshold": detection.threshold,
        "prefix_padding_ms": detection.prefix_padding_ms,
        "idle_timeout_ms": None,
    }
