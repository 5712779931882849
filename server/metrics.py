"""Metrics for Prometheus, on a port of their own that only this host can reach.

Nothing is computed for them while lessons run: they are read where they are when somebody asks.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric

from server.observe import Counts
from server.realtime.calls import Calls
from sessions.live.lobby import Lobby
from tenancy.postgres import Database


@dataclass(frozen=True, slots=True, eq=False)
class Sources:
    """Where the figures are."""

    counts: Counts
    lobby: Lobby
    database: Database
    worker_restarts: Callable[[], int]
    engines_resting: Callable[[], int]
    "Engines that have been failing, and are left in peace for a while."
    calls: Calls | None = None

    def collect(self) -> Iterator[Metric]:
        """What prometheus_client asks of a collector."""
        counts, keeper, database = self.counts, self.lobby.keeper, self.database
        gauge, counter = GaugeMetricFamily, CounterMetricFamily
        yield gauge("live_sessions", "Sessions in this process", len(self.lobby))
        yield gauge("websockets_open", "Live connections", counts.sockets_open)
        yield counter("websockets_opened", "Live connections so far", counts.sockets_opened)
        yield gauge(
            "event_loop_lag_seconds", "Worst of the last 15 seconds", max(counts.loop_lags_s)
        )
        yield gauge("db_pool_in_use", "Database connections at work", database.in_use)
        yield gauge("db_pool_size", "Database connections at most", database.size)
        yield counter("items_saved", "Items of conversations saved", keeper.items_saved)
        yield counter("saves_failed", "Saves that had to be tried again", keeper.saves_failed)
        legs = self.lobby.legs
        yield counter("legs_opened", "Ways to a tutor engine opened", legs.opened)
        yield counter("leg_rotations", "Replaced before their end", legs.rotations)
        yield counter("leg_rotations_forced", "Of these in mid-anything", legs.forced)
        yield counter("leg_reopenings", "On the same engine, after a fault", legs.reopened)
        yield counter("leg_failovers", "On the next engine, after a fault", legs.failovers)
        yield counter("legs_idle", "Closed since nobody was connected", legs.idle)
        yield counter("legs_stalled", "Found dead by what they did not do", legs.stalled)
        yield counter("legs_away", "No engine could be opened", legs.away)
        yield counter("leg_gap_seconds", "Without an engine, in all", legs.gap_s)
        yield gauge("engines_resting", "Not tried now, since they failed", self.engines_resting())
        yield counter("worker_restarts", "Local workers replaced", self.worker_restarts())
        if self.calls is not None:
            tally = self.calls.tally
            yield gauge("calls_open", "WebRTC calls", len(self.calls))
            yield counter("calls_opened", "WebRTC calls so far", tally.opened)
            yield _by("calls_refused", "Refused, by code", "code", tally.refused)
            yield _by("calls_ended", "Over, by reason", "reason", tally.ended)
            yield counter("call_packets_lost_in", "Of students, given up", tally.lost_in)
            yield counter("call_packets_lost_out", "To students, as they tell", tally.lost_out)
            yield counter("call_concealed_seconds", "Invented", tally.concealed_ms / 1000)
        answers = counter("http_answers", "Answers by status", labels=["status"])
        for digit, number in sorted(counts.answers.items()):
            answers.add_metric([f"{digit}xx"], number)
        yield answers


def _by(name: str, what: str, label: str, counted: Mapping[str, int]) -> CounterMetricFamily:
    family = CounterMetricFamily(name, what, labels=[label])
    for value, number in sorted(counted.items()):
        family.add_metric([value], number)
    return family


def serve_metrics(port: int, sources: Sources) -> Callable[[], None]:
    """Serve `sources` until what is returned is called. Raises OSError."""
    registry = CollectorRegistry()
    registry.register(sources)
    server, thread = start_http_server(port, "127.0.0.1", registry)

    def stop() -> None:
        server.shutdown()
        server.server_close()
        thread.join()

    return stop
