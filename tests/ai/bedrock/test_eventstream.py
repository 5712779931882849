import random
import struct
import zlib
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ai.bedrock.eventstream import (
    MAX_HEADERS,
    MAX_PAYLOAD,
    MAX_VALUE,
    Decoder,
    HeaderValue,
    Message,
    StreamBroken,
    encode,
    encode_headers,
    frame,
)

VALUES = st.one_of(
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.binary(max_size=300),
    st.text(max_size=80),
)
NAMES = st.text(st.characters(codec="ascii"), min_size=1, max_size=40)
HEADERS = st.dictionaries(NAMES, VALUES, max_size=5)


def decoded(data: bytes) -> list[Message]:
    return list(Decoder().feed(data))


def test_a_message_without_headers_is_what_aws_publishes() -> None:
    """The empty message of aws-c-event-stream's own tests."""
    golden = bytes.fromhex("000000100000000005c248eb7d98c8ff")
    assert encode({}, b"") == golden
    assert decoded(golden) == [Message({}, b"")]


def test_a_message_with_a_header_is_what_aws_publishes() -> None:
    """`all_headers`'s first lines and a payload, as aws-c-event-stream encodes them."""
    made = encode({"content-type": "application/json"}, b"{'foo':'bar'}")
    assert made[:12].hex() == "0000003d0000002007fd8396"
    assert made[12:44] == b"\x0ccontent-type\x07\x00\x10application/json"
    assert made[-4:].hex() == "8d9c08b1"


@settings(max_examples=60, deadline=None)
@given(HEADERS, st.binary(max_size=2_000))
def test_what_is_encoded_is_decoded(headers: dict[str, HeaderValue], payload: bytes) -> None:
    assert decoded(encode(headers, payload)) == [Message(headers, payload)]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(HEADERS, st.binary(max_size=200)), max_size=5), st.randoms())
def test_a_stream_may_be_cut_anywhere(
    messages: list[tuple[dict[str, HeaderValue], bytes]], chance: random.Random
) -> None:
    data = b"".join(encode(headers, payload) for headers, payload in messages)
    decoder, found = Decoder(), []
    while data:
        cut = chance.randint(1, min(len(data), 40))
        found += list(decoder.feed(data[:cut]))
        data = data[cut:]
    assert [(one.headers, one.payload) for one in found] == messages
    assert decoder.waiting == 0


def test_a_time_is_milliseconds() -> None:
    at = datetime(2026, 11, 21, 7, 28, 34, 125_000, UTC)
    assert decoded(encode({":date": at}, b""))[0].headers == {":date": 1_795_246_114_125}


def test_headers_of_every_type_are_read() -> None:
    raw = (
        b"\x01a\x00\x01b\x01\x01c\x02\xff\x01d\x03\xff\xfe\x01e\x04\x00\x00\x00\x07"
        + b"\x01f\x09"
        + bytes(range(16))
    )
    assert decoded(frame(raw, b""))[0].headers == {
        "a": True,
        "b": False,
        "c": -1,
        "d": -2,
        "e": 7,
        "f": bytes(range(16)),
    }


@settings(max_examples=60, deadline=None)
@given(HEADERS, st.binary(max_size=200), st.randoms())
def test_a_flipped_bit_is_noticed(
    headers: dict[str, HeaderValue], payload: bytes, chance: random.Random
) -> None:
    data = bytearray(encode(headers, payload))
    data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    decoder = Decoder()
    with pytest.raises(StreamBroken):
        list(decoder.feed(bytes(data)))
    with pytest.raises(StreamBroken):
        list(decoder.feed(encode({}, b"")))


def test_what_was_whole_before_the_fault_is_given() -> None:
    decoder = Decoder()
    stream = decoder.feed(encode({"a": 1}, b"x") + b"\xff" * 16)
    assert next(stream).payload == b"x"
    with pytest.raises(StreamBroken):
        next(stream)


@pytest.mark.parametrize(
    ("total", "headers"),
    [(15, 0), (16 + MAX_PAYLOAD + 1, 0), (16 + MAX_HEADERS + 1, MAX_HEADERS + 1), (20, 8)],
)
def test_a_message_too_large_is_refused_by_its_first_bytes(total: int, headers: int) -> None:
    lengths = struct.pack("!II", total, headers)
    with pytest.raises(StreamBroken, match="announces"):
        decoded(lengths + struct.pack("!I", zlib.crc32(lengths)))


@pytest.mark.parametrize(
    "raw",
    [b"\x01a", b"\x05a", b"\x01a\x07\x00", b"\x01a\x07\x00\x09abc", b"\x01a\x0a", b"\x01\xff\x00"],
)
def test_wrong_headers_are_told(raw: bytes) -> None:
    with pytest.raises(StreamBroken):
        decoded(frame(raw, b""))


def test_nothing_too_large_is_sent() -> None:
    for headers in ({"a": "x" * (MAX_VALUE + 1)}, {"x" * 256: 1}, {"": 1}):
        with pytest.raises(ValueError, match="bytes"):
            encode_headers(headers)
    with pytest.raises(ValueError, match="bytes"):
        encode_headers({f"h{number}": b"x" * MAX_VALUE for number in range(5)})
    with pytest.raises(ValueError, match="bytes"):
        frame(b"", bytes(MAX_PAYLOAD + 1))


def test_a_hundred_thousand_spoilt_streams_raise_nothing_else() -> None:
    chance = random.Random(4)
    whole = encode({":event-type": "chunk", "n": 7, "t": True, "b": b"\0" * 9}, b'{"bytes":""}')
    headers = encode_headers({":event-type": "chunk", "n": 7, "b": b"\0" * 9})
    refused = 0
    for _ in range(50_000):
        spoilt = bytearray(whole)
        for _ in range(chance.randint(1, 3)):
            spoilt[chance.randrange(len(spoilt))] = chance.randrange(256)
        inside = bytearray(headers)
        inside[chance.randrange(len(inside))] = chance.randrange(256)
        for data in (bytes(spoilt[: chance.randint(1, len(spoilt))]), frame(bytes(inside), b"")):
            try:
                decoded(data)
            except StreamBroken:
                refused += 1
    assert refused > 30_000
