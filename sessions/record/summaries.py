"""Summaries in the database: numbered from 1, each as it was made; readers get the newest."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from sessions.record.model import Sentence, Summary
from tenancy.postgres import Connection, Database
from tenancy.sql import load

_QUERIES = load(__package__, "summaries.sql")


@dataclass(frozen=True, slots=True)
class Kept:
    """A summary, which of its session's it is, and when it was made."""

    summary: Summary
    number: int
    made_at: datetime


async def get(database: Database, tenant_id: UUID, session_id: UUID) -> Kept | None:
    """A session's newest summary; None while there is none."""
    async with database.transaction(tenant_id) as connection:
        return await newest(database, connection, tenant_id, session_id)


async def newest(
    database: Database, connection: Connection, tenant_id: UUID, session_id: UUID
) -> Kept | None:
    """The same within a transaction."""
    found = await _newest(database, connection, tenant_id, [session_id])
    return found.get(session_id)


async def newest_of(
    database: Database, tenant_id: UUID, session_ids: Iterable[UUID]
) -> dict[UUID, Kept]:
    """The newest summary of each of these sessions that has one."""
    async with database.transaction(tenant_id) as connection:
        return await _newest(database, connection, tenant_id, list(session_ids))


async def keep(
    database: Database, tenant_id: UUID, session_id: UUID, summary: Summary, number: int = 1
) -> None:
    """Store a session's summary; of two with one number the first stays."""
    content = {
        name: getattr(summary, name)
        for name in ("narrative", "next_steps", "subjects", "done_well", "practice", "overrides")
    }

    async def work(connection: Connection) -> None:
        text = orjson.dumps(content).decode()
        await connection.execute(
            _QUERIES["keep_summary"],
            tenant_id,
            session_id,
            number,
            summary.kind,
            summary.engine,
            database.seal(tenant_id, "summaries", _place(session_id, number), text),
        )

    await database.run(tenant_id, work)


async def _newest(
    database: Database, connection: Connection, tenant_id: UUID, session_ids: list[UUID]
) -> dict[UUID, Kept]:
    rows = await connection.fetch(_QUERIES["newest_summaries"], tenant_id, session_ids)
    return {row["session_id"]: _kept(database, tenant_id, row) for row in rows}


def _kept(database: Database, tenant_id: UUID, row: Any) -> Kept:
    place = _place(row["session_id"], row["number"])
    content = orjson.loads(database.unseal(tenant_id, "summaries", place, row["content"]))
    summary = Summary(
        kind=row["kind"],
        narrative=tuple(map(_sentence, content["narrative"])),
        next_steps=tuple(map(_sentence, content["next_steps"])),
        subjects=tuple(content["subjects"]),
        done_well=_sentence(content["done_well"]) if content["done_well"] else None,
        practice=tuple(content["practice"]),
        engine=row["engine"],
        overrides=tuple(content["overrides"]),
    )
    return Kept(summary, row["number"], row["created_at"])


def _sentence(value: dict[str, Any]) -> Sentence:
    return Sentence(value["text"], tuple(value["item_ids"]))


def _place(session_id: UUID, number: int) -> str:
    return f"{session_id}/{number}"
