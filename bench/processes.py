"""What a process and all its children use, as Linux tells it."""

import os
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

TICKS_PER_S = os.sysconf("SC_CLK_TCK")
PROC = Path("/proc")


@dataclass(frozen=True, slots=True)
class Process:
    """One process; its number alone may be another's later."""

    pid: int
    started_ticks: int

    @property
    def alive(self) -> bool:
        """It runs, and is no zombie."""
        facts = _stat(self.pid)
        return facts is not None and facts[0] != "Z" and int(facts[19]) == self.started_ticks

    @property
    def command(self) -> str:
        return _read(self.pid, "cmdline").replace("\0", " ").strip()


def family(pid: int) -> list[Process]:
    """The process and its children, and theirs, as far as they live."""
    return [Process(each, int(facts[19])) for each in _tree(pid) if (facts := _stat(each))]


def cpu_s(pid: int) -> dict[str, float]:
    """CPU time by what a process is: `server`, `workers`, `postgres`; those that ended left out."""
    used: dict[str, float] = {"server": 0.0, "workers": 0.0, "postgres": 0.0}
    for each in _tree(pid):
        if (facts := _stat(each)) is not None:
            used[_kind(each, pid)] += (int(facts[11]) + int(facts[12])) / TICKS_PER_S
    return used


@dataclass(frozen=True, slots=True)
class Memory:
    """Resident memory of a server and its children, in MB."""

    rss: float
    "As `ps` adds it up: what processes share counts for each of them."
    pss: float
    "What processes share is divided among them: what the machine would get back."

    def beside(self, start: "Memory") -> tuple[float, float]:
        """By how many per cent it differs."""
        return (self.rss / start.rss - 1) * 100, (self.pss / start.pss - 1) * 100


def memory(pid: int) -> dict[str, Memory]:
    """By what a process is, and `all` of them."""
    found: dict[str, list[tuple[float, float]]] = {"all": []}
    for each in _tree(pid):
        fields = dict(_rollup(each))
        if fields:
            mb = (fields["Rss"] / 1024, fields["Pss"] / 1024)
            found.setdefault(_kind(each, pid), []).append(mb)
            found["all"].append(mb)
    return {
        kind: Memory(sum(rss for rss, _ in mbs), sum(pss for _, pss in mbs))
        for kind, mbs in found.items()
    }


def until(true: Callable[[], bool], within_s: float) -> bool:
    """Wait for something that other processes do."""
    deadline = time.monotonic() + within_s
    while not true():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def _kind(pid: int, server: int) -> str:
    if pid == server:
        return "server"
    return "postgres" if "postgres" in _read(pid, "comm") else "workers"


def _tree(pid: int) -> Iterator[int]:
    yield pid
    try:
        threads = sorted((PROC / str(pid) / "task").iterdir())
    except OSError:
        return
    for thread in threads:
        for child in _read(pid, f"task/{thread.name}/children").split():
            yield from _tree(int(child))


def _stat(pid: int) -> list[str] | None:
    """Fields of proc(5)'s `stat` from the third on."""
    text = _read(pid, "stat")
    return text.rsplit(")", 1)[1].split() if text else None


def _rollup(pid: int) -> Mapping[str, int]:
    lines = (line.split() for line in _read(pid, "smaps_rollup").splitlines()[1:])
    return {words[0].rstrip(":"): int(words[1]) for words in lines}


def _read(pid: int, name: str) -> str:
    try:
        return (PROC / str(pid) / name).read_text()
    except OSError:
        return ""
