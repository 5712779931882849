"""`make bench-webrtc`: what a WebRTC call costs, beside aiortc's own echo and Pipecat.

Every student speaks without end, a provider of the Realtime protocol hears three seconds and
answers two and a half, and the gateway under test stands between; aiortc's echo has no provider
and only returns what it hears. Peers and provider are those of a folder outside this repository
(`--peers`); its README says what they do. Each gateway is started anew, with all its children on
one core; the students (`bench.calls`) and the provider have another.

The students are the same for all: `bench.caller`, not aiortc's peer connection, which costs more as
a client than most gateways do. It checks as the controlling agent, shakes hands with aiortc's DTLS,
and sends frames of Opus that were encoded beforehand; what comes back is counted and timed, and not
decoded. A gap is a time of more than 60 ms between two packets of the same stretch of sound, by the
kernel's stamps. Only ratios within one run count.
"""

import asyncio
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bench import crowd
from bench.house import HOUSE
from bench.voice import LESSON, Bench, arguments, end, free_port, listening, our_server

GATEWAYS_CORE, LOADS_CORE = 0, 1
WARM_UP_S = 4
ECHO_PORT = 9103  # rtc_raw_server.py takes no other
MOST_STUDENTS = 100
LOAD_TIMEOUT_S = 300.0
GOAL_CPU_MS = 25.0
GOAL_ON_ONE_CORE = 30


@dataclass(frozen=True, slots=True)
class Gateway:
    """Where offers are posted, and the process that answers."""

    url: str
    pid: int
    tokens: tuple[str, ...] = ()
    events: bool = False
    "Students open the data channel, as our page does."


Open = Callable[["Calls", int], contextlib.AbstractContextManager[Gateway]]


