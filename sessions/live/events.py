"""What a client may command of a live session, and what the session says to it.

Names are OpenAI Realtime's where it has one. Commands are imperative, events past tense. The wire
format of both is `server.realtime.wire`'s business.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from sessions.record.model import Item

AudioFormat = Literal["audio/pcm", "audio/pcmu", "audio/pcma"]
Modality = Literal["audio", "text"]


# ---- commands: from a client ---------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    event_id: str | None = None
    "The client's own id of its event; errors it causes carry it."


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnDetectionPatch:
    """The wished-for turn detection; fields left None keep their value."""

    type: Literal["server_vad", "semantic_vad"] | None = None
    silence_duration_ms: int | None = None
    threshold: float | None = None
    prefix_padding_ms: int | None = None
    create_response: bool | None = None
    interrupt_response: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateSession(Command):
    """`session.update`, reduced to what the lesson lets a client choose."""

    output_modalities: tuple[Modality, ...] | None = None
    input_format: AudioFormat | None = None
    output_format: AudioFormat | None = None
    binary: bool | None = None
    "Audio deltas as binary frames."
    turn_detection: TurnDetectionPatch | Literal["none"] | None = None
    "`none`: the client sent null and commits by hand."
    voice: str | None = None
    speed: float | None = None
    ignored: tuple[str, ...] = ()
    "Names of fields the lesson sets itself."

    def asked_for(self) -> tuple[str, ...]:
        """Names of all fields that were sent, as they stand on the wire."""
        wishes = {
            "output_modalities": self.output_modalities,
            "audio.input.format": self.input_format,
            "audio.input.turn_detection": self.turn_detection,
            "audio.output.format": self.output_format,
            "audio.output.voice": self.voice,
            "audio.output.speed": self.speed,
            "audio.output.binary": self.binary,
        }
        return (*self.ignored, *(name for name, wish in wishes.items() if wish is not None))

    def over_call(self) -> "UpdateSession":
        """The same where a call decides how sound is sent: such wishes are ignored too."""
        formats = {
            "audio.input.format": self.input_format,
            "audio.output.format": self.output_format,
            "audio.output.binary": self.binary,
        }
        named = tuple(name for name, wish in formats.items() if wish is not None)
        ignored = (*self.ignored, *named)
        return replace(self, input_format=None, output_format=None, binary=None, ignored=ignored)


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitAudio(Command):
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class ClearAudio(Command):
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateItem(Command):
    """A user item: text, or a whole spoken turn as 24 kHz PCM."""

    item_id: str | None
    text: str | None
    pcm: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RetrieveItem(Command):
    item_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateResponse(Command):
    output_modalities: tuple[Modality, ...] | None = None
    metadata: Mapping[str, str] | None = None
    output_format: AudioFormat | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelResponse(Command):
    response_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TruncateItem(Command):
    item_id: str
    audio_end_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ClearOutput(Command):
    """`output_audio_buffer.clear`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportPlayed(Command):
    """`output_audio_buffer.played`: how much of an item the student's device has played."""

    item_id: str
    audio_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EndSession(Command):
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class PauseSession(Command):
    on: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class AskFloor(Command):
    reason: str


# ---- what a session looks like --------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class EffectiveTurnDetection:
    type: Literal["server_vad", "semantic_vad"]
    threshold: float
    prefix_padding_ms: int
    silence_duration_ms: int
    create_response: bool
    interrupt_response: bool


@dataclass(frozen=True, slots=True)
class SessionView:
    """The whole effective session, for `session.created` and `session.updated`."""

    id: str
    "`sess_` and 32 hex digits."
    model: str
    "The lesson's slug."
    instructions: str
    "One honest line: the brief itself is not for clients."
    output_modalities: tuple[Modality, ...]
    input_format: AudioFormat
    output_format: AudioFormat
    binary: bool
    turn_detection: EffectiveTurnDetection | None
    voice: str
    speed: float
    engine: str
    hears_speech: bool
    "False where the ears don't know the lesson's language: the student types."
    sandbox: bool
    expires_at: int
    "Unix seconds: when the time limit ends the session."
    read_only: bool = False
    "This connection reads along with somebody else's session."


@dataclass(frozen=True, slots=True)
class Resumed:
    after: str | None
    complete: bool
    "True: what follows is the whole conversation."


@dataclass(frozen=True, slots=True)
class ResponseView:
    id: str
    status: Literal["in_progress", "completed", "cancelled", "failed", "incomplete"]
    output_modalities: tuple[Modality, ...]
    output: tuple[Item, ...] = ()
    reason: str | None = None
    "turn_detected | client_cancelled, or an error's code."
    metadata: Mapping[str, str] | None = None
    usage: Mapping[str, int] | None = None


# ---- events: to clients ----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SessionCreated:
    session: SessionView
    resumed: Resumed | None = None


@dataclass(frozen=True, slots=True)
class SessionUpdated:
    session: SessionView
    locked: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ItemAdded:
    item: Item
    previous_item_id: str | None


@dataclass(frozen=True, slots=True)
class ItemDone:
    """Only after the item is committed to the database."""

    item: Item
    previous_item_id: str | None


@dataclass(frozen=True, slots=True)
class ItemRetrieved:
    item: Item


@dataclass(frozen=True, slots=True)
class ItemTruncated:
    item_id: str
    audio_end_ms: int
    heard: str


