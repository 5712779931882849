import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sessions import jobs
from sessions.jobs import ATTEMPTS, LEASE_S, Job, Worker, retry_pause_s
from tenancy.postgres import Database

NOW = datetime(2026, 11, 2, 9, tzinfo=UTC)


class Clock:
    """Stands still until told to go on."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now

    def go(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


class Handler:
    """Notes what it was given; does what it was told to."""

    def __init__(self, *answers: datetime | Exception | None) -> None:
        self.jobs: list[Job] = []
        self._answers = list(answers)

    async def __call__(self, job: Job, now: datetime) -> datetime | None:
        self.jobs.append(job)
        answer = self._answers.pop(0) if self._answers else None
        if isinstance(answer, Exception):
            raise answer
        return answer


async def ask(
    database: Database, school: Any, key: str = "a", *, kind: str = "count", due_s: float = 0.0
) -> None:
    async with database.transaction(school.tenant.id) as connection:
        due_at = NOW + timedelta(seconds=due_s)
        await jobs.enqueue(connection, school.tenant.id, kind, key, {"session": key}, due_at)


async def rows(database: Database) -> list[Any]:
    async with database.control() as connection:
        return list(await connection.fetch("SELECT * FROM jobs ORDER BY due_at"))


async def test_a_job_runs_once_and_leaves_nothing(database: Database, school: Any) -> None:
    handler = Handler()
    await ask(database, school)
    worker = Worker(database, {"count": handler}, clock=Clock())
    assert await worker.run_due() == 1
    assert await worker.run_due() == 0
    (job,) = handler.jobs
    assert (job.tenant_id, job.kind, job.key) == (school.tenant.id, "count", "a")
    assert job.payload == {"session": "a"}
    assert job.attempts == 1
    assert await rows(database) == []


async def test_jobs_of_both_schools_run_and_know_their_school(
    database: Database, school: Any, other_school: Any
) -> None:
    handler = Handler()
    await ask(database, school)
    await ask(database, other_school)
    assert await Worker(database, {"count": handler}, clock=Clock()).run_due() == 2
    assert {job.tenant_id for job in handler.jobs} == {school.tenant.id, other_school.tenant.id}


async def test_what_was_rolled_back_was_never_asked_for(database: Database, school: Any) -> None:
    with pytest.raises(ZeroDivisionError):
        async with database.transaction(school.tenant.id) as connection:
            await jobs.enqueue(connection, school.tenant.id, "count", "a", {}, NOW)
            raise ZeroDivisionError
    assert await rows(database) == []


async def test_a_job_waits_until_it_is_due_and_the_longest_due_comes_first(
    database: Database, school: Any
) -> None:
    clock, handler = Clock(), Handler()
    worker = Worker(database, {"count": handler}, clock=clock)
    await ask(database, school, "late", due_s=600)
    await ask(database, school, "second", due_s=-1)
    await ask(database, school, "first", due_s=-2)
    assert await worker.run_due() == 2
    assert [job.key for job in handler.jobs] == ["first", "second"]
    clock.go(600)
    assert await worker.run_due() == 1


async def test_asked_for_twice_it_is_one_job_at_the_earlier_time(
    database: Database, school: Any
) -> None:
    await ask(database, school, due_s=600)
    await ask(database, school, due_s=60)
    await ask(database, school, due_s=900)
    (row,) = await rows(database)
    assert row["due_at"] == NOW + timedelta(seconds=60)


async def test_kinds_that_nobody_here_knows_are_left_alone(database: Database, school: Any) -> None:
    await ask(database, school, kind="newer")
    assert await Worker(database, {"count": Handler()}, clock=Clock()).run_due() == 0
    assert len(await rows(database)) == 1


async def test_a_handler_may_want_to_run_again(database: Database, school: Any) -> None:
    clock, later = Clock(), NOW + timedelta(minutes=10)
    handler = Handler(later)
    worker = Worker(database, {"count": handler}, clock=clock)
    await ask(database, school)
    assert await worker.run_due() == 1
    clock.go(599)
    assert await worker.run_due() == 0
    clock.go(1)
    assert await worker.run_due() == 1
    assert handler.jobs[1].attempts == 1
    assert await rows(database) == []


async def test_a_failed_job_rests_longer_each_time_and_then_succeeds(
    database: Database, school: Any
) -> None:
    clock = Clock()
    handler = Handler(ValueError("secret words"), KeyError("secret words"))
    worker = Worker(database, {"count": handler}, clock=clock)
    await ask(database, school)
    assert await worker.run_due() == 1
    (row,) = await rows(database)
    assert row["last_error"] == "ValueError"
    clock.go(retry_pause_s(1) - 0.1)
    assert await worker.run_due() == 0
    clock.go(0.1)
    assert await worker.run_due() == 1
    clock.go(retry_pause_s(2))
    assert await worker.run_due() == 1
    assert await rows(database) == []


async def test_a_job_that_always_fails_is_given_up_and_stays_to_be_seen(
    database: Database, school: Any
) -> None:
    clock = Clock()
    handler = Handler(*[ValueError("secret words")] * (ATTEMPTS + 1))
    worker = Worker(database, {"count": handler}, clock=clock)
    await ask(database, school)
    for _ in range(ATTEMPTS + 3):
        await worker.run_due()
        clock.go(3_600)
    assert len(handler.jobs) == ATTEMPTS
    (gone,) = await jobs.failed(database)
    assert (gone.tenant_id, gone.kind, gone.key) == (school.tenant.id, "count", "a")
    assert (gone.last_error, gone.attempts) == ("ValueError", ATTEMPTS)

    await ask(database, school)  # asked for anew, it starts afresh
    assert await jobs.failed(database) == []


def test_pauses_grow_up_to_a_limit() -> None:
    assert [retry_pause_s(n) for n in (1, 2, 3, 8, 20)] == [2, 4, 8, 256, 300]


async def test_a_claimed_job_is_nobody_elses_until_its_lease_runs_out(
    database: Database, school: Any
) -> None:
    clock, handler = Clock(), Handler()
    dead = Worker(database, {"count": Handler()}, clock=clock)
    other = Worker(database, {"count": handler}, clock=clock)
    await ask(database, school)
    assert await dead._claim() is not None
    clock.go(LEASE_S - 1)
    assert await other.run_due() == 0
    clock.go(1)
    assert await other.run_due() == 1
    assert handler.jobs[0].attempts == 2


async def test_a_heartbeat_keeps_the_lease(database: Database, school: Any) -> None:
    clock = Clock()
    slow = Worker(database, {"count": Handler()}, clock=clock)
    other = Worker(database, {"count": Handler()}, clock=clock)
    await ask(database, school)
    job = await slow._claim()
    assert job is not None
    clock.go(LEASE_S - 1)
    assert await slow._extend(job)
    clock.go(LEASE_S - 1)
    assert await other.run_due() == 0
    clock.go(1)
    taken = await other._claim()
    assert taken is not None
    assert not await slow._extend(job)


async def test_a_worker_beats_while_a_handler_takes_its_time(
    database: Database, school: Any
) -> None:
    beaten = asyncio.Event()

    class Beating(Worker):
        async def _extend(self, job: Job) -> bool:
            beaten.set()
            return await super()._extend(job)

    async def until_beaten(job: Job, now: datetime) -> None:
        await beaten.wait()

    await ask(database, school)
    worker = Beating(database, {"count": until_beaten}, clock=Clock(), lease_s=0.03)
    assert await worker.run_due() == 1


async def test_who_lost_the_lease_crosses_nothing_out(database: Database, school: Any) -> None:
    clock = Clock()

    async def too_slow(job: Job, now: datetime) -> None:
        clock.go(LEASE_S)
        assert await other._claim() is not None

    other = Worker(database, {"count": Handler()}, clock=clock)
    await ask(database, school)
    assert await Worker(database, {"count": too_slow}, clock=clock).run_due() == 1
    (row,) = await rows(database)
    assert row["leased_by"] is not None


async def test_asked_for_while_it_runs_it_runs_again(database: Database, school: Any) -> None:
    runs = 0

    async def handler(job: Job, now: datetime) -> None:
        nonlocal runs
        runs += 1
        if runs == 1:
            await ask(database, school)

    await ask(database, school)
    await Worker(database, {"count": handler}, clock=Clock()).run_due()
    assert runs == 2


async def test_a_job_that_kills_its_process_each_time_is_given_up(
    database: Database, school: Any
) -> None:
    clock, handler = Clock(), Handler()
    worker = Worker(database, {"count": handler}, clock=clock)
    await ask(database, school)
    for _ in range(ATTEMPTS):
        assert await worker._claim() is not None
        clock.go(LEASE_S)
    await worker.run_due()
    assert handler.jobs == []
    assert [job.last_error for job in await jobs.failed(database)] == ["NeverFinished"]


async def test_many_workers_run_each_job_once(database: Database, school: Any) -> None:
    clock, handler = Clock(), Handler()
    for number in range(30):
        await ask(database, school, f"job {number}")
    workers = [Worker(database, {"count": handler}, clock=clock) for _ in range(4)]
    while await rows(database):
        await asyncio.gather(*(worker.run_due() for worker in workers))
    assert sorted(job.key for job in handler.jobs) == sorted(f"job {n}" for n in range(30))


async def test_a_running_worker_is_woken_and_two_jobs_run_at_once(
    database: Database, school: Any
) -> None:
    met = asyncio.Barrier(jobs.AT_ONCE)

    async def meet(job: Job, now: datetime) -> None:
        await met.wait()

    worker = Worker(database, {"count": meet}, clock=Clock())
    worker.start()
    try:
        for number in range(jobs.AT_ONCE):
            await ask(database, school, f"job {number}")
        worker.wake()
        await _until(lambda: rows(database))
    finally:
        await worker.stop()


async def test_slow_jobs_leave_room_for_the_others(
    database: Database, school: Any, other_school: Any
) -> None:
    going, slow, quick = asyncio.Event(), [], Handler()

    async def wait(job: Job, now: datetime) -> None:
        slow.append(job)
        await going.wait()

    for key in ("a", "b", "c"):
        await ask(database, school, key, kind="slow", due_s=-5)
    worker = Worker(database, {"slow": wait, "quick": quick}, slow=("slow",), clock=Clock())
    worker.start()
    try:
        async with asyncio.timeout(5):
            while not slow:
                await asyncio.sleep(0.01)
            await ask(database, other_school, kind="quick")
            worker.wake()
            while not quick.jobs:
                await asyncio.sleep(0.01)
            assert len(slow) == 1
            going.set()
            await _until(lambda: rows(database))
    finally:
        going.set()
        await worker.stop()
    assert len(slow) == 3


async def test_stopping_lets_a_job_finish(database: Database, school: Any) -> None:
    begun, may_end = asyncio.Event(), asyncio.Event()

    async def handler(job: Job, now: datetime) -> None:
        begun.set()
        await may_end.wait()

    await ask(database, school)
    worker = Worker(database, {"count": handler}, clock=Clock())
    worker.start()
    await begun.wait()
    stopping = asyncio.create_task(worker.stop())
    await asyncio.sleep(0)
    may_end.set()
    await stopping
    assert await rows(database) == []


async def test_stopping_puts_back_a_job_that_takes_too_long(
    database: Database, school: Any
) -> None:
    begun = asyncio.Event()

    async def endless(job: Job, now: datetime) -> None:
        begun.set()
        await asyncio.Event().wait()

    await ask(database, school)
    clock, handler = Clock(), Handler()
    worker = Worker(database, {"count": endless}, clock=clock)
    worker.start()
    await begun.wait()
    await worker.stop(patience_s=0.01)
    assert await Worker(database, {"count": handler}, clock=clock).run_due() == 1
    assert handler.jobs[0].attempts == 1


async def test_a_worker_outlives_a_database_that_is_away(
    database: Database, school: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    handler, away = Handler(), asyncio.Event()
    worker = Worker(database, {"count": handler}, clock=Clock())
    claim = worker._claim

    async def away_once(kinds: Any) -> Job | None:
        if not away.is_set():
            away.set()
            raise ConnectionError
        return await claim()

    monkeypatch.setattr(worker, "_claim", away_once)
    await ask(database, school)
    worker.start()
    try:
        await away.wait()
        worker.wake()
        await _until(lambda: rows(database))
    finally:
        await worker.stop()
    assert len(handler.jobs) == 1


async def _until(left: Callable[[], Awaitable[list[Any]]]) -> None:
    """Wait until nothing is left."""
    async with asyncio.timeout(10):
        while await left():
            await asyncio.sleep(0.005)
