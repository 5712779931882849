"""Metrics: read where they are when Prometheus asks, and by nobody else than this host."""

import asyncio
import socket
import urllib.request
from types import SimpleNamespace
from typing import Any, cast

import pytest

from server.metrics import Sources, serve_metrics
from server.observe import Counts
from sessions.live.around import LegCounts


class Lobby:
    keeper = SimpleNamespace(items_saved=40, saves_failed=1)
    legs = LegCounts(opened=9, rotations=6, failovers=2, gap_s=1.5)

    def __len__(self) -> int:
        return 7


async def test_metrics_are_served_as_they_are_now_and_on_this_host_only() -> None:
    counts = Counts(answers={2: 5, 4: 1}, sockets_open=3, sockets_opened=9)
    database = SimpleNamespace(in_use=2, size=10)
    sources = Sources(counts, cast(Any, Lobby()), cast(Any, database), lambda: 4, lambda: 1)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    stop = serve_metrics(port, sources)
    try:
        page = await asyncio.to_thread(read, port)
        counts.sockets_open = 4
        later = await asyncio.to_thread(read, port)
        with pytest.raises(OSError):
            socket.create_connection(("127.0.0.2", port), 1)
    finally:
        await asyncio.to_thread(stop)
    for line in (
        "live_sessions 7.0",
        "websockets_open 3.0",
        "websockets_opened_total 9.0",
        "db_pool_in_use 2.0",
        "db_pool_size 10.0",
        "items_saved_total 40.0",
        "worker_restarts_total 4.0",
        "engines_resting 1.0",
        "leg_rotations_total 6.0",
        "leg_failovers_total 2.0",
        "leg_gap_seconds_total 1.5",
        'http_answers_total{status="2xx"} 5.0',
    ):
        assert f"{line}\n" in page
    assert "event_loop_lag_seconds" in page
    assert "websockets_open 4.0\n" in later


def read(port: int) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
        return str(answer.read().decode())
