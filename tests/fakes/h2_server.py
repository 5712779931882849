"""An HTTP/2 server for simulators, over TLS or with prior knowledge, and as awkward as wanted."""

import asyncio
import contextlib
import random
import socket
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

import h2.config
import h2.connection
import h2.errors
import h2.events
import h2.exceptions
import h2.settings


class Handler(Protocol):
    """What becomes of one stream."""

    def received(self, data: bytes) -> None: ...

    def ended(self) -> None:
        """The client sends no more."""

    def lost(self, reason: str) -> None:
        """The client reset the stream, or the connection is gone."""


@dataclass(frozen=True, slots=True)
class Wire:
    """How awkward the connection is."""

    window: int = 65_535
    "Bytes the client may send ahead on a stream."
    split: bool = True
    "DATA frames end anywhere, also within a message; else they are as large as they may."
    seed: int = 7


class Stream:
    """One request, seen from the server. After an end of either side's all does nothing."""

    def __init__(self, connection: "Connection", number: int) -> None:
        self._connection = connection
        self.number = number
        self.over = False
        "The server has ended it, or the client has gone."
        self._waiting = bytearray()
        self._ending = False

    def respond(self, status: int, headers: Mapping[str, str]) -> None:
        """The response's headers."""
        if not self.over:
            lines = [(":status", str(status)), *headers.items()]
            self._connection.h2.send_headers(self.number, lines)
            self._connection.flush()

    def send(self, data: bytes) -> None:
        """More of the response, as fast as the client takes it."""
        if not self.over:
            self._waiting += data
            self.pump()

    def end(self) -> None:
        """Nothing more comes."""
        self._ending = True
        self.pump()

    def reset(self, code: int) -> None:
        """RST_STREAM."""
        if not self.over:
            self.over = True
            self._connection.h2.reset_stream(self.number, code)
            self._connection.flush()

    def go_away(self) -> None:
        """GOAWAY, and the connection is closed: the stream is not finished."""
        self.over = True
        self._connection.go_away()

    def cut(self) -> None:
        """The TCP connection ends without a word."""
        self.over = True
        self._connection.cut()

    def pump(self) -> None:
        """Send what the windows allow."""
        if self.over or self._connection.paused:
            return
        engine = self._connection.h2
        while self._waiting:
            room = min(
                engine.local_flow_control_window(self.number), engine.max_outbound_frame_size
            )
            size = min(len(self._waiting), room, self._connection.frame_size())
            if size <= 0:
                break
            engine.send_data(self.number, bytes(self._waiting[:size]))
            del self._waiting[:size]
        if self._ending and not self._waiting:
            self.over = True
            engine.end_stream(self.number)
        self._connection.flush()


Serve = Callable[[Stream, Mapping[str, str]], Handler]


class Connection(asyncio.Protocol):
    """One client."""

    def __init__(
        self, serve: Serve, wire: Wire, made: "Callable[[Connection, bool], bool]"
    ) -> None:
        """`made(self, True)` says whether the client may come in, `made(self, False)` it went."""
        self._serve = serve
        self._wire = wire
        self._made = made
        self._chance = random.Random(wire.seed)
        self._handlers: dict[int, tuple[Stream, Handler]] = {}
        self._transport: asyncio.Transport | None = None
        self.paused = False
        self.h2 = h2.connection.H2Connection(
            h2.config.H2Configuration(client_side=False, header_encoding="utf-8")
        )

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        if not self._made(self, True):
            self.cut()
            return
        self.h2.initiate_connection()
        settings = h2.settings.SettingCodes
        self.h2.update_settings(
            {settings.INITIAL_WINDOW_SIZE: self._wire.window, settings.MAX_CONCURRENT_STREAMS: 20}
        )
        self.flush()

    def data_received(self, data: bytes) -> None:
        try:
            events = self.h2.receive_data(data)
        except h2.exceptions.ProtocolError:
            self.flush()
            self.close()
            return
        for event in events:
            self._take(event)
        self.flush()

    def _take(self, event: h2.events.Event) -> None:
        if isinstance(event, h2.events.RequestReceived):
            stream = Stream(self, event.stream_id)
            headers = {str(name): str(value) for name, value in event.headers}
            self._handlers[event.stream_id] = stream, self._serve(stream, headers)
        elif isinstance(event, h2.events.DataReceived):
            with contextlib.suppress(h2.exceptions.StreamClosedError):
                self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            if event.stream_id in self._handlers:
                self._handlers[event.stream_id][1].received(event.data)
        elif isinstance(event, h2.events.StreamEnded):
            if event.stream_id in self._handlers:
                self._handlers[event.stream_id][1].ended()
        elif isinstance(event, h2.events.StreamReset):
            if event.stream_id in self._handlers:
                self._lose(event.stream_id, f"RST_STREAM {event.error_code}")
        elif isinstance(event, h2.events.SettingsAcknowledged):
            for number in self._handlers:  # else a window that shrank below zero stays there
                self.h2.acknowledge_received_data(0, number)
        elif isinstance(event, h2.events.WindowUpdated | h2.events.RemoteSettingsChanged):
            for stream, _ in self._handlers.values():
                stream.pump()

    def connection_lost(self, problem: Exception | None) -> None:
        self._made(self, False)
        for number in list(self._handlers):
            self._lose(number, "connection lost")

    def _lose(self, number: int, reason: str) -> None:
        stream, handler = self._handlers.pop(number)
        stream.over = True
        handler.lost(reason)

    def pause_writing(self) -> None:
        self.paused = True

    def resume_writing(self) -> None:
        self.paused = False
        for stream, _ in list(self._handlers.values()):
            stream.pump()

    def frame_size(self) -> int:
        """How large the next DATA frame may be."""
        return self._chance.randint(1, 4_096) if self._wire.split else 1 << 24

    def flush(self) -> None:
        """Send what h2 has to send."""
        if self._transport is not None and (data := self.h2.data_to_send()):
            self._transport.write(data)

    def go_away(self) -> None:
        """GOAWAY, then the end of the connection; not so soon that the one overtakes the other."""
        self.h2.close_connection(h2.errors.ErrorCodes.NO_ERROR)
        self.flush()
        asyncio.get_running_loop().call_later(0.05, self.close)

    def close(self) -> None:
        """End the connection once all is sent."""
        if self._transport is not None:
            self._transport.close()

    def cut(self) -> None:
        """End it at once, by RST of TCP."""
        if self._transport is not None:
            raw = self._transport.get_extra_info("socket")
            if raw is not None:
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self._transport.abort()
