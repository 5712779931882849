"""Summaries in the database, and the job that makes them."""

from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from sessions.bus import Bus, session_topic
from sessions.errors import SessionUnknown
from sessions.jobs import Job
from sessions.lessons import store
from sessions.lessons.brief import read_brief
from sessions.live.events import SummaryReady
from sessions.record import sessions
from sessions.record.summary import Sentence, Summary, summarise
from tenancy.postgres import Connection, Database
from tenancy.sql import load

_QUERIES = load(__package__, "summaries.sql")


async def get(database: Database, tenant_id: UUID, session_id: UUID) -> Summary | None:
    """A session's summary; None while there is none."""
    async with database.transaction(tenant_id) as connection:
        row = await connection.fetchrow(_QUERIES["summary"], tenant_id, session_id)
    if row is None:
        return None
    content = orjson.loads(database.unseal(tenant_id, "summaries", str(session_id), row["content"]))
    return Summary(
        kind=row["kind"],
        narrative=tuple(map(_sentence, content["narrative"])),
        next_steps=tuple(map(_sentence, content["next_steps"])),
        subjects=tuple(content["subjects"]),
        done_well=_sentence(content["done_well"]) if content["done_well"] else None,
        practice=tuple(content["practice"]),
        engine=row["engine"],
    )


async def keep(database: Database, tenant_id: UUID, session_id: UUID, summary: Summary) -> None:
    """Store a session's summary; the first one stays."""
    content = {
        name: getattr(summary, name)
        for name in ("narrative", "next_steps", "subjects", "done_well", "practice")
    }
    place = str(session_id)

    async def work(connection: Connection) -> None:
        text = orjson.dumps(content).decode()
        await connection.execute(
            _QUERIES["keep_summary"],
            tenant_id,
            session_id,
            summary.kind,
            summary.engine,
            database.seal(tenant_id, "summaries", place, text),
        )

    await database.run(tenant_id, work)


async def write(database: Database, bus: Bus, job: Job, now: datetime) -> None:
    """The job `summarise`: sum up a session that is over, store it, and tell who listens."""
    tenant_id, session_id = job.tenant_id, UUID(job.payload["session_id"])
    summary = await get(database, tenant_id, session_id)
    if summary is None:
        try:
            row = await sessions.get(database, tenant_id, session_id)
        except SessionUnknown:
            return
        if row.status != "ended":
            return
        brief = read_brief(await sessions.brief_text(database, tenant_id, row.brief_hash))
        lesson = await store.version(database, tenant_id, row.lesson_version_id)
        items = await sessions.items(database, tenant_id, session_id)
        summary = summarise(brief, (lesson.subject,), items, row.progress)
        await keep(database, tenant_id, session_id, summary)
    bus.publish(session_topic(session_id), summary_ready(summary))


def summary_ready(summary: Summary) -> SummaryReady:
    """The summary as live connections are told of it."""
    return SummaryReady(
        narrative=" ".join(sentence.text for sentence in summary.narrative),
        next_steps=tuple(sentence.text for sentence in summary.next_steps),
    )


def _sentence(value: dict[str, Any]) -> Sentence:
    return Sentence(value["text"], tuple(value["item_ids"]))
