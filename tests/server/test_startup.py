"""`student-connect serve` as its operator has it: a process, its children, and its end."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import orjson
import pytest

from tenancy.embedded import check_free

HOUSE = Path(__file__).resolve().parents[2]
PATIENCE_S = 50.0

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]


class Server:
    """One `serve` in a process of its own."""

    def __init__(self, data_dir: Path, port: int, *arguments: str, **environ: str) -> None:
        self.url = f"http://localhost:{port}"
        self._output = data_dir.with_name(f"{data_dir.name}-{time.monotonic_ns()}.txt")
        with self._output.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "server", "serve", *arguments],
                cwd=HOUSE,
                env=settings(data_dir, PORT=str(port), **environ),
                stdout=output,
                stderr=output,
            )

    @property
    def said(self) -> str:
        return self._output.read_text()

    def until_ready(self) -> "Server":
        deadline_s = time.monotonic() + PATIENCE_S
        while self.status("/readyz") != 200:
            assert self.process.poll() is None, self.said
            assert time.monotonic() < deadline_s, self.said
            time.sleep(0.02)
        return self

    def status(self, path: str, **headers: str) -> int:
        try:
            request = urllib.request.Request(self.url + path, headers=headers)
            with urllib.request.urlopen(request, timeout=5) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as refusal:
            return refusal.code
        except OSError:
            return 0

    def sign_in(self, email: str, password: str) -> int:
        request = urllib.request.Request(
            self.url + "/api/v1/sign-in",
            orjson.dumps({"email": email, "password": password, "school": "demo"}),
            {"Content-Type": "application/json", "Origin": self.url},
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            return int(answer.status)

    def children(self) -> list[int]:
        """Direct children; theirs die with them."""
        pid = self.process.pid
        task = Path(f"/proc/{pid}/task/{pid}/children")
        found = subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True)
        return [int(child) for child in (found.stdout or task.read_text()).split()]

    def ends(self, how: signal.Signals | None = None) -> int:
        """The exit code, once it has ended."""
        if how is not None:
            self.process.send_signal(how)
        return self.process.wait(PATIENCE_S)


def settings(data_dir: Path, **more: str) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return {**kept, "DATA_DIR": str(data_dir), **more}


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def gone(pid: int) -> bool:
    """Whether a process ended, or only waits to be counted."""
    try:
        return ") Z " in Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return True


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """Starts servers on one data folder; none outlives the test."""
    begun: list[Server] = []

    def start(*arguments: str, port: int = 0, **environ: str) -> Server:
        begun.append(Server(tmp_path / "data", port or free_port(), *arguments, **environ))
        return begun[-1]

    yield start
    for server in begun:
        if server.process.poll() is None:
            server.process.kill()
            server.process.wait()


def test_a_server_from_its_first_start_to_its_last_child(
    start: Callable[..., Server], tmp_path: Path
) -> None:
    first = start().until_ready()
    assert first.status("/healthz") == 200
    assert first.status("/student") == 200

    # It says how to get in, and that is true.
    assert f"Student Connect is ready: {first.url}" in first.said
    password = (tmp_path / "data" / "demo-password").read_text().strip()
    assert f"Password: {password}" in first.said
    assert "master.key: without it no transcript can be read" in first.said
    assert first.sign_in("student@demo.school", password) == 200

    # A second one on the same folder says so and stops.
    second = start()
    assert second.ends() == 1
    assert re.fullmatch(r"A student-connect server .* already uses .*\n", second.said)
    assert first.status("/readyz") == 200

    # Commands work beside it.
    made = subprocess.run(
        [sys.executable, "-m", "server", "token", "student@demo.school"],
        cwd=HOUSE,
        env=settings(tmp_path / "data"),
        capture_output=True,
        text=True,
    )
    assert made.returncode == 0, made.stderr
    bearer = f"Bearer {made.stdout.splitlines()[-1]}"
    assert first.status("/api/v1/me", Authorization=bearer) == 200
    assert first.status("/api/v1/lessons", Authorization=bearer) == 200

    # Ctrl-C ends it and everything it started, without complaint.
    children = first.children()
    assert len(children) >= 3  # PostgreSQL and two workers
    assert first.ends(signal.SIGINT) == 0
    assert all(map(gone, children))
    assert "Traceback" not in first.said
    assert first.said.endswith("Ctrl-C stops it.\n\n")

    # The next start finds everything as it was; so does a service manager's way of ending it.
    again = start().until_ready()
    assert again.status("/api/v1/me", Authorization=bearer) == 200
    assert "master.key" not in again.said
    assert again.ends(signal.SIGTERM) == 0
    assert "Traceback" not in again.said


def test_a_start_that_is_broken_off_leaves_nothing_running(
    start: Callable[..., Server], tmp_path: Path
) -> None:
    server = start()
    deadline_s = time.monotonic() + PATIENCE_S
    while not (tmp_path / "data" / "postgres" / "postmaster.pid").exists():
        assert time.monotonic() < deadline_s, server.said
        time.sleep(0.01)
    children = server.children()
    assert children
    assert server.ends(signal.SIGTERM) == 0
    assert all(map(gone, children))
    assert "Traceback" not in server.said
    check_free(tmp_path / "data")
