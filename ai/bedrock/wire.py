"""Nova Sonic's events: ours written as it reads them, its own read as facts. No I/O.

Every event is JSON, `{"event":{name:{…}}}`, and travels as base64 in the payload of an event-stream
message, `{"bytes":"…"}`, that may carry padding beside it (`"p"`).
"""

import re
from binascii import Error as NotBase64
from binascii import a2b_base64, b2a_base64
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import orjson

from ai.bedrock.eventstream import Message, encode_headers, frame
from ai.engine import EngineError
from ai.events import Fault
from ai.tools import Tool

IN_HZ = 16_000  # what Nova hears best; facts 1.1
OUT_HZ = 24_000
MAX_TEXT = 1_024  # bytes of UTF-8 in one textInput of history or speech
MAX_SYSTEM_TEXT = 4_096  # the same for the SYSTEM block

STRAY = "stray"  # an event of a prompt that is not ours

Kind = Literal["TEXT", "AUDIO", "TOOL", ""]
Role = Literal["SYSTEM", "USER", "ASSISTANT"]

_MARKER = re.compile(r'"interrupted"\s*:\s*true')
_CHUNK = encode_headers(
    {":message-type": "event", ":event-type": "chunk", ":content-type": "application/json"}
)
_AUDIO = {"mediaType": "audio/lpcm", "sampleSizeBits": 16, "channelCount": 1, "encoding": "base64"}
_PLAIN = {"mediaType": "text/plain"}
_WRAPPED = b'{"bytes":"'


class WireBroken(EngineError):
    """An event that can't be read."""

    def __init__(self, about: str) -> None:
        super().__init__(about, fault=Fault("transient", "wire_broken", about))


# ---- what we say -------------------------------------------------------------------------------


def chunk(event: bytes) -> bytes:
    """The message in which an event travels; it has yet to be signed."""
    return frame(_CHUNK, _WRAPPED + b2a_base64(event, newline=False) + b'"}')


def _event(name: str, **fields: Any) -> bytes:
    return orjson.dumps({"event": {name: fields}})


def session_start(*, max_tokens: int, sensitivity: str) -> bytes:
    return _event(
        "sessionStart",
        inferenceConfiguration={"maxTokens": max_tokens, "topP": 0.9, "temperature": 0.7},
        turnDetectionConfiguration={"endpointingSensitivity": sensitivity},
    )


def prompt_start(prompt: str, *, voice: str, tools: Sequence[Tool] = ()) -> bytes:
    """How it is to answer, and with which tools."""
    fields: dict[str, Any] = {
        "promptName": prompt,
        "textOutputConfiguration": _PLAIN,
        "audioOutputConfiguration": {
            **_AUDIO,
            "sampleRateHertz": OUT_HZ,
            "voiceId": voice,
            "audioType": "SPEECH",
        },
    }
    if tools:
        fields["toolUseOutputConfiguration"] = {"mediaType": "application/json"}
        fields["toolConfiguration"] = {
            "toolChoice": {"auto": {}},
            "tools": [
                {
                    "toolSpec": {
                        "name": tool.name,
                        "description": tool.description,
                        # JSON in a string, unlike everywhere else in Bedrock
                        "inputSchema": {"json": orjson.dumps(tool.parameters).decode()},
                    }
                }
                for tool in tools
            ],
        }
    return _event("promptStart", **fields)


def text_block(
    prompt: str, content: str, role: Role, text: str, *, interactive: bool
) -> Iterator[bytes]:
    """A whole TEXT block. An interactive one is answered."""
    yield _event(
        "contentStart",
        promptName=prompt,
        contentName=content,
        type="TEXT",
        interactive=interactive,
        role=role,
        textInputConfiguration=_PLAIN,
    )
    for piece in pieces(text, MAX_SYSTEM_TEXT if role == "SYSTEM" else MAX_TEXT):
        yield _event("textInput", promptName=prompt, contentName=content, content=piece)
    yield content_end(prompt, content)


def audio_start(prompt: str, content: str) -> bytes:
    """The one AUDIO block of a session opens."""
    return _event(
        "contentStart",
        promptName=prompt,
        contentName=content,
        type="AUDIO",
        interactive=True,
        role="USER",
        audioInputConfiguration={**_AUDIO, "sampleRateHertz": IN_HZ, "audioType": "SPEECH"},
    )


