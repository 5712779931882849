"""Items in the database: sealed on their way in, opened on their way out.

Each text is sealed for its school, session, item and column: moved anywhere else it does not open.
"""

import asyncio
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from typing import Any
from uuid import UUID

import orjson

from ai.events import Word
from sessions.record.model import Heard, Item
from tenancy.postgres import Connection, Database
from tenancy.sql import load

AT_ONCE = 50  # items, opened without giving way: about a millisecond

_QUERIES = load(__package__, "items.sql")


async def insert(
    database: Database,
    connection: Connection,
    tenant_id: UUID,
    session_id: UUID,
    first_seq: int,
    items: Sequence[Item],
) -> None:
    """Append items to the log with consecutive numbers, by one statement."""
    rows = [_row(database, tenant_id, session_id, item) for item in items]
    await connection.execute(
        _QUERIES["insert_items"], tenant_id, session_id, first_seq, *zip(*rows, strict=True)
    )


async def saved_ids(
    connection: Connection, tenant_id: UUID, session_id: UUID, item_ids: Collection[str]
) -> frozenset[str]:
    """Which of these items are in the log."""
    rows = await connection.fetch(_QUERIES["saved_ids"], tenant_id, session_id, list(item_ids))
    return frozenset(row["item_id"] for row in rows)


async def hear(
    database: Database,
    connection: Connection,
    tenant_id: UUID,
    session_id: UUID,
    heard: Sequence[Heard],
) -> None:
    """Note what reached the student of items that are in the log; of several the last counts."""
    newest = {entry.item_id: entry for entry in heard}.values()
    await connection.execute(
        _QUERIES["update_heard"],
        tenant_id,
        session_id,
        [entry.item_id for entry in newest],
        [
            _sealed(database, tenant_id, session_id, entry.item_id, "heard", entry.heard)
            for entry in newest
        ],
        [entry.heard_ms for entry in newest],
        [entry.interrupted for entry in newest],
    )


async def all_of(
    database: Database, connection: Connection, tenant_id: UUID, session_id: UUID
) -> tuple[Item, ...]:
    """A session's items by position."""
    rows = await connection.fetch(_QUERIES["items_of"], tenant_id, session_id)
    return tuple(_item(database, tenant_id, session_id, row) for row in rows)


async def of_sessions(
    database: Database, tenant_id: UUID, session_ids: Iterable[UUID]
) -> dict[UUID, list[Item]]:
    """The items of several sessions by position, without the times of their words.

    They are opened a few at a time, so that lessons that run meanwhile are not kept waiting.
    """
    async with database.transaction(tenant_id) as connection:
        rows = await connection.fetch(_QUERIES["items_of_sessions"], tenant_id, list(session_ids))
    found: dict[UUID, list[Item]] = defaultdict(list)
    for number, row in enumerate(rows, start=1):
        found[row["session_id"]].append(_item(database, tenant_id, row["session_id"], row))
        if number % AT_ONCE == 0:
            await asyncio.sleep(0)
    return found


async def one(
    database: Database, connection: Connection, tenant_id: UUID, session_id: UUID, item_id: str
) -> Item | None:
    """One item of a session; None where it has none of this id."""
    row = await connection.fetchrow(_QUERIES["item"], tenant_id, session_id, item_id)
    return None if row is None else _item(database, tenant_id, session_id, row)


def _row(database: Database, tenant_id: UUID, session_id: UUID, item: Item) -> tuple[Any, ...]:
    def seal(column: str, text: str | None) -> bytes | None:
        return _sealed(database, tenant_id, session_id, item.id, column, text)

    words = [(word.text, word.start_ms, word.end_ms, word.confidence) for word in item.words]
    return (
        item.id,
        item.position,
        item.role,
        item.speaker,
        item.kind,
        item.status,
        seal("said", item.said),
        seal("heard", item.heard),
        item.heard_ms,
        item.interrupted,
        item.started_ms,
        item.ended_ms,
        seal("words", orjson.dumps(words).decode() if words else None),
        item.engine,
        seal("data", orjson.dumps(dict(item.data)).decode() if item.data else None),
    )


def _item(database: Database, tenant_id: UUID, session_id: UUID, row: Any) -> Item:
    def unseal(column: str) -> str | None:
        sealed = row[column]
        if sealed is None:
            return None
        place = _place(session_id, row["item_id"], column)
        return database.unseal(tenant_id, "items", place, sealed)

    return Item(
        id=row["item_id"],
        role=row["role"],
        speaker=row["speaker"],
        kind=row["kind"],
        position=row["position"],
        status=row["status"],
        said=unseal("said"),
        started_ms=row["started_ms"],
        ended_ms=row["ended_ms"],
        heard=unseal("heard"),
        heard_ms=row["heard_ms"],
        interrupted=row["interrupted"],
        words=tuple(Word(*word) for word in orjson.loads(unseal("words") or "[]")),
        engine=row["engine"],
        data=orjson.loads(unseal("data") or "{}"),
    )


def _sealed(
    database: Database,
    tenant_id: UUID,
    session_id: UUID,
    item_id: str,
    column: str,
    text: str | None,
) -> bytes | None:
    if text is None:
        return None
    return database.seal(tenant_id, "items", _place(session_id, item_id, column), text)


def _place(session_id: UUID, item_id: str, column: str) -> str:
    return f"{session_id}/{item_id}/{column}"
