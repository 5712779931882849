"""One call: ICE, DTLS, SRTP, RTCP and the data channel together, and all calls of the process.

    Ports --checks--> Agent        Ports --datagrams--> Peer --DTLS--> Link --events--> listener
                                                             --SRTP--> listener.packet

A packet of sound goes from the socket's callback to the listener, and from `send` to the socket,
without a task, a queue or a thread between.
"""

import asyncio
import secrets
import time
from collections.abc import Callable
from typing import Protocol

import structlog

from server.rtc import ice, rtp, sdp
from server.rtc.aiortc_transport import Certificate
from server.rtc.ice import Agent, Path
from server.rtc.link import Link
from server.rtc.pace import Bucket
from server.rtc.ports import Place, Ports
from server.rtc.rtcp import Reports, Sender
from server.rtc.rtp import ReceiverReport
from server.rtc.sdp import Answer, Offer

CONNECT_S = 15.0
"From the answer to the end of the handshake."
TICK_S = 1.0
REPORT_TICKS = 5
"Reports where nothing was sent since the last one; RFC 3550, 6.2 has 5 s as the least interval."
CERTIFICATE_S = 7 * 86_400.0
"aiortc's certificates are valid for 30 days."
SOUND_PER_S, SOUND_BURST = 250.0, 500.0
"Packets of a call: five times what a browser sends, and what waits after the loop was busy."
SECURE_PER_S, SECURE_BURST = 500.0, 1_000.0
"Datagrams of DTLS: more than the events that a client may send."
SOURCES = 32
"SRTP keeps a state for every source that it has once believed."
SHORTEST_BYTES = 12
FRAGMENTS = 100

log = structlog.get_logger()


class PeerListener(Protocol):
    """What becomes of a call; called on the loop's thread."""

    def connected(self) -> None:
        """Sound may flow both ways."""

    def opened(self) -> None:
        """The data channel `oai-events` is open."""

    def message(self, text: str) -> None:
        """A message on it."""

    def binary(self) -> None:
        """A message on it that is no text."""

    def writable(self) -> None:
        """Less than `LOW_BYTES` wait on it."""

    def packet(self, sequence: int, timestamp: int, payload: bytes, ssrc: int) -> None:
        """A packet of sound of the negotiated kind, authenticated."""

    def report(self, report: ReceiverReport) -> None:
        """What the other side tells of the sound that we send."""

    def gone(self, reason: str) -> None:
        """The call is over, told once.

        `not_connected`: it took too long. `fingerprint`: somebody else has answered. `dtls`: the
        handshake failed. `consent`: nothing was heard for too long. `closed_by_peer`: it has left.
        """


