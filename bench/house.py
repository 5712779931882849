"""A real server as a child process: `student-connect serve` on a port and a folder of its own."""

import contextlib
import http.client
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bench.processes import Process, family, until

HOUSE = Path(__file__).resolve().parent.parent
COMMAND = (sys.executable, "-m", "server")
READY_S = 60.0
STOPPED_S = 20.0
# Of our environment; whatever else configures a server must not reach this one.
PASSED_ON = ("PATH", "HOME", "USER", "LANG", "TMPDIR", "LD_LIBRARY_PATH", "PYTHONPATH")


class NotReady(Exception):
    """The server did not start; what it printed says why."""


class Server:
    """One data folder and, from `start` to `stop` or `kill`, the server on it."""

    def __init__(
        self, data_dir: Path, *, command: tuple[str, ...] = COMMAND, **settings: str
    ) -> None:
        self.data_dir = data_dir
        self._command = command
        self.port = 0
        self.announcement = ""
        "What it printed when it was ready."
        self.settings = {
            "DATA_DIR": str(data_dir),
            "PORT": "0",
            "DEMO": "yes",
            "LOG_LEVEL": "warning",
            "LIVE_SESSIONS_PER_STUDENT": "50",
            **settings,
        }
        self._process: subprocess.Popen[str] | None = None
        self._log = data_dir.with_name(f"{data_dir.name}.log")
        self._family: list[Process] = []

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        assert self._process is not None, "start it first"
        return self._process.pid

    @property
    def log(self) -> str:
        """What it wrote to its standard error, all starts together."""
        return self._log.read_text() if self._log.exists() else ""

    # ---- life --------------------------------------------------------------------------------

    def start(self) -> float:
        """Start it; returns after how many seconds `/readyz` said yes. Raises NotReady."""
        began = time.monotonic()
        with self._log.open("a") as log:
            self._process = subprocess.Popen(
                [*self._command, "serve"],
                cwd=HOUSE,
                env=self._environ(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                start_new_session=True,  # a terminal of its own: Ctrl-C reaches all of its group
            )
        self.port = self._announced()
        if not until(self._ready, READY_S):
            self.kill()
            raise NotReady(f"/readyz never said yes.\n{self.log}")
        return time.monotonic() - began

    def interrupt(self) -> list[Process]:
        """Ctrl-C, as a terminal sends it. Returns the processes that were running then."""
        self._family = family(self.pid)
        os.killpg(self.pid, signal.SIGINT)
        return self._family

    def wait(self) -> int:
        """Its exit code; it must have been told to stop."""
        assert self._process is not None
        code = self._process.wait(STOPPED_S)
        self._forget()
        return code

    def stop(self) -> int | None:
        """Ctrl-C, and wait; None where it was not running."""
        if self._process is None:
            return None
        self.interrupt()
        try:
            return self.wait()
        except subprocess.TimeoutExpired:
            self.kill()
            raise

    def stop_s(self) -> float:
        """How many seconds it takes from Ctrl-C to the end."""
        began = time.monotonic()
        self.stop()
        return time.monotonic() - began

    def kill(self) -> list[Process]:
        """`kill -9` of the server alone. Returns the processes that were running then."""
        assert self._process is not None
        self._family = family(self.pid)
        self._process.kill()
        self._process.wait()
        self._forget()
        return self._family

    def end(self) -> None:
        """Stop it however it is, and all that it started."""
        try:
            self.stop()
        except subprocess.TimeoutExpired:
            pass
        finally:
            until(lambda: not any(one.alive for one in self._family), 5.0)
            for one in self._family:
                if one.alive:
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(one.pid, signal.SIGKILL)

    # ---- speaking with it --------------------------------------------------------------------

    def command(self, *arguments: str) -> str:
        """What `student-connect ARGUMENTS` prints. Raises CalledProcessError."""
        done = subprocess.run(
            [*self._command, *arguments],
            cwd=HOUSE,
            env=self._environ(),
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        return done.stdout

    def token(self, email: str, tenant: str = "demo") -> str:
        """A bearer token."""
        return self.command("token", email, "--tenant", tenant).splitlines()[-1]

    def request(
        self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None
    ) -> tuple[int, dict[str, str], bytes]:
        """One HTTP request: status, headers in lower case, body."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            sent = {"Content-Type": "application/json"} if body is not None else {}
            data = None if body is None else json.dumps(body)
            connection.request(method, path, data, {**sent, **(headers or {})})
            answer = connection.getresponse()
            named = {name.lower(): value for name, value in answer.getheaders()}
            return answer.status, named, answer.read()
        finally:
            connection.close()

    # ---- inside ------------------------------------------------------------------------------

    def _environ(self) -> dict[str, str]:
        kept = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
        return {**kept, **self.settings}

    def _announced(self) -> int:
        """The port, from the lines that say where the server is and how to get in."""
        assert self._process is not None and self._process.stdout is not None
        self.announcement, port = "", 0
        for line in self._process.stdout:
            self.announcement += line
            if found := re.search(r"ready: https?://\S+:(\d+)", line):
                port = int(found[1])
            elif port and "Ctrl-C stops it." in line:
                return port
        code = self._process.wait()
        self._forget()
        raise NotReady(f"The server ended with {code}.\n{self.log}")

    def _ready(self) -> bool:
        try:
            return self.request("GET", "/readyz")[0] == 200
        except OSError:
            return False

    def _forget(self) -> None:
        if self._process is not None and self._process.stdout is not None:
            self._process.stdout.close()
        self._process = None
