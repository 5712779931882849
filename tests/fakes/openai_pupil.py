"""A raw WebSocket client of the simulated Realtime, for tests of the simulator itself."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import websockets
from openai.types.realtime import RealtimeServerEvent
from pydantic import TypeAdapter
from websockets.asyncio.client import ClientConnection

from ai.audio import FRAME_BYTES, silence
from tests.fakes.openai_server import OpenAISimulator
from tests.fakes.voice import spoken

Event = dict[str, Any]
OFFICIAL: TypeAdapter[Any] = TypeAdapter(RealtimeServerEvent)
WITHIN_S = 10.0


class Pupil:
    """Says this, awaits that; every event is held against the package's types."""

    def __init__(self, connection: ClientConnection, *, checks: bool = True) -> None:
        self.connection = connection
        self.events: list[Event] = []
        self._checks = checks

    async def send(self, kind: str, **fields: Any) -> None:
        await self.connection.send(json.dumps({"type": kind, **fields}))

    async def set(self, **session: Any) -> Event:
        await self.send("session.update", session={"type": "realtime", **session})
        return await self.until("session.updated")

    async def detects(self, detection: Event | None, **input_: Any) -> Event:
        input_ = {
            "turn_detection": detection,
            "transcription": {"model": "gpt-transcribe"},
        } | input_
        return await self.set(audio={"input": input_})

    async def says(self, text: str, quiet_ms: int = 600) -> None:
        """As one piece of sound, with silence around it; faster than it sounds."""
        await self.sounds(silence(200) + await spoken(text) + silence(quiet_ms))

    async def sounds(self, pcm: bytes) -> None:
        for at in range(0, len(pcm), 5 * FRAME_BYTES):
            audio = base64.b64encode(pcm[at : at + 5 * FRAME_BYTES]).decode()
            await self.send("input_audio_buffer.append", audio=audio)

    async def types(self, text: str) -> None:
        content = [{"type": "input_text", "text": text}]
        item = {"type": "message", "role": "user", "content": content}
        await self.send("conversation.item.create", item=item)
        await self.send("response.create")

    async def next(self) -> Event:
        async with asyncio.timeout(WITHIN_S):
            event: Event = json.loads(await self.connection.recv())
        if self._checks:
            OFFICIAL.validate_python(event)
        self.events.append(event)
        return event

    async def until(self, kind: str) -> Event:
        """The next of a type."""
        while (event := await self.next())["type"] != kind:
            pass
        return event

    async def closed(self) -> int:
        """The code of the end that comes; whatever comes before it is kept."""
        try:
            while True:
                await self.next()
        except websockets.ConnectionClosed as end:
            return end.rcvd.code if end.rcvd else 1006

    def seen(self, kind: str) -> list[Event]:
        return [event for event in self.events if event["type"] == kind]

    @property
    def order(self) -> list[str]:
        """Types as they came; the same one several times in a row is told once."""
        kinds = [event["type"] for event in self.events]
        return [kind for at, kind in enumerate(kinds) if not at or kinds[at - 1] != kind]

    @property
    def sound(self) -> bytes:
        deltas = self.seen("response.output_audio.delta")
        return b"".join(base64.b64decode(event["delta"]) for event in deltas)


@asynccontextmanager
async def pupil_of(simulator: OpenAISimulator, *, checks: bool = True) -> AsyncIterator[Pupil]:
    """Connected, and past `session.created`."""
    async with connected(simulator) as connection:
        pupil = Pupil(connection, checks=checks)
        assert (await pupil.next())["type"] == "session.created"
        yield pupil


def connected(simulator: OpenAISimulator, query: str = "?model=gpt-realtime-2.1") -> Any:
    return websockets.connect(
        f"{simulator.base_url.replace('http', 'ws', 1)}/realtime{query}",
        additional_headers={"Authorization": f"Bearer {simulator.key}"},
        compression=None,
        max_size=None,
    )
