"""What a line to the engines tells its session, and what is counted of its legs."""

from dataclasses import dataclass
from typing import Protocol

from ai.engine import VoiceEngine
from ai.events import EngineEvent, Used


@dataclass(slots=True)
class LegCounts:
    """What became of legs, in a process."""

    opened: int = 0
    rotations: int = 0
    forced: int = 0
    "Rotations for which no good moment came."
    reopened: int = 0
    "Of the same engine, after a fault."
    failovers: int = 0
    idle: int = 0
    "Closed since nobody was connected for a while."
    stalled: int = 0
    "Found dead by what they did not do."
    away: int = 0
    "Times that no engine of a chain could be opened."
    gap_s: float = 0.0
    "In all, from a fault to the next leg."


class Around(Protocol):
    """What a line tells its session; all at once, on the loop's thread."""

    def report(self, event: EngineEvent) -> None: ...

    def used(self, engine: str, event: Used) -> None:
        """Told of legs that are being closed, too: what they used was used."""

    def lost(self, code: str) -> None:
        """The leg is given up; another follows, or `gone`."""

    def found(self, engine: VoiceEngine, reason: str, hears_speech: bool) -> None:
        """A fresh leg has the memory and all the audio it needs."""

    def slow(self) -> None:
        """The student has waited for a while."""

    def gone(self) -> None:
        """No engine of the chain can be opened for now."""
