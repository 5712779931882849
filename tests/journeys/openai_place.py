"""A real server whose tutors come from a simulated OpenAI."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from openai import AsyncOpenAI

from bench.house import Server
from tests.fakes.openai_manners import Manners
from tests.fakes.openai_server import OpenAISimulator, simulate_openai
from tests.journeys.spoken_lesson import give_lesson


@dataclass(frozen=True, slots=True)
class OpenAIPlace:
    """Both, running."""

    server: Server
    simulator: OpenAISimulator
    token: str

    def client(self) -> AsyncOpenAI:
        """The official client of our own gateway."""
        return AsyncOpenAI(
            base_url=f"http://{self.server.address}/v1", api_key=self.token, max_retries=0
        )


@asynccontextmanager
async def open_place(
    folder: Path, manners: Manners, engine: str = "openai-realtime", **environ: str
) -> AsyncIterator[OpenAIPlace]:
    """A server on `folder` with `spoken_lesson.LESSON`, which uses that engine only."""
    async with simulate_openai(manners) as simulator:
        server = Server(
            folder / "data",
            ENGINE=f"{engine},offline",
            OPENAI_API_KEY=simulator.key,
            OPENAI_BASE_URL=simulator.base_url,
            **environ,
        )
        try:
            await asyncio.to_thread(server.start)
            token, _ = await asyncio.gather(
                asyncio.to_thread(server.token, "student@demo.school"), give_lesson(server)
            )
            yield OpenAIPlace(server, simulator, token)
            assert "[error" not in server.log, server.log
        finally:
            await asyncio.to_thread(server.end)
