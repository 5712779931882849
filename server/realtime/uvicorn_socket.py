"""uvicorn's WebSocket, for clients that don't read and servers that stop.

Hand `Socket` to uvicorn as `ws=`, with `ws_ping_interval=20`, `ws_ping_timeout=25`,
`ws_max_size=limits.FRAME_BYTES` and `ws_per_message_deflate=False`.
"""

import asyncio
import socket
from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame

SEND_BUFFER_BYTES = 128 * 1024
"Given to the kernel, which doubles it: what lies there can't be called back at a barge-in."
LINGER_S = 5.0
"How long a closed connection may take to read its last words."
FRAGMENTS = 256
"Of one message; official clients send none."


class Socket(WebSocketsSansIOProtocol):
    """Closes at once where uvicorn would wait for the client to read."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        raw: socket.socket | None = transport.get_extra_info("socket")
        if raw is not None and raw.family in (socket.AF_INET, socket.AF_INET6):
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
        super().connection_made(transport)

    async def send(self, message: Any) -> None:
        if message["type"] != "websocket.close":
            await super().send(message)
            return
        self.writable.set()  # the close frame goes behind what is buffered, and waits for nobody
        await super().send(message)
        self.loop.call_later(LINGER_S, self.transport.abort)

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

    def handle_cont(self, event: Frame) -> None:
        if self.close_sent:
            return
        if len(self.frames) >= FRAGMENTS:
            self.conn.fail(1008, f"a message may have {FRAGMENTS} fragments")
            self.handle_parser_exception()
            return
        super().handle_cont(event)
