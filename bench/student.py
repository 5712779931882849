"""A student who holds lessons by voice: listens, answers, and now and then interrupts."""

import asyncio
import base64
import contextlib
import json
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import websockets
from openai import AsyncOpenAI
from openai.resources.realtime.realtime import AsyncRealtimeConnection
from websockets.asyncio.client import ClientConnection

from bench import speech
from bench.answers import HELD_OUT, TUNED
from bench.microphone import Microphone
from bench.playback import Playback

LESSONS = ("fractions-as-parts", "linear-equations", "photosynthesis")
THINK_S = 0.5
INTERRUPTS_AFTER_S = 3.0
ANSWER_WITHIN_S = 15.0
REPORT_S = 0.25  # our page tells so often what it has played
ANSWERS: Mapping[tuple[str, int], str] = {
    (said.lesson, said.step + 1): said.text
    for said in reversed((*TUNED, *HELD_OUT))
    if said.sort == "right"
}


@dataclass(slots=True)
class Notes:
    """What one student met with."""

    turns: int = 0
    "Times that the student spoke and was answered."
    unanswered: int = 0
    lessons: int = 0
    "Held to their end."
    latencies_ms: list[float] = field(default_factory=list)
    "From `speech_stopped` to the first sound of the answer."
    playback: Playback = field(default_factory=Playback)
    errors: Counter[str] = field(default_factory=Counter)


class Line(Protocol):
    """One connection, of whichever client."""

    async def send(self, event: dict[str, Any]) -> None: ...

    async def speak(self, pcm: bytes) -> None: ...

    async def receive(self) -> dict[str, Any]:
        """The next event; of the tutor's sound, `delta` as bytes."""


class OfficialLine:
    """The official client: sound as base64, both ways."""

    def __init__(self, connection: AsyncRealtimeConnection) -> None:
        self._connection = connection

    async def send(self, event: dict[str, Any]) -> None:
        await self._connection.send(event)  # type: ignore[arg-type]

    async def speak(self, pcm: bytes) -> None:
        await self._connection.input_audio_buffer.append(audio=base64.b64encode(pcm).decode())

    async def receive(self) -> dict[str, Any]:
        event: dict[str, Any] = json.loads(await self._connection.recv_bytes())
        if event["type"] == "response.output_audio.delta":
            event["delta"] = base64.b64decode(event["delta"])
        return event


