"""The nouns an engine is told with, and the shapes an engine has.

A `Brief` is everything an engine may know of a lesson; a `Leg` is one session's conversation with
one engine. A leg reports by calling `report(event)` on the event loop's thread; its own methods
return at once and never block.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from ai.events import EngineEvent, Fault, Word

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
class Material:
    """Something of the lesson to read, with where it is from."""

    source: str
    text: str


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
    tools: tuple[str, ...] = ()
    "Names of the tools that the tutor may use; see `ai.tools`."
    material: tuple[Material, ...] = ()
    "What `look_up` searches."
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
    answers: bool = True
    "The end of a turn will be followed by an `Ask`; an engine may begin to think at once."


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

    def give(self, call: str, output: str) -> None:
        """The result of a tool call, JSON; the answer that called goes on."""

    def playing(self, on: bool) -> None:
        """Whether the student hears the tutor now: voice has to be surer to interrupt then."""

    def cancel(self, answer: str, heard: str) -> None:
        """Stop answering; `heard` is what reached the student, and all that is remembered."""

    async def close(self) -> None:
        """End everything this leg started, in a few seconds at most.

        Meanwhile only what was used is still reported (`Used`), and nothing afterwards.
        """


class Standby(Protocol):
    """An open way to an engine that has proved itself alive, and has not begun to teach.

    It waits while another leg still speaks, so that the change from one to the next takes no time.
    """

    lifetime_s: float | None
    "How long from its opening a leg can live: provider's limit, expiry of credentials; None: any."

    def begin(
        self,
        memory: Sequence[Utterance],
        report: Report,
        *,
        step: int = 0,
        clock_ms: int = 0,
    ) -> Leg:
        """The leg, at once: it remembers `memory` and is at `step` of the plan."""

    async def close(self) -> None:
        """Let go of it unused. After `begin` the leg is closed instead."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long the legs of an engine may take, in seconds, before they count as dead.

    An engine may have one of its own as `patience`; these are long enough for the slowest parts.
    """

    answer_s: float = 20.0
    "From the request to the first sound, or from one piece of an answer to the next."
    turn_s: float = 15.0
    "Of quiet audio, after speech began and before it is judged over."
    ears_s: float | None = None
    "Of loud audio in which no speech is noticed; None: it listens here, and can't be deaf."
    told_s: float | None = None
    "After so long without sound the student is told that it takes longer."


def patience_of(engine: object) -> Patience:
    """The engine's own patience, or the usual one."""
    own = getattr(engine, "patience", None)
    return own if isinstance(own, Patience) else Patience()


class VoiceEngine(Protocol):
    """Opens legs. One per configured engine and process; holds what all its sessions share."""

    name: str
    "`offline`, `cascade`, `openai-realtime`, `nova-sonic`."
    key: str
    "Provider and credential: what fails together. Never the credential itself."
    languages: frozenset[str] | None
    "Languages whose speech it understands (primary subtags); None: any."

    async def prepare(self, brief: Brief) -> Standby:
        """Open a way to the engine for one session.

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


@dataclass(frozen=True, slots=True)
class Spent:
    """Something that costs was used; see `Used`."""

    unit: str
    quantity: int
    model: str = ""


Piece = Say | Moved | Keep | Spent

UseTool = Callable[[str, str], Awaitable[str]]
"Tool's name and arguments (JSON as the model wrote it) in, its result (JSON) out; never raises."


class ChatEngine(Protocol):
    """Thinks: the conversation so far in, the next answer out, piece by piece."""

    name: str

    def reply(
        self, brief: Brief, memory: Sequence[Utterance], cue: Cue, use: UseTool
    ) -> AsyncGenerator[Piece, None]:
        """The next answer. Raises EngineFailed; closing the generator cancels it."""


@dataclass(frozen=True, slots=True)
class HeardSpeech:
    """What ears made of a turn."""

    text: str
    words: tuple[Word, ...] = ()
    sure: bool = True
    model: str = ""
    "What heard it, as prices go by it; empty for what runs here."
    spent: tuple[Spent, ...] = ()


class Ears(Protocol):
    """Turns speech into words."""

    languages: frozenset[str] | None

    async def transcribe(self, pcm: bytes, brief: Brief, step: int) -> HeardSpeech:
        """One turn, 24 kHz. `step` is where in the plan the tutor is, to expect its answers."""


@dataclass(frozen=True, slots=True)
class Spoken:
    """A sentence as sound, or the next piece of it."""

    pcm: bytes
    words: tuple[Word, ...] = ()
    "Times from the start of this piece; may be empty."
    model: str = ""
    "What said it, as prices go by it; empty for what runs here."
    spent: tuple[Spent, ...] = ()


class Speaker(Protocol):
    """Turns words into speech."""

    def speak(
        self, text: str, *, language: str, voice: str, speed: float
    ) -> AsyncGenerator[Spoken, None]:
        """One sentence, 24 kHz, as it is made. Raises EngineError; closing it stops the making."""


class VoiceActivity(Protocol):
    """Voice activity of one student; see `ai.local.vad`."""

    def feed(self, pcm: bytes) -> None:
        """More audio, 24 kHz; each 32 ms of it is judged, soon."""

    def close(self) -> None: ...


class Vad(Protocol):
    """Judges the windows of all sessions together."""

    def session(
        self, on_probability: Callable[[float, int], None], *, clock_ms: int
    ) -> VoiceActivity:
        """`on_probability(probability, now_ms)` is called on the loop for each window, in order."""

    def close(self) -> None: ...


class EngineError(Exception):
    """Base of what an engine raises; `fault` says what to do about it.

    EngineError
    +-- EngineUnavailable   it cannot be opened now
    +-- EngineFailed        it broke while it answered
    """

    def __init__(self, *about: object, fault: Fault | None = None) -> None:
        super().__init__(*about)
        self.fault = fault or Fault("transient", "engine_failed")


class EngineUnavailable(EngineError):
    """The engine cannot be opened now."""


class EngineFailed(EngineError):
    """The engine broke while it answered."""
