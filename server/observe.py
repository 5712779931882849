"""What an operator sees: logs with ids only, and metrics on a port of their own."""

import asyncio
import logging
import sys
from collections.abc import Callable, MutableMapping
from typing import Any

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, start_http_server

# What a log line may never carry, whoever wrote it: people's words, addresses, keys.
PRIVATE = frozenset(
    {"text", "said", "heard", "words", "password", "token", "key", "email", "name", "cookie"}
)
LAG_EVERY_S = 0.5

registry = CollectorRegistry()
live_sessions = Gauge("live_sessions", "Sessions in this process", registry=registry)
loop_lag_s = Gauge("event_loop_lag_seconds", "How late the event loop is", registry=registry)
requests = Counter("http_requests", "Requests answered", ["status"], registry=registry)


def set_up_logs(level: str, style: str) -> None:
    """Structured logs on standard error, uvicorn's among them, without its addresses."""
    shared: list[Callable[..., Any]] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        withhold,
    ]
    final: Callable[..., Any] = (
        structlog.processors.JSONRenderer()
        if style == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[*shared, structlog.processors.format_exc_info, final]
        if style == "json"
        else [*shared, final],
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


def withhold(
    _logger: Any, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Cut what is private, and line breaks that would forge a second line."""
    for name, value in event.items():
        if name in PRIVATE:
            event[name] = "…"
        elif isinstance(value, str) and name not in ("exception", "stack"):
            event[name] = value.replace("\r", " ").replace("\n", " ")
    return event


def serve_metrics(port: int) -> Callable[[], None]:
    """Metrics for machines on this host alone; returns what ends it."""
    server, thread = start_http_server(port, "127.0.0.1", registry)

    def stop() -> None:
        server.shutdown()
        server.server_close()
        thread.join()

    return stop


async def watch_loop(sessions: Callable[[], int]) -> None:
    """Keep the gauges that nothing else moves. Run as a task."""
    loop = asyncio.get_running_loop()
    while True:
        before = loop.time()
        await asyncio.sleep(LAG_EVERY_S)
        loop_lag_s.set(max(0.0, loop.time() - before - LAG_EVERY_S))
        live_sessions.set(sessions())
