"""The wheel, built and installed elsewhere: everything is in it, and it serves."""

import os
import re
import signal
import subprocess
import sys
import sysconfig
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from zipfile import ZipFile

import pytest

HOUSE = Path(__file__).resolve().parents[1]
PACKAGES = ("server", "sessions", "ai", "tenancy", "static")
LEFT_OVER = {".pyc", ".pyo"}

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120), pytest.mark.xdist_group("wheel")]


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


@pytest.fixture
def address(elsewhere: Path, tmp_path: Path) -> Iterator[str]:
    """Where the installed server serves, once it is ready."""
    serving = subprocess.Popen(
        [elsewhere / "student-connect", "serve"],
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin", "DATA_DIR": str(tmp_path / "data"), "PORT": "0"},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert serving.stdout is not None
    try:
        for line in serving.stdout:
            if found := re.search(r"ready: http://localhost:(\d+)", line):
                yield f"http://127.0.0.1:{found[1]}"
                break
        else:
            pytest.fail("it did not start")
    finally:
        serving.send_signal(signal.SIGINT)
        serving.communicate(timeout=30)
    assert serving.returncode == 0


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


def test_the_installed_server_serves(elsewhere: Path, address: str, tmp_path: Path) -> None:
    where = run(elsewhere / "python", "-c", "import server; print(server.__file__)", cwd=tmp_path)
    assert Path(where.strip()).is_relative_to(elsewhere.parent)
    for path in ("/student", "/static/css/tokens.css", "/static/vendor/katex/katex.min.js"):
        with urllib.request.urlopen(address + path) as answer:
            assert answer.status == 200
            assert answer.read() == (HOUSE / "static" / _file(path)).read_bytes()


def _file(path: str) -> str:
    return path.removeprefix("/static/") if path.startswith("/static/") else f"{path[1:]}.html"
