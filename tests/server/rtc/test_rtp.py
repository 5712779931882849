import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.rtc.rtp import (
    RtpError,
    RtpPacket,
    header,
    read,
    sequence_distance,
    timestamp_distance,
    write,
)

WORD = st.integers(0, 2**32 - 1)
PACKETS = st.builds(
    RtpPacket,
    payload_type=st.integers(0, 127),
    sequence=st.integers(0, 2**16 - 1),
    timestamp=WORD,
    ssrc=WORD,
    payload=st.binary(max_size=200),
    marker=st.booleans(),
    csrcs=st.lists(WORD, max_size=15).map(tuple),
    extension=st.none()
    | st.tuples(
        st.integers(0, 2**16 - 1),
        st.binary(max_size=40).map(lambda inside: inside + bytes(-len(inside) % 4)),
    ),
)

# By hand after the picture in RFC 3550, 5.1, with an extension after RFC 8285 (audio level).
PLAIN = bytes.fromhex("806f1234 00000f00 deadbeef") + b"opus"
EXTENDED = bytes.fromhex("90ef1234 00000f00 deadbeef bede0001 10ff0000") + b"opus"
SOURCED = bytes.fromhex("a26f1234 00000f00 deadbeef 00000001 00000002") + b"opus" + b"\0\0\3"


def test_a_plain_packet_is_read():
    assert read(PLAIN) == RtpPacket(0x6F, 0x1234, 3840, 0xDEADBEEF, b"opus")


def test_extension_marker_sources_and_padding_are_read():
    found = read(EXTENDED)
    assert (found.payload_type, found.marker, found.payload) == (0x6F, True, b"opus")
    assert found.extension == (0xBEDE, b"\x10\xff\0\0")
    found = read(SOURCED)
    assert (found.csrcs, found.payload) == ((1, 2), b"opus")


@given(PACKETS, st.integers(0, 255))
def test_what_is_written_is_read_again(packet, padding):
    assert read(write(packet, padding=padding)) == packet


@given(WORD, WORD, WORD, st.booleans())
def test_the_header_of_a_plain_packet_is_the_beginning_of_one(sequence, timestamp, ssrc, marker):
    said = header(111, sequence, timestamp, ssrc, marker=marker) + b"x"
    assert said == write(RtpPacket(111, sequence & 0xFFFF, timestamp, ssrc, b"x", marker))


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "at least 12 bytes, this one 0"),
        (PLAIN[:11], "at least 12 bytes, this one 11"),
        (b"\x40" + PLAIN[1:], "version 1"),
        (b"\x8f" + PLAIN[1:], "within its 15 contributing sources"),
        (b"\x90" + PLAIN[1:12] + b"\xbe\xde\0", "within the header of its extension"),
        (b"\x90" + PLAIN[1:12] + b"\xbe\xde\0\1", "within its extension of 1 words"),
        (b"\xa0" + PLAIN[1:12] + b"\0", "0 bytes of padding"),
        (b"\xa0" + PLAIN[1:12] + b"\2", "2 bytes of padding"),
        (b"\xa0" + PLAIN[1:12], "239 bytes of padding"),
    ],
)
def test_what_is_no_packet_is_refused_by_a_sentence(data, sentence):
    with pytest.raises(RtpError, match=sentence):
        read(data)


def test_a_packet_that_cannot_be_said_is_refused():
    with pytest.raises(RtpError, match="words of 4 bytes"):
        write(RtpPacket(0, 0, 0, 0, b"", extension=(1, b"x")))
    for bad in ({"padding": 256}, {"padding": -1}):
        with pytest.raises(RtpError, match="255 bytes of padding"):
            write(RtpPacket(0, 0, 0, 0, b""), **bad)
    with pytest.raises(RtpError, match="15 sources"):
        write(RtpPacket(0, 0, 0, 0, b"", csrcs=(1,) * 16))


def test_no_bytes_are_too_strange_to_read():
    chance = random.Random(5)
    read_well = 0
    for _ in range(100_000):
        data = chance.randbytes(chance.choice((0, 11, 12, 13, 20, 80, 160, 320)))
        if data and chance.random() < 0.7:
            data = bytes((data[0] & 0x3F | 0x80,)) + data[1:]
        try:
            packet = read(data)
        except RtpError as error:
            assert str(error).endswith(".")
        else:
            read_well += 1
            assert len(packet.payload) <= len(data) - 12
            assert packet.payload in data
    assert 5_000 < read_well < 90_000


@given(st.integers(0, 2**40), st.integers(-(2**15), 2**15 - 1))
def test_a_sequence_wraps(before, step):
    assert sequence_distance((before + step) & 0xFFFF, before & 0xFFFF) == step


@given(st.integers(0, 2**40), st.integers(-(2**31), 2**31 - 1))
def test_a_timestamp_wraps(before, step):
    assert timestamp_distance((before + step) & (2**32 - 1), before & (2**32 - 1)) == step
