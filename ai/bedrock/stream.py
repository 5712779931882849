"""One open stream to Nova Sonic: signed events go out, facts come in."""

import asyncio
import contextlib
import ssl
from collections.abc import Callable, Mapping
from urllib.parse import SplitResult, quote, urlsplit

import structlog

from ai.bedrock.credentials import AwsCredentials
from ai.bedrock.eventstream import Decoder, StreamBroken
from ai.bedrock.faults import classify
from ai.bedrock.h2duplex import DuplexEnded, H2Duplex, connect
from ai.bedrock.signing import STREAMING, EventSigner, seed, sign_request
from ai.bedrock.wire import STRAY, Fact, Other, Refused, WireBroken, chunk, error_message, read
from ai.engine import EngineUnavailable
from ai.events import Fault

CLOSING_S = 5.0  # facts 1.2: the reader is drained for so long
BODY_S = 2.0  # what an error's body may take
MAX_BODY = 64 * 1024
MAX_BEFORE = 500  # facts that come before anybody listens: usage, and little else
MAX_UNREADABLE = 50  # events; then what we speak with is no Nova

log = structlog.get_logger()


class NovaStream:
    """From the first event to the end of the stream. Nothing here raises but `open`."""

    def __init__(self, prompt: str) -> None:
        self.prompt = prompt
        "Its name; nothing that is said of another is listened to."
        self._duplex: H2Duplex | None = None
        self._signer: EventSigner | None = None
        self._decoder = Decoder()
        self._response: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._headers: Mapping[str, str] = {}
        self._body = bytearray()
        self._before: list[Fact] = []
        self._listener: Callable[[Fact], None] | None = None
        self._on_end: Callable[[Fault], None] | None = None
        self._closing = False
        self._unreadable = 0
        self.fault: Fault | None = None
        "What ended it; None: it goes on."

    # ---- opening -----------------------------------------------------------------------------

    async def open(
        self,
        endpoint: str,
        region: str,
        model: str,
        credentials: AwsCredentials,
        context: ssl.SSLContext | None,
        events: list[bytes],
    ) -> None:
        """Connect, say `events`, and wait until Nova accepts them.

        Raises:
            EngineUnavailable: If it does not.
        """
        url = f"{endpoint}/model/{quote(model, safe='')}/invoke-with-bidirectional-stream"
        parts = urlsplit(url)
        try:
            self._duplex = await connect(parts, self, context)
        except DuplexEnded as problem:
            raise EngineUnavailable(str(problem), fault=problem.fault) from problem
        headers = sign_request(
            credentials,
            region,
            "POST",
            url,
            {
                "content-type": "application/vnd.amazon.eventstream",
                "x-amz-content-sha256": STREAMING,
            },
        )
        self._signer = EventSigner(credentials, region, seed(headers))
        self._duplex.start(
            [
                (":method", "POST"),
                (":scheme", parts.scheme),
                (":authority", _authority(parts)),
                (":path", parts.path),
                *((name, value) for name, value in headers.items() if name != "host"),
                ("accept", "*/*"),
            ]
        )
        # Nova responds only when it has seen the first events.
        for event in events:
            self.send(event)
        status = await self._response
        if status != 200:
            raise await self._refusal(status)

    async def _refusal(self, status: int) -> EngineUnavailable:
        """What Nova says instead of accepting."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(BODY_S):
                await asyncio.shield(self._over)
        name = self._headers.get("x-amzn-errortype", "")
        retry_after = self._headers.get("retry-after", "")
        wait_s = float(retry_after) if retry_after.isdigit() else None
        message = error_message(bytes(self._body))
        fault = classify(name, message, status=status, retry_after_s=wait_s)
        return EngineUnavailable(fault.detail, fault=fault)

    # ---- sending -----------------------------------------------------------------------------

    def send(self, event: bytes) -> None:
        """Sign and send an event."""
        self.send_chunk(chunk(event))

    def send_chunk(self, message: bytes) -> None:
        """Sign and send an event that is in its message already."""
        if self._duplex is not None and self._signer is not None and self.fault is None:
            self._duplex.send(self._signer.sign(message))

    def unsent(self) -> int:
        """Bytes that Nova's side does not take yet."""
        return self._duplex.pending if self._duplex is not None else 0

    def listen(self, listener: Callable[[Fact], None], on_end: Callable[[Fault], None]) -> None:
        """From now on facts go to `listener`; also those that came before, soon."""
        before, self._before = self._before, []
        self._listener = listener
        self._on_end = on_end
        loop = asyncio.get_running_loop()
        for fact in before:
            loop.call_soon(listener, fact)
        if self.fault is not None:
            loop.call_soon(on_end, self.fault)

    def deaf(self) -> None:
        """Nobody listens any more."""
        self._listener = self._on_end = None
        self._closing = True

    # ---- the connection tells ----------------------------------------------------------------

    def responded(self, status: int, headers: Mapping[str, str]) -> None:
        self._headers = headers
        if not self._response.done():
            self._response.set_result(status)

    def received(self, data: bytes) -> None:
        if self._headers.get(":status") != "200":
            self._body += data[: MAX_BODY - len(self._body)]
            return
        try:
            for message in self._decoder.feed(data):
                try:
                    self._tell(read(message, self.prompt))
                except WireBroken as problem:
                    self._unreadable += 1
                    log.warning("nova.unreadable", problem=str(problem))
                    if self._unreadable > MAX_UNREADABLE:
                        raise StreamBroken("Too much can't be read.") from problem
        except StreamBroken as problem:
            self._end(problem.fault)
            if self._duplex is not None:
                self._duplex.abort()  # who knows how much more of it would come

    def _tell(self, fact: Fact) -> None:
        if isinstance(fact, Other):
            if fact.name == STRAY:
                log.warning("nova.stray")
        elif isinstance(fact, Refused):
            self._end(classify(fact.name, fact.message))
        elif self._listener is not None:
            self._listener(fact)
        elif not self._closing and len(self._before) < MAX_BEFORE:
            self._before.append(fact)

    def ended(self, problem: DuplexEnded | None) -> None:
        if not self._over.done():
            self._over.set_result(None)
        if not self._response.done():
            fault = problem.fault if problem else Fault("transient", "stream_ended", "No response.")
            self._response.set_exception(EngineUnavailable(fault.detail, fault=fault))
            self._response.exception()  # whoever opens may have given up by now
        fault = Fault("transient", "stream_ended", "The stream ended without a word.")
        self._end(problem.fault if problem is not None else fault)

    def _end(self, fault: Fault) -> None:
        """It is of no more use. The first reason is the true one."""
        if self.fault is not None:
            return
        self.fault = fault
        on_end, self._on_end = self._on_end, None
        if on_end is not None and not self._closing:
            on_end(fault)

    # ---- the end -----------------------------------------------------------------------------

    async def close(self, events: list[bytes]) -> None:
        """Say `events`, end our side, hear Nova out, and let go of the connection.

        What it says until then still goes to the listener: what all of it cost comes last.
        """
        self._on_end, self._closing = None, True
        duplex = self._duplex
        if duplex is None:
            return
        try:
            if self.fault is None and self._signer is not None:
                for event in events:
                    self.send(event)
                duplex.send(self._signer.sign(b""))
                duplex.end()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(CLOSING_S):
                        await asyncio.shield(self._over)
            duplex.close()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(1):
                    await asyncio.shield(duplex.closed)
        finally:
            self.deaf()
            duplex.abort()

    def abort(self) -> None:
        """Let go of the connection at once."""
        self.deaf()
        if self._duplex is not None:
            self._duplex.abort()


def _authority(parts: SplitResult) -> str:
    """Host and port as they are signed: without the port that goes without saying."""
    host = parts.netloc.rpartition("@")[2]
    return host.removesuffix(":443" if parts.scheme == "https" else ":80")
