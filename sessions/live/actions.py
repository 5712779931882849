"""What a conversation decides: the only things it can make happen."""

from collections.abc import Sequence
from dataclasses import dataclass

from ai.engine import Ask, Material, Step, TurnDetection
from ai.events import Fault
from sessions.live.events import Event
from sessions.record.model import EndReason, Heard, Item


@dataclass(frozen=True, slots=True)
class Tell:
    """Say `event` to everyone who listens, or to one connection (`to`)."""

    event: Event
    to: int | None = None


@dataclass(frozen=True, slots=True)
class Save:
    """Append to the record; `ItemDone` is told when `Conversation.saved` is called."""

    item: Item


@dataclass(frozen=True, slots=True)
class SaveHeard:
    heard: Heard


@dataclass(frozen=True, slots=True)
class Detect:
    """To the engine: how turns end. None: by hand."""

    detection: TurnDetection | None


@dataclass(frozen=True, slots=True)
class Commit:
    turn: str


@dataclass(frozen=True, slots=True)
class Clear:
    pass


@dataclass(frozen=True, slots=True)
class Listen:
    turn: str
    pcm: bytes


@dataclass(frozen=True, slots=True)
class ListenAgain:
    """To the engine: a whole turn, of the audio that was kept; times are on the media clock."""

    turn: str
    start_ms: int
    end_ms: int


@dataclass(frozen=True, slots=True)
class Read:
    text: str


@dataclass(frozen=True, slots=True)
class Answer:
    ask: Ask


@dataclass(frozen=True, slots=True)
class Cancel:
    answer: str
    heard: str


@dataclass(frozen=True, slots=True)
class Check:
    """An answer is to be judged; comes back as `ai.tools.Judged`."""

    step: Step
    said: str
    language: str


@dataclass(frozen=True, slots=True)
class Search:
    """Passages of the material are to be found; comes back as a list of them."""

    material: Sequence[Material]
    about: str


Job = Check | Search


@dataclass(frozen=True, slots=True)
class RunTool:
    """Carry out a tool's job in a task; `Conversation.tool_done` is told what it came to."""

    number: int
    job: Job


@dataclass(frozen=True, slots=True)
class DropTool:
    """Nobody waits for this job any more."""

    number: int


@dataclass(frozen=True, slots=True)
class Give:
    """To the engine: what a tool came to that `answer` uses."""

    answer: str
    call: str
    output: str
    "JSON."


@dataclass(frozen=True, slots=True)
class Playing:
    """To the engine: whether the student hears the tutor right now."""

    on: bool


@dataclass(frozen=True, slots=True)
class Reopen:
    """The engine's leg is broken: open another from the log."""

    reason: str
    fault: Fault


@dataclass(frozen=True, slots=True)
class End:
    """The session is over."""

    reason: EndReason


Action = (
    Tell
    | Save
    | SaveHeard
    | Detect
    | Commit
    | Clear
    | Listen
    | ListenAgain
    | Read
    | Answer
    | Cancel
    | RunTool
    | DropTool
    | Give
    | Playing
    | Reopen
    | End
)
