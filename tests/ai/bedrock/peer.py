"""A small HTTP/2 server for tests: what it answers is for the test to say."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import cast
from urllib.parse import SplitResult, urlsplit

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import DataReceived, RequestReceived, StreamEnded, WindowUpdated
from h2.settings import SettingCodes, Settings


class Peer(asyncio.Protocol):
    """One connection. `on_request`, `on_data` and `on_end` are the test's."""

    def __init__(self, window: int = 65_535) -> None:
        self.h2 = H2Connection(H2Configuration(client_side=False, header_encoding="utf-8"))
        self.h2.local_settings = Settings(
            client=False, initial_values={SettingCodes.INITIAL_WINDOW_SIZE: window}
        )
        self.transport: asyncio.Transport | None = None
        self.request: dict[str, str] = {}
        self.stream = 0
        self.body = bytearray()
        self.ended = False
        self.gone = asyncio.get_running_loop().create_future()
        self.acknowledge = True
        self.unacknowledged = 0
        self.on_request: Callable[[], None] = lambda: None
        self.on_data: Callable[[bytes], None] = lambda data: None
        self.on_end: Callable[[], None] = lambda: None
        self._waiting = bytearray()
        self._end_after = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.h2.initiate_connection()
        self.flush()

    def data_received(self, data: bytes) -> None:
        for event in self.h2.receive_data(data):
            if isinstance(event, RequestReceived):
                self.request = {str(name): str(value) for name, value in event.headers}
                self.stream = event.stream_id
                self.on_request()
            elif isinstance(event, DataReceived):
                self.body += event.data
                if self.acknowledge:
                    self.h2.acknowledge_received_data(event.flow_controlled_length, self.stream)
                else:
                    self.unacknowledged += event.flow_controlled_length
                self.on_data(event.data)
            elif isinstance(event, StreamEnded):
                self.ended = True
                self.on_end()
            elif isinstance(event, WindowUpdated):
                self._pump()
        self.flush()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.gone.done():
            self.gone.set_result(None)

    # ---- what a test does --------------------------------------------------------------------

    def flush(self) -> None:
        if self.transport is not None and (data := self.h2.data_to_send()):
            self.transport.write(data)

    def open_window(self) -> None:
        """Take what was left unacknowledged, and all that follows."""
        self.acknowledge = True
        if self.unacknowledged:
            self.h2.acknowledge_received_data(self.unacknowledged, self.stream)
            self.unacknowledged = 0
        self.flush()

    def respond(self, status: int = 200, **headers: str) -> None:
        given = [(name.replace("_", "-"), value) for name, value in headers.items()]
        self.h2.send_headers(self.stream, [(":status", str(status)), *given])
        self.flush()

    def write(self, data: bytes) -> None:
        self._waiting += data
        self._pump()

    def finish(self) -> None:
        self._end_after = True
        self._pump()

    def _pump(self) -> None:
        while self._waiting:
            room = min(
                self.h2.local_flow_control_window(self.stream), self.h2.max_outbound_frame_size
            )
            if room <= 0:
                break
            self.h2.send_data(self.stream, bytes(self._waiting[:room]))
            del self._waiting[:room]
        if self._end_after and not self._waiting:
            self._end_after = False
            self.h2.end_stream(self.stream)
        self.flush()


@asynccontextmanager
async def serving(
    make: Callable[[], Peer], context: ssl.SSLContext | None = None
) -> AsyncIterator[SplitResult]:
    """The address of a server whose connections `make` makes; by TLS with a `context`."""
    server = await asyncio.get_running_loop().create_server(make, "127.0.0.1", 0, ssl=context)
    port = server.sockets[0].getsockname()[1]
    try:
        yield urlsplit(f"https://localhost:{port}" if context else f"http://127.0.0.1:{port}")
    finally:
        server.close()
        await server.wait_closed()


async def until(true: Callable[[], object], within_s: float = 20.0) -> None:
    """Wait for something to be so."""
    async with asyncio.timeout(within_s):
        while not true():
            await asyncio.sleep(0.002)
