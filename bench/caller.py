"""The client's side of a WebRTC call, as cheap as Python has it: for loads and for tests.

It speaks with any server: it is the controlling ICE agent (one host candidate, every check
nominates, as a browser's do towards ICE-lite), answers the checks of a full agent, and renews
consent. DTLS, and SCTP where a data channel is wanted, are aiortc's; SRTP goes between the socket
and libsrtp directly, without a task, a queue or a decoder. It hands over packets and takes
packets: sound is its user's business. Arrivals are timed by the kernel, so that a reader that is
late measures nothing wrong.
"""

import asyncio
import contextlib
import os
import random
import re
import secrets
import socket
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import pylibsrtp
from aioice import stun
from aioice.stun import Class, Message, Method
from aiortc.rtcdatachannel import RTCDataChannel, RTCDataChannelParameters
from aiortc.rtcdtlstransport import (
    RTCCertificate,
    RTCDtlsFingerprint,
    RTCDtlsParameters,
    RTCDtlsTransport,
)
from aiortc.rtcsctptransport import RTCSctpCapabilities, RTCSctpTransport
from aiortc.rtp import RtcpPacket, RtcpRrPacket, RtcpSenderInfo, RtcpSrPacket

from bench.reception import Arrival, Reception

PAYLOAD_TYPE = 111  # Chromium's number of Opus
CLOCK_PER_FRAME = 960  # 20 ms of RFC 7587's 48 kHz
CHECK_EVERY_S = 0.05  # RFC 8445, appendix B.1: Ta
CONSENT_EVERY_S = 2.5  # Chromium's on a connection that works
REPORT_EVERY_S = 5.0  # Chromium's RTCP of sound
CHANNEL = "oai-events"
SO_TIMESTAMPNS = 35  # asm-generic/socket.h; Python's `socket` has no name for it
STAMP = struct.Struct("@qq")
HEADER = struct.Struct("!BBHII")
EPOCH_1900_S = 2_208_988_800  # NTP's time begins there
AUTHENTICATED_EACH = 50
"Of what is only counted, one packet in so many is opened, which proves that it can be."

CERTIFICATE = RTCCertificate.generateCertificate()


class NotConnected(Exception):
    """The call did not come about."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the caller needs of a server's SDP."""

    ufrag: str
    password: str
    candidates: tuple[tuple[str, int], ...]
    fingerprints: tuple[tuple[str, str], ...]
    setup: str
    "active | passive: which side begins DTLS."
    sctp_port: int | None

    @classmethod
    def read(cls, sdp: str) -> "Answer":
        """Raises NotConnected."""

        def all_of(pattern: str) -> list[Any]:
            return re.findall(pattern, sdp, re.MULTILINE)

        try:
            return cls(
                all_of(r"^a=ice-ufrag:(\S+)")[0],
                all_of(r"^a=ice-pwd:(\S+)")[0],
                tuple(
                    (host, int(port))
                    for host, port in all_of(r"^a=candidate:\S+ 1 (?:udp|UDP) \d+ (\S+) (\d+) typ")
                ),
                tuple(all_of(r"^a=fingerprint:(\S+) (\S+)")),
                all_of(r"^a=setup:(\S+)")[0],
                int(all_of(r"^a=sctp-port:(\d+)")[0]) if "a=sctp-port:" in sdp else None,
            )
        except IndexError:
            raise NotConnected(f"The answer lacks what every one has:\n{sdp}") from None


