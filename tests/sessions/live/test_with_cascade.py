"""A session and a cascade together: what neither's own tests can see."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from ai.audio import silence
from sessions.live.events import (
    AudioDelta,
    CommandRefused,
    CommitAudio,
    CreateItem,
    CreateResponse,
    Event,
    InputCommitted,
    InputSpeechStarted,
    ItemDone,
    OutputCleared,
    OutputPaused,
    OutputResumed,
    ResponseCreated,
    ResponseDone,
    UpdateSession,
)
from tests.ai.cascade_stage import Stage, voice
from tests.sessions.live.room import Door, Room, until

ANSWER = "First. Second."


class Scene:
    """The student's side of a lesson whose ears, mind and voice are scripted."""

    def __init__(self) -> None:
        self.parts = Stage()
        self.room = Room(engine=self.parts.engine)
        self.session = self.room.session
        self.door: Door

    def enter(self, *, resumed: bool = False) -> None:
        self.door = self.room.enter(resumed=resumed)

    def hear(self, pcm: bytes) -> None:
        self.session.hear(self.door, pcm)

    def said(self) -> list[tuple[str, str | None]]:
        return [(item.role, item.said) for item in self.session.items]

    def kinds(self) -> list[type[Event]]:
        return [type(event) for event in self.door.events]

    async def answered(self, times: int = 1) -> None:
        await until(lambda: len(self.door.of(ResponseDone)) == times)


@pytest.fixture
async def scene() -> AsyncIterator[Scene]:
    scene = Scene()
    await scene.session.open()
    scene.enter()
    yield scene
    await scene.session.close(1001, "test over")
    assert scene.parts.vad.open == 0


async def test_a_file_with_a_pause_at_its_end_is_answered(scene: Scene) -> None:
    scene.parts.vad.late = True
    scene.hear(voice(1_600) + silence(1_600))
    scene.parts.vad.judge()
    await scene.answered()
    assert scene.said() == [("user", "two quarters"), ("assistant", ANSWER)]


async def test_a_file_that_just_stops_is_answered(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ai.cascade.STALL_S", 0.05)
    scene.parts.vad.late = True
    scene.hear(voice(1_600))
    scene.parts.vad.judge()
    await scene.answered()
    assert scene.said() == [("user", "two quarters"), ("assistant", ANSWER)]


async def test_append_commit_and_ask_at_once_is_one_turn_and_one_answer(scene: Scene) -> None:
    """As written against OpenAI, where turn detection is on unless it is switched off."""
    scene.parts.vad.late = True
    scene.hear(voice(3_200))
    scene.session.receive(scene.door, CommitAudio())
    scene.session.receive(scene.door, CreateResponse())
    scene.parts.vad.judge()
    await scene.answered()
    await asyncio.sleep(0.1)
    assert scene.said() == [("user", "two quarters"), ("assistant", ANSWER)]
    assert len(scene.door.of(ResponseCreated)) == 1 and not scene.door.of(CommandRefused)
    assert not scene.door.of(InputSpeechStarted)


async def test_by_hand_the_words_are_awaited_before_the_answer(scene: Scene) -> None:
    scene.parts.ears.wait = asyncio.Event()
    scene.session.receive(scene.door, UpdateSession(turn_detection="none"))
    scene.hear(voice(3_200))
    scene.session.receive(scene.door, CommitAudio())
    scene.session.receive(scene.door, CreateResponse())
    await asyncio.sleep(0.02)
    assert not scene.parts.mind.memories
    scene.parts.ears.wait.set()
    await scene.answered()
    assert [line.text for line in scene.parts.mind.memories[0]] == ["two quarters"]


async def test_speaking_on_before_the_answer_sounds_keeps_the_words_of_both_turns(
    scene: Scene,
) -> None:
    scene.parts.ears.wait = asyncio.Event()
    scene.hear(voice(640) + silence(1_280))
    scene.hear(voice(640) + silence(1_280))
    scene.parts.ears.wait.set()
    await scene.answered(2)
    assert [event.response.status for event in scene.door.of(ResponseDone)] == [
        "cancelled",
        "completed",
    ]
    assert scene.said() == [
        ("user", "two quarters"),
        ("user", "two quarters"),
        ("assistant", ANSWER),
    ]
    await until(lambda: len(scene.door.of(ItemDone)) == 3)


async def test_a_break_in_mid_speech_loses_no_word_and_the_answer_follows(scene: Scene) -> None:
    scene.hear(voice(1_600))
    scene.session.detach(scene.door, finished=False)
    await until(lambda: len(scene.room.keeper.items()) == 1)
    scene.enter(resumed=True)
    scene.session.receive(scene.door, UpdateSession())
    assert [event.item.said for event in scene.door.of(ItemDone)] == ["two quarters"]
    scene.session.receive(scene.door, CreateResponse())
    await scene.answered()
    assert scene.said() == [("user", "two quarters"), ("assistant", ANSWER)]


async def test_a_break_in_mid_answer_is_remembered_as_it_was_heard(scene: Scene) -> None:
    scene.session.receive(scene.door, CreateResponse())
    await scene.answered()
    scene.session.detach(scene.door, finished=False)
    scene.enter(resumed=True)
    scene.session.receive(scene.door, CreateResponse())
    await scene.answered()
    heard = [line.text for line in scene.parts.mind.memories[1]]
    assert heard in ([], ["First."]), "some milliseconds of it, at most"


async def test_a_cough_while_the_tutor_speaks_costs_nothing(scene: Scene) -> None:
    scene.session.receive(scene.door, UpdateSession(binary=True))
    scene.session.receive(scene.door, CreateResponse())
    await until(lambda: scene.door.of(AudioDelta))
    scene.hear(voice(160) + silence(640))
    await scene.answered()
    assert len(scene.door.of(OutputPaused)) == len(scene.door.of(OutputResumed)) == 1
    assert not scene.door.of(OutputCleared) and not scene.door.of(InputCommitted)
    assert sum(len(event.pcm) for event in scene.door.of(AudioDelta)) == 600 * 48


async def test_speech_while_the_tutor_speaks_cuts_and_is_answered(scene: Scene) -> None:
    scene.session.receive(scene.door, UpdateSession(binary=True))
    scene.session.receive(scene.door, CreateResponse())
    await until(lambda: scene.door.of(AudioDelta))
    scene.hear(voice(960) + silence(1_280))
    await until(lambda: scene.door.of(OutputCleared))
    await until(lambda: len(scene.door.of(ResponseDone)) >= 1 and len(scene.said()) == 3)
    assert [role for role, _ in scene.said()] == ["assistant", "user", "assistant"]
    first = scene.session.items[0]
    assert first.interrupted and first.heard != first.said


async def test_speaking_and_then_typing_is_answered_once_in_order(scene: Scene) -> None:
    scene.hear(voice(1_600))
    scene.session.receive(scene.door, CreateItem(item_id="a", text="I mean one half", pcm=None))
    scene.session.receive(scene.door, CreateResponse())
    await scene.answered()
    await asyncio.sleep(0.1)
    assert [text for _, text in scene.said()] == ["two quarters", "I mean one half", ANSWER]
    heard = [line.text for line in scene.parts.mind.memories[0]]
    assert heard == ["two quarters", "I mean one half"]
    assert not scene.door.of(CommandRefused)
