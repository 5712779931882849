"""What the record has done by jobs."""

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from ai.prices import Prices
from sessions.bus import Bus, session_topic
from sessions.errors import SessionUnknown
from sessions.jobs import Handler, Job
from sessions.lessons import store, trials
from sessions.lessons.brief import read_brief
from sessions.live.events import SummaryReady
from sessions.news import tell_summary
from sessions.record import sandboxes, sessions, summaries
from sessions.record.model import SessionRow, Summary
from sessions.record.summary import summarise
from sessions.record.writing import (
    NO_PRICES,
    Author,
    LanguageModelOf,
    OnServer,
    no_model,
    none_on_server,
)
from sessions.review import rows
from sessions.review.override import resolve
from sessions.review.readings import SummaryReading, known_to, of_items, of_summary
from tenancy.postgres import Database

SLOW = (sessions.SUMMARISE,)
"Kinds of job that wait for a school's language model: as long as that lets them."


def handlers(
    database: Database,
    bus: Bus,
    language_model: LanguageModelOf = no_model,
    prices: Prices = NO_PRICES,
    on_server: OnServer = none_on_server,
) -> dict[str, Handler]:
    """The record's handlers by kind of job, for a `Worker`.

    `language_model` writes summaries, at these prices; where a school has none, or it fails, rules
    do.
    """
    author = Author(database, language_model, prices, on_server)

    async def close_abandoned(job: Job, now: datetime) -> datetime | None:
        return await sessions.close_abandoned(database, bus, job, now)

    async def write_summary(job: Job, now: datetime) -> None:
        await _write_summary(database, bus, author, job)

    async def delete_sandbox(job: Job, now: datetime) -> datetime | None:
        return await sandboxes.delete(database, job, now)

    async def delete_trial(job: Job, now: datetime) -> datetime | None:
        return await trials.delete(database, job)

    return {
        trials.DELETE_TRIAL: delete_trial,
        sessions.CLOSE_ABANDONED: close_abandoned,
        sessions.SUMMARISE: write_summary,
        sandboxes.DELETE_SANDBOX: delete_sandbox,
    }


async def _write_summary(database: Database, bus: Bus, author: Author, job: Job) -> None:
    """Sum up a session that is over, store it, and tell who listens.

    `after` in the job's payload is the number of the summary to follow, 0 for the first: a job that
    runs twice makes one summary. Made anew, it rests on the corrected transcript.
    """
    tenant_id, session_id = job.tenant_id, UUID(job.payload["session_id"])
    after = int(job.payload.get("after", 0))
    try:
        row = await sessions.get(database, tenant_id, session_id)
    except SessionUnknown:
        return
    if row.status != "ended":
        return
    kept = await summaries.get(database, tenant_id, session_id)
    if kept is None or kept.number == after:
        fresh = await _summarised(database, author, tenant_id, row)
        if kept is None or fresh != kept.summary:
            await summaries.keep(database, tenant_id, session_id, fresh, after + 1)
            kept = await summaries.get(database, tenant_id, session_id)
    assert kept is not None, "it was kept just now"
    overrides = await rows.of(database, tenant_id, session_id)
    reading = of_summary(kept.summary, kept.number, kept.made_at, overrides)
    bus.publish(session_topic(session_id), _ready(reading))
    tell_summary(bus, tenant_id, row)


async def _summarised(
    database: Database, author: Author, tenant_id: UUID, row: SessionRow
) -> Summary:
    brief = read_brief(await sessions.brief_text(database, tenant_id, row.brief_hash))
    lesson = await store.version(database, tenant_id, row.lesson_version_id)
    items = await sessions.items(database, tenant_id, row.id)
    overrides = await rows.of(database, tenant_id, row.id)
    read = [reading.item for reading in of_items(items, overrides)]
    summary = summarise(brief, (lesson.subject,), read, row.progress)
    if summary.kind == "normal":
        summary = await author.write(tenant_id, row, brief, read, summary)
    return replace(summary, overrides=tuple(sorted(known_to(resolve(overrides)))))


def _ready(reading: SummaryReading) -> SummaryReady:
    """The summary as live connections are told of it."""
    return SummaryReady(
        narrative=" ".join(sentence.text for sentence in reading.narrative),
        next_steps=tuple(sentence.text for sentence in reading.next_steps),
    )
