"""How many lists are exported at once. No I/O."""

import contextlib
from collections.abc import Iterator

from server.errors import Refused

AT_ONCE = 2  # in a process: lessons come first
BUSY = (
    f"{AT_ONCE} lists are being exported already, and more would slow lessons down. Please try"
    " again in a minute."
)


class Exports:
    """The exports of this process."""

    def __init__(self) -> None:
        self._running = 0

    @contextlib.contextmanager
    def one_more(self) -> Iterator[None]:
        """One more list is exported, from here to the end of the block.

        Raises:
            Refused: 429, where there are enough.
        """
        if self._running >= AT_ONCE:
            raise Refused(429, "too_many_exports", BUSY)
        self._running += 1
        try:
            yield
        finally:
            self._running -= 1
