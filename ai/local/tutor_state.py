"""Where the offline tutor is, as it is kept beside each of its items; see `ai.local.tutor`."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from ai.engine import Utterance

VERSION = 1
Awaiting = Literal["answer", "confirm", "finish"]


@dataclass(frozen=True, slots=True)
class Result:
    """How a step went."""

    step: int
    status: str
    "done | solved_for_them"
    attempts: int
    hints: int
    misconceptions: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class State:
    """Where the tutor is; `ai.local.tutor` explains the fields."""

    step: int = 0
    attempts: int = 0
    hints_used: int = 0
    misconceptions: tuple[int, ...] = ()
    awaiting: Awaiting = "answer"
    pending_text: str = ""
    misses: int = 0
    silences: int = 0
    turns: int = 0
    verdict_of_last: str = ""
    finished: bool = False
    results: tuple[Result, ...] = ()

    def data(self) -> dict[str, Any]:
        """As kept beside an item."""
        return {"version": VERSION} | asdict(self)


def recall(memory: Sequence[Utterance]) -> State | None:
    """The state kept with the last item of this tutor; None where there is none to be read."""
    for utterance in reversed(memory):
        if utterance.role == "tutor" and utterance.data.get("version") == VERSION:
            try:
                return _state(utterance.data)
            except (KeyError, TypeError, ValueError, AttributeError):
                return None
    return None


def _state(data: Mapping[str, Any]) -> State:
    if data["awaiting"] not in ("answer", "confirm", "finish"):
        raise ValueError(data["awaiting"])
    return State(
        step=int(data["step"]),
        attempts=int(data["attempts"]),
        hints_used=int(data["hints_used"]),
        misconceptions=_indexes(data),
        awaiting=data["awaiting"],
        pending_text=str(data["pending_text"]),
        misses=int(data["misses"]),
        silences=int(data["silences"]),
        turns=int(data["turns"]),
        verdict_of_last=str(data["verdict_of_last"]),
        finished=bool(data["finished"]),
        results=tuple(
            Result(
                step=int(result["step"]),
                status=str(result["status"]),
                attempts=int(result["attempts"]),
                hints=int(result["hints"]),
                misconceptions=_indexes(result),
            )
            for result in data["results"]
        ),
    )


def _indexes(data: Mapping[str, Any]) -> tuple[int, ...]:
    return tuple(int(index) for index in data["misconceptions"])
