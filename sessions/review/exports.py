"""Sessions on their way out of the house: whole, as they are read now, a few at a time.

However many there are, no more than `PAGE` are in memory, no transaction stays open between them,
and what runs meanwhile is not kept waiting.
"""

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sessions.record import items, listing, reads, summaries
from sessions.record.listing import Card, Filters, Place
from sessions.review import rows
from sessions.review.override import Override
from sessions.review.readings import Reading, SummaryReading, of_items, of_summary
from tenancy import audit
from tenancy.model import Person
from tenancy.postgres import Connection, Database

PAGE = 25  # sessions
A_LIST = "list"
"What the audit calls an export of more than one session."


@dataclass(frozen=True, slots=True)
class Exported:
    """A session with all that is read of it."""

    card: Card
    readings: Sequence[Reading]
    summary: SummaryReading | None
    overrides: Sequence[Override]
    "All published ones."


async def begin(
    database: Database,
    person: Person,
    thing_id: UUID | None,
    how: Mapping[str, Any],
    *,
    address: str | None = None,
) -> None:
    """Note that somebody exports a session or, with None, a list of them: once an export."""

    async def work(connection: Connection) -> None:
        await audit.write(
            connection,
            person.tenant_id,
            actor=person.id,
            verb="export",
            thing="session",
            thing_id=str(thing_id) if thing_id else A_LIST,
            detail=how,
            address=address,
        )

    await database.run(person.tenant_id, work)


async def walk(
    database: Database, person: Person, filters: Filters, now: datetime
) -> AsyncGenerator[Exported, None]:
    """The sessions of a list, newest first; that they are read is noted before."""
    after: Place | None = None
    while True:
        cards, after = await listing.list_(
            database, person.tenant_id, filters, after=after, limit=PAGE
        )
        async for exported in load(database, person, cards, now):
            yield exported
            await asyncio.sleep(0)  # writing it took its time; others first
        if after is None:
            return


async def load(
    database: Database, person: Person, cards: Sequence[Card], now: datetime
) -> AsyncGenerator[Exported, None]:
    """These sessions; that somebody of the school reads a student's words is noted first."""
    tenant_id = person.tenant_id
    ids = [card.row.id for card in cards]
    others = [card.row.id for card in cards if card.row.student_id != person.id]
    if others and reads.is_staff(person):
        await reads.note_all(database, person, others, now)
    said = await items.of_sessions(database, tenant_id, ids)
    published = await rows.published_of(database, tenant_id, ids)
    kept = await summaries.newest_of(database, tenant_id, ids)
    for card in cards:
        overrides, made = published.get(card.row.id, []), kept.get(card.row.id)
        yield Exported(
            card=card,
            readings=of_items(said.pop(card.row.id, ()), overrides),
            summary=of_summary(made.summary, made.number, made.made_at, overrides, card.reviewed)
            if made
            else None,
            overrides=overrides,
        )
