"""Amazon Nova 2 Sonic as a local server: InvokeModelWithBidirectionalStream over HTTP/2.

It shares nothing with the client it tests; `nova_rules` has what it accepts, `nova_talk` how it
converses. Tests read `violations` and `open_streams` when all is over.
"""

import asyncio
import json
import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Literal
from urllib.parse import unquote

from tests.fakes.certificates import self_signed
from tests.fakes.faults import KINDS, Fault, Faults
from tests.fakes.h2_server import Connection, Handler, Stream, Wire
from tests.fakes.nova_stream import NovaStream
from tests.fakes.nova_talk import Manners
from tests.fakes.signatures import EventChain, Secret, Unsigned, verify_request

MODEL = "amazon.nova-2-sonic-v1:0"
CONTENT_TYPE = "application/vnd.amazon.eventstream"
MAX_STREAMS = 20  # at once: the usual quota of an account and region
OWN_KINDS = (
    *("rst_stream", "goaway", "rst_stream_mid_audio", "goaway_mid_audio"),
    "throttled_in_stream",
    "exception",  # detail: `modelStreamErrorException: its message`
    "unauthorized",  # 403
    "model_unknown",  # 400
)
NAMES = (*KINDS, *OWN_KINDS)
BEFORE_A_STREAM = ("refuse_connection", "throttled", "server_error", "hang_before_first_event")
_PATH = re.compile(r"/model/([^/]+)/invoke-with-bidirectional-stream$")
# Of faults that come before the stream: status, AWS's name, message.
_BEFORE = {
    "throttled": (
        429,
        "ThrottlingException",
        "Too many requests, please wait before trying again.",
    ),
    "server_error": (500, "InternalServerException", "The server had an error."),
    "unauthorized": (
        403,
        "AccessDeniedException",
        "You don't have access to the model with the specified model ID.",
    ),
    "model_unknown": (400, "ValidationException", "The provided model identifier is invalid."),
}
_STATUS = {"503": "ServiceUnavailableException", "500": "InternalServerException"}


class Refusal(Handler):
    """A request that was answered by a status; what still comes of it is not read."""

    def received(self, data: bytes) -> None: ...

    def ended(self) -> None: ...

    def lost(self, reason: str) -> None: ...


@dataclass(slots=True)
class Nova:
    """The service. `async with Nova(Manners(...)) as nova:` and go to `nova.endpoint`."""

    manners: Manners = field(default_factory=Manners)
    secret: Secret = field(default_factory=Secret)
    wire: Wire = field(default_factory=Wire)
    tls: bool = False
    port: int = 0
    "0: any; afterwards the one it has."
    max_streams: int = MAX_STREAMS
    throttles: Literal["status", "stream"] = "status"
    "How it says that there are too many: 429 instead of the stream, or an exception in it."
    models: frozenset[str] = frozenset({MODEL})
    faults: Faults = field(default_factory=Faults)
    violations: list[str] = field(default_factory=list)
    "Everything a client did against the rules, as sentences."
    streams: list[NovaStream] = field(default_factory=list)
    "All there ever were."
    refused: list[int] = field(default_factory=list)
    "The status of each request that became no stream."
    connections: set[Connection] = field(default_factory=set)
    "Those that are open."
    certificate: str = ""
    "PEM, to trust; with TLS only."
    _context: ssl.SSLContext | None = None
    _server: asyncio.Server | None = None

    async def __aenter__(self) -> "Nova":
        if self.tls:
            self._context, self.certificate = self_signed("h2")
        await self.listen()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        await self.stop_listening()
        for connection in list(self.connections):
            connection.close()
        for stream in self.streams:
            await stream.finish()

    @property
    def endpoint(self) -> str:
        """The address for clients."""
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}"

    @property
    def open_streams(self) -> int:
        """Streams that one side or the other has not ended."""
        return sum(stream.open for stream in self.streams)

    async def listen(self) -> None:
        """Take connections, at the same port as before."""
        self._server = await asyncio.get_running_loop().create_server(
            lambda: Connection(self._serve, self.wire, self._count),
            "127.0.0.1",
            self.port,
            ssl=self._context,
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop_listening(self) -> None:
        """Connections are refused from now on; open ones stay."""
        if self._server is not None:
            self._server.close()
            self._server = None

    def fail(self, fault: Fault | str, streams: int = 1) -> None:
        """Each of the next streams meets this fault."""
        self.faults.plan(Fault(fault) if isinstance(fault, str) else fault, streams)

    def strike(self, fault: Fault | str) -> None:
        """Each open stream meets it now, or where it has a place: from now on."""
        for stream in self.streams:
            if not stream.ended_by:
                stream.strike(Fault(fault) if isinstance(fault, str) else fault)

    def arm(self, fault: Fault | str) -> None:
        """Each open stream meets it where it has its place: in its next answer."""
        for stream in self.streams:
            if not stream.ended_by:
                stream.arm(Fault(fault) if isinstance(fault, str) else fault)

    def _count(self, connection: Connection, comes: bool) -> bool:
        if not comes:
            self.connections.discard(connection)
            return True
        if self.faults.next_is("refuse_connection"):
            self.faults.take()
            return False
        self.connections.add(connection)
        return True

    def _serve(self, stream: Stream, headers: Mapping[str, str]) -> Handler:
        path = headers.get(":path", "")
        found = _PATH.match(path)
        if headers.get(":method") != "POST" or not found:
            return self._refuse(stream, 404, "UnknownOperationException", "")
        if headers.get("content-type") != CONTENT_TYPE:
            self.violations.append(f"content-type is {headers.get('content-type')}.")
        if "%3A" not in found[1]:
            self.violations.append("The model's colon is not encoded in the path.")
        plain = {**headers, "host": headers.get("host", headers.get(":authority", ""))}
        try:
            seed = verify_request(self.secret, "POST", path, plain, None)
        except Unsigned as problem:
            self.violations.append(f"signature: {problem.message}")
            if self.manners.strict:
                return self._refuse(stream, 403, problem.kind, problem.message)
            seed = headers.get("authorization", "")[-64:]
        if unquote(found[1]) not in self.models:
            return self._refuse(stream, *_BEFORE["model_unknown"])
        return self._open(stream, seed)

    def _open(self, stream: Stream, seed: str) -> Handler:
        fault = self.faults.take()
        if fault is not None and fault.name in _BEFORE and not fault.after_s:
            status, kind, message = _BEFORE[fault.name]
            if fault.name == "server_error" and fault.detail:
                status, kind = int(fault.detail), _STATUS[fault.detail]
            return self._refuse(stream, status, kind, message)
        full = sum(not one.ended_by for one in self.streams) >= self.max_streams
        if full and self.throttles == "status":
            return self._refuse(stream, *_BEFORE["throttled"])
        number = len(self.streams)
        made = NovaStream(
            number,
            stream,
            self.manners,
            EventChain(self.secret, seed),
            Fault("throttled_in_stream") if full else fault,
            lambda what: self.violations.append(f"Stream {number}: {what}"),
        )
        self.streams.append(made)
        return made

    def _refuse(self, stream: Stream, status: int, kind: str, message: str) -> Handler:
        self.refused.append(status)
        stream.respond(
            status, {"content-type": "application/json", "x-amzn-errortype": f"{kind}:http://"}
        )
        stream.send(json.dumps({"message": message}).encode())
        stream.end()
        return Refusal()
