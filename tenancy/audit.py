"""Who did what to which, when and from where: append-only, one chain per school.

    mac(n)  = HMAC(key, head(n - 1) | entry n)
    head(n) = HMAC(key, "head" | mac(n)),  head(0) = 32 zero bytes

The key is derived from the school's data key and never in the database, so whoever can write the
tables but has no key can neither change, insert nor remove an entry unseen. Heads are not kept in
the rows: whoever cuts the end off cannot make the head that would fit. Putting rows and head back
as they were at an earlier time remains possible; note elsewhere what `end` gives to see that, too.

A school's first entry is its making, so a school without entries has lost them.
"""

import hmac
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson

from tenancy.postgres import Connection, Database
from tenancy.sql import load

START = bytes(32)
PAGE = 1_000
AT_ONCE = 200  # entries, ~2 ms of work
NOT_SHOWN_AFTER = 20  # twenty problems tell as much as a thousand

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_QUERIES = load(__package__, "audit.sql")


@dataclass(frozen=True, slots=True)
class By:
    """Whose doing a change is."""

    person_id: UUID | None = None
    "None: the server's or the operator's."
    address: str | None = None
    "Where they asked from."


@dataclass(frozen=True, slots=True)
class Note:
    """One of many things that a transaction does."""

    verb: str
    thing: str
    thing_id: str
    detail: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """Something that was done."""

    seq: int
    at: datetime
    actor_id: UUID | None
    actor: str | None
    "Their name."
    verb: str
    thing: str
    thing_id: str
    detail: Mapping[str, Any] | None
    address: str | None
    about: str | None
    "What the thing is called now, where it is a person or a class."


@dataclass(frozen=True, slots=True)
class Filters:
    """What None stands in does not filter; `to` itself is left out."""

    actor_id: UUID | None = None
    verb: str | None = None
    thing: str | None = None
    from_: datetime | None = None
    to: datetime | None = None


@dataclass(frozen=True, slots=True)
class End:
    """Where a school's chain ends."""

    seq: int
    mac: bytes


async def write(
    connection: Connection,
    tenant_id: UUID,
    *,
    actor: UUID | None,
    verb: str,
    thing: str,
    thing_id: str,
    detail: Mapping[str, Any] | None = None,
    address: str | None = None,
) -> None:
    """Note what this transaction does; its last statement, because it holds the school's chain.

    Args:
        actor: Whose doing it is; None: the server's or the operator's.
        detail: Ids and words of ours, never a student's. No fractions: they are not kept exactly.
        address: Where the request came from.
    """
    await append(
        connection,
        connection.keys.audit_key(tenant_id),
        tenant_id,
        actor=actor,
        verb=verb,
        thing=thing,
        thing_id=thing_id,
        detail=detail,
        address=address,
    )


async def note(
    connection: Connection,
    tenant_id: UUID,
    by: By,
    verb: str,
    thing: str,
    thing_id: UUID,
    detail: Mapping[str, Any] | None = None,
) -> None:
    """`write`, for a change that somebody asked for."""
    await write(
        connection,
        tenant_id,
        actor=by.person_id,
        verb=verb,
        thing=thing,
        thing_id=str(thing_id),
        detail=detail,
        address=by.address,
    )


async def write_all(connection: Connection, tenant_id: UUID, by: By, notes: Sequence[Note]) -> None:
    """`write` for many at once, some at a time, so that the loop is not held up."""
    key = connection.keys.audit_key(tenant_id)
    head = await _hold(connection, tenant_id)
    seq, mac, now = head["seq"], head["mac"], datetime.now(UTC)
    for at in range(0, len(notes), AT_ONCE):
        rows = []
        for note in notes[at : at + AT_ONCE]:
            detail = None if note.detail is None else _exact(dict(note.detail))
            seq += 1
            entry = (seq, now, by.person_id, note.verb, note.thing, note.thing_id, detail)
            made = _mac(key, mac, tenant_id, (*entry, by.address))
            rows.append((tenant_id, *entry, by.address, made))
            mac = _head(key, made)
        await connection.executemany(_QUERIES["entry"], rows)
    await connection.execute(_QUERIES["move"], tenant_id, seq, mac)


