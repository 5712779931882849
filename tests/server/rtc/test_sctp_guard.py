import random
import struct

import pytest
from aiortc import rtcsctptransport as sctp

from server.rtc.sctp_guard import STREAMS, sound


def packet(*chunks: bytes) -> bytes:
    return bytes(12) + b"".join(chunks)


def chunk(kind: int, body: bytes, length: int | None = None) -> bytes:
    padded = body + bytes(-len(body) % 4)
    return struct.pack("!BBH", kind, 3, len(body) + 4 if length is None else length) + padded


def data(stream: int = 0, content: bytes = b"hello") -> bytes:
    return chunk(0, struct.pack("!LHHL", 7, stream, 0, 51) + content)


def sack(*gaps: tuple[int, int]) -> bytes:
    body = struct.pack("!LLHH", 7, 1_000, len(gaps), 0)
    return chunk(3, body + b"".join(struct.pack("!HH", *gap) for gap in gaps))


INIT = chunk(1, struct.pack("!LLHHL", 1, 65_536, 16, 16, 9) + b"\xc0\x00\x00\x04")
COOKIE = chunk(10, bytes(24))


@pytest.mark.parametrize(
    "good",
    [
        packet(data()),
        packet(data(STREAMS - 1), data(1, b"x" * 1_000), sack()),
        packet(sack((2, 3), (5, 5))),
        packet(INIT),
        packet(COOKIE, data()),
        packet(chunk(4, b"\x00\x01\x00\x08abcd")),
        packet(chunk(130, struct.pack("!HHLLLH", 13, 18, 1, 2, 3, 0))),
        packet(chunk(192, struct.pack("!LHH", 9, 0, 1))),
        packet(chunk(7, bytes(4)), chunk(8, b""), chunk(14, b"")),
        packet(chunk(6, b"")),
        packet(chunk(77, b"unknown")),
    ],
    ids=range(11),
)
def test_what_browsers_send_passes(good: bytes) -> None:
    assert sound(good)


@pytest.mark.parametrize(
    "bad",
    [
        b"",
        bytes(15),
        packet(chunk(0, bytes(11))),
        packet(data(content=b"")),
        packet(data(STREAMS)),
        packet(chunk(0, bytes(20), length=3)),
        packet(chunk(0, bytes(20), length=400)),
        packet(INIT, data()),
        packet(chunk(1, bytes(15))),
        packet(chunk(4, bytes(8))),
        packet(chunk(4, b"\x00\x01\x00\x03")),
        packet(chunk(4, b"\x00\x01\x00\x80abcd")),
        packet(chunk(130, struct.pack("!HHL", 13, 8, 1))),
        packet(chunk(130, struct.pack("!HHLLLHB", 13, 19, 1, 2, 3, 0, 0))),
        packet(chunk(3, bytes(8))),
        packet(chunk(3, struct.pack("!LLHH", 7, 1, 9, 0))),
        packet(sack((5, 4))),
        packet(sack((0, 4))),
        packet(sack((2, 9), (9, 12))),
        packet(sack(*((2 * number + 1, 2 * number + 1) for number in range(257)))),
        packet(chunk(192, bytes(2))),
        packet(chunk(192, struct.pack("!LHH", 9, STREAMS, 1))),
        packet(chunk(7, b"")),
    ],
    ids=range(23),
)
def test_what_would_harm_does_not(bad: bytes) -> None:
    assert not sound(bad)


def test_whatever_passes_is_parsed_by_the_association_without_a_fault() -> None:
    chance = random.Random(4)
    goods = [data(), sack((2, 3)), INIT, COOKIE, chunk(4, b"\x00\x01\x00\x08abcd")]
    passed = 0
    for _ in range(20_000):
        packed = bytearray(packet(*chance.sample(goods, chance.randint(1, 3))))
        for _ in range(chance.randint(0, 3)):
            packed[chance.randrange(12, len(packed))] = chance.randrange(256)
        if sound(bytes(packed)):
            passed += 1
            checksum = sctp.crc32c(bytes(packed[:8]) + bytes(4) + bytes(packed[12:]))
            packed[8:12] = struct.pack("<L", checksum)
            sctp.parse_packet(bytes(packed))
    assert passed > 2_000
