"""What an operator sees: logs with ids only, and counts of what happens."""

import asyncio
import contextlib
import io
import logging
import sys
import traceback
from collections import deque
from collections.abc import Callable, MutableMapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, TextIO, cast

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# What a log line may never carry, whoever wrote it: people's words, addresses, keys.
PRIVATE = frozenset(
    {"text", "said", "heard", "words", "password", "token", "key", "email", "name", "cookie"}
)
FRAMES = 12  # of an exception, the innermost
LAG_EVERY_S = 0.5
LAGS = 30  # the last 15 s, which is how often Prometheus asks
HOUSE = Path(__file__).resolve().parent.parent

log = structlog.get_logger()

Event = MutableMapping[str, Any]


class LossyLog(io.TextIOBase):
    """A log that may be full, or gone: then lines are lost, and nothing else.

    Who writes a line is in the middle of saving a lesson, or of starting a database again.
    """

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self.lost = 0
        "Lines, or parts of lines."

    def write(self, text: str) -> int:
        try:
            self._out.write(text)
        except (OSError, ValueError):
            self.lost += 1
        return len(text)

    def flush(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            self._out.flush()


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
    out = LossyLog(sys.stderr)
    structlog.configure(
        processors=[*shared, final],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.upper())),
        logger_factory=structlog.PrintLoggerFactory(cast(TextIO, out)),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(out)
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


@dataclass(slots=True)
class Counts:
    """What is counted while it happens: plain numbers, read when somebody asks for metrics."""

    answers: dict[int, int] = field(default_factory=dict)
    "By the first digit of the status."
    sockets_opened: int = 0
    sockets_open: int = 0
    loop_lags_s: deque[float] = field(default_factory=lambda: deque([0.0], maxlen=LAGS))
    "How late the event loop was, the last times it was looked at."


class Count:
    """Counts answers and live connections; wraps the whole application."""

    def __init__(self, app: ASGIApp, counts: Counts) -> None:
        self._app = app
        self._counts = counts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        counts = self._counts

        async def send_counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                digit = message["status"] // 100
                counts.answers[digit] = counts.answers.get(digit, 0) + 1
            await send(message)

        if scope["type"] != "websocket":
            await self._app(scope, receive, send_counted)
            return
        counts.sockets_opened += 1
        counts.sockets_open += 1
        try:
            await self._app(scope, receive, send)  # frames pass uncounted
        finally:
            counts.sockets_open -= 1


async def watch_loop(counts: Counts) -> None:
    """See how late the event loop is, now and again. Run as a task."""
    loop = asyncio.get_running_loop()
    while True:
        before = loop.time()
        await asyncio.sleep(LAG_EVERY_S)
        counts.loop_lags_s.append(max(0.0, loop.time() - before - LAG_EVERY_S))
