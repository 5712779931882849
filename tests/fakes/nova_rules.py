"""What Nova 2 Sonic accepts, event by event: a client's events go in, facts come out. No I/O.

sessionStart promptStart SYSTEM (USER ASSISTANT)* AUDIO (audioInput | USER interactive | TOOL)*
contentEnd of AUDIO, promptEnd, sessionEnd
"""

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

VOICES = frozenset(
    [
        "matthew",
        "tiffany",
        "amy",
        "olivia",
        "lupe",
        "carlos",
        "ambre",
        "florian",
        "tina",
        "lennart",
        "beatrice",
        "lorenzo",
        "carolina",
        "leo",
        "arjun",
        "kiara",
    ]
)
SILENCE_MS = {"HIGH": 1_500, "MEDIUM": 1_750, "LOW": 2_000}
RATES_HZ = (8_000, 16_000, 24_000)
MAX_TOKENS = 10_000
MAX_HISTORY = 40 << 10
MAX_HISTORY_PIECE = 1 << 10

INVALID = "Invalid input request, please fix your input and try again."
OVER_LIMIT = "Chat history is over max limit. Trim chat history and try again."
TOO_LATE = "Chat history should be sent completely before streaming audio."
UNEXPECTED = "The system encountered an unexpected error during processing. Try your request again."
BAD_VOICE = "Received invalid voiceId"
BAD_RESULT = "Tool Response parsing error"
BAD_RESULT_TYPE = "Tool result media type must be one of: [text/plain]"


class Refused(Exception):
    """An event against the rules; the stream ends with it.

    `message` is what the client is told, `why` what the rule was.
    """

    def __init__(self, why: str, message: str = INVALID, kind: str = "validationException") -> None:
        super().__init__(f"{why} ({message})")
        self.why = why
        self.message = message
        self.kind = kind


@dataclass(frozen=True, slots=True)
class PromptOpened:
    """The session's one prompt: how the tutor speaks, and its tools."""

    prompt: str
    rate_hz: int
    voice: str
    silence_ms: int
    tools: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SystemSaid:
    """The instructions, whole."""

    text: str


@dataclass(frozen=True, slots=True)
class HistorySaid:
    """One line of the conversation before this stream."""

    role: str
    text: str


@dataclass(frozen=True, slots=True)
class AudioOpened:
    """The microphone is on, at so many Hz."""

    rate_hz: int


@dataclass(frozen=True, slots=True)
class AudioHeard:
    """A piece of the student's sound."""

    pcm: bytes


@dataclass(frozen=True, slots=True)
class TextAsked:
    """Typed text, to be answered now."""

    text: str


@dataclass(frozen=True, slots=True)
class ToolAnswered:
    """A tool's result, JSON."""

    call: str
    output: str


@dataclass(frozen=True, slots=True)
class PromptClosed:
    """Nothing more is said."""


@dataclass(frozen=True, slots=True)
class SessionClosed:
    """The client is done; the end of its stream follows."""


Fact = (
    PromptOpened
    | SystemSaid
    | HistorySaid
    | AudioOpened
    | AudioHeard
    | TextAsked
    | ToolAnswered
    | PromptClosed
    | SessionClosed
)


