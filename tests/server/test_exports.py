"""Exports take turns, so that lessons are not slowed down."""

import asyncio

import pytest

from server.errors import Refused
from server.exports import AT_ONCE, Exports


async def test_who_is_one_too_many_waits_for_a_turn():
    exports, order = Exports(), []
    go = asyncio.Event()

    async def take(number):
        async with exports.turn():
            order.append(number)
            await go.wait()

    running = [asyncio.create_task(take(number)) for number in range(AT_ONCE + 1)]
    await asyncio.sleep(0)
    assert order == list(range(AT_ONCE))
    go.set()
    await asyncio.gather(*running)
    assert order == list(range(AT_ONCE + 1))


async def test_who_waits_too_long_is_told_so_and_a_broken_one_gives_its_turn_back():
    exports = Exports(patience_s=0.0)
    async with exports.turn(), exports.turn():
        with pytest.raises(Refused, match="try again in a minute") as refused:
            async with exports.turn():
                raise AssertionError("it had no turn")
        assert refused.value.status == 429
    for _ in range(AT_ONCE + 1):
        with pytest.raises(ZeroDivisionError):
            async with exports.turn():
                raise ZeroDivisionError
