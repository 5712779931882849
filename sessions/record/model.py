"""The nouns of the record: items, durations, and the batch that saves them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from ai.events import Word

Role = Literal["user", "assistant", "system"]
Speaker = Literal["student", "ai", "tutor", "system"]
Kind = Literal["audio", "text"]
ItemStatus = Literal["in_progress", "completed", "incomplete"]
EndReason = Literal["finished", "time_limit", "ended_by_staff", "abandoned"]
SummaryKind = Literal["normal", "brief", "no_transcript"]


@dataclass(frozen=True, slots=True)
class Corrected:
    """That somebody corrected something, and when."""

    by: str
    at: datetime
    answer: str | None = None
    "What the tutor should have said; what it did say stays beside it."


@dataclass(frozen=True, slots=True)
class Item:
    """One thing said or done in a session.

    `position` is conversation order, fixed when speech starts; `seq`, commit order, belongs to the
    database row and is not here. Times are milliseconds since the session began.
    """

    id: str
    role: Role
    speaker: Speaker
    kind: Kind
    position: int
    status: ItemStatus
    said: str | None
    "What was said or typed; None while unknown, or where speech could not be understood."
    started_ms: int
    ended_ms: int | None = None
    heard: str | None = None
    "For the tutor's side: what reached the student; None until it is known."
    heard_ms: int | None = None
    interrupted: bool = False
    words: tuple[Word, ...] = ()
    engine: str | None = None
    data: Mapping[str, Any] = field(default_factory=dict)
    "`sure` of a spoken turn; the engine's own notes under `engine`; `content` hash; `tool`: a tool\
 that the tutor used, see `sessions.live.tools`."
    corrected: Corrected | None = None
    "Only of what readers get (`sessions.review.readings`): the record itself is never corrected."


def tool_of(item: Item) -> Mapping[str, Any] | None:
    """What an item notes of a tool that the tutor used; None for every other item."""
    tool = item.data.get("tool")
    return tool if isinstance(tool, Mapping) else None


@dataclass(frozen=True, slots=True)
class Durations:
    """How long a session has been, in milliseconds."""

    wall_ms: int = 0
    student_speech_ms: int = 0
    tutor_speech_ms: int = 0
    silence_ms: int = 0


@dataclass(frozen=True, slots=True)
class Heard:
    """What the student heard of a saved item: the only thing of it that changes later."""

    item_id: str
    heard: str
    heard_ms: int
    interrupted: bool


@dataclass(frozen=True, slots=True)
class Progress:
    """Where in the plan a session is."""

    step: int = 0
    steps: int = 0
    status: str = "asking"


@dataclass(frozen=True, slots=True)
class SessionRef:
    """A live session as its writer holds it. Another writer has another epoch."""

    tenant_id: UUID
    session_id: UUID
    epoch: int


@dataclass(frozen=True, slots=True)
class Usage:
    """What a session used of one thing that costs. Money is millionths of a dollar."""

    engine: str
    unit: str
    quantity: int
    model: str = ""
    "Empty for what runs here."
    cost_micros: int | None = None
    "The provider's; None: nobody knows."
    price_micros: int | None = None
    "The school's own."
    server_quantity: int = 0
    "So much of it was used with the server's own key."
    server_cost_micros: int = 0
    "What is known of the cost of that."


@dataclass(frozen=True, slots=True)
class Batch:
    """What is saved in one transaction. Empty `items` and `heard`: only durations move."""

    items: tuple[Item, ...] = ()
    heard: tuple[Heard, ...] = ()
    durations: Durations = field(default_factory=Durations)
    progress: Progress | None = None
    usage: tuple[Usage, ...] = ()
    "Since the last batch; one for each engine, unit and model."
    engine: str = ""
    "The one that teaches now."
    usage_key: str = ""
    "Names this batch's use, so that a retried batch is not counted twice."


@dataclass(frozen=True, slots=True)
class SessionRow:
    """A session as the database has it."""

    id: UUID
    student_id: UUID
    lesson_id: UUID
    lesson_version_id: UUID
    brief_hash: str
    sandbox: bool
    mode: str
    "voice | text: how it was started."
    status: str
    "live | ended"
    started_at: datetime
    ended_at: datetime | None
    end_reason: EndReason | None
    durations: Durations
    progress: Progress
    engines: tuple[str, ...]
    epoch: int
    last_seq: int
    last_seen_at: datetime


@dataclass(frozen=True, slots=True)
class Sentence:
    """Something a summary says, and the items it rests on."""

    text: str
    item_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Summary:
    """What a session came to."""

    kind: SummaryKind
    narrative: tuple[Sentence, ...]
    next_steps: tuple[Sentence, ...]
    subjects: tuple[str, ...]
    done_well: Sentence | None = None
    practice: tuple[str, ...] = ()
    "Questions to try again: those that needed hints, or were solved for the student."
    engine: str = "rules"
    "What made it."
    overrides: tuple[str, ...] = ()
    "Ids of the corrections of items that it already knows."


class SessionTaken(Exception):
    """Another process writes this session now; this one must stop."""
