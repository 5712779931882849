"""A session and a cascade whose ears, mind and voice are a provider's, as simulated."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from ai.audio import silence
from ai.cascade import Cascade
from ai.chain import Breakers, Chain
from ai.local.vad import Vad
from ai.mind import LanguageTutor
from ai.openai.chat import ChatModel
from ai.openai.ears import OpenAIEars
from ai.openai.settings import OpenAISettings
from ai.openai.speaker import OpenAISpeaker
from sessions.live.events import (
    AudioDelta,
    CreateItem,
    CreateResponse,
    OutputCleared,
    ResponseDone,
    UpdateSession,
)
from tests.fakes.mind import Script
from tests.fakes.openai_manners import Manners
from tests.fakes.openai_server import OpenAISimulator, simulate_openai
from tests.fakes.voice import say
from tests.sessions.live.room import Door, EchoEngine, Room, until

pytestmark = pytest.mark.slow
LONG = "One two three four five six seven eight nine ten. And so it goes on and on for long."


class Said:
    """Ears that know what is said next, however often they are asked for it."""

    def __init__(self) -> None:
        self.words = ""

    async def __call__(self, pcm: bytes, rate_hz: int, instructions: str, lines: object) -> str:
        return self.words


class Scene:
    """A student who really speaks."""

    def __init__(self, simulator: OpenAISimulator, engine: Cascade, ears: Said) -> None:
        self.simulator, self.ears = simulator, ears
        self.room = Room(engine=engine)
        self.session = self.room.session
        self.door: Door

    async def say(self, words: str) -> None:
        """At the pace of speech, and then silent for as long as a turn takes to be over."""
        self.ears.words = words
        sound = silence(200) + await asyncio.to_thread(say, words) + silence(1_400)
        began = time.monotonic()
        for number, at in enumerate(range(0, len(sound), 960)):
            self.session.hear(self.door, sound[at : at + 960])
            await asyncio.sleep(max(0.0, began + number * 0.02 - time.monotonic()))

    async def answered(self, times: int) -> None:
        await until(lambda: len(self.door.of(ResponseDone)) >= times, within_s=20)

    def said(self) -> list[tuple[str, str | None]]:
        return [(item.role, item.said) for item in self.session.items]


@asynccontextmanager
async def scene(*replies: str) -> AsyncIterator[Scene]:
    ears = Said()
    vad = Vad()
    async with simulate_openai(Manners(script=Script("Hello there.", replies), ears=ears)) as fake:
        fake.http.manners.split = 700

        def settings(model: str) -> OpenAISettings:
            return OpenAISettings(fake.key, fake.base_url, model)

        parts = (
            OpenAIEars(settings("gpt-transcribe")),
            ChatModel(settings("gpt-5.4-mini")),
            OpenAISpeaker(settings("gpt-4o-mini-tts")),
        )
        engine = Cascade("cascade", parts[0], LanguageTutor(parts[1]), parts[2], vad)
        stage = Scene(fake, engine, ears)
        await stage.session.open()
        stage.door = stage.room.enter()
        stage.session.receive(stage.door, UpdateSession())
        try:
            yield stage
        finally:
            await stage.session.close(1001, "test over")
            for part in parts:
                await part.close()
            vad.close()
        assert fake.violations == []


async def test_a_lesson_by_voice_and_in_writing() -> None:
    async with scene("What is a half? Say it.", "Right.", "Bye.") as stage:
        stage.session.receive(stage.door, CreateResponse())
        await stage.answered(1)
        await stage.say("I am fine")
        await stage.answered(2)
        await stage.say("two quarters")
        await stage.answered(3)
        stage.session.receive(stage.door, CreateItem(item_id=None, text="I must go.", pcm=None))
        stage.session.receive(stage.door, CreateResponse())
        await stage.answered(4)
        assert stage.said() == [
            ("assistant", "Hello there."),
            ("user", "I am fine"),
            ("assistant", "What is a half? Say it."),
            ("user", "two quarters"),
            ("assistant", "Right."),
            ("user", "I must go."),
            ("assistant", "Bye."),
        ]
        assert len(stage.door.of(AudioDelta)) > 10
        paths = [path.removeprefix("/v1/") for path, _ in stage.simulator.http.calls]
        assert paths.count("audio/speech") == 5, "one for each sentence"
        assert paths.count("audio/transcriptions") >= 2


async def test_an_interruption_cuts_what_was_not_heard() -> None:
    async with scene(LONG, "At last.") as stage:
        stage.session.receive(stage.door, CreateResponse())
        await stage.answered(1)
        await stage.say("go on please")
        await until(lambda: len(stage.said()) == 3, within_s=20)
        await asyncio.sleep(1.0)
        await stage.say("stop it now")
        await until(lambda: stage.said()[-1] == ("assistant", "At last."), within_s=20)
        assert [role for role, _ in stage.said()] == ["assistant", "user"] * 2 + ["assistant"]
        cut = list(stage.session.items)[2]
        assert cut.interrupted and cut.heard is not None
        assert LONG.startswith(cut.heard) and 0 < len(cut.heard) < len(LONG)
        assert stage.door.of(OutputCleared)


async def test_the_answer_is_thought_before_the_turn_is_certainly_over() -> None:
    """Then only the voice is waited for."""
    async with scene("Right. What next?") as stage:
        stage.session.receive(stage.door, CreateResponse())
        await stage.answered(1)
        stage.simulator.http.manners.first_s = 0.25
        thought: list[bool] = []
        speaking = asyncio.create_task(stage.say("two quarters I think"))
        await until(
            lambda: sum("chat" in path for path, _ in stage.simulator.http.calls) == 2,
            within_s=20,
        )
        thought.append(len(stage.said()) == 1)
        await speaking
        await stage.answered(2)
        assert thought == [True], "no word of the turn was told yet"
        assert sum("chat" in path for path, _ in stage.simulator.http.calls) == 2
        assert stage.said()[-1] == ("assistant", "Right. What next?")


@pytest.mark.parametrize("ill", ["ears", "mind", "voice"])
async def test_a_part_that_may_not_work_hands_the_lesson_on(ill: str) -> None:
    """A key that is not taken: the next engine answers what was said, and nobody said it twice."""
    said = Said()
    vad = Vad()
    async with simulate_openai(Manners(script=Script("Hello there."), ears=said)) as fake:

        def settings(part: str, model: str) -> OpenAISettings:
            return OpenAISettings("wrong" if part == ill else fake.key, fake.base_url, model)

        ears = OpenAIEars(settings("ears", "gpt-transcribe"))
        mind = ChatModel(settings("mind", "gpt-5.4-mini"))
        voice = OpenAISpeaker(settings("voice", "gpt-4o-mini-tts"))
        first = Cascade("cascade", ears, LanguageTutor(mind), voice, vad, key="cascade:1")
        stage, echo = Scene(fake, first, said), EchoEngine()
        stage.room = Room(chain=Chain([first, echo], Breakers()))
        stage.session = stage.room.session
        await stage.session.open()
        stage.door = stage.room.enter()
        stage.session.receive(stage.door, UpdateSession())
        began = time.monotonic()
        if ill == "ears":
            await stage.say("two quarters")
        else:
            stage.session.receive(stage.door, CreateResponse())
        await until(lambda: ("assistant", "What part?") in stage.said(), within_s=10)
        assert time.monotonic() - began < (8 if ill == "ears" else 3)
        if ill == "ears":
            assert len(echo.legs[-1].heard) > 48 * 500, "what was said is heard again"
        await stage.session.close(1001, "test over")
        for part in (ears, mind, voice):
            await part.close()
        vad.close()
