"""The secure transport of one call, from its handshake to its end.

    Peer --datagrams of DTLS--> Link --events--> Peer        Peer --packets--> protect --> Peer

The layers themselves are aiortc's, as `aiortc_transport` tames them.
"""

import asyncio
from collections.abc import Callable
from typing import Protocol

import pylibsrtp
from aiortc import RTCDataChannel, RTCSctpCapabilities

from server.rtc.aiortc_transport import Certificate, Dtls, Pipe, Sctp
from server.rtc.sdp import Offer

EVENTS = "oai-events"
"The data channel's name, as OpenAI's clients open it."
LOW_BYTES = 64 * 1024
"So little waits on the channel that more may be written."
RESEND_S = 0.2
"A flight of the handshake is sent again, if nothing came; each further time after twice as long."
FLIGHT = 4
"Datagrams; certificates of elliptic curves fit into one."

RESENT = 6
"Flights sent again to somebody from whom nothing but checks has come: their address may be forged."


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
        self._pipe = Pipe(self._out)
        self._send = send
        self._dtls = Dtls(
            self._pipe, certificate, "client" if offer.setup == "active" else "server"
        )
        self._flight: list[bytes] = []
        "What of the handshake was sent since the other side was heard."
        self._heard = self._ever_heard = False
        self._resent = 0
        self._again: asyncio.TimerHandle | None = None
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

    @property
    def arrived(self) -> bool:
        """Whether the other side has acknowledged all that was told."""
        return self._sctp is None or self._sctp.acknowledged

    def feed(self, data: bytes) -> None:
        """A datagram of DTLS."""
        self._heard = self._ever_heard = True
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
        if farewell := self._dtls.good_bye():
            self._send(farewell)
        self._forget_flight()
        self._pipe.end()
        self._dtls.remove_all_listeners()
        self._dtls.forget(self._handshake)

    async def _start(self) -> None:
        listener = self._listener
        await self._dtls.shake(self._offer.fingerprints)
        self._forget_flight()
        if self._closed:
            return
        if self._dtls.state != "connected":
            listener.failed("fingerprint" if self._dtls.mismatch else "dtls")
            return
        self._rx, self._tx = self._dtls.sessions
        self._dtls.on("statechange", self._left)
        listener.secured()
        if self._offer.data is not None and not self._closed:
            await self._associate(self._offer.data.max_message, self._offer.data.sctp_port)

    def _out(self, data: bytes) -> None:
        self._send(data)
        if self._tx is None and not self._closed:
            if self._heard:
                self._flight.clear()
                self._heard = False
            self._flight.append(data)
            self._resend_after(RESEND_S)

    def _resend_after(self, delay_s: float) -> None:
        if self._again is not None:
            self._again.cancel()
        loop = asyncio.get_running_loop()
        self._again = loop.call_later(delay_s, self._resend, delay_s)

    def _resend(self, waited_s: float) -> None:
        """Send the last flight again: OpenSSL waits for a second, and then for two."""
        for data in self._flight[-FLIGHT:]:
            self._send(data)
        self._resent += 1
        if self._ever_heard or self._resent < RESENT:
            self._resend_after(min(waited_s * 2, 1.0))

    def _forget_flight(self) -> None:
        self._flight.clear()
        if self._again is not None:
            self._again.cancel()

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
