"""The nouns an engine is told with, and the shapes an engine has.

A `Brief` is everything an engine may know of a lesson; a `Leg` is one session's conversation with
one engine. A leg reports by calling `report(event)` on the event loop's thread; its own methods
return at once and never block.
"""

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from ai.events import EngineEvent, Word

AnswerKind = Literal["number", "expression", "equation", "words", "choice", "yes_no", "open"]


@dataclass(frozen=True, slots=True)
class Answer:
    """One accepted answer to a step's question."""

    kind: AnswerKind
    text: str
    "As it is written: `2/4`, `x = 3`, `carbon dioxide`."
    also: tuple[str, ...] = ()
    "Other ways to say the same."


@dataclass(frozen=True, slots=True)
class Misconception:
    """A wrong answer that tells what went wrong, and what to say to it."""

    says: tuple[str, ...]
    "Answers that show it, written like accepted answers."
    response: str


@dataclass(frozen=True, slots=True)
class Step:
    """One question of the plan and everything needed to lead a student to its answer."""

    ask: str
    answers: tuple[Answer, ...]
    solution: str
    "The worked solution, said only when the hints are used up."
    hints: tuple[str, ...] = ()
    misconceptions: tuple[Misconception, ...] = ()
    say: str = ""
    "What to explain before asking."
    praise: str = ""
    "What to say to a right answer."
    exit: str = ""
    "When the student may move on, in words."
    patience_ms: int | None = None
    "Silence that ends a turn; None: the plan's."
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Brief:
    """What the tutor is told for one session; compiled from plan, school policy and student."""

    instructions: str
    "The compiled layers, for a language model."
    title: str
    goal: str
    language: str
    "BCP 47 tag of the lesson, `en`, `es`."
    opening: str
    closing: str
    steps: tuple[Step, ...]
    patience_ms: int = 900
    "Silence that ends a turn, unless a step says otherwise."
    voice: str = ""
    "The wished-for voice; engines map it to one of theirs."
    speed: float = 1.0
    student_name: str = ""
    vocabulary: tuple[str, ...] = ()
    "Words of the lesson's material that ears should know."
    hash: str = ""
    "SHA-256 of the compiled brief, hex."


@dataclass(frozen=True, slots=True)
class Utterance:
    """One item of the conversation as an engine remembers it."""

    role: Literal["student", "tutor", "system"]
    text: str
    "For the tutor's: what the student heard of it."
    data: Mapping[str, Any] = field(default_factory=dict)
    "What the engine put beside the item (`Kept.data`); for a spoken student turn `sure`."


@dataclass(frozen=True, slots=True)
class TurnDetection:
    """When a stretch of voice is a turn. None in its place means: the client commits by hand."""

    silence_ms: int = 900
    threshold: float = 0.5
    prefix_ms: int = 300


Cue = Literal["opening", "student", "silence", "resumed"]


@dataclass(frozen=True, slots=True)
class Ask:
    """A request for one answer."""

    answer: str
    cue: Cue
    sound: bool
    "False: text only."
    voice: str = ""
    speed: float = 1.0


Report = Callable[[EngineEvent], None]


class Leg(Protocol):
    """One session's conversation with one engine, from `Engine.open` to `close`."""

    def hear(self, pcm: bytes) -> None:
        """Student audio, 24 kHz; any length. Not called while the student's audio is not wanted."""

    def detect(self, detection: TurnDetection | None) -> None:
        """From now on turns end by this rule; None: only by `commit`."""

    def commit(self, turn: str) -> None:
        """All audio heard since the last turn (or the one under way) is one turn: transcribe it."""

    def clear(self) -> None:
        """Forget audio that is not part of a finished turn."""

    def listen(self, turn: str, pcm: bytes) -> None:
        """A whole spoken turn at once, beside the microphone: transcribe it."""

    def read(self, text: str) -> None:
        """The student typed this."""

    def answer(self, ask: Ask) -> None:
        """Answer now, to all that was said so far."""

    def playing(self, on: bool) -> None:
        """Whether the student hears the tutor now: voice has to be surer to interrupt then."""

    def cancel(self, answer: str, heard: str) -> None:
        """Stop answering; `heard` is what reached the student, and all that is remembered."""

    async def close(self) -> None:
        """End everything this leg started. Nothing is reported afterwards."""


class VoiceEngine(Protocol):
    """Opens legs. One per configured engine and process; holds what all its sessions share."""

    name: str
    "`offline`, `cascade`, `openai-realtime`, `nova-sonic`."
    languages: frozenset[str] | None
    "Languages whose speech it understands (primary subtags); None: any."

    async def open(
        self,
        brief: Brief,
        memory: Sequence[Utterance],
        report: Report,
        *,
        step: int = 0,
        clock_ms: int = 0,
    ) -> Leg:
        """Begin a leg that remembers `memory` and is at `step` of the plan.

        Raises:
            EngineUnavailable: If it cannot be opened now.
        """

    async def close(self) -> None:
        """End what the sessions shared."""


@dataclass(frozen=True, slots=True)
class Say:
    """A sentence to say, and no longer than can be spoken in one breath."""

    text: str


@dataclass(frozen=True, slots=True)
class Moved:
    """The lesson moved; see `Progressed`."""

    step: int
    status: str


@dataclass(frozen=True, slots=True)
class Keep:
    """What to keep beside the item, told before the first `Say`; `finished` closes the lesson."""

    data: Mapping[str, Any]
    finished: bool = False


Piece = Say | Moved | Keep


class ChatEngine(Protocol):
    """Thinks: the conversation so far in, the next answer out, piece by piece."""

    name: str

    def reply(
        self, brief: Brief, memory: Sequence[Utterance], cue: Cue
    ) -> AsyncGenerator[Piece, None]:
        """The next answer. Raises EngineFailed; closing the generator cancels it."""


@dataclass(frozen=True, slots=True)
class HeardSpeech:
    """What ears made of a turn."""

    text: str
    words: tuple[Word, ...] = ()
    sure: bool = True


class Ears(Protocol):
    """Turns speech into words."""

    languages: frozenset[str] | None

    async def transcribe(self, pcm: bytes, brief: Brief, step: int) -> HeardSpeech:
        """One turn, 24 kHz. `step` is where in the plan the tutor is, to expect its answers."""


@dataclass(frozen=True, slots=True)
class Spoken:
    """A sentence as sound."""

    pcm: bytes
    words: tuple[Word, ...] = ()


class Speaker(Protocol):
    """Turns words into speech."""

    async def speak(self, text: str, *, language: str, voice: str, speed: float) -> Spoken:
        """One sentence, 24 kHz."""


class EngineError(Exception):
    """Base of what an engine raises.

    EngineError
    +-- EngineUnavailable   it cannot be opened now
    +-- EngineFailed        it broke while it answered
    """


class EngineUnavailable(EngineError):
    """The engine cannot be opened now."""


class EngineFailed(EngineError):
    """The engine broke while it answered."""
