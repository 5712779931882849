"""Asking a provider again, where that is safe and may help: only while nothing has come of it."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from typing import TypeVar

from ai.engine import EngineError
from ai.events import OF_ONE_CONVERSATION, Fault

T = TypeVar("T")

TRIES = 3
LONGEST_PAUSE_S = 2.0  # a student waits: who wants to be asked later than that is not asked again


def pause_s(fault: Fault, failed: int) -> float | None:
    """How long to wait before asking again after `failed` failures; None: it will not help."""
    if fault.code in OF_ONE_CONVERSATION:
        return None
    match fault.kind:
        case "terminal":
            return None
        case "limit":
            return 0.0
        case "throttled" if fault.retry_after_s is not None:
            return fault.retry_after_s if fault.retry_after_s <= LONGEST_PAUSE_S else None
        case "throttled":
            return float(0.5 * 2 ** (failed - 1))
        case _:
            return float(0.1 * 3 ** (failed - 1))


async def patiently(
    ask: Callable[[], AsyncGenerator[T, None]],
    *,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> AsyncGenerator[T, None]:
    """What `ask` brings; asked anew on a passing fault as long as it has brought nothing.

    Raises:
        EngineError: The last one, or one after something came.
    """
    for failed in range(1, TRIES + 1):
        begun = False
        try:
            async with aclosing(ask()) as pieces:
                async for piece in pieces:
                    begun = True
                    yield piece
            return
        except EngineError as problem:
            pause = pause_s(problem.fault, failed)
            if begun or pause is None or failed == TRIES:
                raise
        await sleep(pause)
