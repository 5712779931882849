"""What may go wrong with a provider, by name, and when it does.

The first fourteen are what every simulator can do; a simulator's own come after them.
"""

from collections import deque
from dataclasses import dataclass, field

KINDS = (
    "refuse_connection",
    "throttled",  # 429
    "server_error",  # 5xx
    "hang_before_first_event",
    "hang_mid_audio",
    "close_mid_utterance",
    "close_at_limit",  # of a session's length, 8 or 60 minutes
    "invalid_json",
    "unknown_event",
    "huge_event",  # 50 MB
    "odd_audio",  # an odd number of bytes
    "transcript_out_of_order",
    "duplicate_ids",
    "wrong_session",  # events as they should be, of another session
)
HUGE_BYTES = 50_000_000


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that goes wrong, once on each stream that it meets."""

    name: str
    "One of KINDS, or of the simulator's own."
    after_s: float = 0.0
    "Since the stream was opened. Faults with a place of their own come there, from then on."
    detail: str = ""
    "What the simulator's description of it says: a status, the name of an exception."


@dataclass(slots=True)
class Faults:
    """Which streams will meet which faults: each of the next ones takes one."""

    _planned: deque[Fault] = field(default_factory=deque)

    def plan(self, fault: Fault, streams: int = 1) -> None:
        """The next `streams` streams (or requests) meet `fault`."""
        self._planned.extend([fault] * streams)

    def take(self) -> Fault | None:
        """The fault of the stream that begins now."""
        return self._planned.popleft() if self._planned else None

    def next_is(self, name: str) -> bool:
        """Whether the next stream's fault is `name`; it is not taken."""
        return bool(self._planned) and self._planned[0].name == name

    def clear(self) -> None:
        """From now on all is well."""
        self._planned.clear()
