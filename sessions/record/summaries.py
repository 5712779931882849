"""Summaries in the database."""

from typing import Any
from uuid import UUID

import orjson

from sessions.record.model import Sentence, Summary
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


def _sentence(value: dict[str, Any]) -> Sentence:
    return Sentence(value["text"], tuple(value["item_ids"]))