class PageLine:
    """As our page does: sound as binary frames, both ways."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection

    async def send(self, event: dict[str, Any]) -> None:
        await self._connection.send(json.dumps(event))

    async def speak(self, pcm: bytes) -> None:
        await self._connection.send(pcm)

    async def receive(self) -> dict[str, Any]:
        event: dict[str, Any] = json.loads(await self._connection.recv())
        if event["type"] == "response.output_audio.delta":
            event["delta"] = await self._connection.recv()
        return event


class Student:
    """One of many at once. `number` decides the client, the voice, the lesson and the manners."""

    def __init__(self, number: int, address: str, token: str) -> None:
        self.notes = Notes()
        self._address = address
        self._token = token
        self.as_page = number % 2 == 1
        self.interrupts = number % 4 >= 2
        self.voice = speech.VOICES[number % len(speech.VOICES)]
        self._lesson = number

    async def learn(self, until: float) -> None:
        """Hold one lesson after the other until that time of `time.monotonic`."""
        while time.monotonic() < until:
            lesson = LESSONS[self._lesson % len(LESSONS)]
            self._lesson += 1
            try:
                async with self._connect(lesson) as line:
                    await _Lesson(line, lesson, self).hold(until)
            except websockets.ConnectionClosedOK:
                pass  # the lesson ended while the microphone was on
            except (websockets.ConnectionClosed, TimeoutError, OSError) as problem:
                self.notes.errors[type(problem).__name__] += 1
                await asyncio.sleep(0.5)

    @contextlib.asynccontextmanager
    async def _connect(self, lesson: str) -> Any:
        if self.as_page:
            async with websockets.connect(
                f"ws://{self._address}/v1/realtime?model={lesson}",
                additional_headers={"Authorization": f"Bearer {self._token}"},
                compression=None,
                max_size=None,
            ) as socket:
                yield PageLine(socket)
            return
        async with (
            AsyncOpenAI(
                base_url=f"http://{self._address}/v1", api_key=self._token, max_retries=0
            ) as client,
            client.realtime.connect(model=lesson) as connection,
        ):
            yield OfficialLine(connection)


class _Lesson:
    """One lesson of a student."""

    def __init__(self, line: Line, lesson: str, student: Student) -> None:
        self._line = line
        self._lesson = lesson
        self._student = student
        self._notes = student.notes
        self._step = 1
        self._over = False
        self._leaving = False
        self._text = ""
        self._answered = asyncio.Event()
        self._first_sound = asyncio.Event()
        self._stopped_at: float | None = None

    async def hold(self, until: float) -> None:
        reader = asyncio.create_task(self._read())
        reporter = asyncio.create_task(self._report())
        try:
            async with Microphone(self._line.speak) as microphone:
                talk = asyncio.create_task(self._talk(microphone, until))
                await asyncio.wait((talk, reader), return_when=asyncio.FIRST_COMPLETED)
                talk.cancel()
                (ended,) = await asyncio.gather(talk, return_exceptions=True)
                if isinstance(ended, Exception):
                    raise ended
        finally:
            for task in (reader, reporter):
                task.cancel()
            await asyncio.gather(reader, reporter, return_exceptions=True)

    # ---- speaking ----------------------------------------------------------------------------

    async def _talk(self, microphone: Microphone, until: float) -> None:
        binary = {"audio": {"output": {"binary": self._student.as_page}}}
        await self._line.send({"type": "session.update", "session": {"type": "realtime", **binary}})
        await self._line.send({"type": "response.create"})
        await self._await_answer()
        while time.monotonic() < until and not self._over:
            await self._listen()
            self._answered.clear()
            self._first_sound.clear()
            await microphone.say(speech.say(self._words(), self._student.voice))
            self._notes.turns += 1
            await self._await_answer()
        self._notes.lessons += self._over
        self._leaving = True
        await self._line.send({"type": "session.end"})
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(ANSWER_WITHIN_S):
                await asyncio.Event().wait()  # the server closes, which ends the reader

    async def _await_answer(self) -> None:
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S):
                await self._first_sound.wait()
        except TimeoutError:
            self._notes.unanswered += 1

    async def _listen(self) -> None:
        """To the end of the answer; or, with other manners, not that long."""
        began = time.monotonic()
        while True:
            now = time.monotonic()
            left_s = self._notes.playback.left_s(now)
            if self._student.interrupts and now - began > INTERRUPTS_AFTER_S:
                return
            if left_s == 0 and self._answered.is_set():
                break
            await asyncio.sleep(max(0.05, min(left_s, 0.5)))
        await asyncio.sleep(THINK_S)

    def _words(self) -> str:
        if self._text.startswith("I heard"):
            return "yes"
        return ANSWERS[self._lesson, self._step]

    # ---- listening ---------------------------------------------------------------------------

    async def _read(self) -> None:
        with contextlib.suppress(websockets.ConnectionClosedOK):
            while True:
                self._take(await self._line.receive(), time.monotonic())

    def _take(self, event: dict[str, Any], now: float) -> None:
        playback = self._notes.playback
        match event["type"]:
            case "response.output_audio.delta":
                self._first_sound.set()
                if self._stopped_at is not None:
                    self._notes.latencies_ms.append((now - self._stopped_at) * 1000)
                    self._stopped_at = None
                playback.add(event["item_id"], event["delta"], now)
            case "response.output_audio_transcript.done":
                self._text = event["transcript"]
            case "input_audio_buffer.speech_stopped":
                self._stopped_at = now
            case "input_audio_buffer.speech_started":
                playback.clear(now)
            case "output_audio_buffer.paused":
                playback.pause(now)
            case "output_audio_buffer.resumed":
                playback.resume(now)
            case "lesson.progress":
                self._step = event["step"]
                self._over = event["status"] == "lesson_done"
            case "response.done":
                self._answered.set()
            case "error" if not self._leaving:  # the microphone is still on for a moment
                self._notes.errors[event["error"]["code"]] += 1
            case "notice":
                self._notes.errors[f"notice {event['code']}"] += 1

    async def _report(self) -> None:
        """The page tells what it has played."""
        while self._student.as_page:
            await asyncio.sleep(REPORT_S)
            item, played_ms = self._notes.playback.place(time.monotonic())
            if item:
                with contextlib.suppress(websockets.ConnectionClosed):
                    await self._line.send(
                        {
                            "type": "output_audio_buffer.played",
                            "item_id": item,
                            "audio_ms": played_ms,
                        }
                    )
