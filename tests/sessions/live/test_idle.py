"""Nobody is connected: no leg is paid for then, and who comes back finds all as it was."""

import asyncio

from ai.chain import Chain
from ai.events import Fault
from sessions.live.events import CreateItem, CreateResponse, EngineChanged
from sessions.live.leg import PARKED_S
from tests.sessions.live.quick import quickly
from tests.sessions.live.room import Door, Room
from tests.sessions.live.stage import StagedEngine, Student, scene

BROKEN = Fault("transient", "broken")


def test_who_is_back_soon_finds_the_same_leg() -> None:
    async def story() -> None:
        engine = StagedEngine()
        async with scene(engine) as stage:
            leg = engine.leg
            stage.room.session.detach(stage.door, finished=False)
            await asyncio.sleep(PARKED_S - 1)
            door = stage.room.enter(resumed=True)
            await asyncio.sleep(PARKED_S)
            assert list(engine.open) == [leg] and not door.of(EngineChanged)
            assert stage.counts.idle == 0

    quickly(story())


def test_a_leg_that_nobody_needs_is_closed_and_the_next_remembers_all() -> None:
    async def story() -> None:
        engine = StagedEngine()
        async with scene(engine) as stage:
            stage.room.session.receive(stage.door, CreateItem(item_id="i1", text="two", pcm=None))
            stage.room.session.receive(stage.door, CreateResponse())
            await stage.student.wait(3_000)
            stage.room.session.detach(stage.door, finished=False)
            await asyncio.sleep(PARKED_S + 1)
            assert not engine.open and stage.counts.idle == 1
            await asyncio.sleep(10)
            assert engine.prepared == 1
            door = stage.room.enter(resumed=True)
            student = Student(stage.room, door)
            await student.speak(1_000)
            await student.wait(3_000)
            assert len(engine.open) == 1 and engine.prepared == 2
            assert [line.text for line in engine.leg.memory][:2] == ["two", "student-1 student-2"]
            assert [str(item.said) for item in stage.room.session.items if item.role == "user"] == [
                "two",
                *student.said,
            ]
            assert not [code for code in stage.notices() if code.startswith("tutor")]
            (changed,) = door.of(EngineChanged)
            assert (changed.old, changed.new, changed.reason) == ("staged", "staged", "returned")
            counts = stage.counts
            assert (counts.reopened, counts.failovers) == (0, 0) and counts.gap_s < 1

    quickly(story())


def test_who_reads_along_keeps_no_leg() -> None:
    async def story() -> None:
        engine = StagedEngine()
        async with scene(engine) as stage:
            stage.room.session.detach(stage.door, finished=False)
            await asyncio.sleep(30)
            stage.room.session.follow(Door(stage.room.person), after=None)
            await asyncio.sleep(PARKED_S - 29)
            assert not engine.open

    quickly(story())


def test_a_session_that_nobody_comes_to_keeps_no_leg() -> None:
    async def story() -> None:
        engine = StagedEngine()
        room = Room(chain=Chain([engine]))
        await room.session.open()
        await asyncio.sleep(PARKED_S - 1)
        assert len(engine.open) == 1
        await asyncio.sleep(2)
        assert not engine.open and not room.session.ended.is_set()
        await room.session.close(1001, "over")

    quickly(story())


def test_words_that_are_awaited_keep_the_leg_until_they_are_there() -> None:
    async def story() -> None:
        engine = StagedEngine()
        engine.manner.words_s = 9.0
        async with scene(engine) as stage:
            await stage.student.speak(1_000)
            stage.room.session.detach(stage.door, finished=False)
            stage.room.session._line._idle_at = 0.0  # as if it had been long
            await asyncio.sleep(8)
            assert len(engine.open) == 1
            await asyncio.sleep(2)
            assert stage.student.heard() == stage.student.said and not engine.open

    quickly(story())


def test_nothing_is_opened_for_nobody_and_what_is_being_opened_is_left() -> None:
    async def story() -> None:
        engine = StagedEngine()
        async with scene(engine) as stage:
            engine.trouble = BROKEN
            engine.leg.fail(BROKEN)
            await stage.student.wait(1_000)
            assert "tutor_gone" in stage.notices() or not engine.open
            stage.room.session.detach(stage.door, finished=False)
            await asyncio.sleep(PARKED_S + 1)
            tried = engine.prepared
            await asyncio.sleep(10)
            assert engine.prepared == tried, "nobody waits for it"
            engine.trouble = None
            stage.room.enter(resumed=True)
            await asyncio.sleep(1)
            assert len(engine.open) == 1

    quickly(story())


def test_a_standby_is_closed_with_the_leg() -> None:
    async def story() -> None:
        engine = StagedEngine(lifetime_s=480)
        engine.manner.think_s = 60.0
        async with scene(engine) as stage:
            await stage.student.wait(359_000)
            stage.room.session.receive(stage.door, CreateResponse())
            await stage.student.wait(3_000)
            assert len(engine.open) == 2
            stage.room.session.detach(stage.door, finished=False)
            await asyncio.sleep(PARKED_S + 1)
            assert not engine.open

    quickly(story())
