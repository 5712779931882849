"""What a language model is to us: the conversation goes in, text and uses of tools come out.

The system part (`instructions`) is written by the platform and by schools alone. What a student
said, what a document says and what a tool found are turns: data, each with its own role.
"""

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from ai.engine import EngineFailed, Spent
from ai.events import Fault

MOST_USES = 16  # tools in one answer; a server that counts on is broken
MOST_ARGUMENTS = 20_000  # characters of one


class Declared(Protocol):
    """A tool as a model is told of it."""

    @property
    def name(self) -> str: ...

    @property
    def description(self) -> str: ...

    @property
    def parameters(self) -> Mapping[str, Any]:
        """JSON Schema of its arguments, an object."""


@dataclass(frozen=True, slots=True)
class Said:
    """Words of one side; notes of the server stand on the student's side, marked as such."""

    role: Literal["student", "tutor"]
    text: str


@dataclass(frozen=True, slots=True)
class ToolUse:
    """The model wants to use a tool; in the turns that follow, that it did."""

    call: str
    "The model's name for it; its `ToolResult` bears the same."
    name: str
    arguments: str
    "JSON as the model wrote it: data, perhaps not even valid."
    beside: Mapping[str, Any] = field(default_factory=dict)
    "What the provider wants to see again with this call, as it came."


@dataclass(frozen=True, slots=True)
class ToolResult:
    """What a tool came to, as JSON. Every `ToolUse` in the turns is followed by its result."""

    call: str
    output: str


ModelTurn = Said | ToolUse | ToolResult


@dataclass(frozen=True, slots=True)
class TextDelta:
    """The next characters of the answer; cut anywhere."""

    text: str


@dataclass(frozen=True, slots=True)
class Stopped:
    """The model has said all it will: the last piece but for `Spent`."""

    reason: Literal["end", "tools", "length", "filtered"]
    "filtered: the provider's own rules cut the answer."


ModelPiece = TextDelta | ToolUse | Spent | Stopped


class LanguageModel(Protocol):
    """One model of one provider with one credential; shared by all sessions that use it."""

    name: str
    "What prices go by, such as `gpt-5.4-mini`."

    def stream(
        self,
        instructions: str,
        turns: Sequence[ModelTurn],
        tools: Sequence[Declared],
        max_tokens: int,
    ) -> AsyncGenerator[ModelPiece, None]:
        """What the model says next. Closing the generator stops the provider too.

        `turns` begin on the student's side and take turns: two of one role never follow each other,
        and all uses of tools in one answer come before their results.

        Raises:
            EngineUnavailable: It can't be asked now; `fault` says why.
            EngineFailed: It broke in mid-answer.
        """

    async def close(self) -> None:
        """Close its connections."""


def cut_off() -> EngineFailed:
    """What to raise where a stream ended before its answer did."""
    fault = Fault("transient", "stream_cut", "The answer ended before its end.")
    return EngineFailed(fault.code, fault=fault)
