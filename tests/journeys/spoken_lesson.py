"""One voice lesson, the same for every engine: eight turns in a student's voice, two barge-ins.

What the tutor says to them is decided by rule (`tests.fakes.mind`), so whichever provider carries
it, the same questions are reached in the same order.
"""

import asyncio
import base64
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from openai.resources.realtime.realtime import AsyncRealtimeConnection

from ai.audio import duration_ms
from bench import speech
from bench.house import Server
from bench.microphone import Microphone
from tests.journeys.pupil import Pupil

PLAN = Path(__file__).with_name("parts-of-a-whole.yaml")
LESSON = "parts-of-a-whole"
OVERLAP_MS = 900  # of the tutor's words are still to come when the student interrupts
AROUND_MS = 100  # of silence around the student's words
THINK_S = 0.2


@dataclass(frozen=True, slots=True)
class Turn:
    """What the student says, and what the tutor says to it."""

    words: str
    answer: str
    interrupts: bool = False
    "The student speaks before the tutor has finished the words before."


OPENING = "Hello! Which part is two of four?"
TURNS = (
    Turn("one half", "Count all four."),
    Turn("two quarters", "Yes. Which number tells how many parts there are?"),
    Turn("the bottom number", "Right. What is three out of eight?", interrupts=True),
    Turn("one third", "Count all eight."),
    Turn("three eighths", "Good. Which one is bigger?"),
    Turn("one third", "Exactly. What is its simplest name, with the smallest numbers?"),
    Turn("one half", "Well done. How much is left over?", interrupts=True),
    Turn("five sixths", "Fine. That was all."),
)


async def give_lesson(server: Server, author: str = "instructor@demo.school") -> None:
    """The lesson is there, for everyone at the demo school."""
    imported = ("lessons", "import", str(PLAN), "--tenant", "demo", "--author", author)
    token, _ = await asyncio.gather(
        asyncio.to_thread(server.token, author), asyncio.to_thread(server.command, *imported)
    )
    await asyncio.to_thread(_publish, server, token)


def _publish(server: Server, token: str) -> None:
    def ask(method: str, path: str, body: Any = None) -> Any:
        bearer = {"Authorization": f"Bearer {token}"}
        status, _, answer = server.request(method, f"/api/v1/school{path}", body, bearer)
        assert status < 300, answer
        return json.loads(answer)

    lessons = ask("GET", "/lessons?limit=100")["items"]
    (lesson,) = [one["id"] for one in lessons if one["slug"] == LESSON]
    revision = ask("GET", f"/lessons/{lesson}/draft")["revision"]
    ask("POST", f"/lessons/{lesson}/publish", {"revision": revision})
    ask("POST", f"/lessons/{lesson}/assignments", {"everyone": True})


class Student:
    """Speaks the turns, in real time; the tutor's voice plays as it would at home."""

    def __init__(self, connection: AsyncRealtimeConnection) -> None:
        self.pupil = Pupil(connection)
        self._connection = connection
        self._mic = Microphone(self._send)
        self._played_from_s = 0.0

    async def hold(self) -> UUID:
        """The whole lesson; returns its session."""
        session = await self.pupil.begins("audio")
        await self._connection.response.create()
        async with self._mic:
            answer = await self._answer()
            for turn in TURNS:
                await self._listen(answer, turn.interrupts)
                speaking = asyncio.create_task(
                    self._mic.say(speech.say(turn.words, "slt", AROUND_MS))
                )
                await self.pupil.until("input_audio_buffer.speech_stopped")
                await speaking
                answer = await self._answer()
            await self._listen(answer, False)
        await self.pupil.finishes()
        return session

    async def _send(self, pcm: bytes) -> None:
        await self._connection.input_audio_buffer.append(audio=base64.b64encode(pcm).decode())

    async def _answer(self) -> str:
        """The next answer's item, once all of it came."""
        await self.pupil.until("response.output_audio.delta")
        self._played_from_s = asyncio.get_running_loop().time()
        done = await self.pupil.until("response.done")
        return str(done["response"]["output"][0]["id"])

    async def _listen(self, item_id: str, interrupts: bool) -> None:
        """To the end of it; or not quite that long."""
        length_ms = duration_ms(self.pupil.sound_of(item_id))
        wait_s = -OVERLAP_MS / 1000 if interrupts else THINK_S
        until_s = self._played_from_s + length_ms / 1000 + wait_s
        if interrupts:
            until_s -= AROUND_MS / 1000
        await asyncio.sleep(max(0.0, until_s - asyncio.get_running_loop().time()))


async def transcript(server: Server, token: str, session: UUID) -> list[dict[str, Any]]:
    """A session's items, as whoever holds the token reads them."""
    path, bearer = f"/api/v1/sessions/{session}/transcript", {"Authorization": f"Bearer {token}"}
    _, _, body = await asyncio.to_thread(server.request, "GET", path, None, bearer)
    items: list[dict[str, Any]] = json.loads(body)["items"]
    return items


def check_transcript(items: list[dict[str, Any]]) -> None:
    """Everything that was said, in order; what was interrupted was not heard to its end."""
    lines = [(item["role"], item["said"]) for item in items if item["role"] != "system"]
    expected = [("assistant", OPENING)]
    for turn in TURNS:
        expected += [("user", turn.words), ("assistant", turn.answer)]
    assert lines == expected, lines
    spoken = [item for item in items if item["role"] == "assistant"]
    cut = [bool(item["interrupted"]) for item in spoken]
    assert cut == [*(turn.interrupts for turn in TURNS), False]
    for item in spoken:
        if item["interrupted"]:
            assert item["said"].startswith(item["heard"]) and item["heard"] != item["said"]
