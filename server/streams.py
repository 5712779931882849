"""The open event streams of this process: what waits for each, and when each ends. No I/O.

    bus --put--> Stream --take--> server.api.events --> page

`put` returns at once. A page that reads too slowly loses the oldest news and is told so: it asks
anew for what it shows, which is what it does after every gap.
"""

from collections import deque
from collections.abc import Callable
from typing import Literal
from uuid import UUID

WAITING = 256  # news; more is not read, but asked for anew
PER_PERSON = 4  # a browser opens six connections to a site over HTTP/1.1, and needs some to ask

End = Literal["gone", "signed_out", "too_many", "stopping"]
"Why a stream ends: its reader left, may read no longer, reads too many, or the server stops."


class Stream:
    """One page's share of what happens."""

    def __init__(self, person_id: UUID, wake: Callable[[], None]) -> None:
        """
        Args:
            wake: Called when there is something to take, or the stream has ended.
        """
        self.person_id = person_id
        self.missed = False
        "News was dropped since this was last set to False."
        self.ended: End | None = None
        self._wake = wake
        self._waiting: deque[object] = deque()

    def put(self, news: object) -> None:
        """Keep news for the reader. Never blocks, never raises."""
        if self.ended is not None:
            return
        self._waiting.append(news)
        if len(self._waiting) > WAITING:
            self._waiting.popleft()
            self.missed = True
        self._wake()

    def take(self) -> object | None:
        """The oldest news; None where nothing waits."""
        return self._waiting.popleft() if self._waiting else None

    def end(self, why: End) -> None:
        """Nothing more is to be read; the first reason counts."""
        if self.ended is None:
            self.ended = why
            self._waiting.clear()
            self._wake()


class Streams:
    """All open streams of this process, oldest first."""

    def __init__(self) -> None:
        self.closed = False
        "No stream is opened any more."
        self._open: dict[UUID, list[Stream]] = {}

    def __len__(self) -> int:
        return sum(map(len, self._open.values()))

    def add(self, stream: Stream) -> None:
        """From now on this is one of its reader's; the oldest of too many ends."""
        theirs = self._open.setdefault(stream.person_id, [])
        theirs.append(stream)
        if self.closed:
            stream.end("stopping")
        for oldest in theirs[:-PER_PERSON]:
            oldest.end("too_many")

    def remove(self, stream: Stream) -> None:
        theirs = self._open[stream.person_id]
        theirs.remove(stream)
        if not theirs:
            del self._open[stream.person_id]

    def close(self) -> None:
        """The server stops: end them all."""
        self.closed = True
        for theirs in self._open.values():
            for stream in theirs:
                stream.end("stopping")
