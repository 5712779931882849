"""What an engine reports while a lesson runs: facts, in the past tense.

The student's speech has a life of its own, in this order:

    SpeechStarted -> SpeechDropped                     (a cough: forget it)
    SpeechStarted -> SpeechConfirmed -> SpeechStopped -> Transcribed

and so has an answer:

    AnswerStarted -> Spoke* / Progressed* / Kept -> AnswerEnded

`turn` names one stretch of student speech and `answer` one answer; both are opaque to the engine's
caller, unique within a leg. Times are milliseconds on the student's media clock: the audio given to
`Leg.hear` since the leg was opened, plus the offset it was opened with.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Word:
    """One word and when it sounds."""

    text: str
    start_ms: int
    "From the start of the speech or answer that it belongs to."
    end_ms: int
    confidence: float | None = None
    "0..1, or None where the engine cannot tell."


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    """Voice is suspected. Reversible: the tutor's sound is paused, not thrown away."""

    turn: str
    at_ms: int


@dataclass(frozen=True, slots=True)
class SpeechConfirmed:
    """It is speech: whoever was speaking has been interrupted."""

    turn: str


@dataclass(frozen=True, slots=True)
class SpeechDropped:
    """It was not speech after all; the tutor goes on from the exact sample."""

    turn: str


@dataclass(frozen=True, slots=True)
class SpeechStopped:
    """The turn is judged over: the silence outlasted the patience."""

    turn: str
    at_ms: int
    "Where the voice ended, before the silence."


@dataclass(frozen=True, slots=True)
class Transcribed:
    """The words of a turn, final."""

    turn: str
    text: str
    "Empty where nothing could be understood."
    words: tuple[Word, ...] = ()
    sure: bool = True
    "False where the engine should ask back before it builds on these words."


@dataclass(frozen=True, slots=True)
class AnswerStarted:
    """The engine begins to answer; `answer` is the one it was asked for, or a new one."""

    answer: str


@dataclass(frozen=True, slots=True)
class Spoke:
    """A piece of an answer: text and, unless the answer is text only, its sound."""

    answer: str
    text: str
    pcm: bytes = b""
    words: tuple[Word, ...] = ()
    "Times from the start of this piece; may be empty."


@dataclass(frozen=True, slots=True)
class Progressed:
    """The lesson moved: step `step` (from 0) is now `status`."""

    step: int
    status: str
    "asking | hinting | done | solved_for_them | lesson_done"


@dataclass(frozen=True, slots=True)
class Kept:
    """What the engine wants to find beside this answer when it picks the session up from its log.

    Reported before the answer's sound where it can be, so that an interruption does not lose it.
    """

    answer: str
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class AnswerEnded:
    """Nothing more comes for this answer."""

    answer: str
    finished_lesson: bool = False
    "True where this answer closed the lesson."


@dataclass(frozen=True, slots=True)
class Used:
    """Something that costs was used; reported as it happens, each report adds."""

    unit: str
    "A key of `ai/prices.toml`'s units, such as audio_in_ms, text_tokens_in, characters."
    quantity: int
    model: str = ""
    "What the price goes by; empty for what runs here."


@dataclass(frozen=True, slots=True)
class ToolCalled:
    """The tutor wants to use a tool; the answer goes on with what `Leg.give` brings."""

    answer: str
    call: str
    "Unique within a leg."
    name: str
    arguments: str
    "JSON, as the model wrote it: data, perhaps not even valid."


FaultKind = Literal["transient", "throttled", "limit", "terminal"]


OF_ONE_CONVERSATION = frozenset(("content_blocked", "language_unsupported"))
"""Codes of faults that lie in what one conversation says, or in its language: asking again does not
help it, and says nothing about how others get on with the same engine."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What went wrong with an engine, told apart by what helps.

    transient: the same again may well succeed. throttled: it is busy; wait, or take another.
    limit: the end that was to be expected (8 minutes, idle, an expiry): open it anew at once.
    terminal: with this credential and setting it will not work, whoever tries.
    """

    kind: FaultKind
    code: str
    "Ours, such as `unauthorized`, `model_unknown`, `session_expired`."
    detail: str = ""
    "The provider's own words, for the log of an operator; never shown to a student."
    retry_after_s: float | None = None


@dataclass(frozen=True, slots=True)
class Failed:
    """The engine cannot go on with this answer, or at all."""

    code: str
    detail: str
    "For the log; never shown to a student."
    answer: str | None = None
    "The answer that failed; None where the whole leg did."
    fault: Fault | None = None
    "Of a whole leg that failed: what to do about it; None is a transient one."


EngineEvent = (
    SpeechStarted
    | SpeechConfirmed
    | SpeechDropped
    | SpeechStopped
    | Transcribed
    | AnswerStarted
    | Spoke
    | Progressed
    | Kept
    | AnswerEnded
    | Used
    | ToolCalled
    | Failed
)