@dataclass(slots=True)
class _Block:
    kind: str
    role: str
    call: str = ""
    texts: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Rules:
    """One stream's state."""

    asked_calls: set[str] = field(default_factory=set)
    "Ids of the tools the model has called and has no result of; the server adds to it."
    max_history: int = MAX_HISTORY
    max_history_piece: int = MAX_HISTORY_PIECE
    _started: bool = False
    _silence_ms: int = SILENCE_MS["MEDIUM"]
    _prompt: str = ""
    _open: dict[str, _Block] = field(default_factory=dict)
    _names: set[str] = field(default_factory=set)
    _system: bool = False
    _history: list[str] = field(default_factory=list)
    _history_bytes: int = 0
    _audio: str = ""
    _prompt_over: bool = False
    _over: bool = False

    @property
    def closed_well(self) -> bool:
        """Whether everything was closed that was opened."""
        return self._over and not self._open

    def receive(self, event: object) -> Fact | None:
        """What an event `{"event": {name: {...}}}` comes to. Raises Refused."""
        match event:
            case {"event": dict(inner)} if len(inner) == 1:
                ((name, body),) = inner.items()
            case _:
                raise Refused("Not an event.")
        if not isinstance(body, dict) or name not in _TAKES:
            raise Refused(f"No event is called {name}.")
        if self._over:
            raise Refused(f"{name} comes after sessionEnd.")
        if name not in ("sessionStart", "sessionEnd"):
            if not self._started:
                raise Refused(f"{name} comes before sessionStart.")
            prompt = _text(body, "promptName")
            if name != "promptStart" and (prompt != self._prompt or self._prompt_over):
                raise Refused(f"{name} names a prompt that is not open.")
        try:
            return _TAKES[name](self, body)
        except (AttributeError, TypeError, KeyError) as problem:
            raise Refused(f"{name} is misshapen: {problem}") from None

    def _session_start(self, body: Mapping[str, Any]) -> None:
        if self._started:
            raise Refused("sessionStart comes twice.")
        self._started = True
        inference = body.get("inferenceConfiguration", {})
        if not 1 <= _number(inference, "maxTokens", 1_024) <= MAX_TOKENS:
            raise Refused("maxTokens is out of bounds.")
        for name in ("topP", "temperature"):
            if not 0 <= _number(inference, name, 0.5) <= 1:
                raise Refused(f"{name} is out of bounds.")
        if "endpointingSensitivity" in body:
            raise Refused("endpointingSensitivity stands in turnDetectionConfiguration.")
        detection = body.get("turnDetectionConfiguration", {"endpointingSensitivity": "MEDIUM"})
        sensitivity = _text(detection, "endpointingSensitivity")
        if sensitivity not in SILENCE_MS:
            raise Refused(f"There is no sensitivity {sensitivity}.")
        self._silence_ms = SILENCE_MS[sensitivity]

    def _prompt_start(self, body: Mapping[str, Any]) -> Fact:
        if self._prompt:
            raise Refused("promptStart comes twice.")
        self._prompt = _text(body, "promptName")
        text = body.get("textOutputConfiguration", {})
        audio = body.get("audioOutputConfiguration", {})
        if _text(text, "mediaType") != "text/plain":
            raise Refused("Text comes out as text/plain.")
        rate_hz = _audio_rate(audio)
        if _text(audio, "voiceId") not in VOICES:
            raise Refused("No such voice.", BAD_VOICE)
        tools = body.get("toolConfiguration", {}).get("tools", [])
        if tools:
            used = body.get("toolUseOutputConfiguration", {})
            if _text(used, "mediaType") != "application/json":
                raise Refused("Tools need toolUseOutputConfiguration, application/json.")
        choice = body.get("toolConfiguration", {}).get("toolChoice", {"auto": {}})
        if not isinstance(choice, dict) or set(choice) - {"auto", "any", "tool"}:
            raise Refused("toolChoice is auto, any or tool.")
        names = tuple(map(_tool, tools))
        return PromptOpened(self._prompt, rate_hz, audio["voiceId"], self._silence_ms, names)

    def _content_start(self, body: Mapping[str, Any]) -> Fact | None:
        name, kind, role = (_text(body, key) for key in ("contentName", "type", "role"))
        if name in self._names:
            raise Refused(f"The contentName {name} was used before.")
        if not isinstance(body.get("interactive"), bool):
            raise Refused("A content says whether it is interactive.")
        if kind != "AUDIO" and any(block.kind == "TEXT" for block in self._open.values()):
            raise Refused("A TEXT content is still open.")
        opened: Fact | None = None
        block = _Block(kind, role)
        match kind, role:
            case "AUDIO", "USER":
                opened = self._audio_start(name, body)
            case "TOOL", "TOOL":
                block.call = self._tool_start(body)
            case "TEXT", "SYSTEM" | "USER" | "ASSISTANT" | "SYSTEM_SPEECH":
                block.role = self._text_start(role, body)
            case _:
                raise Refused(f"No content is {kind} by {role}.")
        self._names.add(name)
        self._open[name] = block
        return opened

    def _audio_start(self, name: str, body: Mapping[str, Any]) -> Fact:
        if self._audio:
            raise Refused("A second AUDIO content.", UNEXPECTED, "modelStreamErrorException")
        if not self._system:
            raise Refused("AUDIO comes before SYSTEM.")
        if body["interactive"] is not True:
            raise Refused("AUDIO is interactive.")
        self._audio = name
        return AudioOpened(_audio_rate(body.get("audioInputConfiguration", {})))

    def _tool_start(self, body: Mapping[str, Any]) -> str:
        result = body.get("toolResultInputConfiguration", {})
        call = _text(result, "toolUseId")
        if call not in self.asked_calls:
            raise Refused(f"No tool was called as {call}, or it was answered.")
        text = result.get("textInputConfiguration", {})
        if _text(result, "type") != "TEXT" or _text(text, "mediaType") != "text/plain":
            raise Refused("A tool's result is text.", BAD_RESULT_TYPE)
        return call

    def _text_start(self, role: str, body: Mapping[str, Any]) -> str:
        """The role; a line of history has its own, `history:USER`."""
        if _text(body.get("textInputConfiguration", {}), "mediaType") != "text/plain":
            raise Refused("Text is text/plain.")
        if role == "SYSTEM":
            if self._system or self._audio:
                raise Refused("SYSTEM comes once, and first.")
            self._system = True
            return role
        if not self._system:
            raise Refused(f"{role} comes before SYSTEM.")
        if role == "SYSTEM_SPEECH":
            return role
        if body["interactive"]:
            if not self._audio or role != "USER":
                raise Refused("Interactive text is USER's, and comes when AUDIO is open.")
            return role
        if self._audio:
            raise Refused("History comes after AUDIO.", TOO_LATE)
        if role != ("ASSISTANT" if len(self._history) % 2 else "USER"):
            raise Refused("History begins with USER, and they take turns.")
        self._history.append(role)
        return f"history:{role}"

    def _text_input(self, body: Mapping[str, Any]) -> None:
        block = self._block(body, "TEXT")
        text = _text(body, "content", empty=True)
        if block.role.startswith("history:"):
            size = len(text.encode())
            self._history_bytes += size
            if size > self.max_history_piece or self._history_bytes > self.max_history:
                raise Refused(f"{size} bytes, {self._history_bytes} in all.", OVER_LIMIT)
        block.texts.append(text)

    def _audio_input(self, body: Mapping[str, Any]) -> Fact:
        self._block(body, "AUDIO")
        if any(block.kind == "TEXT" for block in self._open.values()):
            raise Refused("audioInput comes while a TEXT content is open.")
        try:
            pcm = base64.b64decode(_text(body, "content", empty=True), validate=True)
        except binascii.Error:
            raise Refused("audioInput is no base64.") from None
        if len(pcm) % 2:
            raise Refused("audioInput has half a sample.")
        return AudioHeard(pcm)

    def _tool_result(self, body: Mapping[str, Any]) -> None:
        block = self._block(body, "TOOL")
        text = _text(body, "content")
        try:
            json.loads(text)
        except ValueError:
            raise Refused("A tool's result is JSON.", BAD_RESULT) from None
        block.texts.append(text)

    def _content_end(self, body: Mapping[str, Any]) -> Fact | None:
        block = self._open.pop(_text(body, "contentName"), None)
        if block is None:
            raise Refused("contentEnd of a content that is not open.")
        text = "".join(block.texts)
        if block.kind == "TOOL":
            if not text:
                raise Refused("A tool's content has a result.", BAD_RESULT)
            self.asked_calls.discard(block.call)
            return ToolAnswered(block.call, text)
        if block.role == "SYSTEM":
            return SystemSaid(text)
        if block.role.startswith("history:"):
            return HistorySaid(block.role.partition(":")[2], text)
        if block.kind == "TEXT" and block.role == "USER":
            return TextAsked(text)
        return None

    def _prompt_end(self, body: Mapping[str, Any]) -> Fact:
        if self._open:
            raise Refused("promptEnd comes while a content is open.")
        self._prompt_over = True
        return PromptClosed()

    def _session_end(self, body: Mapping[str, Any]) -> Fact:
        if not self._started or (self._prompt and not self._prompt_over):
            raise Refused("sessionEnd comes before promptEnd.")
        self._over = True
        return SessionClosed()

    def _block(self, body: Mapping[str, Any], kind: str) -> _Block:
        block = self._open.get(_text(body, "contentName"))
        if block is None or block.kind != kind:
            raise Refused(f"No {kind} content of that name is open.")
        return block


