"""AWS event-stream messages: bytes in, messages out, and back. No I/O.

    u32 total length | u32 headers' length | u32 CRC-32 of these eight bytes
    headers | payload | u32 CRC-32 of everything before

All numbers are big-endian. A header is `u8 length of its name, name, u8 type, value`.
"""

import struct
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from ai.engine import EngineError
from ai.events import Fault

# Limits of smithy's aws-event-stream: https://smithy.io/2.0/aws/amazon-eventstream.html
MAX_HEADERS = 128 * 1024
MAX_VALUE = 32_767
MAX_PAYLOAD = 16 * 1024 * 1024
PRELUDE = 12
OVERHEAD = PRELUDE + 4

TRUE, FALSE, BYTE, SHORT, INTEGER, LONG, BYTES, STRING, TIMESTAMP, UUID = range(10)
_FIXED = {TRUE: 0, FALSE: 0, BYTE: 1, SHORT: 2, INTEGER: 4, LONG: 8, TIMESTAMP: 8, UUID: 16}

HeaderValue = bool | int | bytes | str | datetime
"What is encoded: bytes and strings as they are, datetimes as timestamps, whole numbers as longs."


class StreamBroken(EngineError):
    """What came is no event stream: nothing after it can be read."""

    def __init__(self, about: str) -> None:
        super().__init__(about, fault=Fault("transient", "stream_broken", about))


@dataclass(frozen=True, slots=True)
class Message:
    """One message."""

    headers: Mapping[str, bool | int | bytes | str] = field(default_factory=dict)
    "Timestamps are milliseconds since 1970, UUIDs their sixteen bytes."
    payload: bytes = b""

    def text(self, name: str) -> str:
        """A header that is a string; empty where there is none."""
        value = self.headers.get(name, "")
        return value if isinstance(value, str) else ""


def encode_headers(headers: Mapping[str, HeaderValue]) -> bytes:
    """The headers of a message.

    Raises:
        ValueError: If a name or value is too long.
    """
    parts: list[bytes] = []
    for name, value in headers.items():
        raw = name.encode()
        if not 1 <= len(raw) <= 255:
            raise ValueError(f"A header's name has 1 to 255 bytes, not {len(raw)}.")
        parts += (bytes((len(raw),)), raw, _encode_value(value))
    encoded = b"".join(parts)
    if len(encoded) > MAX_HEADERS:
        raise ValueError(f"Headers have at most {MAX_HEADERS} bytes, not {len(encoded)}.")
    return encoded


def _encode_value(value: HeaderValue) -> bytes:
    match value:
        case bool():
            return bytes((TRUE if value else FALSE,))
        case int():
            return struct.pack("!Bq", LONG, value)
        case datetime():
            return struct.pack("!Bq", TIMESTAMP, round(value.timestamp() * 1000))
        case str():
            kind, raw = STRING, value.encode()
        case bytes():
            kind, raw = BYTES, value
    if len(raw) > MAX_VALUE:
        raise ValueError(f"A header's value has at most {MAX_VALUE} bytes, not {len(raw)}.")
    return struct.pack("!BH", kind, len(raw)) + raw


def frame(headers: bytes, payload: bytes) -> bytes:
    """A message of headers that are encoded already.

    Raises:
        ValueError: If the payload is too long.
    """
    if len(payload) > MAX_PAYLOAD:
        raise ValueError(f"A payload has at most {MAX_PAYLOAD} bytes, not {len(payload)}.")
    lengths = struct.pack("!II", OVERHEAD + len(headers) + len(payload), len(headers))
    body = b"".join((lengths, struct.pack("!I", zlib.crc32(lengths)), headers, payload))
    return body + struct.pack("!I", zlib.crc32(body))


def encode(headers: Mapping[str, HeaderValue], payload: bytes) -> bytes:
    """A message."""
    return frame(encode_headers(headers), payload)


class Decoder:
    """Finds messages in a stream that is cut anywhere."""

    def __init__(self) -> None:
        self._held = bytearray()
        self._broken: StreamBroken | None = None

    @property
    def waiting(self) -> int:
        """Bytes of a message that is not complete."""
        return len(self._held)

    def feed(self, data: bytes) -> Iterator[Message]:
        """The messages that are complete now.

        Raises:
            StreamBroken: If a checksum, a length or a header is wrong; from then on always.
        """
        if self._broken is None:
            self._held += data
        while True:
            if self._broken is not None:
                raise self._broken
            try:
                message = self._next()
            except StreamBroken as problem:
                self._broken = problem
                self._held.clear()
                raise
            if message is None:
                return
            yield message

    def _next(self) -> Message | None:
        held = self._held
        if len(held) < PRELUDE:
            return None
        total, headers_length, crc = struct.unpack_from("!III", held)
        if zlib.crc32(held[:8]) != crc:
            raise StreamBroken("The checksum of a message's lengths is wrong.")
        if headers_length > MAX_HEADERS:
            raise StreamBroken(f"A message announces {headers_length} bytes of headers.")
        payload_length = total - OVERHEAD - headers_length
        if not 0 <= payload_length <= MAX_PAYLOAD:
            raise StreamBroken(f"A message announces {payload_length} bytes of payload.")
        if len(held) < total:
            return None
        whole = bytes(held[:total])
        del held[:total]
        if zlib.crc32(whole[:-4]) != struct.unpack_from("!I", whole, total - 4)[0]:
            raise StreamBroken("The checksum of a message is wrong.")
        body = PRELUDE + headers_length
        return Message(_decode_headers(whole[PRELUDE:body]), whole[body:-4])


def _decode_headers(raw: bytes) -> dict[str, bool | int | bytes | str]:
    headers: dict[str, bool | int | bytes | str] = {}
    at = 0
    try:
        while at < len(raw):
            name_end = at + 1 + raw[at]
            name = raw[at + 1 : name_end].decode()
            kind = raw[name_end]
            at = name_end + 1
            if kind in (BYTES, STRING):
                (length,) = struct.unpack_from("!H", raw, at)
                at += 2
            else:
                length = _FIXED[kind]
            value = raw[at : at + length]
            at += length
            if len(value) != length:
                raise StreamBroken("A header's value is cut off.")
            headers[name] = _decode_value(kind, value)
    except (IndexError, KeyError, struct.error, UnicodeDecodeError) as problem:
        raise StreamBroken(f"The headers of a message are wrong: {problem!r}.") from problem
    return headers


def _decode_value(kind: int, value: bytes) -> bool | int | bytes | str:
    match kind:
        case 0 | 1:
            return kind == TRUE
        case 7:
            return value.decode()
        case 6 | 9:
            return value
    return int.from_bytes(value, "big", signed=True)
