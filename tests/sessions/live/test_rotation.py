"""Legs that end are replaced before they do; nothing is lost by it, in whatever it falls."""

import asyncio
import random

import pytest

from ai.events import Fault
from sessions.live.events import CreateResponse, InputSpeechStarted, ResponseDone
from tests.sessions.live.quick import quickly
from tests.sessions.live.stage import StagedEngine, Student, scene


def test_a_student_who_says_nothing_is_on_a_living_leg_all_the_time() -> None:
    async def story() -> None:
        async with scene(StagedEngine(lifetime_s=480)) as stage:
            await stage.student.wait(1_000_000)
            assert stage.changes() == ["rotated"] * 2
            assert stage.notices() == ["microphone_silent"]
            assert len(stage.engine.open) == 1 and stage.counts.forced == 0
            await stage.student.speak(1_000)
            await stage.student.wait(1_500)
            stage.all_heard_once()

    quickly(story())


def test_while_the_tutor_is_heard_it_waits_and_then_changes() -> None:
    async def story() -> None:
        engine = StagedEngine(lifetime_s=16)
        engine.manner.piece_ms = 3_000
        async with scene(engine) as stage:
            await stage.student.wait(7_800)
            stage.room.session.receive(stage.door, CreateResponse())
            await stage.student.wait(2_500)
            assert len(engine.open) == 2 and not stage.changes(), "warm, and it waits"
            await stage.student.wait(4_500)
            assert stage.changes() == ["rotated"] and stage.counts.forced == 0
            (tutor,) = stage.room.session.items
            assert tutor.heard == "opening-1 opening-2"

    quickly(story())


def test_in_mid_answer_what_was_said_is_kept_and_the_tutor_goes_on() -> None:
    async def story() -> None:
        engine = StagedEngine(lifetime_s=16)
        engine.manner.pieces, engine.manner.gap_s = 60, 0.2
        async with scene(engine) as stage:
            await stage.student.wait(6_000)
            stage.room.session.receive(stage.door, CreateResponse())
            engine.manner.pieces = 2
            await stage.student.wait(8_500)
            assert stage.counts.forced == 1 and stage.changes() == ["rotated"]
            await stage.student.wait(30_000)
            first, second = stage.room.session.items[:2]
            assert first.status == "incomplete" and first.interrupted is False
            assert first.heard == first.said and "opening-39" in str(first.said)
            assert second.said and second.said.startswith("resumed-1")
            statuses = [event.response.status for event in stage.door.of(ResponseDone)]
            assert statuses[:2] == ["failed", "completed"]

    quickly(story())


def test_an_answer_that_has_not_begun_is_asked_for_again() -> None:
    async def story() -> None:
        engine = StagedEngine(lifetime_s=16)
        engine.manner.think_s = 10.0
        async with scene(engine) as stage:
            await stage.student.wait(6_000)
            stage.room.session.receive(stage.door, CreateResponse())
            engine.manner.think_s = 0.3
            await stage.student.wait(9_000)
            assert stage.counts.forced == 1
            (done,) = stage.door.of(ResponseDone)
            assert done.response.status == "completed"
            assert [item.said for item in stage.room.session.items] == ["opening-1 opening-2"]

    quickly(story())


def test_during_a_tool_call_the_answer_begins_anew_on_the_next_leg() -> None:
    async def story() -> None:
        engine = StagedEngine(lifetime_s=16)
        engine.manner.uses_tool = True
        async with scene(engine) as stage:
            await stage.student.wait(6_000)
            stage.room.session.receive(stage.door, CreateResponse())
            await stage.student.wait(4_000)
            assert not stage.changes(), "a tool is at work"
            engine.manner.uses_tool = False
            await stage.student.wait(8_000)
            assert stage.counts.forced == 1
            (done,) = stage.door.of(ResponseDone)
            assert done.response.status == "completed"

    quickly(story())


@pytest.mark.parametrize("offset_ms", range(-2_200, 0, 100))
def test_in_mid_speech_the_turn_goes_on_on_the_next_leg(offset_ms: int) -> None:
    """The forced change falls anywhere in what is said, before it, and after it."""

    async def story() -> None:
        engine = StagedEngine(lifetime_s=16)
        engine.manner.think_s = 30.0
        async with scene(engine) as stage:
            stage.room.session.receive(stage.door, CreateResponse())
            await stage.student.wait(14_000 + offset_ms)
            assert not stage.changes()
            engine.manner.think_s = 0.3
            await stage.student.speak(1_200)
            await stage.student.wait(3_000)
            await stage.student.speak(800)
            await stage.student.wait(3_000)
            assert stage.changes()[0] == "rotated" and stage.counts.forced >= 1
            stage.all_heard_once()
            started = [event.item_id for event in stage.door.of(InputSpeechStarted)]
            spoken = [item.id for item in stage.room.session.items if item.role == "user"]
            assert started == spoken, "each turn is told once, and keeps its item"

    quickly(story())


