"""Carries out the tools that have to be waited for: in tasks, each with a deadline."""

import asyncio
from collections.abc import Callable

import structlog

from ai.tools import Judge
from sessions.live import passages
from sessions.live.actions import Check, Job
from sessions.live.tools import Outcome

WITHIN_S = 4.0  # a student waits in silence; a little longer than the workers' own bound

log = structlog.get_logger()


class ToolRunner:
    """The tools of one session that are under way. `done(number, outcome)` is told of each."""

    def __init__(
        self, judge: Judge | None, done: Callable[[int, Outcome], None], within_s: float = WITHIN_S
    ) -> None:
        """`judge`: None, where nothing can judge answers; then none is understood."""
        self._judge = judge
        self._done = done
        self._within_s = within_s
        self._tasks: dict[int, asyncio.Task[None]] = {}

    def run(self, number: int, job: Job) -> None:
        """Begin a job."""
        task = asyncio.create_task(self._run(number, job), name=f"tool {number}")
        self._tasks[number] = task
        task.add_done_callback(lambda _: self._tasks.pop(number, None))

    def drop(self, number: int) -> None:
        """Nobody wants to know any more."""
        task = self._tasks.pop(number, None)
        if task is not None:
            task.cancel()

    async def close(self) -> None:
        """End all of them."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _run(self, number: int, job: Job) -> None:
        outcome: Outcome = None
        try:
            async with asyncio.timeout(self._within_s):
                outcome = await self._outcome(job)
        except Exception as problem:  # whatever it was: the answer goes on without it
            log.warning("tool.failed", job=type(job).__name__, problem=type(problem).__name__)
        self._done(number, outcome)

    async def _outcome(self, job: Job) -> Outcome:
        if isinstance(job, Check):
            if self._judge is None:
                return None
            return await self._judge(job.step, job.said, job.language)
        return await asyncio.to_thread(passages.find, job.material, job.about)
