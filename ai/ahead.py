"""Something that is made faster than it is used, or before anybody knows that it will be."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Generic, TypeVar

T = TypeVar("T")


class Ahead(Generic[T]):
    """Runs a generator in a task of its own, from its beginning to `stop`.

    At most `most` pieces wait; then the making waits. What the generator raises, `pieces` raises,
    after the pieces that came before. What was made and nobody took, `stop` gives.
    """

    def __init__(self, source: AsyncGenerator[T, None], most: int) -> None:
        self._waiting: asyncio.Queue[T | Exception | None] = asyncio.Queue(most)
        self._held: list[T] = []
        "Made, while no more could wait."
        self._task = asyncio.create_task(self._make(source))

    async def _make(self, source: AsyncGenerator[T, None]) -> None:
        end: Exception | None = None
        try:
            async with aclosing(source):
                async for piece in source:
                    self._held = [piece]
                    await self._waiting.put(piece)
                    self._held = []
        except Exception as problem:
            end = problem
        await self._waiting.put(end)

    async def pieces(self) -> AsyncGenerator[T, None]:
        """What was made, and then the rest as it comes; to be asked for once."""
        while True:
            match await self._waiting.get():
                case None:
                    return
                case Exception() as problem:
                    raise problem
                case piece:
                    yield piece

    async def stop(self) -> list[T]:
        """It is not wanted, or over. Returns what was made and nobody took, once."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        left: list[T] = []
        while not self._waiting.empty():
            piece = self._waiting.get_nowait()
            if piece is not None and not isinstance(piece, Exception):
                left.append(piece)
        left += self._held
        self._held = []
        return left
