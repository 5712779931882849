"""Client events to commands: one small function an event type. Pure."""

from collections.abc import Callable
from typing import Any

from server.realtime.limits import TEXT_CHARACTERS
from server.realtime.reading import Bad, Fields
from sessions.live.events import (
    AskFloor,
    AudioFormat,
    CancelResponse,
    ClearAudio,
    ClearOutput,
    Command,
    CommitAudio,
    CreateItem,
    CreateResponse,
    EndSession,
    Modality,
    PauseSession,
    ReportPlayed,
    RetrieveItem,
    TruncateItem,
    TurnDetectionPatch,
    UpdateSession,
)

MODALITIES: tuple[Modality, ...] = ("audio", "text")
FORMATS: tuple[AudioFormat, ...] = ("audio/pcm", "audio/pcmu", "audio/pcma")
DETECTIONS: tuple[str, ...] = ("server_vad", "semantic_vad")
ITEM_PARTS: tuple[str, ...] = ("input_text", "input_audio")
LOCKED_IN_RESPONSE = ("instructions", "tools", "tool_choice", "prompt", "input")
REASON_CHARACTERS = 1_000
METADATA = (16, 64, 512)
"Pairs, characters of a key, characters of a value: OpenAI's limits."
NAMED_FIELDS = 50
"So many ignored fields are named in an answer, each by at most 64 characters."

# ---- session ---------------------------------------------------------------------------------


def update_session(event: Fields, event_id: str | None) -> UpdateSession:
    session = event.object("session", required=True)
    assert session is not None
    return session_wishes(session, event_id)


def session_wishes(session: Fields, event_id: str | None = None) -> UpdateSession:
    """What a `session` object asks for, reduced to what a client may choose."""
    session.choice("type", ("realtime",))
    ignored = [name for name in session.values if name not in _TAKEN]
    audio = session.object("audio")
    sound_in = audio.object("input") if audio else None
    sound_out = audio.object("output") if audio else None
    if audio:
        ignored += _others(audio, {"input", "output"})
    if sound_in:
        ignored += _others(sound_in, {"format", "turn_detection"})
    if sound_out:
        ignored += _others(sound_out, {"format", "voice", "speed", "binary"})
    detection: TurnDetectionPatch | str | None = None
    if sound_in and "turn_detection" in sound_in.values:
        patch = sound_in.object("turn_detection")
        detection = _turn_detection(patch) if patch else "none"
        if patch:
            ignored += _others(patch, _DETECTION)
    return UpdateSession(
        event_id=event_id,
        output_modalities=modalities(session),
        input_format=audio_format(sound_in) if sound_in else None,
        output_format=audio_format(sound_out) if sound_out else None,
        binary=sound_out.boolean("binary") if sound_out else None,
        turn_detection="none" if detection == "none" else _patch_or_none(detection),
        voice=_voice(sound_out) if sound_out else None,
        speed=sound_out.number("speed") if sound_out else None,
        ignored=tuple(name[:64] for name in ignored[:NAMED_FIELDS]),
    )


_TAKEN = {"type", "output_modalities", "audio", "id", "object", "expires_at"}
_DETECTION = {
    "type",
    "silence_duration_ms",
    "threshold",
    "prefix_padding_ms",
    "create_response",
    "interrupt_response",
}


def _others(fields: Fields, known: set[str]) -> list[str]:
    """Names of fields that the lesson sets, or that nobody knows; without the leading `session.`"""
    return [
        fields.param(name).removeprefix("session.") for name in fields.values if name not in known
    ]


def _patch_or_none(detection: TurnDetectionPatch | str | None) -> TurnDetectionPatch | None:
    return detection if isinstance(detection, TurnDetectionPatch) else None


def _turn_detection(fields: Fields) -> TurnDetectionPatch:
    kind = fields.choice("type", DETECTIONS)
    return TurnDetectionPatch(
        type=None if kind is None else "semantic_vad" if kind == "semantic_vad" else "server_vad",
        silence_duration_ms=fields.integer("silence_duration_ms"),
        threshold=fields.number("threshold"),
        prefix_padding_ms=fields.integer("prefix_padding_ms"),
        create_response=fields.boolean("create_response"),
        interrupt_response=fields.boolean("interrupt_response"),
    )


def modalities(fields: Fields) -> tuple[Modality, ...] | None:
    wished = fields.list("output_modalities")
    if wished is None:
        return None
    taken = tuple(choice for choice in MODALITIES if choice in wished)
    if not taken or len(taken) != len(wished):
        raise Bad(
            '`output_modalities` must be ["audio"] or ["text"].',
            param=fields.param("output_modalities"),
        )
    return taken


def audio_format(fields: Fields) -> AudioFormat | None:
    wished = fields.object("format")
    if wished is None:
        return None
    kind = wished.choice("type", FORMATS)
    rate = wished.integer("rate")
    if kind == "audio/pcm" and rate not in (None, 24_000):
        raise Bad(
            f"audio/pcm is taken at 24,000 Hz, not at {rate}. Resample it, or send audio/pcmu or"
            " audio/pcma (8,000 Hz).",
            param=wished.param("rate"),
        )
    return kind


def _voice(fields: Fields) -> str | None:
    if isinstance(fields.values.get("voice"), dict):
        named = fields.object("voice")
        return named.string("id", required=True, limit=64) if named else None
    return fields.string("voice", limit=64)


# ---- conversation ----------------------------------------------------------------------------


