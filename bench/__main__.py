"""`make bench`: one table of figures; docs/performance.md says what they mean."""

import argparse
import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from bench import load, speech, startup
from bench.house import Server
from bench.load import Round
from bench.percentile import percentile
from bench.processes import Memory, memory

IDLE_S = 5.0  # after everyone left: summaries are written, caches settle
GAP_MS = 100.0

Row = tuple[str, str, str]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--students", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=60.0)
    options = parser.parse_args()
    if not speech.available:
        sys.exit("flite is missing: install it (`apt-get install flite`), students speak with it.")
    before = os.getloadavg()[0]
    print(f"{os.cpu_count()} cores, load average {before:.1f} before. Takes about three minutes.")
    table(startup_rows(startup.measure()))
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        server = Server(Path(folder) / "data")
        try:
            server.start()
            table(lesson_rows(server, options.students, options.seconds))
        finally:
            server.end()
        if trouble := [line for line in server.log.splitlines() if "[error" in line]:
            print("\n".join(trouble))
    print(f"Load average {os.getloadavg()[0]:.1f} at the end.")


def startup_rows(found: startup.Startup) -> Iterator[Row]:
    yield "import server.app", f"{found.import_s * 1000:.0f} ms", "≤ 400 ms"
    yield "first start to /readyz", f"{found.first_s:.1f} s", "≤ 5 s"
    yield "later start to /readyz", f"{found.later_s:.1f} s", "≤ 2 s"
    yield "Ctrl-C to the end", f"{found.stop_s:.1f} s", ""


def lesson_rows(server: Server, students: int, seconds: float) -> Iterator[Row]:
    token = server.token("student@demo.school")
    start = memory(server.pid)

    def hold(seconds: float) -> Round:
        held = asyncio.run(
            load.hold_round(server.pid, server.address, token, students=students, seconds=seconds)
        )
        time.sleep(IDLE_S)
        return held

    hold(seconds)
    warm = memory(server.pid)
    held = hold(seconds)
    after = memory(server.pid)
    yield from round_rows(held)
    yield "memory, PSS: started", mb(start), ""
    yield "memory, PSS: after a warm-up round", mb(warm), ""
    yield "memory, PSS: after everyone left", mb(after), ""
    by_rss, by_pss = after["all"].beside(warm["all"])
    yield (
        "memory, change since the warm-up round",
        f"PSS {by_pss:+.1f} %, RSS {by_rss:+.1f} %",
        "± 5 %",
    )


def round_rows(held: Round) -> Iterator[Row]:
    notes = held.notes
    turns = sum(one.turns for one in notes)
    yield f"{held.students} students, {held.seconds:.0f} s: turns", str(turns), ""
    yield "turns without an answer", str(sum(one.unanswered for one in notes)), "0"
    yield (
        "errors and notices",
        ", ".join(f"{n} {what}" for what, n in held.errors.items()) or "0",
        "0",
    )
    heard_s = sum(one.playback.heard_ms for one in notes) / 1000
    yield "tutor's speech heard", f"{heard_s:.0f} s", ""
    gaps = held.gaps_ms
    yield "gaps in it over 100 ms", str(sum(gap > GAP_MS for gap in gaps)), "0"
    yield "gaps in it over 20 ms", str(sum(gap > 20 for gap in gaps)), ""
    yield "longest gap", f"{max(gaps, default=0):.0f} ms", "≤ 100 ms"
    yield "first sound after the turn: median", of(held.latencies_ms, 0.5), "≤ 250 ms"
    yield "first sound after the turn: 95 %", of(held.latencies_ms, 0.95), "≤ 250 ms"
    yield "first sound after the turn: worst", of(held.latencies_ms, 1.0), ""
    for kind, what in (
        ("server", "server"),
        ("workers", "ears, voice"),
        ("postgres", "PostgreSQL"),
    ):
        name = f"CPU a second of one session: {what}"
        yield name, f"{held.cpu_ms[kind]:.1f} ms", ""
    yield "this program itself was late by at most", f"{held.own_lag_ms:.0f} ms", ""


def mb(found: dict[str, Memory]) -> str:
    parts = ", ".join(f"{kind} {of.pss:.0f}" for kind, of in found.items() if kind != "all")
    return f"{found['all'].pss:.0f} MB ({parts})"


def of(values: Sequence[float], share: float) -> str:
    """A percentile of sorted values."""
    if not values:
        return "none"
    return f"{percentile(values, share):.0f} ms"


def table(rows: Iterator[Row]) -> None:
    for what, figure, goal in rows:
        print(f"{what:<42} {figure:<28} {goal}".rstrip(), flush=True)


if __name__ == "__main__":
    main()
