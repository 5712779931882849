"""Messages of AWS event streams: framing in both directions.

u32 total | u32 headers' length | u32 CRC of the 8 bytes before | headers | payload | u32 CRC
"""

import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

HeaderValue = str | bytes | datetime
MAX_HEADERS = 128 << 10
MAX_PAYLOAD = 16 << 20
_TIMESTAMP, _BYTES, _STRING = 8, 6, 7


class FrameBroken(Exception):
    """What came is no event-stream message."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message; `date_header` is its header `:date` as it came, for its signature."""

    headers: Mapping[str, HeaderValue]
    payload: bytes
    date_header: bytes = b""


def encode(headers: Mapping[str, HeaderValue], payload: bytes) -> bytes:
    """A message on the wire."""
    head = b"".join(map(_encode_header, headers.items()))
    prelude = struct.pack("!II", 16 + len(head) + len(payload), len(head))
    body = prelude + struct.pack("!I", zlib.crc32(prelude)) + head + payload
    return body + struct.pack("!I", zlib.crc32(body))


def _encode_header(header: tuple[str, HeaderValue]) -> bytes:
    name, value = header
    start = struct.pack("!B", len(name)) + name.encode()
    if isinstance(value, datetime):
        return start + struct.pack("!Bq", _TIMESTAMP, round(value.timestamp() * 1000))
    raw = value.encode() if isinstance(value, str) else value
    return start + struct.pack("!BH", _STRING if isinstance(value, str) else _BYTES, len(raw)) + raw


@dataclass(slots=True)
class Decoder:
    """Takes a stream apart, however it was cut."""

    max_payload: int = MAX_PAYLOAD
    _held: bytearray = field(default_factory=bytearray)

    def feed(self, data: bytes) -> list[Message]:
        """The messages that are whole now. Raises FrameBroken; nothing more can be read then."""
        self._held += data
        found: list[Message] = []
        while len(self._held) >= 12:
            total, head, crc = struct.unpack_from("!III", self._held)
            if zlib.crc32(self._held[:8]) != crc:
                raise FrameBroken("The checksum of a prelude is wrong.")
            if head > MAX_HEADERS or total - head - 16 > self.max_payload or total < 16 + head:
                raise FrameBroken(f"A message of {total} bytes, {head} of headers.")
            if len(self._held) < total:
                break
            found.append(decode(bytes(self._held[:total])))
            del self._held[:total]
        return found

    @property
    def rest(self) -> int:
        """Bytes of a message that is not whole."""
        return len(self._held)


def decode(raw: bytes) -> Message:
    """One whole message. Raises FrameBroken."""
    try:
        total, size = struct.unpack_from("!II", raw)
        if total != len(raw) or struct.unpack_from("!I", raw, total - 4)[0] != zlib.crc32(raw[:-4]):
            raise FrameBroken("The checksum of a message is wrong.")
        headers, date_header = _decode_headers(raw[12 : 12 + size])
    except (struct.error, UnicodeDecodeError, IndexError) as problem:
        raise FrameBroken(str(problem)) from problem
    return Message(headers, raw[12 + size : -4], date_header)


def _decode_headers(raw: bytes) -> tuple[dict[str, HeaderValue], bytes]:
    headers: dict[str, HeaderValue] = {}
    date_header = b""
    at = 0
    while at < len(raw):
        began = at
        name = raw[at + 1 : at + 1 + raw[at]].decode()
        at += 1 + raw[at]
        kind = raw[at]
        if kind == _TIMESTAMP:
            (stamp,) = struct.unpack_from("!q", raw, at + 1)
            headers[name] = datetime.fromtimestamp(stamp / 1000, UTC)
            at += 9
        elif kind in (_BYTES, _STRING):
            (size,) = struct.unpack_from("!H", raw, at + 1)
            value = raw[at + 3 : at + 3 + size]
            if len(value) < size:
                raise FrameBroken(f"The header {name} is cut off.")
            headers[name] = value.decode() if kind == _STRING else value
            at += 3 + size
        else:
            raise FrameBroken(f"The header {name} is of type {kind}.")
        if name == ":date":
            date_header = raw[began:at]
    return headers, date_header
