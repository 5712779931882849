"""DTLS, SRTP and the data channel of one call: aiortc's transports without its peer connection.

Everything that leans on what aiortc keeps private is in this module, and its test says what a new
version took away. Each has its reason:

- `_recv`, `_send`, `role`, `state` of the ICE transport are all that `RTCDtlsTransport` needs of
  one; `Pipe` has them, and behind it is our own socket.
- `_set_role`: the role comes from the SDP, which otherwise only the peer connection sets.
- `_rx_srtp`, `_tx_srtp`: packets of sound go from the socket's callback to the ears and back
  without the transport's queue and task.
- `_validate_peer_identity`: a wrong fingerprint is told apart from a broken handshake.
- `_ssl`, `_state`: close_notify is sent at once, where nothing may wait.
- `_create_ssl_context`: one context serves all calls, and has only AEAD suites.
- In SCTP, `_handle_data`, `_receive_*_chunk`, `_data_channel_receive`, `_send_chunk` and the state
  they keep: aiortc trusts a peer with our memory and time (see `sctp_guard`).
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable
from typing import Any, Protocol

import pylibsrtp
import structlog
from aiortc.rtcdatachannel import RTCDataChannel
from aiortc.rtcdtlstransport import (
    RTCCertificate,
    RTCDtlsFingerprint,
    RTCDtlsParameters,
    RTCDtlsTransport,
    State,
)
from aiortc.rtcsctptransport import (
    DATA_CHANNEL_OPEN,
    WEBRTC_DCEP,
    Chunk,
    DataChunk,
    RTCSctpCapabilities,
    RTCSctpTransport,
    SackChunk,
)
from OpenSSL import SSL

from server.rtc import sctp_guard
from server.rtc.sdp import Fingerprint, Offer

EVENTS = "oai-events"
"The data channel's name, as OpenAI's clients open it."
LOW_BYTES = 64 * 1024
"So little waits on the channel that more may be written."
WAITING = 64
"Datagrams of DTLS that are kept for the handshake or the association."
CHANNELS = 8
SUITES = (
    b"ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305"
)

log = structlog.get_logger()


class Certificate(RTCCertificate):
    """A certificate of this process, with the one TLS context of all its calls."""

    _context: SSL.Context | None = None

    def _create_ssl_context(self, srtp_profiles: Any) -> SSL.Context:
        if self._context is None:
            self._context = super()._create_ssl_context(srtp_profiles)
            self._context.set_cipher_list(SUITES)
            self._context.set_options(SSL.OP_NO_RENEGOTIATION)
        return self._context

    @property
    def fingerprint(self) -> Fingerprint:
        """What the answer names it by."""
        found = next(one for one in self.getFingerprints() if one.algorithm == "sha-256")
        return Fingerprint(found.algorithm, found.value)


class LinkListener(Protocol):
    """What becomes of a link; called on the loop's thread."""

    def secured(self) -> None:
        """The handshake is done and the other side is who it should be."""

    def opened(self) -> None:
        """The data channel is open."""

    def message(self, content: str | bytes) -> None:
        """A message on it."""

    def writable(self) -> None:
        """Less than `LOW_BYTES` wait on it."""

    def failed(self, reason: str) -> None:
        """`fingerprint` or `dtls`: there was no handshake. `closed_by_peer`: it has left."""


class Pipe:
    """What `RTCDtlsTransport` takes for its ICE transport: datagrams of DTLS, and a way out."""

    role = "controlled"
    state = "completed"

    def __init__(self, send: Callable[[bytes], None]) -> None:
        self._out = send
        self._waiting: deque[bytes] = deque(maxlen=WAITING)
        self._woken: asyncio.Future[None] | None = None
        self._ended = False

    def feed(self, data: bytes) -> None:
        """A datagram has come; where too many wait, the oldest is lost."""
        self._waiting.append(data)
        self._wake()

    def end(self) -> None:
        """No more will come, and none goes out."""
        self._ended = True
        self._wake()

    def _wake(self) -> None:
        if self._woken is not None and not self._woken.done():
            self._woken.set_result(None)

    async def _recv(self) -> bytes:
        while not self._waiting or self._ended:
            if self._ended:
                raise ConnectionError
            self._woken = asyncio.get_running_loop().create_future()
            await self._woken
        return self._waiting.popleft()

    async def _send(self, data: bytes) -> None:
        if self._ended:
            raise ConnectionError
        self._out(data)


