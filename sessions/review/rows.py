"""Overrides as rows: their texts are sealed on the way in and opened on the way out.

Each text is sealed for its school, session, override and column: moved anywhere else it does not
open.
"""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any, Literal
from uuid import UUID

import orjson

from sessions.review.override import Author, Content, Override, Target
from tenancy.postgres import Connection, Database
from tenancy.sql import load

_QUERIES = load(__package__, "overrides.sql")


async def of(
    database: Database, tenant_id: UUID, session_id: UUID, author_id: UUID | None = None
) -> list[Override]:
    """A session's published overrides, and this author's drafts, in the order they were begun."""
    async with database.transaction(tenant_id) as connection:
        return await within(database, connection, tenant_id, session_id, author_id)


async def published_of(
    database: Database, tenant_id: UUID, session_ids: Iterable[UUID]
) -> dict[UUID, list[Override]]:
    """What is published in each of these sessions."""
    found: dict[UUID, list[Override]] = defaultdict(list)
    async with database.transaction(tenant_id) as connection:
        rows = await connection.fetch(_QUERIES["overrides_of"], tenant_id, list(session_ids), None)
    for row in rows:
        found[row["session_id"]].append(_override(database, tenant_id, row))
    return found


async def within(
    database: Database,
    connection: Connection,
    tenant_id: UUID,
    session_id: UUID,
    author_id: UUID | None = None,
) -> list[Override]:
    """The same as `of`, within a transaction."""
    rows = await connection.fetch(_QUERIES["overrides_of"], tenant_id, [session_id], author_id)
    return [_override(database, tenant_id, row) for row in rows]


def seal(
    database: Database,
    tenant_id: UUID,
    override: Override,
    column: Literal["original", "content", "note"],
) -> bytes:
    """One of an override's texts as its row keeps it."""
    text = {
        "original": _text(override.original),
        "content": _text(override.new),
        "note": override.note,
    }[column]
    place = _place(override.session_id, override.id, column)
    return database.seal(tenant_id, "overrides", place, text)


def _override(database: Database, tenant_id: UUID, row: Any) -> Override:
    session_id, override_id = row["session_id"], row["id"]

    def unseal(column: str) -> str:
        place = _place(session_id, override_id, column)
        return database.unseal(tenant_id, "overrides", place, row[column])

    return Override(
        id=override_id,
        session_id=session_id,
        target=Target(row["target_kind"], row["target_id"]),
        original=_content(unseal("original")),
        new=_content(unseal("content")),
        reasons=tuple(row["reasons"]),
        note=unseal("note"),
        author=Author(row["author_id"], row["author"]),
        created_at=row["created_at"],
        changed_at=row["changed_at"],
        published_at=row["published_at"],
        replaces=row["replaces"],
        succeeds=row["succeeds"],
    )


def _place(session_id: UUID, override_id: UUID, column: str) -> str:
    return f"{session_id}/{override_id}/{column}"


def _text(content: Content) -> str:
    if content.speaker is not None:
        return orjson.dumps({"speaker": content.speaker}).decode()
    return orjson.dumps({"text": content.text}).decode()


def _content(text: str) -> Content:
    return Content(**orjson.loads(text))
