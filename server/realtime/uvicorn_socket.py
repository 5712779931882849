"""uvicorn's WebSocket, for clients that don't read and servers that stop.

Hand `Socket` to uvicorn as `ws=`, with `ws_ping_interval=20`, `ws_ping_timeout=25`,
`ws_max_size=limits.FRAME_BYTES` and `ws_per_message_deflate=False`.
"""

import asyncio
import socket
from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame, apply_mask  # type: ignore[attr-defined]
from websockets.http11 import Request
from websockets.protocol import OPEN

from server.realtime.taking import TAKING, Take

SEND_BUFFER_BYTES = 128 * 1024
"Given to the kernel, which doubles it: what lies there can't be called back at a barge-in."
LINGER_S = 5.0
"How long a closed connection may take to read its last words."
FRAGMENTS = 256
"Of one message; official clients send none."

_SENTENCE = b"This request's headers are too large. Send less, or a shorter token."
_BODY = b'{"error":{"message":"%s","type":"invalid_request_error","param":null,"code":"%s"}}' % (
    _SENTENCE,
    b"headers_too_large",
)
UNREADABLE = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\nConnection: close\r\n"
    b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(_BODY), _BODY)
)


class Socket(WebSocketsSansIOProtocol):
    """Closes at once where uvicorn would wait for the client to read."""

    _take: Take | None = None
    _receiving = False

    def handle_connect(self, event: Request) -> None:
        super().handle_connect(event)
        if not self.close_sent:
            self.scope["extensions"][TAKING] = {"let": self._let_take}

    def _let_take(self, take: Take) -> None:
        self._take = take

    async def receive(self) -> Any:
        self._receiving = True
        try:
            return await super().receive()
        finally:
            self._receiving = False

    def send_receive_event_to_app(self) -> None:
        if self._take is not None and self._may_be_taken():
            frame = self._whole()
            if frame is None or self._take(frame):
                self.frames = []
                return
        super().send_receive_event_to_app()

    def _may_be_taken(self) -> bool:
        """Somebody waits for a frame, and none waits for them."""
        return self._receiving and self.queue.empty() and not self.close_sent

    def _within_message(self) -> bool:
        """Whether what comes now goes on with what came before."""
        conn = self.conn
        return bool(conn.reader.buffer) or conn.current_size is not None or conn.state is not OPEN

    def _whole(self) -> str | bytes | None:
        """The message that has come; None: it is no text, and the connection is closed for it."""
        data = self.frames[0] if len(self.frames) == 1 else b"".join(self.frames)
        if self.curr_msg_data_type == "bytes":
            return data
        try:
            return data.decode()
        except UnicodeDecodeError:
            super().send_receive_event_to_app()
            return None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        raw: socket.socket | None = transport.get_extra_info("socket")
        if raw is not None and raw.family in (socket.AF_INET, socket.AF_INET6):
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
        super().connection_made(transport)

    async def send(self, message: Any) -> None:
        if message["type"] == "websocket.close":
            self.writable.set()  # the close frame goes behind what is buffered, and waits for none
            await super().send(message)
            self.loop.call_later(LINGER_S, self.transport.abort)
            return
        await super().send(message)
        if message["type"] == "websocket.http.response.body" and not message.get("more_body"):
            self.handshake_complete = True  # refused, which uvicorn would log as a fault of ours

    def shutdown(self) -> None:
        """The server stops: say 1001, on which official clients come back."""
        if self.handshake_complete and not self.close_sent and not self.transport.is_closing():
            self.stop_keepalive()
            self.queue.put_nowait({"type": "websocket.disconnect", "code": 1001})
            self.conn.send_close(1001, "server going away")
            self.transport.write(b"".join(self.conn.data_to_send()))
            self.close_sent = True
            self.transport.close()
            return
        super().shutdown()

    def keepalive_timeout(self) -> None:
        super().keepalive_timeout()
        self.loop.call_later(LINGER_S, self.transport.abort)

    def data_received(self, data: bytes) -> None:
        if self._take is not None and self._may_be_taken() and not self._within_message():
            frame = whole_frame(data)
            if frame is not None and self._take(frame):
                return
        super().data_received(data)
        if self.conn.handshake_exc is not None and not self.handshake_initiated:
            # A header line of more than 8 KiB, or too many of them; uvicorn would say nothing.
            self.handshake_complete = self.close_sent = True
            self.transport.write(UNREADABLE)
            self.transport.close()

    def handle_cont(self, event: Frame) -> None:
        if self.close_sent:
            return
        if len(self.frames) >= FRAGMENTS:
            self.conn.fail(1008, f"a message may have {FRAGMENTS} fragments")
            self.handle_parser_exception()
            return
        super().handle_cont(event)


def whole_frame(data: bytes) -> str | bytes | None:
    """The message of a frame that is all that came, as nearly always (RFC 6455, 5.2).

    None: it is something else, which the library has to read: in fragments or pieces, very short or
    longer than 64 KiB, a control frame, not masked, no text. What is taken here costs a tenth.
    """
    if len(data) < 8 or data[1] != 0x80 | 126 or int.from_bytes(data[2:4], "big") != len(data) - 8:
        return None
    if data[0] == 0x82:
        return apply_mask(data[8:], data[4:8])
    if data[0] == 0x81:
        try:
            return apply_mask(data[8:], data[4:8]).decode()
        except UnicodeDecodeError:
            return None
    return None
