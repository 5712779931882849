"""A student with the official client, who reads and remembers every event."""

import asyncio
import base64
import json
from typing import Any, Literal
from uuid import UUID

from openai.resources.realtime.realtime import AsyncRealtimeConnection


class Pupil:
    """One connection of `client.realtime.connect`, as a script: say this, await that."""

    def __init__(self, connection: AsyncRealtimeConnection) -> None:
        self.connection = connection
        self.events: list[dict[str, Any]] = []
        "All that came, in order, as plain JSON."

    async def next(self, within_s: float = 10.0) -> dict[str, Any]:
        async with asyncio.timeout(within_s):
            event: dict[str, Any] = json.loads(await self.connection.recv_bytes())
        assert event["type"] != "error", event
        self.events.append(event)
        return event

    async def until(self, kind: str, within_s: float = 10.0, **fields: Any) -> dict[str, Any]:
        """The next event of a type with these fields."""
        async with asyncio.timeout(within_s):
            while True:
                event = await self.next(within_s)
                if event["type"] == kind and fields.items() <= event.items():
                    return event

    def seen(self, kind: str) -> list[dict[str, Any]]:
        """Events of a type that came so far."""
        return [event for event in self.events if event["type"] == kind]

    @property
    def step(self) -> int:
        """Where in the plan the lesson is, from 1."""
        return int(self.seen("lesson.progress")[-1]["step"])

    @property
    def words(self) -> list[str]:
        """What was transcribed of the student's speech."""
        kind = "conversation.item.input_audio_transcription.completed"
        return [event["transcript"] for event in self.seen(kind)]

    async def begins(self, modality: Literal["text", "audio"]) -> UUID:
        """The first event is the session's; its id as the record knows it."""
        created = await self.until("session.created")
        await self.connection.session.update(
            session={"type": "realtime", "output_modalities": [modality]}
        )
        updated = await self.until("session.updated")
        assert updated["session"]["output_modalities"] == [modality]
        return UUID(created["session"]["id"].removeprefix("sess_"))

    async def types(self, text: str, **item: Any) -> str:
        """Say something in writing, ask for an answer, and read it."""
        content = [{"type": "input_text", "text": text}]
        await self.connection.conversation.item.create(
            item={"type": "message", "role": "user", "content": content, **item}  # type: ignore[arg-type]
        )
        await self.connection.response.create()
        return await self.answer()

    async def answer(self, within_s: float = 10.0) -> str:
        """The next whole answer, once it is saved too."""
        done = await self.until("response.done", within_s)
        assert done["response"]["status"] == "completed", done
        (item,) = done["response"]["output"]
        await self.saved(item["id"])
        (part,) = item["content"]
        return str(part.get("text") or part.get("transcript"))

    async def saved(self, item_id: str) -> None:
        while item_id not in self.done:
            await self.next()

    @property
    def done(self) -> list[str]:
        """Items that the server has said to be kept, in the order in which it did."""
        return [event["item"]["id"] for event in self.seen("conversation.item.done")]

    def sound_of(self, item_id: str) -> bytes:
        """What came of an answer's sound."""
        deltas = self.seen("response.output_audio.delta")
        return b"".join(base64.b64decode(d["delta"]) for d in deltas if d["item_id"] == item_id)

    async def finishes(self) -> dict[str, Any]:
        """The student has finished; returns `session.ended`, once the summary came too."""
        await self.connection.send({"type": "session.end"})  # type: ignore[arg-type]
        ended = await self.until("session.ended")
        if not self.seen("session.summary"):
            await self.until("session.summary")
        return ended