async def append(
    connection: Any,
    key: bytes,
    tenant_id: UUID,
    *,
    actor: UUID | None,
    verb: str,
    thing: str,
    thing_id: str,
    detail: Mapping[str, Any] | None = None,
    address: str | None = None,
) -> None:
    """`write` on any connection that is in the school's cell."""
    head = await _hold(connection, tenant_id)
    entry = (
        head["seq"] + 1,
        datetime.now(UTC),
        actor,
        verb,
        thing,
        thing_id,
        None if detail is None else _exact(dict(detail)),
        address,
    )
    mac = _mac(key, head["mac"], tenant_id, entry)
    await connection.execute(_QUERIES["append"], tenant_id, *entry, mac, _head(key, mac))


async def list_(
    database: Database, tenant_id: UUID, filters: Filters, *, before: int | None = None, limit: int
) -> tuple[list[Entry], int | None]:
    """A page of the log, newest first, and before which entry the next one begins."""
    async with database.transaction(tenant_id) as connection:
        rows = await connection.fetch(
            _QUERIES["list"],
            tenant_id,
            filters.actor_id,
            filters.verb,
            filters.thing,
            filters.from_,
            filters.to,
            before,
            limit + 1,
        )
        ids = sorted({UUID(row["thing_id"]) for row in rows if _UUID.fullmatch(row["thing_id"])})
        named = await connection.fetch(_QUERIES["names"], tenant_id, ids)
    names = {str(row["id"]): row["name"] for row in named}
    found = [Entry(*(*row, names.get(row["thing_id"]))) for row in rows[:limit]]
    return found, found[-1].seq if len(rows) > limit else None


async def verify(database: Database, tenant_id: UUID) -> list[str]:
    """What is wrong with a school's chain, in sentences; empty where it is whole."""
    problems: list[str] = []
    seq, head = 0, START
    async with database.transaction(tenant_id) as connection:
        await connection.execute(_QUERIES["snapshot"])
        key = connection.keys.audit_key(tenant_id)
        end = await connection.fetchrow(_QUERIES["end"], tenant_id)
        while rows := await connection.fetch(_QUERIES["entries"], tenant_id, seq, PAGE):
            for *entry, mac in rows:
                if entry[0] != seq + 1:
                    problems.append(_missing(seq + 1, entry[0] - 1))
                elif not hmac.compare_digest(mac, _mac(key, head, tenant_id, tuple(entry))):
                    problems.append(f"Entry {entry[0]} was changed, or does not belong there.")
                seq, head = entry[0], _head(key, mac)
    if end is None:
        problems.append("The chain's head is missing.")
    elif end["seq"] > seq:
        problems.append(_missing(seq + 1, end["seq"]))
    elif not hmac.compare_digest(end["mac"], head):
        problems.append(f"The chain's head does not fit its last entry, {seq}.")
    if len(problems) > NOT_SHOWN_AFTER:
        problems[NOT_SHOWN_AFTER:] = [f"And {len(problems) - NOT_SHOWN_AFTER} more problems."]
    return problems


async def end(database: Database, tenant_id: UUID) -> End:
    """The number and the head of the last entry, to be kept outside the database."""
    async with database.transaction(tenant_id) as connection:
        row = await connection.fetchrow(_QUERIES["end"], tenant_id)
    return End(row["seq"], row["mac"]) if row else End(0, START)


async def _hold(connection: Any, tenant_id: UUID) -> Any:
    """The chain's end, held until the transaction's."""
    head = await connection.fetchrow(_QUERIES["head"], tenant_id)
    if head is None:
        await connection.execute(_QUERIES["start"], tenant_id, START)
        head = await connection.fetchrow(_QUERIES["head"], tenant_id)
    return head


def _mac(key: bytes, head: bytes, tenant_id: UUID, entry: tuple[Any, ...]) -> bytes:
    canonical = orjson.dumps([tenant_id, *entry], option=orjson.OPT_SORT_KEYS)
    return hmac.digest(key, head + canonical, "sha256")


def _head(key: bytes, mac: bytes) -> bytes:
    return hmac.digest(key, b"head" + mac, "sha256")


def _missing(first: int, last: int) -> str:
    if first == last:
        return f"Entry {first} is missing."
    return f"Entries {first} to {last} are missing."


def _exact(value: Any) -> Any:
    """`value`, if jsonb gives it back exactly as it was."""
    match value:
        case dict():
            return {str(name): _exact(inner) for name, inner in value.items()}
        case list() | tuple():
            return [_exact(inner) for inner in value]
        case None | bool() | str() | int():
            return value
        case UUID():
            return str(value)
        case _:
            raise TypeError(f"An audit entry cannot keep {value!r} exactly; give it as text.")
