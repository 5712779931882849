"""What is made ahead comes in order, and of what nobody takes nothing is lost."""

import asyncio
from collections.abc import AsyncGenerator

import pytest

from ai.ahead import Ahead


async def count(most: int) -> AsyncGenerator[int, None]:
    for number in range(most):
        yield number


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


@pytest.mark.parametrize("room", [1, 2, 3, 10])
async def test_stopping_gives_what_was_made_and_not_taken(room: int) -> None:
    ahead = Ahead(count(5), room)
    pieces = ahead.pieces()
    taken = [await anext(pieces)]
    await settle()
    left = await ahead.stop()
    assert [*taken, *left] == list(range(min(5, room + 2))), "one is made while no more can wait"
    assert await ahead.stop() == []


async def test_what_broke_is_no_piece() -> None:
    async def broken() -> AsyncGenerator[int, None]:
        yield 1
        raise ValueError("broken")

    ahead = Ahead(broken(), 5)
    await settle()
    assert await ahead.stop() == [1]
