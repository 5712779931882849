"""What a simulated Realtime session makes of the student's speech, and when it tells."""

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ai.audio import RATE_HZ
from tests.fakes.mind import Line
from tests.fakes.openai_items import Item

if TYPE_CHECKING:
    from tests.fakes.openai_realtime import Session

POLL_S = 0.01
KIND = "conversation.item.input_audio_transcription"


class Words:
    """Of one session. The model knows words as soon as they are recognised; the client later."""

    def __init__(self, session: "Session") -> None:
        self._session = session
        self._heard: dict[str, asyncio.Task[None]] = {}
        self._told: dict[str, asyncio.Event] = {}
        "Set when an item's transcript was sent."

    def hear(self, item: Item, pcm: bytes, lines: Sequence[Line]) -> None:
        """Recognise it; `lines` is what was said before."""
        self._heard[item.id] = self._session.start(self._recognise(item, pcm, lines))

    async def known(self) -> None:
        """Everything is recognised."""
        await asyncio.gather(*(asyncio.shield(task) for task in self._heard.values()))

    def transcribe(self, item: Item) -> None:
        """Tell the client, once it is time."""
        self._told[item.id] = asyncio.Event()
        self._session.start(self._transcribe(item))

    async def _recognise(self, item: Item, pcm: bytes, lines: Sequence[Line]) -> None:
        session = self._session
        instructions = session.settings["instructions"]
        item.heard = await session.manners.ears(pcm, RATE_HZ, instructions, lines)

    async def _transcribe(self, item: Item) -> None:
        session = self._session
        await asyncio.shield(self._heard[item.id])
        unordered = session.manners.transcripts == "reversed" or session.mishaps.unordered
        if unordered and session.turns.index(item) % 2 == 0:
            await self._next_turn_told(item)
        elif session.manners.transcripts == "late":
            await self._answered()
        place = {"item_id": item.id, "content_index": 0}
        if session.manners.transcribes:
            item.shown["content"][0]["transcript"] = item.heard
            for number, word in enumerate(item.heard.split(" ")):
                session.emit(f"{KIND}.delta", delta=f" {word}" if number else word, **place)
            usage = self._usage(item)
            session.emit(f"{KIND}.completed", transcript=item.heard, usage=usage, **place)
        else:
            error = {"type": "server_error", "code": "audio_unintelligible", "param": None}
            message = "The audio could not be transcribed."
            session.emit(f"{KIND}.failed", error={**error, "message": message}, **place)
        self._told[item.id].set()

    def _usage(self, item: Item) -> dict[str, Any]:
        transcription = self._session.settings["audio"]["input"]["transcription"] or {}
        if transcription.get("model") == "whisper-1":
            return {"type": "duration", "seconds": item.audio_ms / 1000}
        heard, said = item.audio_ms // 100, len(item.heard) // 4 + 1
        return {
            "type": "tokens",
            "total_tokens": heard + said,
            "input_tokens": heard,
            "input_token_details": {"text_tokens": 0, "audio_tokens": heard},
            "output_tokens": said,
        }

    async def _next_turn_told(self, item: Item) -> None:
        turns = self._session.turns
        while not (after := turns[turns.index(item) + 1 :]):
            await asyncio.sleep(POLL_S)
        await self._told[after[0].id].wait()

    async def _answered(self) -> None:
        await asyncio.sleep(0)
        while self._session.active() is not None:
            await asyncio.sleep(POLL_S)