class AudioInput:
    """Writes the audio of one block, whose events differ in nothing else."""

    def __init__(self, prompt: str, content: str) -> None:
        event = _event("audioInput", promptName=prompt, contentName=content, content="")
        self._before, self._after = event[: -len(b'"}}}')], event[-len(b'"}}}') :]

    def chunk(self, pcm: bytes) -> bytes:
        """The message with some audio: 16 kHz, 16-bit, mono."""
        return chunk(self._before + b2a_base64(pcm, newline=False) + self._after)


def tool_result(prompt: str, content: str, call: str, output: str) -> Iterator[bytes]:
    """A whole TOOL block. What is no JSON is made some, else Nova ends the session."""
    output = output.encode("utf-8", "replace").decode()
    try:
        orjson.loads(output)
    except orjson.JSONDecodeError:
        output = orjson.dumps({"result": output}).decode()
    yield _event(
        "contentStart",
        promptName=prompt,
        contentName=content,
        interactive=False,
        type="TOOL",
        role="TOOL",
        toolResultInputConfiguration={
            "toolUseId": call,
            "type": "TEXT",
            "textInputConfiguration": _PLAIN,
        },
    )
    yield _event("toolResult", promptName=prompt, contentName=content, content=output)
    yield content_end(prompt, content)


def content_end(prompt: str, content: str) -> bytes:
    return _event("contentEnd", promptName=prompt, contentName=content)


def prompt_end(prompt: str) -> bytes:
    return _event("promptEnd", promptName=prompt)


def session_end() -> bytes:
    return _event("sessionEnd")


def pieces(text: str, most: int) -> Iterator[str]:
    """`text` in parts of at most `most` bytes of UTF-8, cut behind a space where there is one."""
    raw = text.encode("utf-8", "replace")
    start = 0
    while len(raw) - start > most:
        end = start + most
        while raw[end] & 0xC0 == 0x80:  # inside a character
            end -= 1
        space = max(raw.rfind(b" ", start, end), raw.rfind(b"\n", start, end)) + 1
        if space > start:
            end = space
        yield raw[start:end].decode()
        start = end
    if start < len(raw):
        yield raw[start:].decode()


# ---- what Nova says ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class BlockStarted:
    """A block of output opens."""

    content: str
    kind: Kind
    role: str
    final: bool
    "Its text is what was really said; False: what is about to be said."


@dataclass(frozen=True, slots=True)
class Text:
    """Words: the student's, or the tutor's."""

    content: str
    role: str
    text: str


@dataclass(frozen=True, slots=True)
class Interrupted:
    """The student has interrupted the tutor. What says so is never shown, stored or spoken."""

    content: str


@dataclass(frozen=True, slots=True)
class Sound:
    """Some of the tutor's voice, 24 kHz."""

    content: str
    pcm: bytes


@dataclass(frozen=True, slots=True)
class ToolWanted:
    """The tutor wants to use a tool."""

    content: str
    call: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class BlockEnded:
    """A block is complete."""

    content: str
    kind: str
    reason: str
    "PARTIAL_TURN | END_TURN | INTERRUPTED | TOOL_USE, or what else Nova thinks of."


@dataclass(frozen=True, slots=True)
class Spending:
    """Tokens since the last of these."""

    text_in: int
    audio_in: int
    text_out: int
    audio_out: int


@dataclass(frozen=True, slots=True)
class Other:
    """What needs no answer: completions, and events that we don't know."""

    name: str


@dataclass(frozen=True, slots=True)
class Refused:
    """An exception: nothing follows it."""

    name: str
    message: str


Fact = (
    BlockStarted | Text | Interrupted | Sound | ToolWanted | BlockEnded | Spending | Other | Refused
)


