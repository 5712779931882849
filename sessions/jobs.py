"""Work that must happen after a commit: written in it, claimed with a lease, run at least once.

A handler may run twice (a process died, a lease ran out), so doing its work twice must be the same
as doing it once. A job that succeeded leaves no row. One that failed `ATTEMPTS` times is given up
and stays, with `done_at` and `last_error` set, for people to see.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import structlog

from tenancy.ids import new_id
from tenancy.postgres import Connection, Database
from tenancy.sql import load

LEASE_S = 60.0
HEARTBEATS = 3  # a lease: two may be lost
POLL_S = 1.0
AT_ONCE = 2
ATTEMPTS = 8
LONGEST_PAUSE_S = 300
STOP_PATIENCE_S = 5.0
_LOST_AGAINST_ANOTHER = ("40001", "40P01")  # serialization_failure, deadlock_detected

log = structlog.get_logger()
_QUERIES = load(__package__, "jobs.sql")


@dataclass(frozen=True, slots=True)
class Job:
    """A job as its handler gets it."""

    tenant_id: UUID
    id: UUID
    kind: str
    key: str
    payload: Mapping[str, Any]
    "Ids, never words."
    attempts: int
    "This one counted."
    due_at: datetime
    lease: str


@dataclass(frozen=True, slots=True)
class FailedJob:
    """A job that was given up."""

    tenant_id: UUID
    kind: str
    key: str
    attempts: int
    last_error: str
    "The name of the exception; its text may hold words."
    failed_at: datetime


Handler = Callable[[Job, datetime], Awaitable[datetime | None]]
"Does a job at a time; returns when it wants to run again, or None: done."


def utc_now() -> datetime:
    return datetime.now(UTC)


def retry_pause_s(attempts: int) -> int:
    """How long a job that failed so often rests."""
    return min(LONGEST_PAUSE_S, int(2**attempts))


async def enqueue(
    connection: Connection,
    tenant_id: UUID,
    kind: str,
    key: str,
    payload: Mapping[str, Any],
    due_at: datetime,
) -> None:
    """Ask for work within the transaction that makes it necessary.

    `kind` and `key` name the job: asked for again while it waits, it is still one job.
    """
    await connection.execute(
        _QUERIES["enqueue"], tenant_id, new_id(), kind, key, dict(payload), due_at
    )


async def failed(database: Database) -> list[FailedJob]:
    """Jobs that were given up, newest first."""
    async with database.control() as connection:
        rows = await connection.fetch(_QUERIES["failed"])
    return [
        FailedJob(
            row["tenant_id"],
            row["kind"],
            row["key"],
            row["attempts"],
            row["last_error"],
            row["done_at"],
        )
        for row in rows
    ]


class Worker:
    """Runs due jobs, a few at once, from `start` to `stop`; any number of processes may do so."""

    def __init__(
        self,
        database: Database,
        handlers: Mapping[str, Handler],
        *,
        slow: Collection[str] = (),
        clock: Callable[[], datetime] = utc_now,
        lease_s: float = LEASE_S,
    ) -> None:
        """Jobs of kinds without a handler are left to other processes.

        Args:
            slow: Kinds that wait for somebody else. One at a time runs, so that the others go on.
        """
        self._database = database
        self._handlers = dict(handlers)
        self._quick = [kind for kind in self._handlers if kind not in slow]
        self._clock = clock
        self._lease_s = lease_s
        self._claiming = asyncio.Lock()
        self._wakes = [asyncio.Event() for _ in range(AT_ONCE)]
        self._runners: list[asyncio.Task[None]] = []
        self._stopping = False

    def start(self) -> None:
        self._runners = [
            asyncio.create_task(
                self._run(wake, self._quick if number else None),
                name=f"jobs {number}",
            )
            for number, wake in enumerate(self._wakes)
        ]

    def wake(self) -> None:
        """Something may be due: look now. Call it after a commit that enqueued."""
        for event in self._wakes:
            event.set()

    async def stop(self, patience_s: float = STOP_PATIENCE_S) -> None:
        """Claim nothing more, let what runs finish, and put back what takes longer."""
        self._stopping = True
        self.wake()
        if not self._runners:
            return
        _, late = await asyncio.wait(self._runners, timeout=patience_s)
        for runner in late:
            runner.cancel()
        await asyncio.gather(*self._runners, return_exceptions=True)
        self._runners = []

    async def run_due(self, kinds: Sequence[str] | None = None) -> int:
        """Run what is due, one after the other, until nothing is; returns how many ran."""
        count = 0
        while not self._stopping and (job := await self._claim(kinds)) is not None:
            await self._work(job)
            count += 1
        return count

    async def _run(self, wake: asyncio.Event, kinds: Sequence[str] | None) -> None:
        while not self._stopping:
            try:
                await self.run_due(kinds)
            except Exception as problem:
                log.warning("jobs.look_failed", problem=type(problem).__name__)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(POLL_S):
                    await wake.wait()
            wake.clear()

    async def _claim(self, kinds: Sequence[str] | None = None) -> Job | None:
        now, lease = self._clock(), new_id().hex
        try:
            async with self._claiming, self._database.control() as connection:
                row = await connection.fetchrow(
                    _QUERIES["claim"],
                    lease,
                    now,
                    now + timedelta(seconds=self._lease_s),
                    list(self._handlers if kinds is None else kinds),
                )
        except Exception as problem:
            if getattr(problem, "sqlstate", None) in _LOST_AGAINST_ANOTHER:
                return None
            raise
        return None if row is None else Job(**row, lease=lease)

    async def _work(self, job: Job) -> None:
        if job.attempts > ATTEMPTS:  # it took its process with it, every time
            await self._let_go(job, "give_up", self._clock(), "NeverFinished")
            return
        beat = asyncio.create_task(self._beat(job), name=f"heartbeat {job.kind}")
        try:
            again = await self._handlers[job.kind](job, self._clock())
        except asyncio.CancelledError:
            await asyncio.shield(self._let_go(job, "release"))
            raise
        except Exception as problem:
            await self._failed(job, problem)
        else:
            await self._let_go(job, *(("finish",) if again is None else ("postpone", again)))
        finally:
            beat.cancel()
            await asyncio.gather(beat, return_exceptions=True)

    async def _failed(self, job: Job, problem: Exception) -> None:
        now, name = self._clock(), type(problem).__name__
        over = job.attempts >= ATTEMPTS
        log.error(
            "job.failed",
            tenant_id=str(job.tenant_id),
            kind=job.kind,
            key=job.key,
            attempts=job.attempts,
            given_up=over,
            problem=name,
        )
        if over:
            await self._let_go(job, "give_up", now, name)
        else:
            pause = timedelta(seconds=retry_pause_s(job.attempts))
            await self._let_go(job, "retry", now + pause, name)

    async def _let_go(self, job: Job, query: str, *arguments: object) -> None:
        """End our lease; changes nothing where we no longer hold it."""
        async with self._database.control() as connection:
            await connection.execute(_QUERIES[query], job.tenant_id, job.id, job.lease, *arguments)

    async def _beat(self, job: Job) -> None:
        while True:
            await asyncio.sleep(self._lease_s / HEARTBEATS)
            try:
                if not await self._extend(job):
                    return
            except Exception as problem:
                log.warning("job.heartbeat_failed", kind=job.kind, problem=type(problem).__name__)

    async def _extend(self, job: Job) -> bool:
        """One heartbeat; false where the lease is not ours any more."""
        until = self._clock() + timedelta(seconds=self._lease_s)
        async with self._database.control() as connection:
            row = await connection.fetchrow(
                _QUERIES["extend"], job.tenant_id, job.id, job.lease, until
            )
        return row is not None
