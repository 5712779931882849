"""A server that counts what its own process holds, when it is asked by a signal."""

import json
import os
import signal
import sys
from dataclasses import dataclass
from pathlib import Path

from bench.house import Server
from bench.processes import until

COUNTS_ITSELF = """
import asyncio, gc, json, os, signal, sys
from server.cli import main

def count(*_):
    gc.collect()
    tasks = [one for one in gc.get_objects() if isinstance(one, asyncio.Task) and not one.done()]
    with open("/proc/self/status") as status:
        rss_kb = next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))
    found = {"tasks": len(tasks), "fds": len(os.listdir("/proc/self/fd")), "rss_kb": rss_kb}
    with open(os.environ["COUNTED"] + ".new", "w") as file:
        json.dump(found, file)
    os.replace(os.environ["COUNTED"] + ".new", os.environ["COUNTED"])

signal.signal(signal.SIGUSR1, count)
"""


@dataclass(frozen=True, slots=True)
class Counted:
    """What the server's own process holds."""

    tasks: int
    "Begun since it serves; what the start has made is frozen, and not listed."
    fds: int
    rss_kb: int


def command(beforehand: str = "") -> tuple[str, ...]:
    """What to start such a server with; `beforehand` are lines of Python that it begins with."""
    return (sys.executable, "-c", f"{COUNTS_ITSELF}{beforehand}\nmain()\n")


def settings(folder: Path) -> dict[str, str]:
    """What it must be told."""
    return {"COUNTED": str(folder / "counted")}


def count(server: Server) -> Counted:
    """What a running server holds now."""
    path = Path(server.settings["COUNTED"])
    path.unlink(missing_ok=True)
    os.kill(server.pid, signal.SIGUSR1)
    assert until(path.exists, 10.0), server.log
    return Counted(**json.loads(path.read_text()))