@dataclass(frozen=True, slots=True)
class InputSpeechStarted:
    item_id: str
    audio_start_ms: int


@dataclass(frozen=True, slots=True)
class InputSpeechStopped:
    item_id: str
    audio_end_ms: int


@dataclass(frozen=True, slots=True)
class InputCommitted:
    item_id: str
    previous_item_id: str | None


@dataclass(frozen=True, slots=True)
class InputCleared:
    pass


@dataclass(frozen=True, slots=True)
class TranscriptionCompleted:
    item_id: str
    transcript: str
    audio_ms: int | None = None
    "How long the turn was, where that is known."


@dataclass(frozen=True, slots=True)
class TranscriptionFailed:
    item_id: str
    message: str


@dataclass(frozen=True, slots=True)
class ResponseCreated:
    response: ResponseView


@dataclass(frozen=True, slots=True)
class OutputItemAdded:
    response_id: str
    item: Item


@dataclass(frozen=True, slots=True)
class ContentPartAdded:
    response_id: str
    item_id: str
    modality: Modality


@dataclass(frozen=True, slots=True)
class TextDelta:
    """`response.output_text.delta`, or `response.output_audio_transcript.delta` beside sound."""

    response_id: str
    item_id: str
    modality: Modality
    delta: str
    at_ms: int | None = None
    "Where in the item's sound these words begin; None for text."
    words: tuple[tuple[int, int], ...] = ()
    "Pairs (characters of `delta` before a word, its start in the item's sound in ms)."


@dataclass(frozen=True, slots=True)
class AudioDelta:
    response_id: str
    item_id: str
    pcm: bytes
    "24 kHz; the door converts and frames it."


@dataclass(frozen=True, slots=True)
class AudioDone:
    response_id: str
    item_id: str


@dataclass(frozen=True, slots=True)
class TextDone:
    """`response.output_text.done`, or `response.output_audio_transcript.done` beside sound."""

    response_id: str
    item_id: str
    modality: Modality
    text: str


@dataclass(frozen=True, slots=True)
class ContentPartDone:
    response_id: str
    item_id: str
    modality: Modality
    text: str


@dataclass(frozen=True, slots=True)
class OutputItemDone:
    response_id: str
    item: Item


@dataclass(frozen=True, slots=True)
class ResponseDone:
    response: ResponseView


@dataclass(frozen=True, slots=True)
class OutputPaused:
    """`output_audio_buffer.paused`, ours: voice is suspected; keep the sound, but stop it. Only to
    connections that report what they play: with `binary`, and calls."""

    item_id: str


@dataclass(frozen=True, slots=True)
class OutputResumed:
    """`output_audio_buffer.resumed`, ours: it was a cough; go on from the exact sample."""

    item_id: str


@dataclass(frozen=True, slots=True)
class OutputCleared:
    """`output_audio_buffer.cleared`: throw away what has not been played."""

    response_id: str


@dataclass(frozen=True, slots=True)
class LessonProgressed:
    """`lesson.progress`."""

    step: int
    "From 1."
    steps: int
    goal: str
    status: str


@dataclass(frozen=True, slots=True)
class FloorChanged:
    holder: Literal["ai", "human", "awaiting"]
    person: str | None
    epoch: int


@dataclass(frozen=True, slots=True)
class PersonPresent:
    """Somebody of the school who reads along."""

    name: str
    role: str


@dataclass(frozen=True, slots=True)
class PresenceChanged:
    """`presence`: who reads along now."""

    people: tuple[PersonPresent, ...]


@dataclass(frozen=True, slots=True)
class BoardShown:
    """`board.show`: something to look at. Shown again it has the same `item_id`."""

    item_id: str
    kind: str
    "One of `ai.tools.FIGURES`."
    caption: str
    says: str
    "All of it in words."
    drawing: Mapping[str, Any]
    "JSON."


@dataclass(frozen=True, slots=True)
class EngineChanged:
    old: str
    new: str
    reason: str


@dataclass(frozen=True, slots=True)
class Notice:
    code: str
    text: str


@dataclass(frozen=True, slots=True)
class SummaryReady:
    narrative: str
    next_steps: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SessionEnded:
    reason: str
    duration_ms: int
    spoken_ms: int
    "How long the student spoke."


@dataclass(frozen=True, slots=True)
class CommandRefused:
    """`error`, told only to the connection that sent the command; the session goes on."""

    event_id: str | None
    code: str
    message: str
    param: str | None = None
    type: str = "invalid_request_error"


Event = (
    SessionCreated
    | SessionUpdated
    | ItemAdded
    | ItemDone
    | ItemRetrieved
    | ItemTruncated
    | InputSpeechStarted
    | InputSpeechStopped
    | InputCommitted
    | InputCleared
    | TranscriptionCompleted
    | TranscriptionFailed
    | ResponseCreated
    | OutputItemAdded
    | ContentPartAdded
    | TextDelta
    | AudioDelta
    | AudioDone
    | TextDone
    | ContentPartDone
    | OutputItemDone
    | ResponseDone
    | OutputPaused
    | OutputResumed
    | OutputCleared
    | LessonProgressed
    | FloorChanged
    | PresenceChanged
    | BoardShown
    | EngineChanged
    | Notice
    | SummaryReady
    | SessionEnded
    | CommandRefused
)
