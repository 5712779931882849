"""RTCP of one call: what is told of the sound that comes, and read about the sound that goes.

Pure: the clock is passed in, as seconds since 1970, since that is what sender reports tell. The
shapes of the packets are aiortc's.
"""

import struct
from dataclasses import dataclass

from aiortc import rtp

from server.rtc.rtp import CLOCK_HZ, ReceiverReport

NTP_EPOCH_S = 2_208_988_800  # from 1900 to 1970
CNAME = 1  # RFC 3550, 6.5.1
RESTART = 3_000  # RFC 3550, A.1: MAX_DROPOUT; a larger step begins anew


def ntp(now: float) -> int:
    """A time as 64 bits of NTP (RFC 3550, 4)."""
    return int((now + NTP_EPOCH_S) * 4_294_967_296) & 0xFFFF_FFFF_FFFF_FFFF


def middle(stamp: int) -> int:
    """The middle 32 bits of an NTP time: units of 1/65536 s."""
    return (stamp >> 16) & 0xFFFF_FFFF


@dataclass(slots=True)
class Sender:
    """What we send, as reports tell it."""

    ssrc: int
    next: int
    "The extended sequence number of the next packet."
    packets: int = 0
    octets: int = 0
    _timestamp: int = 0
    _at: float = 0.0
    _told: int = 0

    def sent(self, size: int, timestamp: int, now: float) -> int:
        """Count a packet. Returns its extended sequence number."""
        sequence = self.next
        self.next += 1
        self.packets += 1
        self.octets += size
        self._timestamp = timestamp
        self._at = now
        return sequence

    @property
    def unreported(self) -> bool:
        """Whether anything was sent since the last report."""
        return self.packets != self._told

    def info(self, now: float) -> rtp.RtcpSenderInfo | None:
        """What a sender report tells; None where nothing was sent since the last one."""
        if not self.unreported:
            return None
        self._told = self.packets
        elapsed = int((now - self._at) * CLOCK_HZ)
        return rtp.RtcpSenderInfo(
            ntp_timestamp=ntp(now),
            rtp_timestamp=(self._timestamp + elapsed) & 0xFFFF_FFFF,
            packet_count=self.packets & 0xFFFF_FFFF,
            octet_count=self.octets & 0xFFFF_FFFF,
        )


@dataclass(slots=True)
class Reception:
    """What comes from one source (RFC 3550, A.1, A.3, A.8)."""

    ssrc: int
    _base: int = -1
    _highest: int = -1
    _received: int = 0
    _jitter: float = 0.0
    _transit: float | None = None
    _told_expected: int = 0
    _told_received: int = 0
    _sender_report: int = 0
    _sender_report_at: float = 0.0

    def add(self, sequence: int, timestamp: int, now: float) -> None:
        """Count a packet."""
        if self._highest >= 0:
            step = (sequence - self._highest) & 0xFFFF
            if step < RESTART:
                self._highest += step
            elif step < 0x1_0000 - RESTART:
                self._highest = -1
        if self._highest < 0:
            self._base = self._highest = sequence
            self._received = self._told_expected = self._told_received = 0
            self._transit = None
        self._received += 1
        arrival = (now % 86_400) * CLOCK_HZ
        if self._transit is not None:
            step_back = (arrival - timestamp - self._transit) % 4_294_967_296
            difference = min(step_back, 4_294_967_296 - step_back)
            if difference < CLOCK_HZ * 10:
                self._jitter += (difference - self._jitter) / 16
        self._transit = arrival - timestamp

    def heard_report(self, ntp_timestamp: int, now: float) -> None:
        """A sender report of this source has come."""
        self._sender_report = middle(ntp_timestamp)
        self._sender_report_at = now

    def info(self, now: float) -> rtp.RtcpReceiverInfo | None:
        """What a report tells of this source; None before anything was heard."""
        if self._highest < 0:
            return None
        expected = self._highest - self._base + 1
        lost = expected - self._received
        expected_since = expected - self._told_expected
        lost_since = expected_since - (self._received - self._told_received)
        self._told_expected, self._told_received = expected, self._received
        fraction = 0
        if expected_since > 0 and lost_since > 0:
            fraction = min(255, (lost_since << 8) // expected_since)
        delay = int((now - self._sender_report_at) * 65_536) if self._sender_report else 0
        return rtp.RtcpReceiverInfo(
            ssrc=self.ssrc,
            fraction_lost=fraction,
            packets_lost=rtp.clamp_packets_lost(lost),
            highest_sequence=self._highest & 0xFFFF_FFFF,
            jitter=int(self._jitter),
            lsr=self._sender_report,
            dlsr=max(0, min(delay, 0xFFFF_FFFF)),
        )


@dataclass(slots=True)
class Reports:
    """Both directions of one call."""

    sender: Sender
    cname: str
    reception: Reception | None = None
    "Of the source that is heard."

    def hear(self, ssrc: int, sequence: int, timestamp: int, now: float) -> None:
        """Count a packet of sound that has come."""
        if self.reception is None or self.reception.ssrc != ssrc:
            self.reception = Reception(ssrc)
        self.reception.add(sequence, timestamp, now)

    def compound(self, now: float, *, bye: bool = False) -> bytes:
        """What is to be sent now: a report, our name, and BYE at the end (RFC 3550, 6.1)."""
        heard = self.reception.info(now) if self.reception else None
        reports = [heard] if heard else []
        sent = self.sender.info(now)
        ssrc = self.sender.ssrc
        first = (
            rtp.RtcpSrPacket(ssrc=ssrc, sender_info=sent, reports=reports)
            if sent
            else rtp.RtcpRrPacket(ssrc=ssrc, reports=reports)
        )
        name = rtp.RtcpSdesPacket([rtp.RtcpSourceInfo(ssrc, [(CNAME, self.cname.encode())])])
        return bytes(first) + bytes(name) + (bytes(rtp.RtcpByePacket([ssrc])) if bye else b"")

    def read(self, data: bytes, now: float) -> list[ReceiverReport]:
        """Take a compound packet of the other side. Returns what it tells of our sound."""
        try:
            packets = rtp.RtcpPacket.parse(data)
        except (ValueError, IndexError, struct.error):
            return []
        found = []
        for packet in packets:
            if isinstance(packet, rtp.RtcpSrPacket):
                if self.reception and packet.ssrc == self.reception.ssrc:
                    self.reception.heard_report(packet.sender_info.ntp_timestamp, now)
            elif not isinstance(packet, rtp.RtcpRrPacket):
                continue
            found += [
                self._report(one, now) for one in packet.reports if one.ssrc == self.sender.ssrc
            ]
        return found

    def _report(self, info: rtp.RtcpReceiverInfo, now: float) -> ReceiverReport:
        rtt_ms = None
        if info.lsr:
            units = (middle(ntp(now)) - info.lsr - info.dlsr) & 0xFFFF_FFFF
            if units < 60 * 65_536:
                rtt_ms = units * 1_000 / 65_536
        # How often the number went round is counted from its own start by each side.
        newest = self.sender.next - 1
        return ReceiverReport(
            fraction_lost=info.fraction_lost / 256,
            jitter_ms=info.jitter * 1_000 / CLOCK_HZ,
            rtt_ms=rtt_ms,
            highest_sequence=newest - ((newest - info.highest_sequence) & 0xFFFF),
            packets_lost=info.packets_lost,
        )
