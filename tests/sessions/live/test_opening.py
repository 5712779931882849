"""What is opened is handed over or closed, whenever it is given up."""

import asyncio
from typing import Any

import pytest

from ai.engine import EngineFailed, EngineUnavailable
from ai.events import Fault
from sessions.live.opening import Opener, fault_of
from tests.sessions.live.quick import quickly
from tests.sessions.live.room import BRIEF
from tests.sessions.live.stage import StagedEngine


def opener() -> Opener:
    return Opener(BRIEF, asyncio.get_running_loop().time)


def test_what_is_open_is_handed_over() -> None:
    async def story() -> None:
        engine = StagedEngine(lifetime_s=8)
        opened = await opener().prepare(engine, 1.0)
        assert opened.engine is engine and opened.standby.lifetime_s == 8
        assert engine.open == {opened.standby}

    quickly(story())


def test_what_takes_too_long_has_failed_and_is_closed_when_it_comes_all_the_same() -> None:
    class Stubborn(StagedEngine):
        async def prepare(self, brief: Any) -> Any:
            try:
                await asyncio.sleep(2.0)
            except asyncio.CancelledError:
                await asyncio.sleep(1.0)
            return await super().prepare(brief)

    async def story() -> None:
        engine, opens = Stubborn(), opener()
        with pytest.raises(EngineUnavailable) as raised:
            await opens.prepare(engine, 0.5)
        assert raised.value.fault == Fault("transient", "engine_slow")
        await asyncio.sleep(1.2)
        await opens.finish()
        assert engine.prepared == 1 and not engine.open

    quickly(story())


def test_whoever_is_cancelled_while_it_opens_leaves_nothing_open() -> None:
    async def story() -> None:
        for after_s in (0.0, 0.049, 0.05, 0.051):
            engine, opens = StagedEngine(), opener()
            opening = asyncio.create_task(opens.prepare(engine, 1.0))
            await asyncio.sleep(after_s)
            opening.cancel()
            outcome = (await asyncio.gather(opening, return_exceptions=True))[0]
            if not isinstance(outcome, BaseException):
                opens.close(outcome.standby)
            await opens.finish()
            assert not engine.open, after_s

    quickly(story())


def test_what_never_closes_is_let_go_of() -> None:
    class Hangs:
        async def close(self) -> None:
            await asyncio.sleep(3_600)

    class Breaks:
        async def close(self) -> None:
            raise OSError("gone")

    async def story() -> None:
        loop, opens = asyncio.get_running_loop(), opener()
        opens.close(Hangs())
        opens.close(Breaks())
        before = loop.time()
        await opens.finish()
        assert loop.time() - before < 10

    quickly(story())


def test_any_exception_has_a_fault() -> None:
    refused = Fault("terminal", "unauthorized")
    assert fault_of(EngineFailed(fault=refused)) == refused
    assert fault_of(KeyError("secret")) == Fault("transient", "engine_failed", "KeyError")
