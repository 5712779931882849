"""RTP's header (RFC 3550, 5.1), its two counters that wrap, and what a receiver reports.

Pure. Any bytes may be given to `read`: it answers with a packet or an `RtpError`.
"""

import struct
from dataclasses import dataclass

CLOCK_HZ = 48_000  # RFC 7587, 4.1: Opus always counts at 48 kHz, whatever rate is encoded
TICKS_PER_MS = CLOCK_HZ // 1000
VERSION = 2
HEADER_BYTES = 12
_HEADER = struct.Struct("!BBHII")
_EXTENSION = struct.Struct("!HH")
_PADDING, _EXTENDED, _CSRCS, _MARKER = 0x20, 0x10, 0x0F, 0x80
_LONGEST_PADDING = 255


class RtpError(ValueError):
    """These bytes are no RTP packet; says why, never what was in them."""


@dataclass(frozen=True, slots=True)
class RtpPacket:
    """One packet, without its padding."""

    payload_type: int
    "0 to 127, as agreed in SDP."
    sequence: int
    "16 bits."
    timestamp: int
    "32 bits, in ticks of `CLOCK_HZ`."
    ssrc: int
    payload: bytes
    marker: bool = False
    "The first packet after silence (RFC 3551, 4.1)."
    csrcs: tuple[int, ...] = ()
    extension: tuple[int, bytes] | None = None
    "The profile (RFC 8285: 0xBEDE) and the bytes of a header extension, unread."


@dataclass(frozen=True, slots=True)
class ReceiverReport:
    """What the other side says about the packets we send it (RTCP, RFC 3550, 6.4.1)."""

    fraction_lost: float
    "Since its last report, 0 to 1."
    jitter_ms: float
    rtt_ms: float | None
    "None: it has not seen a report of ours yet."
    highest_sequence: int
    "Extended: the count of wraps in the bits above the lowest 16."
    packets_lost: int = 0
    "Since the call began; negative where packets came twice."


def read(data: bytes) -> RtpPacket:
    """One RTP packet. Raises RtpError."""
    if len(data) < HEADER_BYTES:
        raise RtpError(f"An RTP packet has at least {HEADER_BYTES} bytes, this one {len(data)}.")
    flags, second, sequence, timestamp, ssrc = _HEADER.unpack_from(data)
    if flags >> 6 != VERSION:
        raise RtpError(f"RTP version {flags >> 6} is not spoken, only {VERSION}.")
    at, end = HEADER_BYTES, len(data)
    csrcs: tuple[int, ...] = ()
    extension: tuple[int, bytes] | None = None
    if count := flags & _CSRCS:
        at += 4 * count
        if at > end:
            raise RtpError(f"The RTP packet ends within its {count} contributing sources.")
        csrcs = struct.unpack_from(f"!{count}I", data, HEADER_BYTES)
    if flags & _EXTENDED:
        if at + _EXTENSION.size > end:
            raise RtpError("The RTP packet ends within the header of its extension.")
        profile, words = _EXTENSION.unpack_from(data, at)
        begins, at = at + _EXTENSION.size, at + _EXTENSION.size + 4 * words
        if at > end:
            raise RtpError(f"The RTP packet ends within its extension of {words} words.")
        extension = profile, data[begins:at]
    if flags & _PADDING:
        padding = data[-1]
        if not 0 < padding <= end - at:
            raise RtpError(f"{padding} bytes of padding do not fit into the RTP packet.")
        end -= padding
    marker = second >= _MARKER
    payload = data[at:end]
    return RtpPacket(second & 0x7F, sequence, timestamp, ssrc, payload, marker, csrcs, extension)


def write(packet: RtpPacket, *, padding: int = 0) -> bytes:
    """The bytes of a packet, with `padding` bytes after it. Raises RtpError if it can't be said."""
    if not 0 <= padding <= _LONGEST_PADDING or len(packet.csrcs) > _CSRCS:
        raise RtpError("An RTP packet has at most 255 bytes of padding and 15 sources.")
    flags = VERSION << 6 | len(packet.csrcs)
    middle = b"".join(csrc.to_bytes(4, "big") for csrc in packet.csrcs)
    if packet.extension is not None:
        profile, inside = packet.extension
        if len(inside) % 4:
            raise RtpError("An extension of an RTP header is made of words of 4 bytes.")
        flags |= _EXTENDED
        middle += _EXTENSION.pack(profile, len(inside) // 4) + inside
    after = b""
    if padding:
        flags |= _PADDING
        after = bytes(padding - 1) + bytes((padding,))
    second = packet.payload_type | (_MARKER if packet.marker else 0)
    head = _HEADER.pack(flags, second, packet.sequence, packet.timestamp, packet.ssrc)
    return head + middle + packet.payload + after


def header(payload_type: int, sequence: int, timestamp: int, ssrc: int, *, marker: bool) -> bytes:
    """The 12 bytes before the payload of a plain packet; counters may be extended ones."""
    second = payload_type | (_MARKER if marker else 0)
    return _HEADER.pack(VERSION << 6, second, sequence & 0xFFFF, timestamp & 0xFFFFFFFF, ssrc)


def sequence_distance(after: int, before: int) -> int:
    """How far the 16-bit sequence `after` lies behind `before`: -32,768 to 32,767."""
    return ((after - before + 0x8000) & 0xFFFF) - 0x8000


def timestamp_distance(after: int, before: int) -> int:
    """The same of 32-bit timestamps, in ticks."""
    return ((after - before + 0x80000000) & 0xFFFFFFFF) - 0x80000000
