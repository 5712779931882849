"""What one connection may send and leave unread. Pure: the clock is passed in.

The figures are the contract's (docs/protocol.md, "Limits").
"""

from collections import deque
from dataclasses import dataclass, field
from typing import Generic, TypeVar

EVENT_BYTES = 64 * 1024
AUDIO_EVENT_BYTES = 1024 * 1024
FRAME_BYTES = 16 * 1024 * 1024
"Larger frames are the WebSocket library's to refuse, with 1009."
OVERSIZE_FRAMES = 3
"The connection that sends so many is closed."

TEXT_CHARACTERS = 8_000

EVENTS_PER_S = 200
EVENTS_BURST = 2_000
HELD_EVENTS = 1_000
"So many events without audio, all sent faster than allowed: it does not mean to slow down."

UNSENT_BYTES = 256 * 1024
UNSENT_SOUND_BYTES = 8 * 1024 * 1024
"Nearly three minutes of speech: a long answer, made faster than a slow line carries it."
RECHECK_S = 60.0
"Who may no longer be here, by what happened in another process, is noticed after so long."
STALLED_S = 5.0
CLOSING_S = 2.0
"What is still unsent when a connection is closed gets so long."


@dataclass(slots=True)
class Pace:
    """How fast a client may send: a bucket of tokens, one an event.

    A client that is too fast is read more slowly and loses nothing. One that keeps sending other
    things than audio at such a rate is `relentless`.
    """

    now: float
    held: int = 0
    "Events without audio that came too fast, since the bucket was last half full."
    _tokens: float = field(default_factory=lambda: EVENTS_BURST)

    def take(self, now: float, *, audio: bool) -> float:
        """Count one event. Returns the seconds to wait before the next one is read."""
        self._tokens = min(EVENTS_BURST, self._tokens + (now - self.now) * EVENTS_PER_S) - 1
        self.now = now
        if self._tokens >= 0:
            if self._tokens > EVENTS_BURST / 2:
                self.held = 0
            return 0.0
        self.held += not audio
        return -self._tokens / EVENTS_PER_S

    @property
    def relentless(self) -> bool:
        return self.held >= HELD_EVENTS


Sound = TypeVar("Sound")


@dataclass(slots=True)
class Outbox(Generic[Sound]):
    """What waits to be written to one connection: events as bytes, sound as it came.

    Bounded: `over` says that the client reads too slowly for what it is told. A replay does not
    count; it is as long as the conversation, and a client must be able to get through it.
    """

    _queue: deque[tuple[bytes | Sound, str, int]] = field(default_factory=deque)
    unsent: int = 0
    unsent_sound: int = 0

    def __len__(self) -> int:
        return len(self._queue)

    def put(self, event: bytes, *, replay: bool = False) -> None:
        size = 0 if replay else len(event)
        self.unsent += size
        self._queue.append((event, "", size))

    def put_sound(self, sound: Sound, response_id: str, size: int) -> None:
        self.unsent_sound += size
        self._queue.append((sound, response_id, size))

    def take(self) -> bytes | Sound:
        """The oldest. Raises IndexError where nothing waits."""
        entry, _, size = self._queue.popleft()
        if isinstance(entry, bytes):
            self.unsent -= size
        else:
            self.unsent_sound -= size
        return entry

    def drop_sound(self, response_id: str | None = None) -> None:
        """Forget the sound of one response, or all, that was not sent yet."""
        kept: deque[tuple[bytes | Sound, str, int]] = deque()
        for entry, of, size in self._queue:
            if isinstance(entry, bytes) or (response_id is not None and of != response_id):
                kept.append((entry, of, size))
            else:
                self.unsent_sound -= size
        self._queue = kept

    def clear(self) -> None:
        self._queue.clear()
        self.unsent = self.unsent_sound = 0

    @property
    def over(self) -> bool:
        return self.unsent > UNSENT_BYTES or self.unsent_sound > UNSENT_SOUND_BYTES