_TAKES = {
    "sessionStart": Rules._session_start,
    "promptStart": Rules._prompt_start,
    "contentStart": Rules._content_start,
    "textInput": Rules._text_input,
    "audioInput": Rules._audio_input,
    "toolResult": Rules._tool_result,
    "contentEnd": Rules._content_end,
    "promptEnd": Rules._prompt_end,
    "sessionEnd": Rules._session_end,
}


def _text(body: object, name: str, *, empty: bool = False) -> str:
    value = body.get(name) if isinstance(body, dict) else None
    if not isinstance(value, str) or not (value or empty):
        raise Refused(f"{name} is missing, or no text.")
    return value


def _number(body: object, name: str, usual: float) -> float:
    value = body.get(name, usual) if isinstance(body, dict) else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Refused(f"{name} is no number.")
    return value


def _audio_rate(audio: object) -> int:
    """Of either direction's audio configuration. Raises Refused where it is another format."""
    rate = _number(audio, "sampleRateHertz", 0)
    assert isinstance(audio, dict)
    said = [audio.get(name) for name in ("mediaType", "sampleSizeBits", "channelCount", "encoding")]
    if said != ["audio/lpcm", 16, 1, "base64"] or rate not in RATES_HZ:
        raise Refused("Sound is lpcm, 16 bits, mono, base64, at 8, 16 or 24 kHz.")
    if audio.get("audioType") != "SPEECH":
        raise Refused("audioType is SPEECH.")
    return int(rate)


def _tool(tool: object) -> str:
    spec = tool.get("toolSpec") if isinstance(tool, dict) else None
    name = _text(spec, "name")
    assert isinstance(spec, dict)
    _text(spec, "description")
    schema = spec.get("inputSchema")
    text = schema.get("json") if isinstance(schema, dict) else None
    try:
        if not isinstance(text, str) or not isinstance(json.loads(text), dict):
            raise ValueError
    except ValueError:
        raise Refused(f"{name}: inputSchema.json is a JSON object, written as a string.") from None
    return name
