"""What the record has done by jobs."""

from datetime import datetime

from sessions.bus import Bus
from sessions.jobs import Handler, Job
from sessions.record import sessions, summaries
from tenancy.postgres import Database


def handlers(database: Database, bus: Bus) -> dict[str, Handler]:
    """The record's handlers by kind of job, for a `Worker`."""

    async def close_abandoned(job: Job, now: datetime) -> datetime | None:
        return await sessions.close_abandoned(database, job, now)

    async def summarise(job: Job, now: datetime) -> None:
        await summaries.write(database, bus, job, now)

    return {sessions.CLOSE_ABANDONED: close_abandoned, sessions.SUMMARISE: summarise}