@pytest.mark.parametrize("offset_ms", range(-700, 800, 100))
def test_in_a_barge_in_the_answer_is_cut_once_and_the_turn_is_heard_once(offset_ms: int) -> None:
    async def story() -> None:
        engine = StagedEngine(lifetime_s=16)
        engine.manner.pieces, engine.manner.gap_s, engine.manner.piece_ms = 80, 0.2, 200
        async with scene(engine) as stage:
            await stage.student.wait(4_000)
            stage.room.session.receive(stage.door, CreateResponse())
            await stage.student.wait(9_800 + offset_ms)
            engine.manner.pieces = 2
            await stage.student.speak(1_000)
            await stage.student.wait(6_000)
            stage.all_heard_once()
            created = len({event.response.id for event in stage.door.of(ResponseDone)})
            assert created == len(stage.door.of(ResponseDone))
            cut = next(item for item in stage.room.session.items if item.role == "assistant")
            assert str(cut.said).startswith(str(cut.heard))

    quickly(story())


def test_a_standby_that_cannot_be_opened_costs_the_lesson_nothing() -> None:
    async def story() -> None:
        engine = StagedEngine(lifetime_s=480)
        async with scene(engine) as stage:
            engine.troubles = [Fault("throttled", "busy"), "hang", Fault("transient", "broken")]
            await stage.student.wait(420_000)
            assert stage.changes() == ["rotated"] and stage.notices() == ["microphone_silent"]
            assert len(engine.open) == 1

    quickly(story())


def test_a_leg_that_ends_sooner_than_it_said_goes_on_with_the_standby() -> None:
    async def story() -> None:
        engine = StagedEngine(lifetime_s=16)
        engine.manner.think_s = 30.0
        async with scene(engine) as stage:
            stage.room.session.receive(stage.door, CreateResponse())
            await stage.student.wait(10_000)
            assert len(engine.open) == 2
            engine.manner.think_s = 0.3
            prepared = engine.prepared
            engine.leg.fail(Fault("limit", "session_expired"))
            assert stage.changes() == ["session_expired"] and engine.prepared == prepared
            await stage.student.wait(1_000)
            assert [event.response.status for event in stage.door.of(ResponseDone)] == ["completed"]

    quickly(story())


def test_nobody_is_there_and_so_no_leg_is_replaced_until_somebody_is_back() -> None:
    async def story() -> None:
        engine = StagedEngine(lifetime_s=16)
        async with scene(engine) as stage:
            await stage.student.wait(1_000)
            stage.room.session.detach(stage.door, finished=False)
            await stage.student.wait(40_000)
            assert engine.prepared == 1 and not engine.open, "its end was missed by nobody"
            door = stage.room.enter(resumed=True)
            student = Student(stage.room, door)
            await student.speak(1_000)
            await student.wait(1_500)
            assert student.heard() == student.said and len(engine.open) == 1

    quickly(story())


@pytest.mark.slow
def test_a_hundred_rotations_lose_no_turn_and_double_none() -> None:
    async def story() -> None:
        engine, dice = StagedEngine(lifetime_s=24), random.Random(4)
        async with scene(engine) as stage:
            stage.room.session.conversation.watch.ends_at += 1e6
            stage.room.session.receive(stage.door, CreateResponse())
            while stage.counts.rotations < 100:
                engine.manner.pieces = dice.choice([1, 2, 5, 40])
                engine.manner.gap_s = dice.choice([0.05, 0.2, 1.0])
                engine.manner.words_s = dice.choice([0.0, 0.2, 1.5])
                engine.manner.think_s = dice.choice([0.1, 0.5, 3.0])
                match dice.choice(["speak", "speak", "long", "silence", "barge in"]):
                    case "speak":
                        await stage.student.speak(dice.randrange(400, 2_000, 20))
                        await stage.student.wait(dice.randrange(1_000, 4_000, 20))
                    case "long":
                        await stage.student.speak(dice.randrange(4_000, 20_000, 20))
                        await stage.student.wait(1_200)
                    case "silence":
                        await stage.student.wait(dice.randrange(2_000, 40_000, 20))
                    case "barge in":
                        await stage.student.wait(1_000)
                        await stage.student.speak(600)
                        await stage.student.wait(1_000)
            await stage.student.wait(5_000)
            assert stage.counts.forced > 10, "some fell into the middle of something"
            assert len(stage.student.said) > 100
            stage.all_heard_once()
            assert len(engine.open) == 1
            assert len({item.id for item in stage.room.session.items}) == len(
                stage.room.session.items
            )

    quickly(story())


def test_nobody_is_there_and_so_no_standby_is_kept() -> None:
    async def story() -> None:
        engine = StagedEngine(lifetime_s=480)
        engine.manner.think_s = 60.0
        async with scene(engine) as stage:
            await stage.student.wait(359_000)
            stage.room.session.receive(stage.door, CreateResponse())
            await stage.student.wait(3_000)
            assert len(engine.open) == 2, "warm, and it waits"
            stage.room.session.detach(stage.door, finished=False)
            await asyncio.sleep(1)
            assert list(engine.open) == [engine.leg]
            stage.room.enter(resumed=True)
            await asyncio.sleep(1)
            assert engine.prepared == 3 and len(engine.open) == 1

    quickly(story())
