"""Fresh legs of the engine in use: opened before the present one ends, and closed if not needed."""

import asyncio
from collections.abc import Callable

import structlog

from ai.engine import EngineUnavailable, VoiceEngine
from ai.events import Fault
from ai.rotation import PREPARE_WITHIN_S, Discard, Move, Prepare, Quiet, Rotation, Swap
from sessions.live.opening import Opened, Opener

log = structlog.get_logger()


class Spares:
    """Carries out what `Rotation` decides."""

    def __init__(
        self,
        opener: Opener,
        clock: Callable[[], float],
        *,
        engine: Callable[[], VoiceEngine],
        swap: Callable[[Opened, bool], None],
        failed: Callable[[Fault], None],
        changed: Callable[[], None],
    ) -> None:
        """`engine()` is the one in use. `swap` begins with a standby, forced or not; `failed` hears
        of one that could not be opened, and `changed` that it is time for `tick` again."""
        self._opener = opener
        self._clock = clock
        self._engine = engine
        self._swap = swap
        self._failed = failed
        self._changed = changed
        self._rotation = Rotation()
        self._warming: dict[int, asyncio.Task[None]] = {}
        self._standbys: dict[int, Opened] = {}

    @property
    def waits(self) -> bool:
        """One is ready, and waits for a good moment."""
        return self._rotation.waits

    def began(self, opened: Opened) -> None:
        """The session is on this one now."""
        self._carry_out(self._rotation.began(opened.standby.lifetime_s, opened.at))

    def take(self) -> Opened | None:
        """The leg broke: the one that is ready, if any; all others are closed."""
        number = self._rotation.take()
        spare = self._standbys.pop(number) if number is not None else None
        self._carry_out(self._rotation.ended())
        return spare

    def spared(self) -> None:
        """None is needed until the next `tick`."""
        self._carry_out(self._rotation.spared())

    def tick(self, quiet: Quiet) -> None:
        """Do what is due. Call it at `deadline`, and when `waits` and it gets quieter."""
        self._carry_out(self._rotation.tick(self._clock(), quiet))

    def deadline(self) -> float | None:
        return self._rotation.deadline()

    async def close(self) -> None:
        """None is opened any more, and none is left but what the opener still closes."""
        self._carry_out(self._rotation.ended())
        await asyncio.gather(*self._warming.values(), return_exceptions=True)

    def _carry_out(self, moves: list[Move]) -> None:
        for move in moves:
            match move:
                case Prepare(number):
                    self._warming[number] = asyncio.create_task(self._warm(number))
                case Discard(number):
                    if number in self._warming:
                        self._warming[number].cancel()
                    elif number in self._standbys:
                        self._opener.close(self._standbys.pop(number).standby)
                case Swap(number, forced):
                    self._swap(self._standbys.pop(number), forced)

    async def _warm(self, number: int) -> None:
        engine = self._engine()
        try:
            opened = await self._opener.prepare(engine, PREPARE_WITHIN_S)
        except EngineUnavailable as problem:
            log.warning("leg.standby_failed", engine=engine.name, code=problem.fault.code)
            self._failed(problem.fault)
            self._rotation.failed(number, self._clock())
        else:
            self._standbys[number] = opened
        finally:
            del self._warming[number]
        if number in self._standbys:
            lifetime_s = self._standbys[number].standby.lifetime_s
            self._carry_out(self._rotation.ready(number, lifetime_s, self._clock()))
        self._changed()
