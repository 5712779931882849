"""Nothing is imported while sessions run: what is missing then would be found out by a student."""

import asyncio
import base64
import json
from typing import Any

import pytest
import websockets

from tests.journeys.conftest import Place

LESSON = "fractions-as-parts"


@pytest.mark.slow
async def test_a_day_at_school_imports_nothing(place: Place) -> None:
    """Nor does what other journeys have done since the start."""
    server, token = place.server, place.token()
    for path in ("/", "/student", "/sign-in", "/static/css/tokens.css", "/nothing"):
        server.request("GET", path)
    sign_in = {"email": "student@demo.school", "password": "wrong", "school": "demo"}
    here = {"Origin": f"http://{server.address}"}
    server.request("POST", "/api/v1/sign-in", sign_in, here)
    session = await speak_and_type(f"ws://{server.address}/v1/realtime?model={LESSON}", token)
    async with place.client() as client:
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
    assert place.modules() - place.modules_at_start == set()


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
