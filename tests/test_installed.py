"""The wheel, built and installed elsewhere, as its operator has it: a process, its children, and
its end."""

import asyncio
import os
import re
import signal
import socket
import subprocess
import sys
import sysconfig
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from zipfile import ZipFile

import orjson
import pytest

from tenancy.embedded import await_free

HOUSE = Path(__file__).resolve().parents[1]
PACKAGES = ("server", "sessions", "ai", "tenancy", "static")
LEFT_OVER = {".pyc", ".pyo"}
PATIENCE_S = 50.0

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]


def run(*command: str | Path, cwd: Path = HOUSE) -> str:
    """What a command prints. A PYTHONPATH of ours would be found before what is installed."""
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def elsewhere(wheel: Path) -> Path:
    """The scripts of an environment that has the wheel, and this one's other packages."""
    venv = wheel.parent / "venv"
    run(sys.executable, "-m", "venv", "--without-pip", venv)
    (site,) = venv.glob("lib/python*/site-packages")
    (site / "these.pth").write_text(sysconfig.get_path("purelib") + "\n")
    run(
        *(sys.executable, "-m", "pip", "--python", venv / "bin" / "python"),
        *("install", "--quiet", "--no-deps", "--no-index", wheel),
    )
    return venv / "bin"


class Server:
    """One `serve` in a process of its own."""

    def __init__(self, command: Path, data_dir: Path) -> None:
        port = free_port()
        self.url = f"http://localhost:{port}"
        self._output = data_dir.with_name(f"{data_dir.name}-{time.monotonic_ns()}.txt")
        with self._output.open("wb") as output:
            self.process = subprocess.Popen(
                [command, "serve"],
                cwd=data_dir.parent,
                env=settings(data_dir, PORT=str(port)),
                stdout=output,
                stderr=output,
            )

    @property
    def said(self) -> str:
        return self._output.read_text()

    def until_ready(self) -> None:
        deadline_s = time.monotonic() + PATIENCE_S
        while self.status("/readyz") != 200:
            assert self.process.poll() is None, self.said
            assert time.monotonic() < deadline_s, self.said
            time.sleep(0.02)

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
def start(elsewhere: Path, tmp_path: Path) -> Iterator[Callable[[], Server]]:
    """Starts servers on one data folder; none outlives the test."""
    begun: list[Server] = []

    def start() -> Server:
        begun.append(Server(elsewhere / "student-connect", tmp_path / "data"))
        return begun[-1]

    yield start
    for server in begun:
        if server.process.poll() is None:
            server.process.kill()
            server.process.wait()


def test_everything_that_is_in_the_packages_is_in_the_wheel(wheel: Path) -> None:
    packed = set(ZipFile(wheel).namelist())
    ours = {
        str(path.relative_to(HOUSE))
        for package in PACKAGES
        for path in (HOUSE / package).rglob("*")
        if path.is_file() and path.suffix not in LEFT_OVER
    }
    assert ours - packed == set()
    assert all(".dist-info/" in path for path in packed - ours)
    assert {".sql", ".md", ".yaml", ".html", ".css", ".js", ".woff2"} <= {
        Path(path).suffix for path in packed
    }


def test_a_server_from_its_first_start_to_its_last_child(
    elsewhere: Path, start: Callable[[], Server], tmp_path: Path
) -> None:
    where = run(elsewhere / "python", "-c", "import server; print(server.__file__)", cwd=tmp_path)
    assert Path(where.strip()).is_relative_to(elsewhere.parent)
    first = start()
    first.until_ready()
    assert first.status("/healthz") == 200
    for path in ("/student", "/static/css/tokens.css", "/static/vendor/katex/katex.min.js"):
        with urllib.request.urlopen(first.url + path) as answer:
            assert answer.status == 200
            assert answer.read() == (HOUSE / "static" / _file(path)).read_bytes()

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
        [elsewhere / "student-connect", "token", "student@demo.school"],
        cwd=tmp_path,
        env=settings(tmp_path / "data"),
        capture_output=True,
        text=True,
    )
    assert made.returncode == 0, made.stderr
    bearer = f"Bearer {made.stdout.splitlines()[-1]}"
    assert first.status("/api/v1/me", Authorization=bearer) == 200
    assert first.status("/api/v1/lessons", Authorization=bearer) == 200

    # A service manager's way of ending it ends everything it started too, without complaint.
    children = first.children()
    assert len(children) >= 3  # PostgreSQL and two workers
    assert first.ends(signal.SIGTERM) == 0
    assert all(map(gone, children))
    assert "Traceback" not in first.said
    assert first.said.endswith("Ctrl-C stops it.\n\n")

    # A start that is broken off leaves nothing running.
    again = start()
    deadline_s = time.monotonic() + PATIENCE_S
    while not (tmp_path / "data" / "postgres" / "postmaster.pid").exists():
        assert time.monotonic() < deadline_s, again.said
        time.sleep(0.01)
    children = again.children()
    assert children
    assert again.ends(signal.SIGTERM) == 0
    assert all(map(gone, children))
    assert "Traceback" not in again.said
    assert "master.key" not in again.said
    asyncio.run(await_free(tmp_path / "data"))


def _file(path: str) -> str:
    return path.removeprefix("/static/") if path.startswith("/static/") else f"{path[1:]}.html"
