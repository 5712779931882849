"""What the record has done by jobs."""

from datetime import datetime
from uuid import UUID

from sessions.bus import Bus, session_topic
from sessions.errors import SessionUnknown
from sessions.jobs import Handler, Job
from sessions.lessons import store
from sessions.lessons.brief import read_brief
from sessions.live.events import SummaryReady
from sessions.news import tell_summary
from sessions.record import sessions, summaries
from sessions.record.model import Summary
from sessions.record.summary import summarise
from tenancy.postgres import Database


def handlers(database: Database, bus: Bus) -> dict[str, Handler]:
    """The record's handlers by kind of job, for a `Worker`."""

    async def close_abandoned(job: Job, now: datetime) -> datetime | None:
        return await sessions.close_abandoned(database, bus, job, now)

    async def write_summary(job: Job, now: datetime) -> None:
        await _write_summary(database, bus, job)

    return {sessions.CLOSE_ABANDONED: close_abandoned, sessions.SUMMARISE: write_summary}


async def _write_summary(database: Database, bus: Bus, job: Job) -> None:
    """Sum up a session that is over, store it, and tell who listens."""
    tenant_id, session_id = job.tenant_id, UUID(job.payload["session_id"])
    try:
        row = await sessions.get(database, tenant_id, session_id)
    except SessionUnknown:
        return
    if row.status != "ended":
        return
    summary = await summaries.get(database, tenant_id, session_id)
    if summary is None:
        brief = read_brief(await sessions.brief_text(database, tenant_id, row.brief_hash))
        lesson = await store.version(database, tenant_id, row.lesson_version_id)
        items = await sessions.items(database, tenant_id, session_id)
        summary = summarise(brief, (lesson.subject,), items, row.progress)
        await summaries.keep(database, tenant_id, session_id, summary)
    bus.publish(session_topic(session_id), _ready(summary))
    tell_summary(bus, tenant_id, row)


def _ready(summary: Summary) -> SummaryReady:
    """The summary as live connections are told of it."""
    return SummaryReady(
        narrative=" ".join(sentence.text for sentence in summary.narrative),
        next_steps=tuple(sentence.text for sentence in summary.next_steps),
    )
