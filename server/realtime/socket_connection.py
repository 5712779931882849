"""One WebSocket, as a session speaks to it: sound besides events, and one task that writes.

Only `write` waits. Sound is encoded when it is sent, so that what a barge-in drops costs nothing.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import structlog

from server.realtime import limits, wire
from server.realtime.connection import (
    LIMIT_PASSED,
    ClientConnection,
    Codecs,
    Converter,
    Talk,
    law_of,
)
from sessions.live.events import (
    AudioDelta,
    AudioFormat,
    Command,
    CreateResponse,
    Event,
    OutputCleared,
    OutputPaused,
    OutputResumed,
    ResponseCreated,
    ResponseDone,
    SessionCreated,
    SessionUpdated,
    SessionView,
)
from tenancy.model import Person

REASON_BYTES = 123  # RFC 6455, 5.5: a control frame holds 125 bytes, two are the code

Message = dict[str, Any]
Send = Callable[[Message], Awaitable[None]]

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Sound:
    """A piece of the tutor's voice on its way to one client."""

    delta: AudioDelta
    binary: bool
    encoder: Converter | None
    "None: PCM as it is."


class SocketConnection(ClientConnection):
    """A connection over a WebSocket."""

    def __init__(
        self,
        person: Person,
        codecs: Codecs,
        *,
        reads: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """
        Args:
            reads: It reads along with somebody else's lesson.
        """
        super().__init__(person, codecs, reads=reads, clock=clock)
        self._wake = asyncio.Event()
        self._deadline: asyncio.Timeout | None = None
        self._closes_at = 0.0
        self._binary = False
        self._output_format: AudioFormat = "audio/pcm"
        self._encoder: Converter | None = None
        self._wished: AudioFormat | None = None
        self._encoders: dict[str, Converter | None] = {}

    # ---- what the session says ---------------------------------------------------------------

    def announce(self, kind: str, fields: Mapping[str, Any]) -> None:
        if self.closing is None:
            self._put_own(kind, fields)
            self._wake.set()

    def _close_within(self, patience_s: float) -> None:
        self._closes_at = asyncio.get_running_loop().time() + patience_s
        if self._deadline is not None:
            self._deadline.reschedule(self._closes_at)
        self._wake.set()

    def _queue(self, event: Event) -> None:
        match event:
            case AudioDelta():
                encoder = self._encoders.get(event.response_id, self._encoder)
                sound = Sound(event, self._binary, encoder)
                self._outbox.put_sound(sound, event.response_id, len(event.pcm))
                self._check_outbox()
            case OutputPaused() | OutputResumed() if not self._binary:
                return
            case _:
                self._note(event)
                self._put(event)
        self._wake.set()

    def _note(self, event: Event) -> None:
        """Keep up with what an event means for the sound."""
        match event:
            case SessionCreated() | SessionUpdated():
                self._adopt(event.session)
            case OutputCleared():
                self._outbox.drop_sound(event.response_id)
            case ResponseCreated() if self._wished is not None:
                self._encoders[event.response.id] = self._new_encoder(self._wished)
            case ResponseDone():
                self._encoders.pop(event.response.id, None)

    def _adopt(self, view: SessionView) -> None:
        super()._adopt(view)
        self._binary = view.binary
        if view.output_format != self._output_format:
            self._output_format = view.output_format
            self._encoder = self._new_encoder(view.output_format)

    def _new_encoder(self, kind: AudioFormat) -> Converter | None:
        law = law_of(kind)
        return self._codecs.encoder(law) if law else None

    def _pass_on(self, session: Talk, command: Command) -> None:
        if not isinstance(command, CreateResponse):
            super()._pass_on(session, command)
            return
        self._wished = command.output_format
        try:
            super()._pass_on(session, command)
        finally:
            self._wished = None

    # ---- writing -----------------------------------------------------------------------------

    async def write(self, send: Send) -> None:
        """Send what is told, until the connection is closed or the client has stopped reading."""
        while self._outbox or self.closing is None:
            if not self._outbox:
                self._wake.clear()
                await self._wake.wait()
                continue
            entry = self._outbox.take()
            try:
                async with asyncio.timeout(limits.STALLED_S) as self._deadline:
                    if self.closing is not None:
                        self._deadline.reschedule(self._closes_at)
                    for message in self._messages(entry):
                        await send(message)
            except TimeoutError:
                self._outbox.clear()
                self.closing = self.closing or (LIMIT_PASSED, "the client does not read")
            finally:
                self._deadline = None
        code, reason = self.closing
        try:
            async with asyncio.timeout(limits.CLOSING_S):
                await send({"type": "websocket.close", "code": code, "reason": _short(reason)})
        except TimeoutError:
            log.info("connection.left_open", code=code)

    def _messages(self, entry: bytes | Sound) -> Iterator[Message]:
        if isinstance(entry, bytes):
            yield _text(entry.decode())
            return
        pcm = entry.delta.pcm
        audio = entry.encoder.feed(pcm) if entry.encoder else pcm
        event_id = self._event_id()
        if entry.binary:
            yield _text(wire.encode_sound(entry.delta, event_id, None))
            yield {"type": "websocket.send", "bytes": audio}
        else:
            yield _text(wire.encode_sound(entry.delta, event_id, audio))


def _text(text: str) -> Message:
    return {"type": "websocket.send", "text": text}


def _short(reason: str) -> str:
    return reason.encode()[:REASON_BYTES].decode(errors="ignore")
