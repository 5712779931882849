"""Which SCTP packets may reach the association. Pure.

aiortc's association believes what a peer sends: it reads chunks past their end, walks parameters of
length 0 for ever, counts through gaps of 65,535 each, and keeps what does not fit together for as
long as it comes. A student's browser does none of this; a student with a keyboard might. So a
packet is looked at as a whole before it is handed on, and bad ones are dropped, as if lost.
"""

import struct
from collections.abc import Iterator

STREAMS = 16
"Data channels that may be open; a call has one."
WINDOW_BYTES = 256 * 1024
"What may wait for its missing parts: four messages of the longest kind."
WINDOW_CHUNKS = 128
"The same, counted; also how far ahead of the first missing chunk one may be."

HEADER_BYTES = 12
DATA, INIT, INIT_ACK, SACK, HEARTBEAT, HEARTBEAT_ACK, ABORT, SHUTDOWN = range(8)
ERROR, COOKIE_ECHO, RECONFIG, FORWARD_TSN = 9, 10, 130, 192
WITH_PARAMETERS = {
    INIT: 20,
    INIT_ACK: 20,
    HEARTBEAT: 4,
    HEARTBEAT_ACK: 4,
    ABORT: 4,
    ERROR: 4,
    RECONFIG: 4,
}
"Chunks that end in parameters, and where those begin."
RECONFIG_BYTES = {13: 12, 16: 8, 17: 8}
"The least content of RFC 6525's parameters that are read."
MOST_GAPS = 256


def sound(packet: bytes) -> bool:
    """Whether every chunk of a packet is whole, and says nothing impossible."""
    if len(packet) < HEADER_BYTES + 4:
        return False
    kinds = []
    at = HEADER_BYTES
    while at + 4 <= len(packet):
        kind, length = packet[at], int.from_bytes(packet[at + 2 : at + 4], "big")
        if length < 4 or at + length > len(packet):
            return False
        if not _chunk(kind, packet[at : at + length]):
            return False
        kinds.append(kind)
        at += length + -length % 4
    return INIT not in kinds or len(kinds) == 1


def _chunk(kind: int, chunk: bytes) -> bool:
    if kind in WITH_PARAMETERS:
        begin = WITH_PARAMETERS[kind]
        if len(chunk) < begin:
            return False
        return all(
            kind != RECONFIG or _reconfig(name, content)
            for name, content in _parameters(chunk, begin)
        ) and _ends(chunk, begin)
    if kind == DATA:
        return len(chunk) > 16 and int.from_bytes(chunk[8:10], "big") < STREAMS
    if kind == SACK:
        return _sack(chunk)
    if kind == FORWARD_TSN:
        streams = range(8, len(chunk), 4)
        return (
            len(chunk) >= 8
            and len(chunk) % 4 == 0
            and all(int.from_bytes(chunk[at : at + 2], "big") < STREAMS for at in streams)
        )
    if kind == SHUTDOWN:
        return len(chunk) == 8
    return True


def _parameters(chunk: bytes, at: int) -> Iterator[tuple[int, bytes]]:
    while at + 4 <= len(chunk):
        name, length = struct.unpack_from("!HH", chunk, at)
        if length < 4:
            return
        yield name, chunk[at + 4 : at + length]
        at += length + -length % 4


def _ends(chunk: bytes, at: int) -> bool:
    """Whether all parameters have a length that leads on."""
    while at + 4 <= len(chunk):
        length = int.from_bytes(chunk[at + 2 : at + 4], "big")
        if length < 4 or at + length > len(chunk):
            return False
        at += length + -length % 4
    return True


def _reconfig(name: int, content: bytes) -> bool:
    least = RECONFIG_BYTES.get(name)
    return least is None or (len(content) >= least and len(content) % 2 == 0)


def _sack(chunk: bytes) -> bool:
    if len(chunk) < 16:
        return False
    gaps, duplicates = struct.unpack_from("!HH", chunk, 12)
    if gaps > MOST_GAPS or len(chunk) != 16 + 4 * (gaps + duplicates):
        return False
    after = 0
    for at in range(16, 16 + 4 * gaps, 4):
        first, last = struct.unpack_from("!HH", chunk, at)
        if not after < first <= last:
            return False
        after = last
    return True
