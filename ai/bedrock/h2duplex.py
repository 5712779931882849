"""One HTTP/2 request whose two directions are open at once, on a connection of its own.

Sending never waits: what the peer's windows do not take yet is held, up to `MAX_PENDING`, and goes
out as they open. Receiving is by callback; what was handed on is acknowledged, a quarter of the
window at a time. Nothing runs in tasks: the event loop calls, and this answers.
"""

import asyncio
import ssl
from collections.abc import Mapping, Sequence
from typing import Protocol, cast
from urllib.parse import SplitResult

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import (
    ConnectionTerminated,
    DataReceived,
    Event,
    ResponseReceived,
    StreamEnded,
    StreamReset,
)
from h2.exceptions import ProtocolError
from h2.settings import SettingCodes, Settings

from ai.engine import EngineError
from ai.events import Fault

MAX_PENDING = 512 * 1024  # bytes: some 6 s of audio as it goes over the wire
STALL_S = 10.0  # a peer that takes nothing for so long has gone
WINDOW = 1024 * 1024  # what the peer may send before it hears of us


class DuplexEnded(EngineError):
    """The connection is of no more use; `fault` says what to do about it."""

    def __init__(self, code: str, detail: str, *, expected: bool = False) -> None:
        fault = Fault("limit" if expected else "transient", code, detail)
        super().__init__(detail, fault=fault)


class Receiver(Protocol):
    """Hears of one request. Its methods must not raise."""

    def responded(self, status: int, headers: Mapping[str, str]) -> None:
        """The response's headers."""

    def received(self, data: bytes) -> None:
        """Some of the response's body."""

    def ended(self, problem: DuplexEnded | None) -> None:
        """Nothing more comes; None: the response is complete. Told once."""


