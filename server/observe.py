"""What an operator sees: logs with ids only, and metrics on a port of their own."""

import asyncio
import logging
import sys
import traceback
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, start_http_server

# What a log line may never carry, whoever wrote it: people's words, addresses, keys.
PRIVATE = frozenset(
    {"text", "said", "heard", "words", "password", "token", "key", "email", "name", "cookie"}
)
FRAMES = 12  # of an exception, the innermost
LAG_EVERY_S = 0.5
HOUSE = Path(__file__).resolve().parent.parent

log = structlog.get_logger()
registry = CollectorRegistry()
live_sessions = Gauge("live_sessions", "Sessions in this process", registry=registry)
loop_lag_s = Gauge("event_loop_lag_seconds", "How late the event loop is", registry=registry)
pool_in_use = Gauge("db_pool_in_use", "Database connections at work", registry=registry)
answers = Counter("http_answers", "Answers by status class", ["status"], registry=registry)
sockets = Counter("websockets_opened", "Live connections accepted", registry=registry)

Event = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]


def set_up_logs(level: str, style: str) -> None:
    """Structured logs on standard error, those of libraries among them."""
    shared: list[Callable[..., Any]] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        place,
        withhold,
    ]
    final: Callable[..., Any] = (
        structlog.processors.JSONRenderer()
        if style == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[*shared, final],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.upper())),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, final],
            foreign_pre_chain=shared,
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    # uvicorn's info lines carry addresses with their queries.
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access", "asyncio"):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
        logger.setLevel(logging.WARNING)


def place(_logger: Any, _method: str, event: Event) -> Event:
    """An exception as its type and where it was raised: its text may hold what people said."""
    given = event.pop("exc_info", None)
    if given is True:
        given = sys.exc_info()
    error = given[1] if isinstance(given, tuple) else given
    if isinstance(error, BaseException):
        event["exception"] = "\n".join(_causes(error))
    return event


def withhold(_logger: Any, _method: str, event: Event) -> Event:
    """Cut what is private, and line breaks that would forge a second line."""
    for name, value in event.items():
        if name in PRIVATE:
            event[name] = "…"
        elif isinstance(value, str) and name != "exception":
            event[name] = value.replace("\r", " ").replace("\n", " ")
    return event


def task_failed(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """The event loop's exception handler: asyncio's own would log what the exception says."""
    log.error("task.failed", reason=context.get("message"), exc_info=context.get("exception"))


def _causes(error: BaseException) -> list[str]:
    """An exception and what it came from, each followed by its frames, innermost first."""
    lines = [f"{type(error).__module__}.{type(error).__qualname__}", *_frames(error.__traceback__)]
    if isinstance(error, BaseExceptionGroup):
        for part in error.exceptions:
            lines += _causes(part)
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return lines if cause is None else [*lines, "from", *_causes(cause)]


def _frames(trace: TracebackType | None) -> list[str]:
    found = traceback.extract_tb(trace)[-FRAMES:]
    return [f"  {_short(frame.filename)}:{frame.lineno} {frame.name}" for frame in reversed(found)]


def _short(filename: str) -> str:
    path = Path(filename)
    if path.is_relative_to(HOUSE) and "site-packages" not in path.parts:
        return str(path.relative_to(HOUSE))
    return "/".join(path.parts[-2:])


class Count:
    """Counts answers and live connections; wraps the whole application."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        async def send_counted(message: Message) -> None:
            if message["type"].endswith("http.response.start"):
                answers.labels(f"{message['status'] // 100}xx").inc()
            elif message["type"] == "websocket.accept":
                sockets.inc()
            await send(message)

        await self._app(scope, receive, send_counted)


def serve_metrics(port: int) -> Callable[[], None]:
    """Metrics for machines on this host alone; returns what ends it. Raises OSError."""
    server, thread = start_http_server(port, "127.0.0.1", registry)

    def stop() -> None:
        server.shutdown()
        server.server_close()
        thread.join()

    return stop


class Pool(Protocol):
    """What `watch` asks a database."""

    @property
    def in_use(self) -> int: ...


async def watch(sessions: Callable[[], int], pool: Pool) -> None:
    """Keep the gauges that nothing else moves. Run as a task."""
    loop = asyncio.get_running_loop()
    while True:
        before = loop.time()
        await asyncio.sleep(LAG_EVERY_S)
        loop_lag_s.set(max(0.0, loop.time() - before - LAG_EVERY_S))
        live_sessions.set(sessions())
        pool_in_use.set(pool.in_use)