def read(message: Message, prompt: str = "") -> Fact:
    """The fact in a message of the stream; what is said of another prompt than ours is none.

    Raises:
        WireBroken: If it is none.
    """
    kind = message.text(":message-type")
    if kind == "exception":
        return Refused(message.text(":exception-type"), error_message(message.payload))
    if kind == "error":
        return Refused(message.text(":error-code"), message.text(":error-message"))
    payload = message.payload
    if payload.startswith(_WRAPPED) and (end := payload.find(b'"', len(_WRAPPED))) > 0:
        wrapped: str | bytes = payload[len(_WRAPPED) : end]  # nearly always: nothing to unescape
    else:
        found = _object(_json(payload, "payload"), "payload").get("bytes")
        if not isinstance(found, str):
            return Other(message.text(":event-type"))
        wrapped = found
    try:
        raw = a2b_base64(wrapped)
    except (NotBase64, ValueError) as problem:
        raise WireBroken("A payload's bytes are not base64.") from problem
    return decode(raw, prompt)


def decode(raw: bytes, prompt: str = "") -> Fact:
    """The fact in an event; see `read`.

    Raises:
        WireBroken: If it is none.
    """
    event = _object(_object(_json(raw, "event"), "event").get("event"), "event")
    for name, fields in event.items():
        if (read_fields := _READERS.get(name)) is not None:
            fields = _object(fields, name)
            if prompt and _text(fields, "promptName") not in ("", prompt):
                return Other(STRAY)
            return read_fields(fields)
    return Other(next(iter(event), ""))


def error_message(body: bytes) -> str:
    """The text in an error's body, which is JSON where Bedrock itself speaks."""
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError:
        return body.decode("utf-8", "replace")
    if not isinstance(found, dict):
        return str(found)
    return str(found.get("message") or found.get("Message") or "")


def _json(raw: bytes, what: str) -> Any:
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError as problem:
        raise WireBroken(f"This {what} is not JSON.") from problem


def _object(value: Any, what: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise WireBroken(f"This {what} is no object.")
    return value


def _text(fields: dict[str, Any], name: str) -> str:
    value = fields.get(name)
    return value if isinstance(value, str) else ""


def _block_started(fields: dict[str, Any]) -> Fact:
    stage = ""
    more = fields.get("additionalModelFields")
    if isinstance(more, str) and more:
        with_stage = _json(more.encode("utf-8", "replace"), "additionalModelFields")
        stage = _text(with_stage, "generationStage") if isinstance(with_stage, dict) else ""
    kind = _text(fields, "type")
    known: Kind = kind if kind in ("TEXT", "AUDIO", "TOOL") else ""  # type: ignore[assignment]
    return BlockStarted(_text(fields, "contentId"), known, _text(fields, "role"), stage == "FINAL")


def _text_output(fields: dict[str, Any]) -> Fact:
    content, text = _text(fields, "contentId"), _text(fields, "content")
    if _MARKER.search(text) and text.lstrip().startswith("{"):
        return Interrupted(content)
    return Text(content, _text(fields, "role"), text)


def _audio_output(fields: dict[str, Any]) -> Fact:
    try:
        pcm = a2b_base64(_text(fields, "content"))
    except (NotBase64, ValueError) as problem:
        raise WireBroken("This sound is not base64.") from problem
    return Sound(_text(fields, "contentId"), pcm[: len(pcm) & ~1])


def _tool_use(fields: dict[str, Any]) -> Fact:
    arguments = fields.get("content")
    if not isinstance(arguments, str):
        arguments = "{}" if arguments is None else orjson.dumps(arguments).decode()
    return ToolWanted(
        _text(fields, "contentId"), _text(fields, "toolUseId"), _text(fields, "toolName"), arguments
    )


def _block_ended(fields: dict[str, Any]) -> Fact:
    return BlockEnded(
        _text(fields, "contentId"), _text(fields, "type"), _text(fields, "stopReason")
    )


def _usage(fields: dict[str, Any]) -> Fact:
    details = _object(fields.get("details") or {}, "usageEvent")
    delta = _object(details.get("delta") or {}, "usageEvent")
    given, made = (_object(delta.get(side) or {}, "usageEvent") for side in ("input", "output"))
    return Spending(
        _count(given, "textTokens"),
        _count(given, "speechTokens"),
        _count(made, "textTokens"),
        _count(made, "speechTokens"),
    )


def _count(fields: dict[str, Any], name: str) -> int:
    value = fields.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0


_READERS = {
    "contentStart": _block_started,
    "textOutput": _text_output,
    "audioOutput": _audio_output,
    "toolUse": _tool_use,
    "contentEnd": _block_ended,
    "usageEvent": _usage,
}