class Caller:
    """One call. `host` is the address of this machine it is made from."""

    def __init__(
        self,
        *,
        host: str,
        events: bool = False,
        opened: bool = False,
        fingerprint: str | None = None,
    ) -> None:
        self.events = events
        "It wants a data channel."
        self.reception = Reception()
        self.on_packet: Callable[[Arrival, bytes], None] = lambda arrival, payload: None
        "Told of each RTP packet; its payload is empty unless `opened`."
        self.on_event: Callable[[str], None] = lambda text: None
        self.on_gone: Callable[[], None] = lambda: None
        "The server has ended DTLS."
        self.refused = 0
        "Packets that libsrtp would not open."
        self.answered_checks = 0
        "How often the server has answered a check."
        self.remote: tuple[str, int] | None = None
        self.ssrc = secrets.randbits(32)
        self._opened = opened
        self._fingerprint = fingerprint
        self._host = host
        self._ufrag, self._password = secrets.token_hex(4), secrets.token_hex(12)
        self._tie_breaker = secrets.randbits(64)
        self._sequence = random.randrange(1 << 16)
        self._tag = 0  # SRTP's, bytes
        self._sent = self._octets = self._timestamp = 0
        self._checks: dict[bytes, tuple[str, int]] = {}
        self._chosen: asyncio.Event = asyncio.Event()
        self._timers: list[asyncio.TimerHandle] = []
        self._answer: Answer | None = None
        self._sctp: RTCSctpTransport | None = None
        self._channel: RTCDataChannel | None = None
        self.channel_open = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._socket = _timed_socket(host)
        self._loop.add_reader(self._socket, self._readable)
        self._wire = _Wire(self)
        self._dtls = RTCDtlsTransport(cast(Any, self._wire), [CERTIFICATE])

    # ---- signalling --------------------------------------------------------------------------

    @property
    def offer(self) -> str:
        """As a browser makes it, with the one candidate."""
        port = self._socket.getsockname()[1]
        kind = "IP6" if ":" in self._host else "IP4"
        known = f"sha-256 {_sha256()}" if self._fingerprint is None else self._fingerprint
        transport = [
            f"a=ice-ufrag:{self._ufrag}",
            f"a=ice-pwd:{self._password}",
            f"a=fingerprint:{known}",
            "a=setup:actpass",
        ]
        lines = [
            "v=0",
            f"o=- {secrets.randbits(62)} 2 IN IP4 127.0.0.1",
            "s=-",
            "t=0 0",
            f"a=group:BUNDLE 0{' 1' if self.events else ''}",
            "a=msid-semantic: WMS *",
            f"m=audio {port} UDP/TLS/RTP/SAVPF {PAYLOAD_TYPE}",
            f"c=IN {kind} {self._host}",
            "a=rtcp:9 IN IP4 0.0.0.0",
            f"a=candidate:1 1 udp 2130706431 {self._host} {port} typ host",
            "a=end-of-candidates",
            *transport,
            "a=mid:0",
            "a=sendrecv",
            "a=msid:student voice",
            "a=rtcp-mux",
            f"a=rtpmap:{PAYLOAD_TYPE} opus/48000/2",
            f"a=fmtp:{PAYLOAD_TYPE} minptime=10;useinbandfec=1",
            f"a=ssrc:{self.ssrc} cname:student",
        ]
        if self.events:
            lines += [
                "m=application 9 UDP/DTLS/SCTP webrtc-datachannel",
                "c=IN IP4 0.0.0.0",
                *transport,
                "a=mid:1",
                "a=sctp-port:5000",
                "a=max-message-size:262144",
            ]
        return "\r\n".join(lines) + "\r\n"

    async def connect(self, sdp: str, *, within_s: float = 15.0) -> None:
        """By the server's answer, until DTLS is up. Raises NotConnected."""
        try:
            async with asyncio.timeout(within_s):
                await self.check(sdp)
                await self.shake_hands()
        except TimeoutError:
            raise NotConnected("Nothing came of it in time.") from None
        self._every(CONSENT_EVERY_S, self._consent)
        self._every(REPORT_EVERY_S, self._report)
        if self.events and self._answer is not None and self._answer.sctp_port is not None:
            await self._open_channel(self._answer.sctp_port)

    async def check(self, sdp: str) -> None:
        """ICE alone: returns when an address of the server's has answered."""
        self._answer = Answer.read(sdp)
        while not self._chosen.is_set():
            for host, port in self._answer.candidates:
                if (":" in host) == (":" in self._host):  # of the same family
                    self._check((host, port))
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._chosen.wait(), CHECK_EVERY_S)

    async def shake_hands(self) -> None:
        """DTLS. Raises NotConnected."""
        assert self._answer is not None, "check() comes first"
        self._dtls._set_role("server" if self._answer.setup == "active" else "client")
        fingerprints = [RTCDtlsFingerprint(*one) for one in self._answer.fingerprints]
        await self._dtls.start(RTCDtlsParameters(fingerprints=fingerprints))
        if self._dtls.state != "connected":
            raise NotConnected(f"DTLS is {self._dtls.state}.")
        self._dtls.on("statechange", self._dtls_changed)
        profile: bytes = self._dtls._ssl.get_selected_srtp_profile()
        self._tag = 16 if b"GCM" in profile else 10

    async def _open_channel(self, port: int) -> None:
        self._sctp = RTCSctpTransport(self._dtls)
        self._channel = RTCDataChannel(self._sctp, RTCDataChannelParameters(label=CHANNEL))
        self._channel.on("open", self.channel_open.set)
        self._channel.on("message", lambda text: self.on_event(text))
        await self._sctp.start(RTCSctpCapabilities(maxMessageSize=65_536), port)

    # ---- what a page does --------------------------------------------------------------------

    def send(self, payload: bytes, timestamp: int, *, marker: bool = False) -> None:
        """One frame of Opus; nothing where the call is not connected."""
        if self._dtls._tx_srtp is None or self.remote is None:
            return
        kind = PAYLOAD_TYPE | (0x80 if marker else 0)
        header = HEADER.pack(0x80, kind, self._sequence, timestamp & 0xFFFF_FFFF, self.ssrc)
        self._sequence = (self._sequence + 1) & 0xFFFF
        self._sent += 1
        self._octets += len(payload)
        self._timestamp = timestamp
        self.put(self._dtls._tx_srtp.protect(header + payload))

    def tell(self, text: str) -> bool:
        """On the data channel; False where it is not open."""
        if self._channel is None or self._channel.readyState != "open":
            return False
        self._channel.send(text)
        return True

    def put(self, data: bytes) -> None:
        """A datagram to the server, whatever is in it."""
        if self.remote is not None:
            with contextlib.suppress(OSError):
                self._socket.sendto(data, self.remote)

    def move(self, host: str) -> None:
        """Another network: from now on it speaks from a new port, at another address."""
        self._loop.remove_reader(self._socket)
        self._socket.close()
        self._socket = _timed_socket(host)
        self._loop.add_reader(self._socket, self._readable)
        self._consent()

    async def close(self) -> None:
        """Say goodbye, and free everything."""
        if self._sctp is not None:
            await self._sctp.stop()
        await self._dtls.stop()
        self.vanish()

    def vanish(self) -> None:
        """Without a word: a battery that is empty."""
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()
        if self._sctp is not None:
            self._sctp._t1_cancel()
            self._sctp._t3_cancel()
            self._sctp = None
        if self._dtls._task is not None:
            self._dtls._task.cancel()
            self._dtls._task = None
        self._wire.end()
        if self._socket.fileno() >= 0:
            self._loop.remove_reader(self._socket)
            self._socket.close()

    # ---- ICE ---------------------------------------------------------------------------------

    def _check(self, to: tuple[str, int]) -> None:
        assert self._answer is not None
        request = Message(Method.BINDING, Class.REQUEST)
        request.attributes["USERNAME"] = f"{self._answer.ufrag}:{self._ufrag}"
        request.attributes["PRIORITY"] = 1_862_270_975  # peer-reflexive, as RFC 8445 5.1.2.1
        request.attributes["ICE-CONTROLLING"] = self._tie_breaker
        request.attributes["USE-CANDIDATE"] = None
        request.add_message_integrity(self._answer.password.encode())
        self._checks[request.transaction_id] = to
        while len(self._checks) > 100:
            del self._checks[next(iter(self._checks))]
        with contextlib.suppress(OSError):  # an address that can't be reached from here
            self._socket.sendto(bytes(request), to)

    def _consent(self) -> None:
        if self.remote is not None:
            self._check(self.remote)

    def _stun(self, data: bytes, sender: tuple[str, int]) -> None:
        try:
            message = stun.parse_message(data)
        except ValueError:
            return
        if message.message_class == Class.RESPONSE:
            to = self._checks.pop(message.transaction_id, None)
            if to is not None:
                self.answered_checks += 1
                if self.remote is None:
                    self.remote = to
                    self._chosen.set()
        elif message.message_class == Class.REQUEST:
            answer = Message(Method.BINDING, Class.RESPONSE, message.transaction_id)
            answer.attributes["XOR-MAPPED-ADDRESS"] = sender
            answer.add_message_integrity(self._password.encode())
            with contextlib.suppress(OSError):
                self._socket.sendto(bytes(answer), sender)

    # ---- packets -----------------------------------------------------------------------------

    def _readable(self) -> None:
        for _ in range(50):
            try:
                data, ancillary, _, sender = self._socket.recvmsg(2048, 64)
            except OSError:
                return
            if not data:
                continue
            if data[0] < 4:
                self._stun(data, sender[:2])
            elif data[0] < 64:
                self._wire.feed(data)
            elif 128 <= data[0] < 192:
                self._srtp(data, _stamp_s(ancillary))

    def _srtp(self, data: bytes, now_s: float) -> None:
        session = self._dtls._rx_srtp
        if session is None or len(data) < 12:
            return
        try:
            if 64 <= data[1] & 0x7F < 96:  # RFC 5761: RTCP
                for packet in RtcpPacket.parse(session.unprotect_rtcp(data)):
                    if isinstance(packet, RtcpSrPacket):
                        self.reception.heard_from_sender(packet.sender_info.ntp_timestamp, now_s)
                return
            plain = b""
            if self._opened or self.reception.packets % AUTHENTICATED_EACH == 0:
                plain = session.unprotect(data)
        except (pylibsrtp.Error, ValueError):
            self.refused += 1
            return
        _, kind, sequence, timestamp, ssrc = HEADER.unpack_from(data)
        length = len(data) - 12 - 4 * (data[0] & 0x0F) - self._tag
        arrival = Arrival(now_s, sequence, timestamp, length, bool(kind & 0x80))
        self.reception.add(arrival, ssrc)
        self.on_packet(arrival, plain[12 + 4 * (data[0] & 0x0F) :] if self._opened else b"")

    def _report(self) -> None:
        """A sender's report with what was received, as a browser sends it."""
        if self._dtls._tx_srtp is None:
            return
        now_s = time.time()
        block = self.reception.report(now_s)
        ntp = int((now_s + EPOCH_1900_S) * (1 << 32))
        if self._sent:
            sender = RtcpSenderInfo(
                ntp, self._timestamp & 0xFFFF_FFFF, self._sent, self._octets & 0xFFFF_FFFF
            )
            packet = bytes(RtcpSrPacket(self.ssrc, sender, reports=[block] if block else []))
        else:
            packet = bytes(RtcpRrPacket(self.ssrc, reports=[block] if block else []))
        self.put(self._dtls._tx_srtp.protect_rtcp(packet))

    def _dtls_changed(self) -> None:
        if self._dtls.state == "closed" and self._dtls._task is not None:
            self.on_gone()

    def _every(self, seconds: float, do: Callable[[], None]) -> None:
        slot = len(self._timers)

        def again() -> None:
            do()
            self._timers[slot] = self._loop.call_later(seconds, again)

        self._timers.append(self._loop.call_later(seconds * random.random(), again))


