"""A Realtime provider in a test that says what the test tells it to, and an engine on it."""

import asyncio
import base64
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from typing import Any, Self
from unittest.mock import patch

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.http11 import Request, Response

from ai.engine import Ask, Brief, Cue, Leg, Step, TurnDetection, Utterance, Vad
from ai.events import EngineEvent, Failed, SpeechStopped, Used
from ai.openai.leg import RealtimeLeg
from ai.openai.realtime import OpenAIRealtime
from ai.openai.settings import OpenAISettings

BRIEF = Brief("You are a tutor.", "T", "G", "en-GB", "Hello.", "Bye.", (Step("What?", (), "S"),))
BY_SILENCE = TurnDetection()
WITHIN_S = 10.0
Message = dict[str, Any]


class Provider:
    """One server; `connection` is the newest."""

    def __init__(self) -> None:
        self.greets = True
        self.answer: tuple[int, dict[str, str], bytes] | None = None
        "Instead of a WebSocket."
        self.heard: list[Message] = []
        self.unread = 0
        self.headers: list[dict[str, str]] = []
        self.paths: list[str] = []
        self.connection: ServerConnection | None = None
        self.open = 0
        self._server: Server | None = None
        self._numbers = iter(range(1, 10**9))
        self._news = asyncio.Event()

    async def __aenter__(self) -> Self:
        self._server = await serve(
            self._serve, "127.0.0.1", 0, process_request=self._receive, compression=None
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        if self.connection is not None:
            self.connection.transport.abort()
        self._server.close()
        await self._server.wait_closed()

    @property
    def url(self) -> str:
        assert self._server is not None
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/v1"

    def _receive(self, connection: ServerConnection, request: Request) -> Response | None:
        self.paths.append(request.path)
        self.headers.append(dict(request.headers.raw_items()))
        if self.answer is None:
            return None
        status, headers, body = self.answer
        response = connection.respond(status, body.decode())
        for name, value in headers.items():
            response.headers[name] = value
        return response

    async def _serve(self, connection: ServerConnection) -> None:
        self.connection = connection
        self.open += 1
        try:
            if self.greets:
                await self.say("session.created", session={"id": "sess_1", "type": "realtime"})
            async for frame in connection:
                event = json.loads(frame)
                self.heard.append(event)
                if event["type"] == "session.update" and self.greets:
                    session = {**event["session"], "id": "sess_1"}
                    await self.say("session.updated", session=session)
                self._news.set()
        finally:
            self.open -= 1

    async def say(self, kind: str, **fields: Any) -> None:
        """One event."""
        number = fields.pop("event_id", f"event_{next(self._numbers)}")
        await self.send(json.dumps({"type": kind, "event_id": number, **fields}))

    async def send(self, frame: str | bytes) -> None:
        assert self.connection is not None
        await self.connection.send(frame)

    async def next(self, kind: str) -> Message:
        """The next event of this kind that we were sent and did not look at, skipping others."""
        async with asyncio.timeout(WITHIN_S):
            while True:
                while self.unread < len(self.heard):
                    self.unread += 1
                    if self.heard[self.unread - 1]["type"] == kind:
                        return self.heard[self.unread - 1]
                self._news.clear()
                await self._news.wait()

    def said(self, kind: str) -> list[Message]:
        """All events of a kind that we were sent."""
        return [event for event in self.heard if event["type"] == kind]

    # ---- whole stretches -----------------------------------------------------------------------

    async def voice(self, item: str = "item_u1", start_ms: int = 0) -> None:
        await self.say("input_audio_buffer.speech_started", item_id=item, audio_start_ms=start_ms)

    async def quiet(self, item: str = "item_u1", end_ms: int = 2_000) -> None:
        """The voice ended, and what was said is an item."""
        await self.say("input_audio_buffer.speech_stopped", item_id=item, audio_end_ms=end_ms)
        await self.committed(item)

    async def committed(self, item: str) -> None:
        await self.say("input_audio_buffer.committed", item_id=item, previous_item_id=None)

    async def words(self, text: str, item: str = "item_u1") -> None:
        kind = "conversation.item.input_audio_transcription.completed"
        usage = {"type": "duration", "seconds": 2}
        await self.say(kind, item_id=item, content_index=0, transcript=text, usage=usage)

    async def begin(
        self, response: str, item: str = "", answer: str | None = None, conversation: str = "conv_1"
    ) -> None:
        about = {"id": response, "object": "realtime.response", "status": "in_progress"}
        about["conversation_id"] = conversation
        metadata = {"answer": answer} if answer else None
        await self.say("response.created", response={**about, "output": [], "metadata": metadata})
        if item:
            message = {"id": item, "type": "message", "role": "assistant", "content": []}
            await self.say(
                "response.output_item.added", response_id=response, output_index=0, item=message
            )

    async def text(self, response: str, item: str, delta: str) -> None:
        await self.part("response.output_audio_transcript.delta", response, item, delta)

    async def sound(self, response: str, item: str, pcm: bytes) -> None:
        delta = base64.b64encode(pcm).decode()
        await self.part("response.output_audio.delta", response, item, delta)

    async def part(self, kind: str, response: str, item: str, delta: str) -> None:
        await self.say(
            kind,
            response_id=response,
            item_id=item,
            output_index=0,
            content_index=0,
            delta=delta,
        )

    async def item_done(self, response: str, item: Message) -> None:
        await self.say("response.output_item.done", response_id=response, output_index=0, item=item)

    async def done(self, response: str, status: str = "completed", **about: Any) -> None:
        whole = {"id": response, "object": "realtime.response", "status": status, "output": []}
        await self.say("response.done", response={**whole, **about})

    async def speak(self, response: str, item: str, text: str, ms: int, **about: Any) -> None:
        """A whole response that speaks."""
        await self.begin(response, item, **about)
        await self.text(response, item, text)
        for _ in range(ms // 100):
            await self.sound(response, item, b"\1\2" * 2_400)
        await self.item_done(response, {"id": item, "type": "message", "role": "assistant"})
        await self.done(response)

    async def error(self, code: str, event_id: str | None = None, **about: Any) -> None:
        error = {"type": "invalid_request_error", "code": code, "message": code, "param": None}
        await self.say("error", error={**error, "event_id": event_id, **about})


class Stage:
    """A leg on the provider; `events` is what it reported, without what was used."""

    def __init__(self, provider: Provider) -> None:
        self.provider = provider
        self.events: list[EngineEvent] = []
        self.used: list[Used] = []
        self.leg: Leg
        self.answers = 0
        self.asks_at_once = True
        "As the session does: the end of a turn brings an Ask within the same call."
        self._news = asyncio.Event()

    def report(self, event: EngineEvent) -> None:
        self._news.set()
        if isinstance(event, Used):
            self.used.append(event)
            return
        self.events.append(event)
        if isinstance(event, SpeechStopped) and self.asks_at_once:
            self.ask()

    def ask(self, cue: Cue = "student", *, sound: bool = True) -> str:
        self.answers += 1
        self.leg.answer(Ask(f"resp_{self.answers}", cue, sound))
        return f"resp_{self.answers}"

    async def until(self, true: Callable[[], Any]) -> None:
        async with asyncio.timeout(WITHIN_S):
            while not true():
                self._news.clear()
                await self._news.wait()

    async def wait_for(self, kind: type[EngineEvent], count: int = 1) -> Any:
        """The `count`th event of a kind."""
        await self.until(lambda: sum(isinstance(one, kind) for one in self.events) >= count)
        return [one for one in self.events if isinstance(one, kind)][count - 1]

    def kinds(self) -> list[str]:
        return [type(event).__name__ for event in self.events]

    @property
    def failed(self) -> list[Failed]:
        return [event for event in self.events if isinstance(event, Failed)]


@contextlib.asynccontextmanager
async def staged(
    *,
    brief: Brief = BRIEF,
    vad: Vad | None = None,
    turns: str = "theirs",
    memory: tuple[Utterance, ...] = (),
    detection: TurnDetection | None = BY_SILENCE,
    clock_ms: int = 0,
    last_cost_s: float = 0.02,
) -> AsyncIterator[Stage]:
    """A leg that has begun; at its end this provider mostly says nothing more of costs."""
    async with Provider() as provider:
        engine = OpenAIRealtime(settings(provider, turns), vad)
        stage = Stage(provider)
        standby = await engine.prepare(brief)
        stage.leg = standby.begin(memory, stage.report, clock_ms=clock_ms)
        assert isinstance(stage.leg, RealtimeLeg)
        stage.leg.detect(detection)
        try:
            yield stage
        finally:
            count = len(stage.events)
            with patch("ai.openai.leg.LAST_COST_S", last_cost_s):
                await stage.leg.close()
            await engine.close()
            assert len(stage.events) == count, "reported after it was closed"


def settings(provider: Provider, turns: Any = "theirs") -> OpenAISettings:
    return OpenAISettings("sk-secret", base_url=provider.url, turns=turns)
