"""One server for the calls that leave it as it was."""

from collections.abc import AsyncIterator

import pytest

from tests.calls.place import Place, open_place
from tests.fakes.openai_manners import Manners


@pytest.fixture(scope="session")
async def offline(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Place]:
    """With the offline tutor and the demo lessons."""
    async with open_place(tmp_path_factory.mktemp("calls")) as opened:
        yield opened


@pytest.fixture(scope="session")
async def place(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Place]:
    """With a simulated OpenAI, whose ears are real."""
    manners = Manners(checks=False)
    async with open_place(tmp_path_factory.mktemp("calls"), manners=manners) as opened:
        yield opened
