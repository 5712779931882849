"""When a provider is asked again."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest

from ai.engine import EngineFailed
from ai.events import Fault
from ai.retrying import patiently, pause_s


class Provider:
    """Brings what is left of `answers`: things, and faults to fail with."""

    def __init__(self, *answers: list[object]) -> None:
        self.answers = list(answers)
        self.slept: list[float] = []
        self.open = 0

    async def ask(self) -> AsyncGenerator[object, None]:
        self.open += 1
        try:
            for one in self.answers.pop(0):
                if isinstance(one, Fault):
                    raise EngineFailed(fault=one)
                yield one
        finally:
            self.open -= 1

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)

    async def brought(self) -> list[object]:
        return [one async for one in patiently(self.ask, sleep=self.sleep)]


PASSING = Fault("transient", "x")


async def test_while_nothing_came_it_is_asked_again() -> None:
    provider = Provider([PASSING], [Fault("throttled", "x", retry_after_s=1.5)], ["a", "b"])
    assert await provider.brought() == ["a", "b"]
    assert provider.slept == [0.1, 1.5]


async def test_three_times_in_all() -> None:
    provider = Provider([PASSING], [PASSING], [PASSING], ["never"])
    with pytest.raises(EngineFailed):
        await provider.brought()
    assert len(provider.slept) == 2


async def test_after_something_came_it_is_not_asked_again() -> None:
    provider = Provider(["a", PASSING], ["b"])
    with pytest.raises(EngineFailed):
        await provider.brought()
    assert not provider.slept


async def test_closing_it_closes_the_provider() -> None:
    provider = Provider(["a", "b"])
    async with aclosing(patiently(provider.ask)) as pieces:
        assert await anext(pieces) == "a"
        assert provider.open == 1
    assert provider.open == 0


@pytest.mark.parametrize(
    ("fault", "pause"),
    [
        (Fault("terminal", "x"), None),
        (Fault("limit", "x"), 0.0),
        (Fault("throttled", "x"), 0.5),
        (Fault("throttled", "x", retry_after_s=30), None),
        (PASSING, 0.1),
    ],
)
def test_what_helps(fault: Fault, pause: float | None) -> None:
    assert pause_s(fault, 1) == pause
