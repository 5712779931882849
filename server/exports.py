"""How many lists are exported at once: a few, for lessons come first."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from server.errors import Refused

AT_ONCE = 2  # in a process
PATIENCE_S = 10.0
BUSY = (
    f"{AT_ONCE} lists are being exported already, and more would slow lessons down. Please try"
    " again in a minute."
)


class Exports:
    """The exports of this process."""

    def __init__(self, patience_s: float = PATIENCE_S) -> None:
        self._patience_s = patience_s
        self._turns = asyncio.Semaphore(AT_ONCE)

    @contextlib.asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """One list is exported, from here to the end of the block; it waits a little for its turn.

        Raises:
            Refused: 429, if the others take longer.
        """
        try:
            async with asyncio.timeout(self._patience_s):
                await self._turns.acquire()
        except TimeoutError:
            raise Refused(429, "too_many_exports", BUSY) from None
        try:
            yield
        finally:
            self._turns.release()
