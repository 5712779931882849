"""A microphone that is always on: sound in real time, and the room's faint noise between words."""

import asyncio
import random
from array import array
from collections.abc import Awaitable, Callable
from types import TracebackType

from ai.audio import FRAME_BYTES, FRAME_MS, RATE_HZ

NOISE_LEVEL = 6  # of 32,767: a quiet room; real microphones never give zeros


class Microphone:
    """Sends a frame each 20 ms from `async with` to its end."""

    def __init__(self, send: Callable[[bytes], Awaitable[None]]) -> None:
        self._send = send
        self._noise = _noise(random.Random(7))
        self._waiting = bytearray()
        self._quiet = asyncio.Event()
        self._quiet.set()
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> "Microphone":
        self._task = asyncio.create_task(self._speak())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        assert self._task is not None
        self._task.cancel()
        (ended,) = await asyncio.gather(self._task, return_exceptions=True)
        if error is None and isinstance(ended, Exception):
            raise ended

    async def say(self, pcm: bytes) -> None:
        """Speak; returns when the last of it was sent."""
        self._waiting += pcm
        self._quiet.clear()
        await self._quiet.wait()

    async def _speak(self) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time()
        frames = 0
        while True:
            await self._send(self._frame(frames))
            frames += 1
            due += FRAME_MS / 1000
            await asyncio.sleep(max(0.0, due - loop.time()))

    def _frame(self, number: int) -> bytes:
        start = number * FRAME_BYTES % len(self._noise)
        noise = self._noise[start : start + FRAME_BYTES]
        if not self._waiting:
            self._quiet.set()
            return noise
        frame = bytes(self._waiting[:FRAME_BYTES])
        del self._waiting[:FRAME_BYTES]
        return frame + noise[len(frame) :]


def _noise(chance: random.Random) -> bytes:
    """A second of it."""
    levels = (chance.randint(-NOISE_LEVEL, NOISE_LEVEL) for _ in range(RATE_HZ))
    return array("h", levels).tobytes()
