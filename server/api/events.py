"""What happens at the school, as it happens: `GET /events`, a stream that pages leave open.

    event: session.changed     data: {"session_id", "student_id", "status": "live" | "ended"}
    event: session.reviewed    data: {"session_id", "student_id"}
    event: override.published  data: {"session_id", "student_id", "override_id"}
    event: summary.renewed     data: {"session_id", "student_id"}
    event: lesson.changed      data: {"lesson_id", "revision", "by"}
    event: missed              data: {}          news was dropped: ask anew
    event: closed              data: {"reason"}  don't come back: signed_out | too_many

News has no words in it: who hears it asks for the thing itself. Nothing is kept for who is away, so
a page asks anew each time its stream opens. When the server stops the stream just ends; browsers
come back by themselves.
"""

import asyncio
import contextlib
from uuid import UUID

import orjson
import structlog
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from server.api.table import Call, Route
from server.errors import Refused
from server.services import Services
from server.streams import Stream
from sessions.bus import school_topic
from sessions.news import (
    LessonChanged,
    News,
    OverridePublished,
    SessionChanged,
    SessionReviewed,
    SummaryRenewed,
)
from tenancy.model import Caller

KEEP_ALIVE_S = 20.0  # proxies give up a silent connection after 30 s or more
RECHECK_S = 60.0  # what ended in another process is noticed after so long
RETRY_MS = 2_000
NEVER_MS = 24 * 3_600_000
HEADERS = {"X-Accel-Buffering": "no"}  # nginx would hold the news back
MEDIA = "text/event-stream"

KEEP_ALIVE = b":\n\n"
MISSED = b"event: missed\ndata: {}\n\n"
STOPPING = "The server restarts. Please try again in a few seconds."

log = structlog.get_logger()


async def stream_events(call: Call) -> Response:
    """News of the school that the caller may see, until they sign out or leave."""
    assert call.caller is not None
    if call.services.streams.closed:
        raise Refused(503, "stopping", STOPPING)
    return EventStream(call.services, call.caller)


class EventStream(Response):
    """One open stream. It listens while it is sent, and leaves nothing behind."""

    media_type = MEDIA

    def __init__(self, services: Services, caller: Caller) -> None:
        super().__init__(headers=HEADERS)
        del self.headers["content-length"]
        self._services = services
        self._caller = caller
        self._wake = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] == "HEAD":
            await self._begin(send)
        else:
            await self._converse(receive, send)
        await send({"type": "http.response.body", "body": b""})

    async def _begin(self, send: Send) -> None:
        headers = list(self.raw_headers)
        await send({"type": "http.response.start", "status": 200, "headers": headers})

    async def _converse(self, receive: Receive, send: Send) -> None:
        services, caller = self._services, self._caller
        stream = Stream(caller.person.id, self._wake.set)
        with contextlib.ExitStack() as stack:
            services.streams.add(stream)
            stack.callback(services.streams.remove, stream)
            topic = school_topic(caller.person.tenant_id)
            stack.callback(services.bus.subscribe(topic, stream.put))
            revocations = services.identities.revocations
            stack.callback(revocations.listen(caller, lambda: stream.end("signed_out")))
            reader = asyncio.create_task(_until_gone(receive, stream))
            try:
                await self._begin(send)  # from here on nothing is missed
                await self._write(stream, send)
            finally:
                reader.cancel()
                await asyncio.gather(reader, return_exceptions=True)

    async def _write(self, stream: Stream, send: Send) -> None:
        async def say(data: bytes) -> None:
            await send({"type": "http.response.body", "body": data, "more_body": True})

        loop = asyncio.get_running_loop()
        checked_at = loop.time()
        await say(b"retry: %d\n\n" % RETRY_MS)
        while stream.ended is None:
            if loop.time() - checked_at >= RECHECK_S:
                checked_at = loop.time()
                await self._recheck(stream)
            self._wake.clear()
            if data := await self._next(stream):
                await say(data)
            elif stream.ended is None:
                try:
                    async with asyncio.timeout(KEEP_ALIVE_S):
                        await self._wake.wait()
                except TimeoutError:
                    await say(KEEP_ALIVE)
        if stream.ended in ("signed_out", "too_many"):
            # Browsers would come back at once, and then end the next one.
            closed = orjson.dumps({"reason": stream.ended})
            await say(b"retry: %d\nevent: closed\ndata: %b\n\n" % (NEVER_MS, closed))

    async def _next(self, stream: Stream) -> bytes:
        """What is to be said next; nothing where nothing waits."""
        if stream.missed:
            stream.missed = False
            return MISSED
        while (news := stream.take()) is not None:
            if not isinstance(news, News):
                continue
            try:
                if await self._services.sight.sees(self._caller.person, news):
                    return encode(news) if stream.ended is None else b""
            except Exception as problem:
                log.warning("events.not_told", problem=type(problem).__name__)
                return MISSED
        return b""

    async def _recheck(self, stream: Stream) -> None:
        try:
            if not await self._services.identities.still_valid(self._caller, in_use=False):
                stream.end("signed_out")
        except Exception as problem:
            log.warning("events.recheck_failed", problem=type(problem).__name__)


async def _until_gone(receive: Receive, stream: Stream) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    stream.end("gone")


def encode(news: News) -> bytes:
    """One event on the wire."""
    kind, data = _wire(news)
    said = {name: str(value) if isinstance(value, UUID) else value for name, value in data.items()}
    return b"event: %b\ndata: %b\n\n" % (kind.encode(), orjson.dumps(said))


def _wire(news: News) -> tuple[str, dict[str, object]]:
    match news:
        case LessonChanged(lesson_id, revision, by):
            return "lesson.changed", {"lesson_id": lesson_id, "revision": revision, "by": by}
        case SessionChanged(session_id, student_id, status):
            more: dict[str, object] = {"status": status}
            kind = "session.changed"
        case SessionReviewed(session_id, student_id):
            kind, more = "session.reviewed", {}
        case OverridePublished(session_id, student_id, override_id):
            kind, more = "override.published", {"override_id": override_id}
        case SummaryRenewed(session_id, student_id):
            kind, more = "summary.renewed", {}
    return kind, {"session_id": session_id, "student_id": student_id, **more}


ROUTES: tuple[Route, ...] = (
    Route(
        "GET",
        "/events",
        stream_events,
        "News of the school, as it happens",
        media=(MEDIA,),
    ),
)
