"""`make bench-voice`: what a voice session costs, beside others that do the same in Python.

Every student speaks without end, a provider of the Realtime protocol takes turns with them, and the
gateway under test stands between. Peers, students and provider are those of a folder outside this
repository (`--peers`); its README says what they do. Only ratios within one run count.
"""

import argparse
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.house import HOUSE, PASSED_ON, Server

CACHE = HOUSE / ".bench"
"Where `make bench-voice` puts each peer's virtual environment."
PEERS = HOUSE.parent / "shared" / "bench"
LESSON = "fractions-as-parts"
STARTED_S = 60.0
LOAD_S = 120.0
WARM_UP_S = 8
"What is loaded, connected and cached at the first sessions is not counted to those measured."


@dataclass(frozen=True, slots=True)
class Gateway:
    """What stands between students and provider: where it listens, and its process."""

    url: str
    pid: int
    mode: str
    "As `load_ws.py` calls it: raw | realtime | binary."
    token: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """One gateway under load."""

    name: str
    sessions: int
    figures: Mapping[str, Any]

    @property
    def cpu_ms(self) -> float:
        return float(self.figures["cpu_ms"])


Open = Callable[["Bench", int], contextlib.AbstractContextManager[Gateway]]


class Bench:
    """One run: `provider` is started anew for each gateway."""

    def __init__(self, peers: Path, cache: Path, seconds: int) -> None:
        self.peers = peers
        self.cache = cache
        self.seconds = seconds

    def row(self, name: str, gateway: Open, sessions: int) -> Row:
        """Put so many students on a gateway."""
        port = free_port()
        with tempfile.TemporaryDirectory() as folder:
            stats = Path(folder) / "provider.json"
            provider = self.start(sys.executable, "provider.py", str(port), str(stats))
            try:
                listening(port)
                with gateway(self, port) as opened:
                    self.load(opened, sessions, stats, WARM_UP_S)
                    return Row(name, sessions, self.load(opened, sessions, stats, self.seconds))
            finally:
                end(provider)

    def load(self, gateway: Gateway, sessions: int, stats: Path, seconds: int) -> Mapping[str, Any]:
        """What `load_ws.py` prints."""
        command = [sys.executable, "load_ws.py", gateway.url, "-n", str(sessions)]
        command += ["-s", str(seconds), "--pid", str(gateway.pid), "--mode", gateway.mode]
        command += ["--stats", str(stats)]
        if gateway.token:
            command += ["--token", gateway.token]
        done = subprocess.run(
            command, cwd=self.peers, capture_output=True, text=True, timeout=LOAD_S, check=False
        )
        if done.returncode:
            raise SystemExit(f"the students failed:\n{done.stderr}")
        printed: Mapping[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return printed

    def start(self, *command: str, **settings: str) -> subprocess.Popen[str]:
        """A program of the peers' folder, which is only read."""
        environ = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
        return subprocess.Popen(
            command,
            cwd=self.peers,
            env={**environ, "PYTHONDONTWRITEBYTECODE": "1", **settings},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def python(self, peer: str) -> str:
        """A peer's own interpreter."""
        return str(self.cache / peer / "bin" / "python")


# ---- the gateways ------------------------------------------------------------------------------


@contextlib.contextmanager
def raw(bench: Bench, provider: int) -> Iterator[Gateway]:
    """The least a Python gateway can do."""
    with _uvicorn(bench, "raw", "relay_raw:app", f"ws://127.0.0.1:{provider}") as gateway:
        yield gateway


@contextlib.contextmanager
def pipecat(bench: Bench, provider: int) -> Iterator[Gateway]:
    with _uvicorn(bench, "pipecat", "relay_pipecat:app", f"ws://127.0.0.1:{provider}") as gateway:
        yield gateway


@contextlib.contextmanager
def livekit(bench: Bench, provider: int) -> Iterator[Gateway]:
    port = free_port()
    address = f"http://127.0.0.1:{provider}/v1"
    relay = bench.start(bench.python("livekit"), "relay_livekit.py", str(port), PROVIDER=address)
    try:
        listening(port, relay)
        yield Gateway(f"ws://127.0.0.1:{port}", relay.pid, "raw")
    finally:
        end(relay)


@contextlib.contextmanager
def _uvicorn(bench: Bench, peer: str, app: str, provider: str) -> Iterator[Gateway]:
    port = free_port()
    command = ["-m", "uvicorn", app, "--port", str(port), "--log-level", "error"]
    relay = bench.start(bench.python(peer), *command, PROVIDER=provider)
    try:
        listening(port, relay)
        yield Gateway(f"ws://127.0.0.1:{port}/ws", relay.pid, "raw")
    finally:
        end(relay)


@contextlib.contextmanager
def our_server(provider: int, turns: str, **more: str) -> Iterator[Server]:
    """Student Connect on the provider at a port; its errors are printed at the end."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        server = Server(
            Path(folder) / "data",
            ENGINE="openai-realtime",
            OPENAI_API_KEY="none-is-needed",
            OPENAI_BASE_URL=f"http://127.0.0.1:{provider}/v1",
            OPENAI_TURNS=turns,
            CASCADE_MIND="bedrock",  # not in use: this provider writes no summaries
            **more,
        )
        try:
            server.start()
            yield server
        finally:
            server.end()
            if trouble := [line for line in server.log.splitlines() if "[error" in line]:
                print("\n".join(trouble[:20]), file=sys.stderr)


def ours(mode: str, turns: str = "theirs") -> Open:
    """Student Connect with every item saved; `turns` says who finds their end."""

    @contextlib.contextmanager
    def gateway(bench: Bench, provider: int) -> Iterator[Gateway]:
        with our_server(provider, turns, LIVE_SESSIONS_PER_STUDENT="100") as server:
            token = server.token("student@demo.school")
            time.sleep(2)  # what starting brings about
            url = f"ws://{server.address}/v1/realtime?model={LESSON}"
            yield Gateway(url, server.pid, mode, token)

    return gateway


GATEWAYS: Mapping[str, tuple[str, Open]] = {
    "raw": ("raw relay", raw),
    "binary": ("Student Connect, binary", ours("binary")),
    "realtime": ("Student Connect, realtime", ours("realtime")),
    "vad": ("Student Connect, binary, our own turns", ours("binary", "ours")),
    "livekit": ("LiveKit Agents, in-process", livekit),
    "pipecat": ("Pipecat, WebSocket", pipecat),
}
GOALS = {"raw": 1.5, "livekit": 0.65, "pipecat": 0.2}
"At most so much of another's CPU, in `binary` mode."


# ---- the table ---------------------------------------------------------------------------------


def arguments(
    module: str, doc: str | None, gateways: Iterable[str], *, sessions: int, many: int, rounds: int
) -> argparse.ArgumentParser:
    """What a bench beside peers is told: where they are, and how many are measured how often."""
    parser = argparse.ArgumentParser(prog=f"python -m {module}", description=doc)
    peers = Path(os.environ.get("BENCH_PEERS", PEERS))
    names = list(gateways)
    parser.add_argument("--peers", type=Path, default=peers, help="folder of peers and load")
    parser.add_argument("--cache", type=Path, default=CACHE, help="virtual environments of peers")
    parser.add_argument("-n", "--sessions", type=int, default=sessions, help="all must bear them")
    parser.add_argument("-m", "--many", type=int, default=many, help="in one more round; 0: none")
    parser.add_argument("-s", "--seconds", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=rounds, help="how often all are measured")
    parser.add_argument("--only", nargs="*", choices=names, default=names)
    return parser


def main() -> None:
    parser = arguments("bench.voice", __doc__, GATEWAYS, sessions=20, many=50, rounds=1)
    options = parser.parse_args()
    if not (options.peers / "load_ws.py").exists():
        sys.exit(f"{options.peers} has no load_ws.py: name the folder with --peers or BENCH_PEERS.")
    bench = Bench(options.peers.resolve(), options.cache.absolute(), options.seconds)
    print(f"{os.cpu_count()} cores, load average {os.getloadavg()[0]:.1f} before.")
    print(HEADER, flush=True)
    rows: dict[str, list[Row]] = {}
    for _ in range(options.rounds):
        for key in options.only:
            name, gateway = GATEWAYS[key]
            rows.setdefault(key, []).append(bench.row(name, gateway, options.sessions))
            print(line(rows[key][-1]), flush=True)
    if options.many:
        for key in ("raw", "binary"):
            name, gateway = GATEWAYS[key]
            print(line(bench.row(name, gateway, options.many)), flush=True)
    print("\n".join(ratios(rows)))
    print(f"Load average {os.getloadavg()[0]:.1f} at the end.")


COLUMNS = "{:<39} {:>8} {:>9} {:>10} {:>11} {:>11} {:>17} {:>7}"
HEADER = COLUMNS.format(
    "gateway",
    "sessions",
    "cpu ms/s",
    "MB each",
    "up p50 ms",
    "up p99 ms",
    "1st audio p50/99",
    "failed",
)


def line(row: Row) -> str:
    found = row.figures
    up = found.get("provider", {}).get("up_ms", {})
    first = found["first_audio_ms"]
    failed = found["failed"] + sum(found["errors"].values())
    return COLUMNS.format(
        row.name,
        row.sessions,
        f"{row.cpu_ms:.2f}",
        f"{found['rss_kb_per_session'] / 1024:.2f}",
        f"{up.get('p50', float('nan')):.1f}",
        f"{up.get('p99', float('nan')):.1f}",
        f"{first['p50']} / {first['p99']}",
        failed,
    )


def ratios(rows: Mapping[str, list[Row]]) -> Iterator[str]:
    """Ours to each other one: the median of a run's rounds."""
    for mine in ("binary", "realtime", "vad"):
        for other in GOALS:
            if mine in rows and other in rows:
                ratio = median(rows[mine]) / median(rows[other])
                goal = f"  (goal: at most {GOALS[other]})" if mine == "binary" else ""
                yield f"{GATEWAYS[mine][0]} / {GATEWAYS[other][0]}: {ratio:.2f}{goal}"


def median(rows: list[Row]) -> float:
    return sorted(row.cpu_ms for row in rows)[len(rows) // 2]


# ---- processes ---------------------------------------------------------------------------------


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


def listening(port: int, process: subprocess.Popen[str] | None = None) -> None:
    """Wait until somebody listens there."""
    deadline = time.monotonic() + STARTED_S
    while time.monotonic() < deadline:
        if process is not None and process.poll() is not None:
            raise SystemExit(f"{process.args} ended: `make bench-voice` installs what it needs.")
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.1)
    raise SystemExit(f"nobody listens on port {port}")


def end(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


if __name__ == "__main__":
    main()
