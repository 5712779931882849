"""A loop whose time jumps to the next timer: hours of a lesson pass while nobody waits."""

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class _Skipping(selectors.SelectSelector):
    """Instead of waiting for a timer, its time is skipped."""

    def __init__(self) -> None:
        super().__init__()
        self.skipped = 0.0

    def select(self, timeout: float | None = None) -> Any:
        if timeout is not None and timeout > 0:
            self.skipped += timeout
            timeout = 0
        return super().select(timeout)


class QuickLoop(asyncio.SelectorEventLoop):
    """For what waits for timers only, and for no file, socket or thread."""

    def __init__(self) -> None:
        self._skipping = _Skipping()
        super().__init__(self._skipping)

    def time(self) -> float:
        return super().time() + self._skipping.skipped


def quickly(coroutine: Coroutine[Any, Any, T]) -> T:
    """What the coroutine returns; its sleeps take no time."""
    with asyncio.Runner(loop_factory=QuickLoop) as runner:
        return runner.run(coroutine)
