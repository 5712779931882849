"""The engine `openai-realtime`: one model that hears and speaks, over a WebSocket.

`prepare` opens a session and agrees on it; `leg` holds the conversation that follows.
"""

import asyncio
import ssl
from collections.abc import Sequence
from urllib.parse import quote

import structlog
from websockets.exceptions import InvalidStatus, WebSocketException

from ai.engine import Brief, Ears, EngineUnavailable, Leg, Patience, Report, Utterance, Vad
from ai.events import Fault
from ai.openai import client_events, wire
from ai.openai.ears import OpenAIEars
from ai.openai.faults import classify
from ai.openai.leg import Parts, RealtimeLeg
from ai.openai.settings import OpenAISettings
from ai.openai.websocket import Socket, open_socket

PREPARE_WITHIN_S = 10.0
LONGEST_RETRY_S = 3600.0

log = structlog.get_logger()


class OpenAIRealtime:
    """Opens Realtime sessions with one account."""

    name = "openai-realtime"
    patience = Patience(answer_s=8.0, ears_s=8.0, told_s=2.5)
    "An answer begins within a second or two; some of its models think first."
    languages: frozenset[str] | None = None

    def __init__(
        self,
        settings: OpenAISettings,
        vad: Vad | None = None,
        *,
        key: str = "",
        ears: Ears | None = None,
        within_s: float = PREPARE_WITHIN_S,
    ) -> None:
        """
        Args:
            vad: Finds turns with `turns="ours"`; else judges whether the tutor is interrupted. It
                is shared and stays the caller's.
            ears: For spoken turns that come beside the microphone, which a Realtime session does
                not transcribe; None: the same account's.
        """
        self.key = key or settings.key
        self._settings = settings
        self._own_ears = None if ears is not None else OpenAIEars(settings)
        self._parts = Parts(settings, vad, ears or self._own_ears)
        self._within_s = within_s
        self._context: ssl.SSLContext | None = None

    async def prepare(self, brief: Brief) -> "RealtimeStandby":
        """A session that knows the brief. Raises EngineUnavailable."""
        try:
            async with asyncio.timeout(self._within_s):
                socket = await self._connect()
                try:
                    await self._agree(socket, brief)
                except BaseException:
                    socket.give_up("no session")
                    raise
        except TimeoutError as problem:
            raise _unavailable(Fault("transient", "timed_out")) from problem
        except InvalidStatus as problem:
            raise _unavailable(_refusal(problem)) from problem
        except (OSError, WebSocketException, ValueError) as problem:
            detail = type(problem).__name__
            raise _unavailable(Fault("transient", "unreachable", detail)) from problem
        return RealtimeStandby(socket, self._parts, brief)

    async def close(self) -> None:
        """Sessions end by themselves; what they share are ears."""
        if self._own_ears is not None:
            await self._own_ears.close()

    async def _connect(self) -> Socket:
        settings = self._settings
        if self._context is None and settings.realtime_url.startswith("wss:"):
            self._context = await asyncio.to_thread(ssl.create_default_context)
        return await open_socket(
            f"{settings.realtime_url}?model={quote(settings.model)}",
            {"Authorization": f"Bearer {settings.api_key}"},
            context=self._context,
        )

    async def _agree(self, socket: Socket, brief: Brief) -> None:
        """session.created, our session.update, session.updated."""
        agreed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        named = ""

        def fail(fault: Fault) -> None:
            if not agreed.done():
                agreed.set_exception(_unavailable(fault))

        def heard(data: bytes | memoryview) -> None:
            nonlocal named
            try:
                _, fact = wire.decode(data)
            except wire.WireBroken as problem:
                fail(Fault("transient", "wire_broken", str(problem)))
                return
            match fact:
                case wire.Greeted(session) if not named:
                    named = session or "unnamed"
                    socket.say(client_events.configure(brief, self._settings))
                case wire.Agreed(session) if named and session in ("", named):
                    if not agreed.done():
                        agreed.set_result(None)
                case wire.Trouble():
                    fail(classify(code=fact.code, type=fact.type, detail=fact.message))

        socket.listen(heard, lambda code, reason: fail(classify(close=code, detail=reason)))
        await agreed


class RealtimeStandby:
    """An agreed session that waits to teach."""

    def __init__(self, socket: Socket, parts: Parts, brief: Brief) -> None:
        self.lifetime_s: float | None = parts.settings.lifetime_s
        self._socket = socket
        self._parts = parts
        self._brief = brief
        socket.listen(lambda data: None, lambda code, reason: None)

    def begin(
        self,
        memory: Sequence[Utterance],
        report: Report,
        *,
        step: int = 0,
        clock_ms: int = 0,
    ) -> Leg:
        """The plan is in the brief; where in it the lesson is, the model sees from the memory."""
        return RealtimeLeg(
            self._socket, self._parts, self._brief, memory, report, step=step, clock_ms=clock_ms
        )

    async def close(self) -> None:
        await self._socket.leave()


def _unavailable(fault: Fault) -> EngineUnavailable:
    return EngineUnavailable(fault.code, fault=fault)


def _refusal(problem: InvalidStatus) -> Fault:
    """What an HTTP answer to our handshake says."""
    response = problem.response
    code = kind = detail = ""
    try:
        _, fact = wire.decode(b'{"type":"error",' + bytes(response.body or b"").lstrip()[1:])
    except wire.WireBroken:
        pass
    else:
        if isinstance(fact, wire.Trouble):
            code, kind, detail = fact.code, fact.type, fact.message
    return classify(
        code=code,
        type=kind,
        status=response.status_code,
        detail=detail or f"HTTP {response.status_code}",
        retry_after_s=_seconds(response.headers.get("Retry-After")),
    )


def _seconds(text: str | None) -> float | None:
    try:
        wait_s = float(text or "")
    except ValueError:
        return None
    return wait_s if 0 <= wait_s <= LONGEST_RETRY_S else None
