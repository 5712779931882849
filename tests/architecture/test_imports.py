"""Nothing is imported while sessions run: what is missing then would be found out by a student."""

import asyncio
import base64
import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import websockets
from openai import AsyncOpenAI

from bench import house
from bench.house import Server

LESSON = "fractions-as-parts"
NOTES_ITS_MODULES = """
import os, signal, sys
from server.cli import main

def note(*_):
    with open(os.environ["HOME"] + "/modules", "w") as file:
        print(*sorted(sys.modules), ".", sep="\\n", file=file)

signal.signal(signal.SIGUSR1, note)
main()
"""


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setattr(house, "COMMAND", (sys.executable, "-c", NOTES_ITS_MODULES))
    monkeypatch.setenv("HOME", str(tmp_path))
    server = Server(tmp_path / "data")
    server.start()
    yield server
    server.end()


@pytest.fixture
def modules(server: Server, tmp_path: Path) -> Callable[[], set[str]]:
    """What the server has imported by now."""

    def modules() -> set[str]:
        noted = tmp_path / "modules"
        noted.unlink(missing_ok=True)
        os.kill(server.pid, signal.SIGUSR1)
        deadline_s = time.monotonic() + 10
        while not (noted.exists() and noted.read_text().endswith("\n.\n")):
            assert time.monotonic() < deadline_s, server.log
            time.sleep(0.01)
        return set(noted.read_text().split())

    return modules


@pytest.mark.slow
async def test_a_day_at_school_imports_nothing(
    server: Server, modules: Callable[[], set[str]]
) -> None:
    token = server.token("student@demo.school")
    before = modules()
    for path in ("/", "/student", "/sign-in", "/static/css/tokens.css", "/nothing"):
        server.request("GET", path)
    sign_in = {"email": "student@demo.school", "password": "wrong", "school": "demo"}
    here = {"Origin": f"http://{server.address}"}
    server.request("POST", "/api/v1/sign-in", sign_in, here)
    session = await speak_and_type(f"ws://{server.address}/v1/realtime?model={LESSON}", token)
    client = AsyncOpenAI(base_url=f"http://{server.address}/v1", api_key=token, max_retries=0)
    async with client:
        await client.models.list()
        await client.chat.completions.create(
            model="photosynthesis", messages=[{"role": "user", "content": "Hello"}]
        )
    for path in ("me", "lessons", "sessions", "docs", "openapi.json", "nothing"):
        server.request("GET", f"/api/v1/{path}", headers={"Authorization": f"Bearer {token}"})
    for part in ("", "/transcript", "/transcript?format=vtt", "/summary", "/usage"):
        path = f"/api/v1/sessions/{session}{part}"
        status, _, body = server.request("GET", path, headers={"Authorization": f"Bearer {token}"})
        assert status == 200, body
    assert modules() - before == set()


async def speak_and_type(url: str, token: str) -> str:
    """A lesson in which the student says what the tutor said, then types; the session's id."""
    bearer = {"Authorization": f"Bearer {token}"}
    async with websockets.connect(url, additional_headers=bearer, max_size=None) as connection:

        async def send(kind: str, **fields: Any) -> None:
            await connection.send(json.dumps({"type": kind, **fields}))

        async def until(kind: str) -> list[dict[str, Any]]:
            events: list[dict[str, Any]] = []
            async with asyncio.timeout(30):
                while not events or events[-1]["type"] != kind:
                    events.append(json.loads(await connection.recv()))
            return events

        (created,) = await until("session.created")
        await send("response.create")
        spoken = b"".join(
            base64.b64decode(event["delta"])
            for event in await until("response.done")
            if event["type"] == "response.output_audio.delta"
        )
        heard = spoken[: 3 * 48_000] + bytes(2 * 48_000)  # three seconds, and silence
        await send("input_audio_buffer.append", audio=base64.b64encode(heard).decode())
        await until("conversation.item.input_audio_transcription.completed")
        await until("response.done")
        content = [{"type": "input_text", "text": "two quarters"}]
        item = {"type": "message", "role": "user", "content": content}
        await send("conversation.item.create", item=item)
        await send("response.create", response={"output_modalities": ["text"]})
        await until("response.done")
        await send("session.end")
        await until("session.summary")
        return str(created["session"]["id"]).removeprefix("sess_")
