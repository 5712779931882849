"""DTLS, SRTP and the data channel of one call: aiortc's transports without its peer connection.

Everything that leans on what aiortc keeps private is in this module, and its test says what a new
version took away. Each has its reason:

- `_recv`, `_send`, `role`, `state` of the ICE transport are all that `RTCDtlsTransport` needs of
  one; `Pipe` has them, and behind it is our own socket.
- `_set_role`: the role comes from the SDP, which otherwise only the peer connection sets.
- `_rx_srtp`, `_tx_srtp`: packets of sound go from the socket's callback to the ears and back
  without the transport's queue and task.
- `_validate_peer_identity`: a wrong fingerprint is told apart from a broken handshake.
- `_ssl`, `_state`, `_task`: close_notify is sent at once, where nothing may wait, and memory given
  back.
- `_create_ssl_context`: one context serves all calls, and has only AEAD suites.
- In SCTP, `_handle_data`, `_receive_chunk`, `_receive_*_chunk`, `_mark_received`,
  `_data_channel_receive`, `_send_chunk` and the state
  they keep: aiortc trusts a peer with our memory and time (see `sctp_guard`).
- `_rto`, `_update_rto`, `_t1_expired`: with aiortc a message that was lost waits for 3 s at first
  and for a second at least, which is long in a conversation.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any

import pylibsrtp
import structlog
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
    InitChunk,
    RTCSctpTransport,
    SackChunk,
)
from OpenSSL import SSL

from server.rtc import sctp_guard
from server.rtc.sdp import Fingerprint

WAITING = 64
"Datagrams of DTLS that are kept for the handshake or the association."
RECORDS = 8
"DTLS records of one datagram: the longest flight of a handshake has five messages."
RECORD_HEADER_BYTES = 13  # RFC 6347, 4.1
CHANNELS = 8
RTO_FIRST_S = 0.5
RTO_LEAST_S = 0.4
"How long a message waits before it is sent again: as in dcsctp, the SCTP of Chromium."
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


def records(datagram: bytes) -> list[bytes]:
    """The DTLS records of a datagram, at most `RECORDS`; none where they do not fill it exactly.

    aiortc reads one record for each datagram that it is given, and OpenSSL keeps the others.
    """
    found: list[bytes] = []
    at = 0
    while at < len(datagram):
        if at + RECORD_HEADER_BYTES > len(datagram):
            return []
        length = int.from_bytes(datagram[at + 11 : at + 13], "big")
        after = at + RECORD_HEADER_BYTES + length
        if after > len(datagram):
            return []
        if len(found) < RECORDS:
            found.append(datagram[at:after])
        at = after
    return found


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
        """A datagram has come; where too many records wait, the oldest is lost."""
        self._waiting.extend(records(data))
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

    def __init__(self, pipe: Pipe, certificate: Certificate, role: str) -> None:
        super().__init__(pipe, [certificate])  # type: ignore[arg-type]
        self._set_role(role)

    async def shake(self, fingerprints: Iterable[Fingerprint]) -> None:
        """Do the handshake; `state` says how it went."""
        expected = [RTCDtlsFingerprint(one.algorithm, one.value) for one in fingerprints]
        try:
            await self.start(RTCDtlsParameters(expected))
        except Exception as fault:
            log.info("dtls_handshake_broken", fault=type(fault).__name__)

    @property
    def sessions(self) -> tuple[pylibsrtp.Session, pylibsrtp.Session]:
        """SRTP as it comes and as it goes, after the handshake."""
        return self._rx_srtp, self._tx_srtp

    def good_bye(self) -> bytes:
        """A close_notify to be sent; empty where there is nothing to close."""
        if self._ssl is not None and self.state in ("connecting", "connected"):
            with contextlib.suppress(SSL.Error):
                self._ssl.shutdown()
                return self._ssl.bio_read(1_500)
        return b""

    def forget(self, handshake: "asyncio.Task[None]") -> None:
        """Give OpenSSL's and libsrtp's memory back once nothing uses it any more, and not when the
        collector, which does not see how much it is, comes upon the cycles around it."""

        def done(_: object) -> None:
            pump = self._task
            if handshake.done() and (pump is None or pump.done()):
                self._ssl = None
                self._rx_srtp = self._tx_srtp = None  # type: ignore[assignment]

        handshake.add_done_callback(done)
        if self._task is not None:
            self._task.add_done_callback(done)

    def _validate_peer_identity(self, remoteParameters: RTCDtlsParameters) -> None:
        super()._validate_peer_identity(remoteParameters)
        self.mismatch = self._state == State.FAILED


class Sctp(RTCSctpTransport):
    """aiortc's SCTP, which takes only what fits together, and as much as it has room for."""

    def __init__(self, transport: RTCDtlsTransport) -> None:
        super().__init__(transport)
        self._inbound_streams_max = sctp_guard.STREAMS
        self._advertised_rwnd = sctp_guard.WINDOW_BYTES
        self._rto = RTO_FIRST_S
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

    async def _receive_chunk(self, chunk: Chunk) -> None:
        if isinstance(chunk, InitChunk):
            if self._association_state == self.State.ESTABLISHED:
                self.refused += 1  # an association begins once
                return
            self._sack_misordered.clear()
            self._sack_duplicates.clear()
            self._inbound_streams.clear()
            self._advertised_rwnd = sctp_guard.WINDOW_BYTES
        await super()._receive_chunk(chunk)

    def _mark_received(self, tsn: int) -> bool:
        """Without aiortc's sorting of all that waits, for each chunk."""
        waiting = self._sack_misordered
        last = self._last_received_tsn
        if last is None or (last - tsn) & 0xFFFF_FFFF < 0x8000_0000 or tsn in waiting:
            self._sack_duplicates.append(tsn)
            return True
        waiting.add(tsn)
        while (following := (last + 1) & 0xFFFF_FFFF) in waiting:
            waiting.remove(following)
            self._last_received_tsn = last = following
        return False

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
                or (ahead > 1 and len(self._sack_misordered) > sctp_guard.WINDOW_CHUNKS)
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

    def _update_rto(self, R: float) -> None:
        super()._update_rto(R)
        if self._srtt is not None and self._rttvar is not None:
            self._rto = max(RTO_LEAST_S, min(self._srtt + 4 * self._rttvar, self._rto))

    def _t1_expired(self) -> None:
        # The call has its own deadlines; the association goes on trying for as long as it lasts.
        self._t1_failures = 0
        super()._t1_expired()

    def _set_state(self, state: RTCSctpTransport.State) -> None:
        super()._set_state(state)
        if state == self.State.CLOSED:
            self.on_closed()

    @property
    def acknowledged(self) -> bool:
        """Whether nothing waits, neither to be sent nor for its acknowledgement."""
        return not (self._data_channel_queue or self._outbound_queue or self._sent_queue)

    def drop(self) -> None:
        """End it without a word, with its timers."""
        self.on_closed = lambda: None
        super()._set_state(self.State.CLOSED)
