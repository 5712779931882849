"""The student's latest audio, kept until no leg can need it any more. No I/O.

Places are told by their distance from the newest sample, in milliseconds: the media clock belongs
to `Turns`, and may count a fraction of a millisecond apart.
"""

from collections import deque

from ai.audio import BYTES_PER_MS

MOST_MS = 60_000  # architecture.md: so much audio may wait for an engine
LOUDNESS_STRIDE = 16  # every 16th sample is enough to tell voice from quiet
ZERO_MOST = 1  # of 32,767: what Opus makes of zeros, and less than any microphone's own noise


class Ring:
    """Audio in the pieces in which it came, oldest first."""

    def __init__(self, most_ms: int = MOST_MS) -> None:
        self._most = most_ms * BYTES_PER_MS
        self._pieces: deque[bytes] = deque()
        self._bytes = 0
        self.lost_ms = 0
        "Thrown away though it was still to be kept: more came than there is room for."

    @property
    def length_ms(self) -> int:
        return self._bytes // BYTES_PER_MS

    def add(self, pcm: bytes) -> None:
        self._pieces.append(pcm)
        self._bytes += len(pcm)
        while self._bytes > self._most and len(self._pieces) > 1:
            dropped = self._pieces.popleft()
            self._bytes -= len(dropped)
            self.lost_ms += len(dropped) // BYTES_PER_MS

    def keep(self, latest_ms: int) -> None:
        """Forget what is older than that."""
        most = max(0, latest_ms) * BYTES_PER_MS
        while self._pieces and self._bytes - len(self._pieces[0]) >= most:
            self._bytes -= len(self._pieces.popleft())

    def clear(self) -> None:
        self._pieces.clear()
        self._bytes = 0

    def latest(self, ms: int) -> list[bytes]:
        """The last so many milliseconds, or what there is of them, in pieces."""
        spare = self._bytes - max(0, ms) * BYTES_PER_MS
        pieces: list[bytes] = []
        for piece in self._pieces:
            if spare < len(piece):
                pieces.append(piece if spare <= 0 else piece[spare - spare % 2 :])
            spare -= len(piece)
        return pieces

    def between(self, start_ms: int, end_ms: int) -> bytes:
        """From so long ago (`start_ms`) to so long ago (`end_ms`)."""
        pcm = b"".join(self.latest(start_ms))
        return pcm[: max(0, len(pcm) - max(0, end_ms) * BYTES_PER_MS)]


def peak(pcm: bytes) -> int:
    """About how loud a piece is: 0..32767."""
    samples = memoryview(pcm)[: len(pcm) & ~1].cast("h")
    return max(samples[::LOUDNESS_STRIDE], default=0)


def is_silent(pcm: bytes) -> bool:
    """Whether all of it is zeros, or what a codec makes of them, as of no microphone that works."""
    if not pcm.strip(b"\0"):
        return True
    samples = memoryview(pcm)[: len(pcm) & ~1].cast("h")
    return all(
        min(some, default=0) >= -ZERO_MOST and max(some, default=0) <= ZERO_MOST
        for some in (samples[::LOUDNESS_STRIDE], samples)  # a glance tells most of the time
    )
