"""uvicorn's HTTP with deadlines: who sends a request too slowly, or too much of one, is cut off.

A connection is always in one of three states: a head is awaited or half read, a body is half read,
or nothing is owed by the client. Each but the last has a deadline, however many bytes trickle in.
"""

import asyncio
import base64
import binascii

import httptools
from starlette.responses import Response
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from server.errors import Answer, spelled
from server.security import ALWAYS, NOTHING

HEAD_WITHIN_S = 9.0  # promises.md 3.6: cut within 10; uvicorn itself waits for ever
BODY_WITHIN_S = 9.0
READ_WITHIN_S = 30.0  # for a client to make room for more of an answer
LINGER_S = 1.0  # for a refused client to read why
HEADER_LINES = 100
HEAD_BYTES = 64 * 1024  # lines together, and one read more

NOT_HTTP = "This is not a request that HTTP/1.1 allows."
ONLY_CHUNKED = "Send the body plain or with `Transfer-Encoding: chunked`."
NO_HANDSHAKE = (
    "This is not how a WebSocket is opened (RFC 6455): Sec-WebSocket-Version must be 13, and"
    " Sec-WebSocket-Key 16 bytes in base64."
)
MANY_LINES = f"A request may have {HEADER_LINES} header lines. Send fewer."
LARGE_HEAD = f"Address and headers may take {HEAD_BYTES >> 10} KiB together. Send less."


class HeadRefused(Exception):
    """Stops the parser; what to answer is noted beside it."""


class Http(HttpToolsProtocol):
    """Hand it to uvicorn as `http=`."""

    _deadline: asyncio.TimerHandle | None = None
    _unread: asyncio.TimerHandle | None = None
    _idle = False
    "Nothing is owed: no request has begun since the last one was whole."
    _in_head = True
    _head_bytes = 0
    _refusal = (400, NOT_HTTP)
    _refused = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._expect(HEAD_WITHIN_S)

    def connection_lost(self, exc: Exception | None) -> None:
        self._expect(None)
        self.resume_writing()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._refused:
            return
        self._unset_keepalive_if_required()
        was_idle, self._idle = self._idle, False
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            if self._should_upgrade():  # else it is answered in HTTP/1.1
                self.handle_websocket_upgrade()
        except httptools.HttpParserError:
            self._refuse(*self._refusal)
        if self._in_head and not self._refused:
            self._head_bytes += len(data)
            if self._head_bytes > HEAD_BYTES:
                self._refuse(431, LARGE_HEAD)
        if was_idle and not self._idle and self._deadline is None:
            self._expect(HEAD_WITHIN_S)  # something came, and it was not a request yet

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._in_head, self._head_bytes = True, 0
        self._expect(HEAD_WITHIN_S)

    def on_header(self, name: bytes, value: bytes) -> None:
        super().on_header(name, value)
        if len(self.headers) > HEADER_LINES:
            self._refusal = (431, MANY_LINES)
            raise HeadRefused
        if name.lower() == b"transfer-encoding" and value.strip().lower() != b"chunked":
            self._refusal = (400, ONLY_CHUNKED)
            raise HeadRefused

    def on_headers_complete(self) -> None:
        self._in_head = False
        self._expect(BODY_WITHIN_S)
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._idle = True
        self._expect(None)
        super().on_message_complete()

    def handle_websocket_upgrade(self) -> None:
        self._in_head, self._idle = False, True
        self._expect(None)
        if _is_handshake(self.headers):
            super().handle_websocket_upgrade()
        else:
            self._refuse(400, NO_HANDSHAKE)

    def pause_writing(self) -> None:
        super().pause_writing()
        if self._unread is None:
            self._unread = self.loop.call_later(READ_WITHIN_S, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None

    def _refuse(self, status: int, sentence: str) -> None:
        """Answer outside the application, and hang up."""
        self._refused = True
        self._expect(None)
        if self.cycle is not None and not self.cycle.response_complete:
            if self.cycle.response_started or self.pipeline:
                self.transport.abort()  # an answer is under way; a second one would mix with it
                return
            self.cycle.disconnected = True  # the application hears no more of it
            self.cycle.message_event.set()
        path = getattr(self, "url", b"").decode("latin-1")
        self.transport.write(_bytes(spelled(path, Answer(status, "not_http", sentence))))
        if self.transport.can_write_eof():  # closed at once, unsent words of theirs would reset it
            self.transport.write_eof()
            self._deadline = self.loop.call_later(LINGER_S, self.transport.abort)
        else:
            self.transport.close()

    def _expect(self, seconds: float | None) -> None:
        """The next part of the request must be whole within so long; None: nothing is awaited."""
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
        if seconds is not None:
            self._deadline = self.loop.call_later(seconds, self._cut, seconds)

    def _cut(self, seconds: float) -> None:
        self._deadline = None
        if self.flow.read_paused:  # we are the slow ones
            self._expect(seconds)
        else:
            self.transport.abort()


def _is_handshake(headers: list[tuple[bytes, bytes]]) -> bool:
    """What websockets would refuse too, but not in the words of our doors."""
    keys = [value for name, value in headers if name == b"sec-websocket-key"]
    versions = [value for name, value in headers if name == b"sec-websocket-version"]
    try:
        return versions == [b"13"] and [len(base64.b64decode(key)) for key in keys] == [16]
    except binascii.Error:
        return False


def _bytes(response: Response) -> bytes:
    response.headers.update({**ALWAYS, "content-security-policy": NOTHING})
    lines = [STATUS_LINE[response.status_code]]
    lines += [name + b": " + value + b"\r\n" for name, value in response.raw_headers]
    return b"".join([*lines, b"connection: close\r\n\r\n", bytes(response.body)])
