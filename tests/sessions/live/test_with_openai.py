"""A session and the engine `openai-realtime` together, on a scripted provider."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from ai.audio import silence
from ai.openai import their_turns
from ai.openai.realtime import OpenAIRealtime
from sessions.live.events import (
    AudioDelta,
    CreateResponse,
    InputSpeechStarted,
    ItemTruncated,
    OutputPaused,
    OutputResumed,
    UpdateSession,
)
from tests.ai.cascade_stage import ScriptedVad, voice
from tests.ai.openai.stage import Provider, settings
from tests.sessions.live.room import Door, Room, until

WORDS = "A half and two quarters are the same amount."


class Scene:
    """A tutor who speaks for four seconds, to a student on the page."""

    def __init__(self, room: Room, door: Door, provider: Provider) -> None:
        self.room, self.door, self.provider = room, door, provider
        self.session = room.session

    async def begin(self) -> None:
        self.session.receive(self.door, UpdateSession(binary=True))
        self.session.receive(self.door, CreateResponse())
        asked = await self.provider.next("response.create")
        answer = asked["response"]["metadata"]["answer"]
        await self.provider.speak("resp_p", "item_a", WORDS, 4_000, answer=answer)
        await until(lambda: self.door.of(AudioDelta))


@asynccontextmanager
async def scene() -> AsyncIterator[Scene]:
    async with Provider() as provider:
        engine = OpenAIRealtime(settings(provider), ScriptedVad())
        room = Room(engine=engine)
        await room.session.open()
        stage = Scene(room, room.enter(), provider)
        await stage.begin()
        try:
            yield stage
        finally:
            await room.session.close(1001, "test over")
            await engine.close()


async def test_a_noise_pauses_a_tutor_on_the_page_and_cuts_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(their_turns, "DOUBT_S", 0.05)
    async with scene() as stage:
        await stage.provider.voice("item_noise")
        await until(lambda: stage.door.of(OutputPaused))
        stage.session.hear(stage.door, silence(192))
        await until(lambda: stage.door.of(OutputResumed) or stage.door.of(ItemTruncated))
        assert stage.door.of(OutputResumed)
        assert not stage.door.of(InputSpeechStarted) and not stage.door.of(ItemTruncated)


async def test_voice_interrupts_a_tutor_on_the_page() -> None:
    async with scene() as stage:
        await stage.provider.voice("item_u1")
        await until(lambda: stage.door.of(OutputPaused))
        stage.session.hear(stage.door, voice(960))
        await until(lambda: stage.door.of(ItemTruncated))
        assert stage.door.of(InputSpeechStarted)