class Dtls(RTCDtlsTransport):
    """aiortc's DTLS, which also remembers why it failed."""

    mismatch = False
    "The other side's certificate is not the one its offer named."

    def _validate_peer_identity(self, remoteParameters: RTCDtlsParameters) -> None:
        super()._validate_peer_identity(remoteParameters)
        self.mismatch = self._state == State.FAILED


class Sctp(RTCSctpTransport):
    """aiortc's SCTP, which takes only what fits together, and as much as it has room for."""

    def __init__(self, transport: RTCDtlsTransport) -> None:
        super().__init__(transport)
        self._inbound_streams_max = sctp_guard.STREAMS
        self._advertised_rwnd = sctp_guard.WINDOW_BYTES
        self.refused = 0
        "Packets and chunks that were dropped."
        self.on_closed: Callable[[], None] = lambda: None

    async def _handle_data(self, data: bytes) -> None:
        if not sctp_guard.sound(data):
            self.refused += 1
            return
        try:
            await super()._handle_data(data)
        except ConnectionError:
            raise
        except Exception as fault:
            # Whatever a peer sends costs it that packet, and never the transport's task.
            self.refused += 1
            log.debug("sctp_packet_not_handled", fault=type(fault).__name__)

    async def _receive_data_chunk(self, chunk: DataChunk) -> None:
        last = self._last_received_tsn
        if last is None:
            self.refused += 1
            return
        ahead = (chunk.tsn - last) & 0xFFFF_FFFF
        if ahead < 0x8000_0000 and ahead > 0:
            held = sum(len(stream.reassembly) for stream in self._inbound_streams.values())
            # The next one in order may end a message that fills the window.
            spare = sctp_guard.WINDOW_BYTES // 4 if ahead == 1 else 0
            if (
                ahead > sctp_guard.WINDOW_CHUNKS
                or held > sctp_guard.WINDOW_CHUNKS
                or len(chunk.user_data) > self._advertised_rwnd + spare
            ):
                self.refused += 1
                return
        await super()._receive_data_chunk(chunk)

    async def _receive_sack_chunk(self, chunk: SackChunk) -> None:
        sent = (self._local_tsn - 1 - chunk.cumulative_tsn) & 0xFFFF_FFFF
        if sent >= 0x8000_0000 or (chunk.gaps and chunk.gaps[-1][1] > sent):
            self.refused += 1  # it tells of what was never sent
            return
        await super()._receive_sack_chunk(chunk)

    async def _data_channel_receive(self, stream_id: int, pp_id: int, data: bytes) -> None:
        if (
            pp_id == WEBRTC_DCEP
            and data[:1] == bytes([DATA_CHANNEL_OPEN])
            and (stream_id in self._data_channels or len(self._data_channels) >= CHANNELS)
        ):
            self.refused += 1
            return
        await super()._data_channel_receive(stream_id, pp_id, data)

    async def _send_chunk(self, chunk: Chunk) -> None:
        # Timers and tasks of the association may outlive the transport by a turn of the loop.
        with contextlib.suppress(ConnectionError, SSL.Error):
            await super()._send_chunk(chunk)

    def _set_state(self, state: RTCSctpTransport.State) -> None:
        super()._set_state(state)
        if state == self.State.CLOSED:
            self.on_closed()

    def drop(self) -> None:
        """End it without a word, with its timers."""
        self.on_closed = lambda: None
        super()._set_state(self.State.CLOSED)


