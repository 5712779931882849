"""A WebSocket to a provider: what it says is told as it comes, what we say never waits.

`websockets` holds the protocol; its queues and waiting are left out, since every event is dealt
with at once. What the provider does not read is bounded in bytes and in time.
"""

import asyncio
import logging
import ssl
from collections.abc import Callable, Mapping
from random import randbytes
from struct import pack
from typing import Any

import structlog
from websockets.asyncio.client import ClientConnection, connect
from websockets.frames import (  # type: ignore[attr-defined]
    Frame,
    Opcode,
    apply_mask,  # the one in C, where there is one
)
from websockets.protocol import OPEN

MOST_UNSENT = 8 << 20
"Bytes; a minute of pushed audio has 3.8 MB in base64, and the history comes before it."
UNSENT_S = 5.0
"So long more than UNSENT_HIGH may lie unread."
UNSENT_HIGH = 256 << 10
LARGEST_EVENT = 16 << 20
FRAGMENTS = 4_096
"Of one message; a provider that sends more is broken."
PING_S = 20.0
CLOSE_WITHIN_S = 2.0

Heard = Callable[[bytes | memoryview], None]
Gone = Callable[[int, str], None]

log = structlog.get_logger()

# The library logs every frame where DEBUG is on: words and sound must not get there.
_silent = logging.getLogger("ai.openai.websocket")
_silent.setLevel(logging.CRITICAL)


class Socket(ClientConnection):
    """One connection; nothing is told after `leave`."""

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self._heard: Heard | None = None
        self._gone: Gone | None = None
        self._early: list[bytes] | None = []
        "What came before anybody listened; None: somebody does, or did."
        self._pieces: list[bytes] = []
        self._stuck: asyncio.TimerHandle | None = None
        self._broken: tuple[int, str] | None = None
        "Why we gave it up."

    def listen(self, heard: Heard, gone: Gone) -> None:
        """Tell what comes to `heard`, and the end (close code and reason) to `gone`."""
        self._heard, self._gone = heard, gone
        early, self._early = self._early or [], None
        for data in early:
            self._tell(data)

    @property
    def lost(self) -> tuple[int, str] | None:
        """The close code and reason, where it is closed."""
        if self._broken is not None:
            return self._broken
        if self.protocol.state is OPEN:
            return None
        sent = self.protocol.close_sent
        if self.protocol.close_rcvd is None and sent is not None:
            return sent.code, sent.reason  # what came could not be read
        return self.protocol.close_code or 1006, self.protocol.close_reason or ""

    def say(self, event: bytes) -> None:
        """Send one event. Never waits, never raises; on a connection that is gone it is lost."""
        if self.protocol.state is not OPEN or self._broken is not None:
            return
        self.transport.write(framed(event))
        if self.paused and self.transport.get_write_buffer_size() > MOST_UNSENT:
            self.give_up("the provider does not read")

    def give_up(self, why: str) -> None:
        """End it at once; told as a lost connection."""
        if self._broken is None:
            self._broken = (1006, why)
            self.transport.abort()

    async def leave(self) -> None:
        """Close it; nothing is told afterwards."""
        self._heard = self._gone = None
        self._end_wait()
        try:
            async with asyncio.timeout(CLOSE_WITHIN_S):
                await self.close()
        except TimeoutError:
            self.transport.abort()

    # ---- what asyncio and websockets call ----------------------------------------------------

    def process_event(self, event: Any) -> None:
        if self.response is None or not isinstance(event, Frame):
            super().process_event(event)
            return
        opcode = event.opcode
        if opcode is Opcode.TEXT or opcode is Opcode.BINARY:
            if event.fin:
                self._tell(event.data)
            else:
                self._pieces = [bytes(event.data)]
        elif opcode is Opcode.CONT:
            self._pieces.append(bytes(event.data))
            if len(self._pieces) > FRAGMENTS:
                self.give_up("a message in too many fragments")
            elif event.fin:
                whole, self._pieces = b"".join(self._pieces), []
                self._tell(whole)
        else:
            super().process_event(event)

    def _tell(self, data: Any) -> None:
        if self._early is not None:
            self._early.append(bytes(data))
            return
        if self._heard is None or self._broken is not None:
            return
        try:
            self._heard(data)
        except Exception as problem:
            log.exception("provider.event_failed", problem=type(problem).__name__)
            self.give_up("an event could not be dealt with")

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._end_wait()
        heard_no_more, self._gone, self._heard = self._gone, None, None
        if heard_no_more is not None:
            heard_no_more(*(self.lost or (1006, "")))

    def pause_writing(self) -> None:
        super().pause_writing()
        self._stuck = self.loop.call_later(UNSENT_S, self.give_up, "the provider does not read")

    def resume_writing(self) -> None:
        super().resume_writing()
        self._end_wait()

    def _end_wait(self) -> None:
        stuck, self._stuck = self._stuck, None
        if stuck is not None:
            stuck.cancel()


class _Connect(connect):
    """To the address that was given and no other: an answer that sends us on is a refusal."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        return exc


def framed(text: bytes) -> bytes:
    """A text frame as a client sends it (RFC 6455, 5.2), as `websockets` does in four objects."""
    mask = randbytes(4)
    length = len(text)
    if length < 126:
        head = pack("!BB", 0x81, 0x80 | length)
    elif length < 1 << 16:
        head = pack("!BBH", 0x81, 0xFE, length)
    else:
        head = pack("!BBQ", 0x81, 0xFF, length)
    return head + mask + apply_mask(text, mask)


async def open_socket(
    url: str, headers: Mapping[str, str], *, context: ssl.SSLContext | None
) -> Socket:
    """Connect; the caller sets the deadline. Raises what `websockets.connect` raises."""
    connection = await _Connect(
        url,
        additional_headers=dict(headers),
        user_agent_header="student-connect",
        compression=None,
        create_connection=Socket,
        open_timeout=None,
        ping_interval=PING_S,
        ping_timeout=PING_S,
        close_timeout=CLOSE_WITHIN_S,
        max_size=LARGEST_EVENT,
        max_queue=None,
        write_limit=UNSENT_HIGH,
        logger=_silent,
        ssl=context if url.startswith("wss:") else None,
    )
    assert isinstance(connection, Socket)
    return connection