class H2Duplex(asyncio.Protocol):
    """A client's connection with one stream."""

    def __init__(self, receiver: Receiver) -> None:
        self._receiver = receiver
        config = H2Configuration(
            client_side=True, header_encoding="utf-8", validate_outbound_headers=False
        )
        self._h2 = H2Connection(config)
        asked = {SettingCodes.ENABLE_PUSH: 0, SettingCodes.INITIAL_WINDOW_SIZE: WINDOW}
        self._h2.local_settings = Settings(client=True, initial_values=asked)
        self._transport: asyncio.Transport | None = None
        self._stream = 0
        self._pending = bytearray()
        self._ending = False
        "END_STREAM follows what is pending."
        self._sent_all = False
        self._loop = asyncio.get_running_loop()
        self._flushing = False
        "What was sent is about to be written."
        self._taken = 0
        "Bytes that were handed on since the peer was last told so."
        self._writable = True
        self._over = False
        self._stall: asyncio.TimerHandle | None = None
        self.closed = self._loop.create_future()
        "Done when the connection is gone."

    # ---- sending -----------------------------------------------------------------------------

    @property
    def pending(self) -> int:
        """Bytes that the peer does not take yet."""
        return len(self._pending)

    def start(self, headers: Sequence[tuple[str, str]]) -> None:
        """Send the request's headers."""
        self._stream = self._h2.get_next_available_stream_id()
        self._h2.send_headers(self._stream, headers)
        self._flush()

    def send(self, data: bytes) -> None:
        """Send some of the request's body, at once or as soon as the peer takes it."""
        if self._over or self._ending:
            return
        if len(self._pending) + len(data) > MAX_PENDING:
            self._fail(DuplexEnded("peer_stalled", f"The peer left {self.pending} bytes waiting."))
            return
        if not self._pending and self._writable and len(data) <= self._room():
            self._h2.send_data(self._stream, data)
            if not self._flushing:
                self._flushing = True
                self._loop.call_soon(self._flush_all)
            return
        self._pending += data
        self._pump()

    def end(self) -> None:
        """The request's body is complete."""
        self._ending = True
        self._pump()

    def _room(self) -> int:
        """How many bytes may go out in one frame now."""
        return min(
            self._h2.local_flow_control_window(self._stream), self._h2.max_outbound_frame_size
        )

    def _pump(self) -> None:
        """Send of what is pending what the peer takes."""
        if self._over:
            return
        before = len(self._pending)
        while self._pending and self._writable:
            length = min(len(self._pending), self._room())
            if length <= 0:
                break
            self._h2.send_data(self._stream, bytes(self._pending[:length]))
            del self._pending[:length]
            self._flush()
        if self._ending and not self._pending and not self._sent_all:
            self._sent_all = True
            self._h2.end_stream(self._stream)
            self._flush()
        self._watch(moved=len(self._pending) < before)

    def _watch(self, *, moved: bool) -> None:
        """A peer that takes nothing is given up after a while."""
        if self._stall is not None and (moved or not self._pending):
            self._stall.cancel()
            self._stall = None
        if self._pending and self._stall is None:
            self._stall = self._loop.call_later(STALL_S, self._stalled)

    def _stalled(self) -> None:
        self._fail(DuplexEnded("peer_stalled", f"The peer took nothing for {STALL_S:.0f} s."))

    def _flush_all(self) -> None:
        """Write in one go what was sent since the event loop last looked."""
        self._flushing = False
        if not self._over:
            self._flush()

    def _flush(self) -> None:
        if self._transport is not None and (data := self._h2.data_to_send()):
            self._transport.write(data)

    # ---- the event loop calls ----------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's are of no such class
        self._h2.initiate_connection()
        self._h2.increment_flow_control_window(WINDOW)
        self._flush()

    def pause_writing(self) -> None:
        self._writable = False

    def resume_writing(self) -> None:
        self._writable = True
        self._pump()

    def data_received(self, data: bytes) -> None:
        if self._over:
            return
        try:
            for event in self._h2.receive_data(data):
                self._handle(event)
        except ProtocolError as problem:
            self._flush()
            self._fail(DuplexEnded("protocol_error", f"HTTP/2: {problem!r}"))
            return
        if self._over:
            return
        self._flush()
        if self._pending or (self._ending and not self._sent_all):
            self._pump()

    def connection_lost(self, exc: Exception | None) -> None:
        self._fail(DuplexEnded("connection_lost", repr(exc) if exc else "The connection closed."))
        if not self.closed.done():
            self.closed.set_result(None)

    def _handle(self, event: Event) -> None:
        if self._over:
            return
        match event:
            case DataReceived(data=data, flow_controlled_length=length, stream_id=stream):
                self._receiver.received(data or b"")
                self._taken += length or 0
                if self._taken >= WINDOW // 4 and stream and not self._over:
                    self._h2.acknowledge_received_data(self._taken, stream)
                    self._taken = 0
            case ResponseReceived():
                headers = {str(name): str(value) for name, value in event.headers or ()}
                status = headers.get(":status", "")
                self._receiver.responded(int(status) if status.isdigit() else 0, headers)
            case StreamEnded():
                self._fail(None)
            case StreamReset():
                detail = f"RST_STREAM: {_named(event.error_code)}"
                self._fail(DuplexEnded("stream_reset", detail))
            case ConnectionTerminated():
                graceful = event.error_code == ErrorCodes.NO_ERROR
                detail = f"GOAWAY: {_named(event.error_code)}"
                self._fail(DuplexEnded("going_away", detail, expected=graceful))

    def _fail(self, problem: DuplexEnded | None) -> None:
        """The end, whoever brought it about."""
        if self._over:
            return
        self._over = True
        self._pending.clear()
        if self._stall is not None:
            self._stall.cancel()
            self._stall = None
        self._receiver.ended(problem)

    # ---- the end -----------------------------------------------------------------------------

    def abort(self) -> None:
        """Let go of the connection now; the receiver hears no more."""
        self._over = True
        self._pending.clear()
        if self._stall is not None:
            self._stall.cancel()
            self._stall = None
        if self._transport is not None:
            self._transport.abort()

    def close(self) -> None:
        """Take leave of the peer, after what was written, and close."""
        if self._transport is None or self._transport.is_closing():
            return
        self._over = True
        try:
            self._h2.close_connection()
            self._flush()
        except ProtocolError:
            pass  # it is closed already, as far as HTTP/2 goes
        self._transport.close()


def _named(code: ErrorCodes | int | None) -> str:
    return code.name if isinstance(code, ErrorCodes) else str(code)


def tls(ca_file: str | None = None) -> ssl.SSLContext:
    """Verified TLS that speaks HTTP/2. Reads files: make it once."""
    context = ssl.create_default_context(cafile=ca_file)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["h2"])
    return context


async def connect(url: SplitResult, receiver: Receiver, context: ssl.SSLContext | None) -> H2Duplex:
    """A connection to a URL's host, by TLS where it is https, else as HTTP/2 by prior knowledge.

    Raises:
        DuplexEnded: If nobody answers there, or no HTTP/2.
    """
    loop = asyncio.get_running_loop()
    secure = url.scheme == "https"
    try:
        transport, duplex = await loop.create_connection(
            lambda: H2Duplex(receiver),
            url.hostname or "",
            url.port or (443 if secure else 80),
            ssl=context if secure else None,
        )
    except OSError as problem:  # TLS's errors are of this kind too
        raise DuplexEnded("unreachable", f"{type(problem).__name__}: {problem}") from problem
    chosen = transport.get_extra_info("ssl_object")
    if chosen is not None and chosen.selected_alpn_protocol() != "h2":
        transport.abort()
        raise DuplexEnded("no_http2", "The peer does not speak HTTP/2.")
    return duplex
