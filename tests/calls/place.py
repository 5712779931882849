"""A real server that takes calls, and what can be asked of its process."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path

from bench import counted, crowd
from bench.counted import Counted
from bench.door import Door
from bench.house import Server
from tests.fakes.namespaces import Namespace
from tests.fakes.openai_manners import Manners
from tests.fakes.openai_server import OpenAISimulator, simulate_openai
from tests.journeys.spoken_lesson import LESSON, give_lesson


@dataclass(slots=True)
class Place:
    """A running server, with `spoken_lesson.LESSON` where a provider is simulated."""

    server: Server
    simulator: OpenAISimulator | None = None
    lesson: str = LESSON
    tokens: list[str] = field(default_factory=list)
    "A student's each. No test uses one that another test uses, since calls are limited by them."

    def door(self, student: int = 0) -> Door:
        return Door(self.server.address, self.tokens[student])

    @property
    def query(self) -> str:
        return f"model={self.lesson}"

    async def count(self) -> Counted:
        return await asyncio.to_thread(counted.count, self.server)


@asynccontextmanager
async def open_place(
    folder: Path,
    *,
    manners: Manners | None = None,
    students: int = 10,
    beforehand: str = "",
    where: Namespace | None = None,
    **environ: str,
) -> AsyncIterator[Place]:
    """A server on `folder`: with `manners` its tutors are a simulated OpenAI's, else the offline
    ones of the demo lessons. `beforehand` are lines of Python that its process begins with."""
    async with AsyncExitStack() as stack:
        simulator = None
        if manners is not None:
            simulator = await stack.enter_async_context(simulate_openai(manners))
            environ = {
                "ENGINE": "openai-realtime,offline",
                "OPENAI_API_KEY": simulator.key,
                "OPENAI_BASE_URL": simulator.base_url,
                **environ,
            }
        server = Server(
            folder / "data",
            command=counted.command(beforehand),
            **counted.settings(folder),
            **environ,
        )
        try:
            with where.inside() if where else nullcontext():
                server.start()
            tokens = await crowd.tokens(server.data_dir, students)
            place = Place(server, simulator, tokens=tokens)
            if simulator is not None:
                await give_lesson(server)
            else:
                place.lesson = "fractions-as-parts"
            yield place
            assert "[error" not in server.log, server.log
        finally:
            await asyncio.to_thread(server.end)
