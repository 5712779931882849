"""What the last answer cost is told late: it is counted all the same, and nobody waits for it."""

import asyncio
from collections.abc import Sequence

from ai.events import Used
from sessions.live.events import CreateResponse, SessionEnded
from sessions.live.session import LAST_USE_S
from sessions.record.model import SessionRef, Usage
from tests.sessions.live.quick import quickly
from tests.sessions.live.room import MemoryKeeper
from tests.sessions.live.stage import Scene, StagedEngine, scene


def tokens(keeper: MemoryKeeper) -> int:
    """Of all that was saved, however late."""
    batches = [use for batch in keeper.batches for use in batch.usage]
    late = [use for usage in keeper.late.values() for use in usage]
    return sum(use.quantity for use in (*batches, *late) if use.unit == "text_tokens_out")


async def in_an_answer(stage: Scene) -> None:
    stage.room.session.receive(stage.door, CreateResponse())
    await stage.student.wait(400)


def test_a_lesson_that_ends_in_an_answer_counts_it_and_tells_its_end_at_once() -> None:
    async def story() -> None:
        engine = StagedEngine()
        engine.manner.closes_in_s, engine.manner.last_use = 1.5, 7
        async with scene(engine) as stage:
            await in_an_answer(stage)
            stage.room.session.end("finished")
            await asyncio.sleep(0.1)
            assert stage.door.of(SessionEnded) and stage.room.keeper.ended == "finished"
            assert tokens(stage.room.keeper) == 0
            await stage.room.session.ended.wait()
            assert tokens(stage.room.keeper) == 7

    quickly(story())


def test_a_leg_that_never_tells_is_waited_for_no_longer_than_promised() -> None:
    async def story() -> None:
        engine = StagedEngine()
        engine.manner.closes_in_s, engine.manner.last_use = 3_600, 7
        async with scene(engine) as stage:
            await in_an_answer(stage)
            engine.leg.tell(Used("text_tokens_out", 2, "m"))
            stage.room.session.detach(stage.door, finished=True)
            await asyncio.sleep(0.1)
            engine.leg.tell(Used("text_tokens_out", 3, "m"))
            await asyncio.sleep(LAST_USE_S)
            assert tokens(stage.room.keeper) == 5
            await stage.room.session.ended.wait()
            engine.leg.tell(Used("text_tokens_out", 4, "m"))
            assert tokens(stage.room.keeper) == 5
            engine.open.clear()

    quickly(story())


def test_a_server_that_stops_counts_it_too() -> None:
    async def story() -> None:
        engine = StagedEngine()
        engine.manner.closes_in_s, engine.manner.last_use = 1.0, 7
        async with scene(engine) as stage:
            await in_an_answer(stage)
            await stage.room.session.close(1001, "over")
            assert tokens(stage.room.keeper) == 7

    quickly(story())


def test_while_the_database_answers_late_it_is_the_same_report() -> None:
    keys: list[str] = []

    class Late(MemoryKeeper):
        async def use(self, ref: SessionRef, usage: Sequence[Usage], key: str) -> None:
            keys.append(key)
            if len(keys) < 3:
                raise OSError("away")
            await super().use(ref, usage, key)

    async def story() -> None:
        engine = StagedEngine()
        engine.manner.closes_in_s, engine.manner.last_use = 1.0, 7
        async with scene(engine) as stage:
            keeper = stage.room.session._keeper = Late()
            await in_an_answer(stage)
            stage.room.session.end("finished")
            await stage.room.session.ended.wait()
            assert tokens(keeper) == 7

    quickly(story())
    assert len(keys) == 3 and len(set(keys)) == 1


def test_a_leg_that_was_left_tells_what_it_used_while_the_lesson_goes_on() -> None:
    async def story() -> None:
        engine = StagedEngine(lifetime_s=16)
        engine.manner.closes_in_s, engine.manner.last_use = 1.0, 7
        async with scene(engine) as stage:
            await stage.student.wait(12_000)
            assert stage.changes() == ["rotated"]
            engine.manner.last_use = 0
            await stage.room.session.close(1001, "over")
            assert tokens(stage.room.keeper) == 7

    quickly(story())