class Calls(Bench):
    """One run: gateway, provider and students are processes of their own."""

    @contextlib.contextmanager
    def opened(self, gateway: Open) -> Iterator[Gateway]:
        """A gateway before a provider of its own."""
        port = free_port()
        with on_core(LOADS_CORE):
            provider = self.start(sys.executable, "provider.py", str(port))
        try:
            listening(port)
            with on_core(GATEWAYS_CORE), gateway(self, port) as opened:
                yield opened
        finally:
            end(provider)

    def measured(self, gateway: Open, students: int) -> Mapping[str, Any]:
        """What `bench.calls` prints, of students before whom there was another one."""
        with self.opened(gateway) as opened:
            self.students(opened, 1, WARM_UP_S)
            return self.students(opened, students, self.seconds)

    def students(self, gateway: Gateway, count: int, seconds: int) -> Mapping[str, Any]:
        with tempfile.NamedTemporaryFile("w", suffix=".tokens") as tokens:
            tokens.write("\n".join(gateway.tokens))
            tokens.flush()
            command = [sys.executable, "-m", "bench.calls", gateway.url, "--pid", str(gateway.pid)]
            command += ["-n", str(count), "-s", str(seconds), "--core", str(LOADS_CORE)]
            if gateway.tokens:
                command += ["--tokens", tokens.name]
            if gateway.events:
                command += ["--events"]
            with on_core(LOADS_CORE):
                done = subprocess.run(
                    command,
                    cwd=HOUSE,
                    capture_output=True,
                    text=True,
                    timeout=LOAD_TIMEOUT_S,
                    check=False,
                )
        if done.returncode:
            raise SystemExit(f"the students failed:\n{done.stderr}")
        printed: Mapping[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return printed


# ---- the gateways ------------------------------------------------------------------------------


@contextlib.contextmanager
def aiortc_echo(bench: Calls, provider: int) -> Iterator[Gateway]:
    """The least an aiortc gateway can do."""
    echo = bench.start(bench.python("aiortc"), "rtc_raw_server.py")
    try:
        listening(ECHO_PORT, echo)
        yield Gateway(f"http://127.0.0.1:{ECHO_PORT}/offer", echo.pid)
    finally:
        end(echo)


@contextlib.contextmanager
def pipecat(bench: Calls, provider: int) -> Iterator[Gateway]:
    port = free_port()
    command = ["-m", "uvicorn", "relay_pipecat_rtc:app", "--port", str(port)]
    relay = bench.start(
        bench.python("pipecat-webrtc"),
        *command,
        "--log-level",
        "error",
        PROVIDER=f"ws://127.0.0.1:{provider}",
    )
    try:
        listening(port, relay)
        yield Gateway(f"http://127.0.0.1:{port}/offer", relay.pid)
    finally:
        end(relay)


def ours(*, events: bool, turns: str = "theirs") -> Open:
    """Student Connect with every item saved; `turns` says who finds their end."""

    @contextlib.contextmanager
    def gateway(bench: Calls, provider: int) -> Iterator[Gateway]:
        # A round's sessions have ended before the next one begins.
        with our_server(provider, turns, SESSION_GRACE_S="5") as server:
            tokens = asyncio.run(crowd.tokens(server.data_dir, MOST_STUDENTS))
            time.sleep(2)  # what starting brings about
            url = f"http://{server.address}/v1/realtime/calls?model={LESSON}"
            yield Gateway(url, server.pid, tuple(tokens), events)

    return gateway


GATEWAYS: Mapping[str, tuple[str, Open]] = {
    "ours": ("Student Connect", ours(events=True)),
    "aiortc": ("aiortc's echo", aiortc_echo),
    "silent": ("Student Connect, no data channel", ours(events=False)),
    "pipecat": ("Pipecat, WebRTC", pipecat),
    "vad": ("Student Connect, our own turns", ours(events=True, turns="ours")),
}
STEPS: Mapping[str, int] = {"ours": 10, "aiortc": 2, "pipecat": 2}
"By so many students more is tried how many fit on one core."


# ---- the table ---------------------------------------------------------------------------------


def main() -> None:
    parser = arguments("bench.webrtc", __doc__, GATEWAYS, sessions=4, many=20, rounds=2)
    parser.add_argument("--ladder", nargs="*", choices=list(STEPS), default=list(STEPS))
    options = parser.parse_args()
    if not (options.peers / "provider.py").exists():
        sys.exit(f"{options.peers} has no provider.py: name the folder with --peers.")
    if (os.cpu_count() or 1) < 2:
        sys.exit("The students need a core of their own.")
    bench = Calls(options.peers.resolve(), options.cache.absolute(), options.seconds)
    print(f"{os.cpu_count()} cores, load average {os.getloadavg()[0]:.1f} before.")
    print(HEADER, flush=True)
    found: dict[str, list[Mapping[str, Any]]] = {}
    for _ in range(options.rounds):
        for key in options.only:
            name, gateway = GATEWAYS[key]
            found.setdefault(key, []).append(bench.measured(gateway, options.sessions))
            print(line(name, found[key][-1]), flush=True)
    if options.many:
        for key in ("ours", "silent"):
            if key in options.only:
                name, gateway = GATEWAYS[key]
                found[f"{key}, many"] = [bench.measured(gateway, options.many)]
                print(line(name, found[f"{key}, many"][0]), flush=True)
    print("\n".join(ratios(found)), flush=True)
    for key in options.ladder:
        print(climbed(bench, key), flush=True)
    print(f"Load average {os.getloadavg()[0]:.1f} at the end.")


def climbed(bench: Calls, key: str) -> str:
    """How many students one core bears without a gap; the rows that were tried are printed."""
    name, gateway = GATEWAYS[key]
    best, step = 0, STEPS[key]
    with bench.opened(gateway) as opened:
        bench.students(opened, 1, WARM_UP_S)
        while best + step <= MOST_STUDENTS:
            row = bench.students(opened, best + step, bench.seconds)
            print(line(name, row), flush=True)
            if row["gaps"] or row["lost"] or row["silent"] or row["connected"] < row["n"]:
                if step == 1:
                    break
                step = step // 2
                continue
            best += step
    goal = f" (goal: at least {GOAL_ON_ONE_CORE})" if key == "ours" else ""
    return f"{name}: {best} sessions on one core with no gap over 60 ms{goal}"


COLUMNS = "{:<33} {:>8} {:>8} {:>9} {:>8} {:>13} {:>8} {:>12} {:>8} {:>8} {:>12}"
HEADER = COLUMNS.format(
    "gateway",
    "sessions",
    "cpu ms/s",
    "with all",
    "MB each",
    "setup p50/99",
    "sound/s",
    "gaps (calls)",
    "longest",
    "failed",
    "load's core",
)


def line(name: str, row: Mapping[str, Any]) -> str:
    setup = row["setup_ms"]
    for sentence, times in row["failures"].items():
        print(f"  {times} × {sentence}", file=sys.stderr)
    return COLUMNS.format(
        name,
        row["n"],
        f"{row['cpu_ms']:.1f}",
        f"{row['cpu_all_ms']:.1f}",
        f"{row['rss_kb'] / 1024:.2f}",
        f"{setup['p50']:.0f} / {setup['p99']:.0f}",
        f"{row['sound_s']:.1f}",
        f"{row['gaps']} ({row['with_gaps']})",
        f"{row['longest_gap_ms']:.0f} ms",
        row["n"] - row["connected"] + row["lost"] + row["silent"],
        f"{row['own_core']:.2f}, {row['own_lag_ms']:.0f} ms",
    )


def ratios(found: Mapping[str, list[Mapping[str, Any]]]) -> Iterator[str]:
    """Ours to each other one: the median of a run's rounds."""
    for mine in ("ours", "silent", "vad"):
        if mine not in found:
            continue
        name, cpu_ms = GATEWAYS[mine][0], median(found[mine])
        goal = f" (goal: at most {GOAL_CPU_MS:.0f})" if mine == "ours" else ""
        yield f"{name}: {cpu_ms:.1f} ms of CPU a second of a session{goal}"
        for other in ("aiortc", "pipecat"):
            if other in found:
                yield f"{name} / {GATEWAYS[other][0]}: {cpu_ms / median(found[other]):.2f}"


def median(rows: list[Mapping[str, Any]]) -> float:
    return sorted(float(row["cpu_ms"]) for row in rows)[len(rows) // 2]


# ---- cores -------------------------------------------------------------------------------------


@contextlib.contextmanager
def on_core(core: int) -> Iterator[None]:
    """What is started meanwhile stays on that core."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


if __name__ == "__main__":
    main()
