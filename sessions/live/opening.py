"""Opening legs in bounded time, and closing them for certain.

Whatever was begun here is either handed over or closed: also what opens after nobody waits for it
any more, and what was cancelled on the way.
"""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Protocol

import structlog

from ai.engine import Brief, EngineError, EngineUnavailable, Standby, VoiceEngine
from ai.events import Fault

CLOSE_WITHIN_S = 5.0  # a leg that takes longer to say goodbye is let go of

log = structlog.get_logger()


class Closes(Protocol):
    """A leg, or a standby."""

    async def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Opened:
    """An open way to an engine."""

    engine: VoiceEngine
    standby: Standby
    at: float


class Opener:
    """Opens standbys for one session."""

    def __init__(self, brief: Brief, clock: Callable[[], float]) -> None:
        self._brief = brief
        self._clock = clock
        self._tasks: set[asyncio.Task[None]] = set()

    async def prepare(self, engine: VoiceEngine, within_s: float) -> Opened:
        """A standby of the engine.

        Raises:
            EngineUnavailable: If it can't be opened, or not in time.
        """
        at = self._clock()
        preparing = asyncio.ensure_future(engine.prepare(self._brief))
        try:
            await asyncio.wait((preparing,), timeout=within_s)
        except asyncio.CancelledError:
            self._abandon(preparing)
            raise
        if not preparing.done():
            self._abandon(preparing)
            raise EngineUnavailable(fault=Fault("transient", "engine_slow"))
        problem = preparing.exception()
        if problem is not None:
            raise EngineUnavailable(fault=fault_of(problem)) from problem
        return Opened(engine, preparing.result(), at)

    def close(self, what: Closes) -> None:
        """Close it; nobody waits for that but `finish`."""
        self._start(self._close(what))

    async def finish(self) -> None:
        """Wait until all that was to be closed is."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    def _abandon(self, preparing: "asyncio.Future[Standby]") -> None:
        preparing.cancel()
        self._start(self._close_late(preparing))

    async def _close_late(self, preparing: "asyncio.Future[Standby]") -> None:
        await asyncio.wait((preparing,), timeout=CLOSE_WITHIN_S)
        if not preparing.done():
            log.error("leg.still_opening")
        elif not preparing.cancelled() and preparing.exception() is None:
            await self._close(preparing.result())

    async def _close(self, what: Closes) -> None:
        try:
            async with asyncio.timeout(CLOSE_WITHIN_S):
                await what.close()
        except Exception as problem:
            log.warning("leg.close_failed", problem=type(problem).__name__)

    def _start(self, coroutine: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def fault_of(problem: BaseException) -> Fault:
    """What to do about an exception of an engine; of a kind that it should not raise, too."""
    if isinstance(problem, EngineError):
        return problem.fault
    return Fault("transient", "engine_failed", type(problem).__name__)
