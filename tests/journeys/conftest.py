"""The real server, as an operator starts it; everything else comes over the wire."""

import json
import os
import signal
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from openai import AsyncOpenAI

from bench.house import Server

NOTES_ITS_MODULES = """
import os, signal, sys
from server.cli import main

def note(*_):
    with open(os.environ["MODULES"], "w") as file:
        print(*sorted(sys.modules), ".", sep="\\n", file=file)

signal.signal(signal.SIGUSR1, note)
main()
"""


@dataclass(slots=True)
class Place:
    """A running server and who may come in."""

    server: Server
    noted: Path
    tokens: dict[str, str] = field(default_factory=dict)
    modules_at_start: set[str] = field(default_factory=set)

    def start(self) -> float:
        """Start the server; returns after how many seconds it was ready."""
        took_s = self.server.start()
        self.modules_at_start = self.modules()
        return took_s

    def modules(self) -> set[str]:
        """What the server has imported by now."""
        self.noted.unlink(missing_ok=True)
        os.kill(self.server.pid, signal.SIGUSR1)
        deadline_s = time.monotonic() + 10
        while not (self.noted.exists() and self.noted.read_text().endswith("\n.\n")):
            assert time.monotonic() < deadline_s, self.server.log
            time.sleep(0.01)
        return set(self.noted.read_text().split())

    def token(self, who: str = "student") -> str:
        """Of a person of the demo school, by role."""
        if who not in self.tokens:
            self.tokens[who] = self.server.token(f"{who}@demo.school")
        return self.tokens[who]

    def outsider(self) -> str:
        """A token of another school's admin."""
        if "outsider" not in self.tokens:
            self.server.command("tenants", "create", "other", "--admin", "boss@other.example")
            self.tokens["outsider"] = self.server.token("boss@other.example", "other")
        return self.tokens["outsider"]

    def client(self, who: str = "student") -> AsyncOpenAI:
        """The official client, unchanged."""
        return AsyncOpenAI(
            base_url=f"http://{self.server.address}/v1", api_key=self.token(who), max_retries=0
        )

    def get(self, path: str, token: str | None = None) -> tuple[int, Any]:
        """Status and body of a REST read."""
        bearer = {"Authorization": f"Bearer {token or self.token()}"}
        status, _, body = self.server.request("GET", f"/api/v1{path}", headers=bearer)
        return status, json.loads(body)

    def read(self, path: str, token: str | None = None) -> Any:
        """The body of a REST read that succeeds."""
        status, body = self.get(path, token)
        assert status == 200, body
        return body


@pytest.fixture(scope="session")
def shared_place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("journeys")
    noted = folder / "modules"
    command = (sys.executable, "-c", NOTES_ITS_MODULES)
    server = Server(folder / "data", command=command, MODULES=str(noted))
    try:
        yield Place(server, noted)
        assert "[error" not in server.log, server.log
    finally:
        server.end()


@pytest.fixture
def place(shared_place: Place) -> Place:
    """The one server of all journeys, running: a journey may stop, kill and restart it."""
    if not shared_place.server.running:
        shared_place.start()
    return shared_place
