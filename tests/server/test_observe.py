"""What an operator sees, and what a log may not say."""

import asyncio
import contextlib
import io
import json
import logging
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog

from server import observe

WORDS = "my cat is called Whiskers"


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """Standard error, with logs set up as JSON; and everything back as it was."""
    before = structlog.get_config()
    loggers = [logging.getLogger(name) for name in ("", "uvicorn", "uvicorn.error", "asyncio")]
    kept = [(one, one.handlers[:], one.level, one.propagate) for one in loggers]
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    observe.set_up_logs("info", "json")
    yield stream
    structlog.configure(**before)
    for one, handlers, level, propagate in kept:
        one.handlers[:], one.propagate = handlers, propagate
        one.setLevel(level)


def lines(written: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in written.getvalue().splitlines()]


def test_a_log_line_is_json_with_time_and_level(written: io.StringIO) -> None:
    structlog.get_logger().info("session.opened", session_id="sess_1")
    (line,) = lines(written)
    assert (line["event"], line["level"], line["session_id"]) == (
        "session.opened",
        "info",
        "sess_1",
    )
    assert line["timestamp"].endswith("Z")


def test_a_log_that_is_full_or_gone_costs_lines_and_nothing_else(
    monkeypatch: pytest.MonkeyPatch, written: io.StringIO
) -> None:
    with contextlib.suppress(OSError), Path("/dev/full").open("w", buffering=1) as full:
        out = observe.LossyLog(full)
        out.write("a line\n")
        out.flush()
        assert out.lost == 1
    written.close()
    structlog.get_logger().error("something.happened")
    logging.getLogger("uvicorn").error("something else")


def test_private_fields_are_withheld_whoever_wrote_them(written: io.StringIO) -> None:
    structlog.get_logger().warning("oops", text=WORDS, email="a@b.example", token="sk_1", id="7")
    assert WORDS not in written.getvalue()
    assert "b.example" not in written.getvalue()
    assert "sk_1" not in written.getvalue()
    assert lines(written)[0]["id"] == "7"


def test_a_line_break_forges_no_second_line(written: io.StringIO) -> None:
    structlog.get_logger().info("lesson.asked", lesson='x\n{"event": "forged"}')
    assert len(lines(written)) == 1


def test_an_exception_is_told_by_type_and_place_and_not_by_its_text(written: io.StringIO) -> None:
    def inner() -> None:
        raise ValueError(WORDS)

    try:
        try:
            inner()
        except ValueError as error:
            raise RuntimeError(WORDS) from error
    except RuntimeError as error:
        structlog.get_logger().error("request.failed", exc_info=error)
        logging.getLogger("uvicorn.error").error("Exception in ASGI application", exc_info=True)
    assert WORDS not in written.getvalue()
    for line in lines(written):
        assert line["exception"].startswith("builtins.RuntimeError\n")
        assert "from\nbuiltins.ValueError\n  tests/server/test_observe.py:" in line["exception"]
        assert " inner" in line["exception"]


async def test_a_task_that_failed_unseen_is_told_without_its_text(written: io.StringIO) -> None:
    loop = asyncio.get_running_loop()
    observe.task_failed(loop, {"message": "never retrieved", "exception": ValueError(WORDS)})
    (line,) = lines(written)
    assert line["exception"] == "builtins.ValueError"
    assert WORDS not in written.getvalue()


def test_uvicorns_lines_about_addresses_are_not_written(written: io.StringIO) -> None:
    logging.getLogger("uvicorn.error").info('"WebSocket /v1/realtime?token=sk_1" 403')
    logging.getLogger("uvicorn.access").info("GET /?token=sk_1")
    assert written.getvalue() == ""


async def test_answers_and_live_connections_are_counted() -> None:
    counts = observe.Counts()
    inside: list[int] = []

    async def app(scope: Any, __: Any, send: Any) -> None:
        inside.append(counts.sockets_open)
        if scope["type"] == "http":
            await send({"type": "http.response.start", "status": 404, "headers": []})

    async def nothing(*_: Any) -> Any:
        pass

    for kind in ("http", "websocket", "http"):
        await observe.Count(app, counts)({"type": kind}, nothing, nothing)
    assert counts.answers == {4: 2}
    assert inside == [0, 1, 0]
    assert (counts.sockets_opened, counts.sockets_open) == (1, 0)


async def test_a_late_event_loop_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(observe, "LAG_EVERY_S", 0.01)
    counts = observe.Counts()
    watching = asyncio.create_task(observe.watch_loop(counts))
    await asyncio.sleep(0)
    time.sleep(0.05)
    await asyncio.sleep(0.01)
    watching.cancel()
    assert 0.02 < max(counts.loop_lags_s) < 5
