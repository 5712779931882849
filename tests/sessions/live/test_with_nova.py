"""A session and Nova Sonic together, as simulated: what neither's own tests can see."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from ai.bedrock.credentials import AwsCredentials, fixed
from ai.bedrock.nova import NovaSettings, NovaSonic
from ai.events import Fault
from sessions.live.events import (
    AudioDelta,
    ClearOutput,
    CommitAudio,
    CreateItem,
    CreateResponse,
    EngineChanged,
    ItemDone,
    Notice,
    OutputCleared,
    ResponseDone,
    UpdateSession,
)
from tests.fakes.ears import Told
from tests.fakes.mind import Script
from tests.fakes.nova import Nova
from tests.fakes.nova_talk import Manners
from tests.fakes.signatures import ACCESS_KEY, REGION, SECRET_KEY
from tests.fakes.voice import say, spoken
from tests.sessions.live.room import Door, Room, until

QUIET = bytes(48 * 600)


class Scene:
    """A student who really speaks."""

    def __init__(self, nova: Nova, lifetime_s: float) -> None:
        self.nova = nova
        settings = NovaSettings(REGION, endpoint=nova.endpoint, lifetime_s=lifetime_s)
        who = AwsCredentials(ACCESS_KEY, SECRET_KEY)
        self.room = Room(engine=NovaSonic(settings, fixed(who), None))
        self.session = self.room.session
        self.door: Door

    def say(self, text: str) -> None:
        self.session.hear(self.door, QUIET + say(text) + QUIET)

    async def answered(self, times: int) -> None:
        await until(lambda: len(self.door.of(ResponseDone)) >= times, within_s=20)

    def said(self) -> list[tuple[str, str | None]]:
        return [(item.role, item.said) for item in self.session.items]


@asynccontextmanager
async def scene(
    *replies: str, told: tuple[str, ...] = (), lifetime_s: float = 480.0, **more: Any
) -> AsyncIterator[Scene]:
    usual: dict[str, Any] = {"silence_ms": 300, "think_s": 0.0, "pace": 20.0, "finals": "generated"}
    script = Script("Hello there.", replies)
    manners = Manners(**{"script": script, "ears": Told(told), **usual, **more})
    for text in ("Hello there.", *replies):
        await spoken(text, 24_000, speed=1.0)  # the first of all takes long on a busy machine
    async with Nova(manners) as nova:
        stage = Scene(nova, lifetime_s)
        await stage.session.open()
        stage.door = stage.room.enter()
        try:
            yield stage
        finally:
            await stage.session.close(1001, "test over")
        await until(lambda: not nova.open_streams, within_s=20)
        assert nova.violations == []


async def test_a_lesson_by_voice_and_in_writing() -> None:
    async with scene("What is a half?", "Right.", "Bye.", told=("fine", "two quarters")) as stage:
        stage.session.receive(stage.door, CreateResponse())
        await stage.answered(1)
        stage.say("fine")
        await stage.answered(2)
        stage.say("two quarters")
        await stage.answered(3)
        stage.session.receive(stage.door, CreateItem(item_id=None, text="I must go.", pcm=None))
        stage.session.receive(stage.door, CreateResponse())
        await stage.answered(4)
        assert stage.said() == [
            ("assistant", "Hello there."),
            ("user", "fine"),
            ("assistant", "What is a half?"),
            ("user", "two quarters"),
            ("assistant", "Right."),
            ("user", "I must go."),
            ("assistant", "Bye."),
        ]
        await until(lambda: len(stage.door.of(ItemDone)) == 7)


async def test_an_interruption_cuts_what_was_not_heard() -> None:
    long = "One two three four five six seven eight nine ten eleven twelve thirteen."
    async with scene(long, "At last.", told=("go", "stop"), finals="played") as stage:
        stage.session.receive(stage.door, CreateResponse())
        await stage.answered(1)
        await asyncio.sleep(1.0)
        stage.say("go")
        await until(lambda: len(stage.said()) == 3, within_s=20)
        await asyncio.sleep(0.6)
        stage.say("stop")
        await until(lambda: stage.said()[-1] == ("assistant", "At last."), within_s=20)
        assert [role for role, _ in stage.said()] == ["assistant", "user"] * 2 + ["assistant"]
        cut = list(stage.session.items)[2]
        assert cut.interrupted
        assert cut.heard is not None
        assert long.startswith(cut.heard)
        assert len(cut.heard) < len(long)
        assert stage.door.of(OutputCleared)


async def test_by_hand_a_turn_is_what_was_committed() -> None:
    async with scene("What is a half?", told=("fine",)) as stage:
        stage.session.receive(stage.door, UpdateSession(turn_detection="none"))
        stage.session.receive(stage.door, CreateResponse())
        await stage.answered(1)
        stage.session.hear(stage.door, say("fine"))
        stage.session.receive(stage.door, CommitAudio())
        stage.session.receive(stage.door, CreateResponse())
        await stage.answered(2)
        await until(lambda: ("user", "fine") in stage.said(), within_s=20)
        assert stage.said()[1:] == [("user", "fine"), ("assistant", "What is a half?")]


@pytest.mark.slow
async def test_streams_change_before_their_end_and_nobody_notices() -> None:
    words = ("one", "two", "three", "four")
    replies = tuple(f"You said {word}." for word in words)
    async with scene(*replies, told=words, lifetime_s=2.0, cap_s=6.0, idle_s=4.0) as stage:
        stage.session.receive(stage.door, CreateResponse())
        await stage.answered(1)
        for number, word in enumerate(words):
            await asyncio.sleep(1.0)
            stage.say(word)
            await stage.answered(number + 2)
        assert stage.said() == [
            ("assistant", "Hello there."),
            *(
                line
                for word in words
                for line in (("user", word), ("assistant", f"You said {word}."))
            ),
        ]
        assert {event.reason for event in stage.door.of(EngineChanged)} == {"rotated"}
        assert len(stage.nova.streams) >= 3


async def test_no_silence_flows_to_nova_while_nobody_is_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sessions.live.leg.PARKED_S", 0.3)
    async with scene("Right.") as stage:
        stage.session.receive(stage.door, CreateResponse())
        await stage.answered(1)
        stage.session.detach(stage.door, finished=False)
        await until(lambda: not stage.nova.open_streams, within_s=20)
        assert not stage.session.ended.is_set()
        stage.door = stage.room.enter(resumed=True)
        stage.session.receive(stage.door, CreateResponse())
        await stage.answered(1)
        (changed,) = stage.door.of(EngineChanged)
        assert changed.reason == "returned"


async def test_what_a_lesson_that_ends_in_an_answer_cost_is_counted_to_the_last_token() -> None:
    async with scene("Right.", pace=1.0) as stage:
        stage.session.receive(stage.door, CreateResponse())
        await until(lambda: stage.door.of(AudioDelta), within_s=20)
        (stream,) = stage.nova.streams
        stage.session.end("finished")
        await until(lambda: stage.session.ended.is_set(), within_s=20)
        keeper = stage.room.keeper
        saved = [use for batch in keeper.batches for use in batch.usage]
        late = [use for usage in keeper.late.values() for use in usage]
        counted: Counter[str] = Counter()
        for use in (*saved, *late):
            counted[use.unit] += use.quantity
        spent = stream.mouth.tokens.now
        assert counted["audio_tokens_in"] == spent["input.speechTokens"]
        assert counted["audio_tokens_out"] == spent["output.speechTokens"] > 0
        assert counted["audio_out_ms"] > 0


async def test_of_an_answer_cut_after_a_change_of_legs_nova_knows_what_was_heard() -> None:
    long = "A half is one of two equal parts. " * 4
    async with scene(long.strip(), told=("fine",)) as stage:
        stage.session.receive(stage.door, CreateResponse())
        await stage.answered(1)
        stage.session.receive(stage.door, CreateItem(item_id="i1", text="fine", pcm=None))
        stage.session.receive(stage.door, CreateResponse())
        tutor = await answered_and_heard(stage, 1_500)
        stage.session._line.reopen("session_expired", Fault("limit", "session_expired"))
        await until(lambda: len(stage.door.of(EngineChanged)) == 1)
        await until(lambda: remembered(stage, 1)[-1:] == [tutor])  # it is heard still
        stage.session.receive(stage.door, ClearOutput())
        await until(lambda: len(stage.door.of(EngineChanged)) == 2, within_s=20)
        cut = stage.session.items[-1]
        assert cut.heard and len(cut.heard) < len(tutor)
        await until(lambda: remembered(stage, 2)[-1:] == [cut.heard])
        assert len(stage.nova.streams) == 3
        assert stage.session._line.counts.reopened == 1, "the one before was well"
        assert not [event for event in stage.door.of(Notice) if event.code.startswith("tutor")]


def remembered(stage: Scene, number: int) -> list[str]:
    """What the stream of this number was told of the conversation so far, on its way to it."""
    streams = stage.nova.streams[number:]
    return [line.text for line in streams[0].talk.lines] if streams else []


async def answered_and_heard(stage: Scene, ms: int) -> str:
    """An answer was made, and this much of it was heard; its words."""
    answers = stage.session.conversation.answers
    await until(lambda: answers.current is None or answers.current.generated, within_s=20)
    await asyncio.sleep(ms / 1000)
    return str(stage.session.items[-1].said)