def create_item(event: Fields, event_id: str | None) -> CreateItem:
    item = event.object("item", required=True)
    assert item is not None
    event.string("previous_item_id", limit=128)
    kind = item.string("type", limit=64) or "message"
    role = item.string("role", limit=64)
    if kind != "message" or role not in (None, "user"):
        raise Bad(
            "A student's connection may add only messages with role `user`; the tutor's side and"
            " tools belong to the lesson.",
            code="role_not_allowed",
            param="item.role" if kind == "message" else "item.type",
        )
    if role is None:
        raise item.bad("role", "send `user`")
    item_id = item.item_id("id")
    parts = item.list("content", required=True) or []
    texts: list[str] = []
    sounds: list[bytes] = []
    for index, part in enumerate(parts):
        fields = _part(part, f"item.content[{index}]")
        if fields.choice("type", ITEM_PARTS) == "input_audio":
            sounds.append(fields.audio("audio"))
        else:
            texts.append(fields.string("text", required=True) or "")
    return _message(event_id, item_id, texts, sounds)


def _part(part: Any, path: str) -> Fields:
    if not isinstance(part, dict):
        raise Bad(f"`{path}` must be an object with a `type`.", param=path)
    fields = Fields(part, path)
    fields.string("type", required=True, limit=64)
    return fields


def _message(
    event_id: str | None, item_id: str | None, texts: list[str], sounds: list[bytes]
) -> CreateItem:
    if texts and sounds:
        raise Bad("Send text and audio as two items.", param="item.content")
    text = "\n".join(texts)
    if len(text) > TEXT_CHARACTERS:
        raise Bad(
            f"The text has {len(text):,} characters; at most {TEXT_CHARACTERS:,} are taken.",
            code="too_large",
            param="item.content",
        )
    if not (text.strip() or any(sounds)):
        raise Bad("The item is empty; send some text or audio in `content`.", param="item.content")
    pcm = b"".join(sounds) if sounds else None
    return CreateItem(event_id=event_id, item_id=item_id, text=text if texts else None, pcm=pcm)


def retrieve_item(event: Fields, event_id: str | None) -> RetrieveItem:
    return RetrieveItem(event_id=event_id, item_id=event.item_id("item_id", required=True) or "")


def delete_item(event: Fields, event_id: str | None) -> Command:
    raise Bad(
        "A lesson's transcript is kept whole, so items can't be deleted.",
        code="transcript_is_kept",
        param="item_id",
    )


def truncate_item(event: Fields, event_id: str | None) -> TruncateItem:
    item_id = event.item_id("item_id", required=True) or ""
    if event.integer("content_index") not in (None, 0):
        raise Bad("Items have one part: send `content_index` 0.", param="content_index")
    return TruncateItem(
        event_id=event_id, item_id=item_id, audio_end_ms=event.milliseconds("audio_end_ms")
    )


# ---- responses -------------------------------------------------------------------------------


def create_response(event: Fields, event_id: str | None) -> CreateResponse:
    response = event.object("response")
    if response is None:
        return CreateResponse(event_id=event_id)
    locked = [name for name in LOCKED_IN_RESPONSE if response.values.get(name) not in _NOTHING]
    conversation = response.string("conversation", limit=64)
    if conversation not in (None, "auto"):
        locked.append("conversation")
    if locked:
        raise Bad(
            f"The lesson sets {', '.join(f'`{name}`' for name in locked)}; send response.create"
            " without.",
            code="locked_by_lesson",
            param=f"response.{locked[0]}",
        )
    audio = response.object("audio")
    output = audio.object("output") if audio else None
    return CreateResponse(
        event_id=event_id,
        output_modalities=modalities(response),
        metadata=_metadata(response),
        output_format=audio_format(output) if output else None,
    )


_NOTHING: tuple[object, ...] = (None, "", [], {})


def _metadata(response: Fields) -> dict[str, str] | None:
    fields = response.object("metadata")
    if fields is None:
        return None
    pairs, key_characters, value_characters = METADATA
    for name, value in fields.values.items():
        if not isinstance(value, str):
            raise fields.bad(name[:key_characters], "metadata values are strings")
        if len(name) > key_characters or len(value) > value_characters:
            break
    else:
        if len(fields.values) <= pairs:
            return dict(fields.values)
    raise Bad(
        f"Metadata takes {pairs} pairs, keys of {key_characters} and values of {value_characters}"
        " characters.",
        code="too_large",
        param="response.metadata",
    )


def cancel_response(event: Fields, event_id: str | None) -> CancelResponse:
    return CancelResponse(event_id=event_id, response_id=event.string("response_id", limit=128))


# ---- ours, and those without fields ----------------------------------------------------------


def report_played(event: Fields, event_id: str | None) -> ReportPlayed:
    return ReportPlayed(
        event_id=event_id,
        item_id=event.item_id("item_id", required=True) or "",
        audio_ms=event.milliseconds("audio_ms"),
    )


def pause_session(event: Fields, event_id: str | None) -> PauseSession:
    return PauseSession(event_id=event_id, on=bool(event.boolean("on", required=True)))


def ask_floor(event: Fields, event_id: str | None) -> AskFloor:
    return AskFloor(event_id=event_id, reason=event.string("reason", limit=REASON_CHARACTERS) or "")


COMMANDS: dict[str, Callable[[Fields, str | None], Command]] = {
    "session.update": update_session,
    "session.end": lambda _, event_id: EndSession(event_id=event_id),
    "session.pause": pause_session,
    "input_audio_buffer.commit": lambda _, event_id: CommitAudio(event_id=event_id),
    "input_audio_buffer.clear": lambda _, event_id: ClearAudio(event_id=event_id),
    "conversation.item.create": create_item,
    "conversation.item.retrieve": retrieve_item,
    "conversation.item.delete": delete_item,
    "conversation.item.truncate": truncate_item,
    "response.create": create_response,
    "response.cancel": cancel_response,
    "output_audio_buffer.clear": lambda _, event_id: ClearOutput(event_id=event_id),
    "output_audio_buffer.played": report_played,
    "floor.ask": ask_floor,
}