class _Wire:
    """What aiortc's DTLS takes for an ICE transport: DTLS packets alone go through it."""

    role = "controlling"
    state = "completed"

    def __init__(self, caller: Caller) -> None:
        self._caller = caller
        self._packets: asyncio.Queue[bytes | None] = asyncio.Queue()

    def feed(self, data: bytes) -> None:
        self._packets.put_nowait(data)

    def end(self) -> None:
        self._packets.put_nowait(None)

    async def _recv(self) -> bytes:
        data = await self._packets.get()
        if data is None:
            raise ConnectionError
        return data

    async def _send(self, data: bytes) -> None:
        self._caller.put(data)

    async def stop(self) -> None:
        self.end()


def _timed_socket(host: str) -> socket.socket:
    one = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
    one.setblocking(False)
    one.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
    one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
    one.bind((host, 0))
    return one


def _stamp_s(ancillary: list[tuple[int, int, bytes]]) -> float:
    for level, kind, data in ancillary:
        if level == socket.SOL_SOCKET and kind == SO_TIMESTAMPNS:
            seconds, nanoseconds = STAMP.unpack_from(data)
            return float(seconds + nanoseconds / 1e9)
    return time.time()


def _sha256() -> str:
    return next(one.value for one in CERTIFICATE.getFingerprints() if one.algorithm == "sha-256")


def own_address() -> str:
    """This machine's address in its network: peers offer none of the loopback."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        try:
            one.connect(("203.0.113.1", 9))  # sends nothing: RFC 5737, documentation
        except OSError:
            return "127.0.0.1"
        return str(one.getsockname()[0])


def pin(core: int) -> None:
    """This process on one core, where there is a choice."""
    if core in os.sched_getaffinity(0):
        os.sched_setaffinity(0, {core})