class Link:
    """One call's secure transport, from its handshake to its end."""

    def __init__(
        self,
        certificate: Certificate,
        offer: Offer,
        send: Callable[[bytes], None],
        listener: LinkListener,
    ) -> None:
        self._offer = offer
        self._listener = listener
        self._pipe = Pipe(send)
        self._send = send
        self._dtls = Dtls(self._pipe, [certificate])  # type: ignore[arg-type]
        self._dtls._set_role("client" if offer.setup == "active" else "server")
        self._sctp: Sctp | None = None
        self._channel: RTCDataChannel | None = None
        self._rx: pylibsrtp.Session | None = None
        self._tx: pylibsrtp.Session | None = None
        self._closed = False
        self._handshake = asyncio.get_running_loop().create_task(self._start())

    @property
    def secure(self) -> bool:
        """Whether sound may go both ways."""
        return self._tx is not None

    @property
    def buffered(self) -> int:
        """Bytes that wait on the data channel."""
        return self._channel.bufferedAmount if self._channel else 0

    def feed(self, data: bytes) -> None:
        """A datagram of DTLS."""
        self._pipe.feed(data)

    def unprotect(self, packet: bytes, *, rtcp: bool) -> bytes | None:
        """The content of a packet of SRTP or SRTCP; None: it is forged, replayed or damaged."""
        if self._rx is None:
            return None
        try:
            plain = self._rx.unprotect_rtcp(packet) if rtcp else self._rx.unprotect(packet)
        except (pylibsrtp.Error, ValueError):
            return None
        return bytes(plain)

    def protect(self, packet: bytes, *, rtcp: bool) -> bytes | None:
        """A packet as it goes out; None before the handshake, or where it is too long."""
        if self._tx is None:
            return None
        try:
            return bytes(self._tx.protect_rtcp(packet) if rtcp else self._tx.protect(packet))
        except (pylibsrtp.Error, ValueError):
            return None

    def tell(self, text: str) -> bool:
        """Send a message on the data channel. False: it is not open, or the text too long."""
        if self._channel is None or self._channel.readyState != "open":
            return False
        try:
            self._channel.send(text)
        except ValueError:
            return False
        return True

    def close(self) -> None:
        """Say close_notify, and be gone; idempotent. Nothing is reported afterwards."""
        if self._closed:
            return
        self._closed = True
        self._rx = self._tx = None
        if self._sctp is not None:
            self._sctp.drop()
        if self._dtls._ssl is not None and self._dtls.state in ("connecting", "connected"):
            with contextlib.suppress(SSL.Error):
                self._dtls._ssl.shutdown()
                self._send(self._dtls._ssl.bio_read(1_500))
        self._pipe.end()
        self._dtls.remove_all_listeners()
        self._handshake.add_done_callback(self._forget)
        if self._dtls._task is not None:
            self._dtls._task.add_done_callback(self._forget)

    def _forget(self, ended: "asyncio.Future[None]") -> None:
        """Once nothing uses it any more: OpenSSL's and libsrtp's memory is given back now, and not
        when the collector, which does not see how much it is, comes upon the cycles around it."""
        pump = self._dtls._task
        used = not self._handshake.done() or (pump is not None and not pump.done())
        if self._dtls._ssl is not None and not used:
            self._dtls._ssl = None
            del self._dtls._rx_srtp, self._dtls._tx_srtp

    async def _start(self) -> None:
        listener = self._listener
        try:
            await self._dtls.start(
                RTCDtlsParameters(
                    [
                        RTCDtlsFingerprint(one.algorithm, one.value)
                        for one in self._offer.fingerprints
                    ]
                )
            )
        except Exception as fault:
            log.info("dtls_handshake_broken", fault=type(fault).__name__)
        if self._closed:
            return
        if self._dtls.state != "connected":
            listener.failed("fingerprint" if self._dtls.mismatch else "dtls")
            return
        self._rx, self._tx = self._dtls._rx_srtp, self._dtls._tx_srtp
        self._dtls.on("statechange", self._left)
        listener.secured()
        if self._offer.data is not None and not self._closed:
            await self._associate(self._offer.data.max_message, self._offer.data.sctp_port)

    async def _associate(self, max_message: int, port: int) -> None:
        self._sctp = Sctp(self._dtls)
        self._sctp.on("datachannel", self._offered)
        self._sctp.on_closed = self._left
        await self._sctp.start(RTCSctpCapabilities(maxMessageSize=max_message), port)

    def _offered(self, channel: RTCDataChannel) -> None:
        if channel.label != EVENTS or self._channel is not None:
            return  # it may stay open; nobody listens
        self._channel = channel
        channel.bufferedAmountLowThreshold = LOW_BYTES
        channel.on("message", self._listener.message)
        channel.on("bufferedamountlow", self._listener.writable)
        channel.on("close", self._left)
        self._listener.opened()

    def _left(self) -> None:
        if not self._closed:
            self._listener.failed("closed_by_peer")
