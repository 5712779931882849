"""Long work leaves the event loop to the voices."""

import asyncio
import threading

import pytest

from sessions.lessons.aside import aside


async def test_work_is_done_beside_the_loop_and_its_outcome_comes_back():
    assert await aside(lambda one, *, other: one + other, 1, other=2) == 3
    where = await aside(threading.current_thread)
    assert where is not threading.current_thread()
    with pytest.raises(ZeroDivisionError):
        await aside(lambda: 1 / 0)


async def test_one_after_the_other_while_the_loop_goes_on():
    begun, go = threading.Event(), threading.Event()
    order = []

    def first():
        begun.set()
        go.wait(10)
        order.append("first")

    works = [asyncio.create_task(aside(first)), asyncio.create_task(aside(order.append, "second"))]
    while not begun.is_set():
        await asyncio.sleep(0)
    assert order == []
    go.set()
    await asyncio.gather(*works)
    assert order == ["first", "second"]
