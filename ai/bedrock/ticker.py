"""One beat for all of an engine's legs, so that no session needs a timer or task of its own."""

import asyncio
from collections.abc import Callable

import structlog

log = structlog.get_logger()

PERIOD_S = 0.032  # as long as a frame of audio


class Ticker:
    """Calls all that joined every `PERIOD_S`, with the loop's time; sleeps while there are none."""

    def __init__(self, period_s: float = PERIOD_S) -> None:
        self._period_s = period_s
        self._members: dict[Callable[[float], None], bool] = {}
        "And whether one has failed, which is logged once."
        self._next: asyncio.TimerHandle | None = None
        self._due = 0.0

    def join(self, member: Callable[[float], None]) -> None:
        self._members[member] = False
        if self._next is None:
            loop = asyncio.get_running_loop()
            self._due = loop.time() + self._period_s
            self._next = loop.call_at(self._due, self._beat)

    def leave(self, member: Callable[[float], None]) -> None:
        self._members.pop(member, None)

    def _beat(self) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time()
        for member in list(self._members):
            try:
                member(now)
            except Exception as problem:  # the others have nothing to do with it
                if not self._members.get(member, True):
                    self._members[member] = True
                    log.error("nova.tick_failed", problem=type(problem).__name__)
        if not self._members:
            self._next = None
            return
        self._due = max(self._due + self._period_s, now)
        self._next = loop.call_at(self._due, self._beat)
