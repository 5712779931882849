"""uvicorn's HTTP with deadlines: who sends a request too slowly, or too much of one, is cut off."""

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEADERS_WITHIN_S = 10.0  # promises.md 3.6; uvicorn itself waits for ever
BODY_WITHIN_S = 30.0
HEADER_LINES = 100


class Http(HttpToolsProtocol):
    """Hand it to uvicorn as `http=`."""

    _deadline: asyncio.TimerHandle | None = None
    _refused = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._allow(HEADERS_WITHIN_S)

    def connection_lost(self, exc: Exception | None) -> None:
        self._allow(None)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if not self._refused:
            super().data_received(data)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._allow(HEADERS_WITHIN_S)

    def on_header(self, name: bytes, value: bytes) -> None:
        super().on_header(name, value)
        if len(self.headers) > HEADER_LINES:
            raise ValueError(f"a request may have {HEADER_LINES} header lines")

    def on_headers_complete(self) -> None:
        self._allow(BODY_WITHIN_S)
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._allow(None)
        super().on_message_complete()

    def handle_websocket_upgrade(self) -> None:
        self._allow(None)
        super().handle_websocket_upgrade()

    def send_400_response(self, msg: str) -> None:
        self._refused = True
        super().send_400_response(msg)

    def _allow(self, seconds: float | None) -> None:
        """The next part of the request must be whole within so long; None: nothing is awaited."""
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
        if seconds is not None:
            self._deadline = self.loop.call_later(seconds, self._cut)

    def _cut(self) -> None:
        if not self.transport.is_closing():
            self.transport.abort()