class Peer:
    """One call, from its answer to its end."""

    def __init__(
        self,
        ports: Ports,
        certificate: Certificate,
        offer: Offer,
        listener: PeerListener,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.id = f"call_{secrets.token_hex(16)}"
        self.events = offer.data is not None
        self.max_message = offer.data.max_message if offer.data else 0
        self.agent = Agent(ice.Credentials.new(), offer.ufrag)
        self.dropped = 0
        "Datagrams that were forged, damaged or too many."
        self._offer = offer
        self._ports = ports
        self._certificate = certificate
        self._listener = listener
        self._clock = clock
        self._loop = asyncio.get_running_loop()
        self._link: Link | None = None
        self._connected = self._closed = False
        self._timer: asyncio.TimerHandle | None = None
        self._ticks = 0
        self._started_at = 0.0
        self._fragments = 0
        self._sound_pace = Bucket(SOUND_PER_S, SOUND_BURST)
        self._secure_pace = Bucket(SECURE_PER_S, SECURE_BURST)
        self._sources: set[int] = set()
        # An initial number below 2^15, so that SRTP need not guess about the first turn
        # (RFC 3711, 3.3.1).
        ssrc = secrets.randbits(32)
        self._sender = Sender(ssrc, secrets.randbits(15))
        cname = secrets.token_hex(8)
        self._reports = Reports(self._sender, cname)
        self.answer = Answer(
            session_id=secrets.randbits(62),
            ufrag=self.agent.local.ufrag,
            password=self.agent.local.password,
            fingerprint=certificate.fingerprint,
            candidates=tuple((address, ports.port) for address in ports.announced),
            ssrc=ssrc,
            cname=cname,
        ).text(offer)
        "The session description that answers the offer."

    def start(self) -> None:
        """Listen for the client, and begin to count its time."""
        if self._closed or self._timer is not None:
            return
        self._started_at = self._loop.time()
        self._ports.add(self)
        self._timer = self._loop.call_later(TICK_S, self._wake)

    def candidates(self, fragment: str) -> None:
        """Take candidates that the client sends later. They are not needed.

        Raises:
            OfferRefused: If they are none, too many, or begin ICE anew.
        """
        sdp.read_fragment(fragment, self._offer.ufrag)
        self._fragments += 1
        if self._fragments > FRAGMENTS:
            raise sdp.OfferRefused("fragment_too_large", "This call has sent enough candidates.")

    @property
    def buffered(self) -> int:
        """Bytes that wait on the data channel."""
        return self._link.buffered if self._link else 0

    @property
    def arrived(self) -> bool:
        """Whether the other side has all that was told."""
        return self._link is None or self._link.arrived

    def send(self, payload: bytes, timestamp: int, *, marker: bool) -> int:
        """Send one packet of sound, or lose it where the call is not connected.

        Returns:
            Its extended sequence number.
        """
        sender = self._sender
        header = rtp.header(
            self._offer.audio.payload_type, sender.next, timestamp, sender.ssrc, marker=marker
        )
        link, path = self._link, self.agent.selected
        packet = link.protect(header + payload, rtcp=False) if link is not None else None
        if packet is None or path is None:
            return sender.next
        self._ports.send(packet, path)
        return sender.sent(len(payload), timestamp, self._clock())

    def tell(self, text: str) -> bool:
        """Send a message on the data channel. False: it is not open, or the text too long."""
        return self._link is not None and self._link.tell(text)

    async def close(self) -> None:
        """Say good-bye; idempotent. Nothing is reported afterwards."""
        if not self._closed:
            try:
                if self._connected:
                    self._send_reports(bye=True)
            finally:
                self._end()

    # What the sockets call

    def checked(self, now: float) -> None:
        """The client has checked a path: the handshake may begin."""
        if self._link is None and not self._closed:
            self._link = Link(self._certificate, self._offer, self._send, self)

    def receive(self, data: bytes, path: Path, now: float) -> None:
        """A datagram, not STUN and never empty, from a checked path."""
        first = data[0]
        if 128 <= first < 192:
            if len(data) < SHORTEST_BYTES or not self._sound_pace.take(now):
                self.dropped += 1
            elif (data[1] & 0x7F) in sdp.RTCP_TYPES:
                self._receive_rtcp(data)
            else:
                self._receive_rtp(data)
        elif 20 <= first < 64 and self._link is not None and self._secure_pace.take(now):
            self._link.feed(data)
        else:
            self.dropped += 1

    def _receive_rtp(self, data: bytes) -> None:
        plain = self._unprotect(data, data[8:12], rtcp=False)
        if plain is None:
            return
        try:
            packet = rtp.read(plain)
        except rtp.RtpError:
            self.dropped += 1
            return
        if packet.payload_type != self._offer.audio.payload_type:
            return
        self._reports.hear(packet.ssrc, packet.sequence, packet.timestamp, self._clock())
        self._listener.packet(packet.sequence, packet.timestamp, packet.payload, packet.ssrc)

    def _receive_rtcp(self, data: bytes) -> None:
        plain = self._unprotect(data, data[4:8], rtcp=True)
        if plain is not None:
            for report in self._reports.read(plain, self._clock()):
                self._listener.report(report)

    def _unprotect(self, data: bytes, source: bytes, *, rtcp: bool) -> bytes | None:
        ssrc = int.from_bytes(source, "big")
        known = ssrc in self._sources
        plain = None
        if self._link is not None and (known or len(self._sources) < SOURCES):
            plain = self._link.unprotect(data, rtcp=rtcp)
        if plain is None:
            self.dropped += 1
        elif not known:
            self._sources.add(ssrc)
        return plain

    # What the link calls

    def secured(self) -> None:
        self._connected = True
        self._inform(self._listener.connected)

    def opened(self) -> None:
        self._inform(self._listener.opened)

    def message(self, content: str | bytes) -> None:
        if isinstance(content, str):
            self._inform(self._listener.message, content)
        else:
            self._inform(self._listener.binary)

    def writable(self) -> None:
        self._inform(self._listener.writable)

    def failed(self, reason: str) -> None:
        if not self._closed:
            self._end()
            self._inform(self._listener.gone, reason)

    def _inform(self, method: Callable[..., None], *what: str) -> None:
        """A fault of the listener's is noted, and is none of the transport's."""
        try:
            method(*what)
        except Exception:
            log.exception("call_event_not_handled", call_id=self.id, event=method.__name__)

    # Time

    def _wake(self) -> None:
        self._timer = self._loop.call_later(TICK_S, self._wake)
        self.tick(self._loop.time())

    def tick(self, now: float) -> None:
        """Look at the clock: has the call come up, does its client still agree, is a report due?"""
        if self._closed:
            return
        if not self._connected:
            if now - self._started_at >= CONNECT_S:
                self.failed("not_connected")
            return
        if self.agent.expired(now):
            self.failed("consent")
            return
        self._ticks += 1
        if self._sender.unreported or self._ticks % REPORT_TICKS == 0:
            self._send_reports()

    def _send_reports(self, *, bye: bool = False) -> None:
        link = self._link
        if link is not None:
            packet = link.protect(self._reports.compound(self._clock(), bye=bye), rtcp=True)
            if packet is not None:
                self._send(packet)

    def _send(self, data: bytes) -> None:
        if self.agent.selected is not None:
            self._ports.send(data, self.agent.selected)

    def _end(self) -> None:
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
        if self._link is not None:
            self._link.close()
        self._ports.remove(self)


class Peers:
    """All calls of the process: their sockets and their certificate."""

    def __init__(self, ports: Ports) -> None:
        self.ports = ports
        self._renew()  # the first takes with it what is only then imported

    @classmethod
    async def open(cls, place: Place) -> "Peers":
        """Bind the sockets.

        Raises:
            PortTaken: If another program has the port.
            OSError: If no socket can be bound for another reason.
        """
        return cls(Ports.open(place))

    async def close(self) -> None:
        """Close the sockets. Calls are closed before by those who hold them."""
        self.ports.close()

    def answer(self, offer: Offer, listener: PeerListener) -> Peer:
        """A call for this offer; `start` begins it."""
        if time.monotonic() - self._made_at > CERTIFICATE_S:
            self._renew()
        return Peer(self.ports, self._certificate, offer, listener)

    def _renew(self) -> None:
        self._certificate = Certificate.generateCertificate()
        self._made_at = time.monotonic()
