"""A leg is replaced before its provider ends it: active -> warm -> swap -> drain. No I/O, no clock.

    active --warm_at--> warming --ready--> warm --a quiet moment, or must_at--> swap, drain the old
                          ^  |              |
                          |  +--failed--+   +--waited too long: close it--+
                          +--backoff----+                                 |
                          +-----------------------------------------------+

Only time drives it: a student who says nothing for minutes changes legs like any other. Whoever
holds one carries out the moves that it returns, and reports what came of them; `standby` numbers
what is being prepared, so that what comes too late is known as such.
"""

from collections.abc import Callable
from dataclasses import dataclass
from random import random
from typing import Literal

WARM_BEFORE_S = 120.0  # voice.md 5c: warm 2 min before the provider's limit, ...
SPREAD_S = 60.0  # or up to a minute earlier: a class that began at once changes legs one by one
SWAP_BEFORE_S = 30.0  # ... and on the new leg half a minute before it at the latest
KEPT_S = 45.0  # Nova ends a stream that gets nothing for 55 s; a standby may get nothing
BACKOFF_S = (2.0, 5.0, 10.0, 20.0)  # between standbys that fail; shorter, as the rest, ...
SHORTEST_LIFE_S = 0.25  # ... where a leg's life is; a shorter one is taken for so long
PREPARE_WITHIN_S = 12.0  # engines give up at 10 s by themselves

Quiet = Literal["silent", "idle", "busy"]
"""How good a moment this is.

silent: nothing is under way. idle: the student still hears what was said, and nothing else is under
way. busy: somebody speaks or thinks."""


@dataclass(frozen=True, slots=True)
class Prepare:
    """Open a standby, and report `ready` or `failed`."""

    standby: int


@dataclass(frozen=True, slots=True)
class Discard:
    """Close this standby, or stop opening it."""

    standby: int


@dataclass(frozen=True, slots=True)
class Swap:
    """Begin with this standby; the leg that was active drains, and is closed."""

    standby: int
    forced: bool
    "It is no good moment, and there is no time for a better one."


Move = Prepare | Discard | Swap


class Rotation:
    """When to change to a fresh leg. `now` is seconds of any steady clock."""

    def __init__(self, draw: Callable[[], float] | None = None) -> None:
        """`draw` gives chance, from 0 to 1: how much earlier than it must this one is warm."""
        self._draw = draw or random
        self.warm_at: float | None = None
        "When a standby is wanted; None: the leg lives as long as it likes, or there is none."
        self.idle_at = 0.0
        "From then on a swap need not wait until the student has heard all."
        self.must_at = 0.0
        self._standbys = 0
        self._opening: int | None = None
        self._opening_until = 0.0
        self._ready: int | None = None
        self._ready_until = 0.0
        self._again_at = 0.0
        self._failures = 0
        self._scale = 1.0
        self._now = 0.0
        "When it last looked."

    @property
    def waits(self) -> bool:
        """A standby is ready, and waits for a good moment."""
        return self._ready is not None

    def began(self, lifetime_s: float | None, opened_at: float) -> list[Move]:
        """A leg is active, that was opened then and lives so long."""
        moves = self.ended()
        if lifetime_s is not None:
            lifetime_s = max(lifetime_s, SHORTEST_LIFE_S)
            ahead_s = min(WARM_BEFORE_S, lifetime_s / 2)
            self._scale = ahead_s / WARM_BEFORE_S
            warm_at = opened_at + lifetime_s - ahead_s
            self.warm_at = warm_at - SPREAD_S * self._scale * self._draw()
            self.must_at = opened_at + lifetime_s - SWAP_BEFORE_S * self._scale
            self.idle_at = (warm_at + self.must_at) / 2
        self._failures = 0
        self._again_at = 0.0
        return moves

    def take(self) -> int | None:
        """The active leg broke: the standby that is ready, if any; it is used, or closed."""
        self._ready, standby = None, self._ready
        return standby

    def ended(self) -> list[Move]:
        """There is no active leg any more, and none is to follow it from here."""
        self.warm_at = None
        return self.spared()

    def spared(self) -> list[Move]:
        """No standby is needed for now; the next `tick` may want one again."""
        self._opening, opening = None, self._opening
        return [Discard(one) for one in (opening, self.take()) if one is not None]

    def ready(self, standby: int, lifetime_s: float | None, now: float) -> list[Move]:
        """A standby is open. One that nobody waits for any more is closed."""
        if standby != self._opening:
            return [Discard(standby)]
        self._opening = None
        self._ready = standby
        kept_s = KEPT_S if lifetime_s is None else min(KEPT_S, lifetime_s / 4)
        self._ready_until = now + kept_s
        return []

    def failed(self, standby: int, now: float) -> None:
        """A standby could not be opened; the active leg knows nothing of it."""
        if standby == self._opening:
            self._opening = None
            self._retry(now)

    def tick(self, now: float, quiet: Quiet) -> list[Move]:
        """What is to be done now. Call it at `deadline`, and when `waits` and it gets quieter."""
        self._now = now
        if self.warm_at is None or now < self.warm_at:
            return []
        moves: list[Move] = []
        if self._opening is not None and now >= self._opening_until:
            moves.append(Discard(self._opening))
            self._opening = None
            self._retry(now)
        if self._ready is not None and now >= self._ready_until:
            moves.append(Discard(self._ready))  # its provider may have ended it by now
            self._ready = None
        if self._ready is not None:
            forced = now >= self.must_at
            if forced or quiet == "silent" or (quiet == "idle" and now >= self.idle_at):
                self.warm_at = None
                standby = self.take()
                assert standby is not None
                return [*moves, Swap(standby, forced and quiet == "busy")]
            return moves
        if self._opening is None and now >= self._again_at:
            self._standbys += 1
            self._opening = self._standbys
            self._opening_until = now + PREPARE_WITHIN_S
            moves.append(Prepare(self._opening))
        return moves

    def deadline(self) -> float | None:
        """When `tick` wants to be called next."""
        if self.warm_at is None:
            return None
        if self._ready is not None:
            good_at = self.idle_at if self._now < self.idle_at else self.must_at
            return min(self._ready_until, good_at)
        if self._opening is not None:
            return self._opening_until
        return max(self.warm_at, self._again_at)

    def _retry(self, now: float) -> None:
        wait_s = BACKOFF_S[min(self._failures, len(BACKOFF_S) - 1)]
        self._again_at = now + wait_s * self._scale
        self._failures += 1
