"""What families see: what their children's lessons came to, as it is read now, and what of it was
corrected. No transcript, no notes, nothing that is still running, and no trials."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sessions.record import listing, summaries
from sessions.record.listing import Card, Filters, Place
from sessions.review import rows
from sessions.review.override import Override, resolve
from sessions.review.readings import SummaryReading, of_summary
from tenancy.postgres import Database
from tenancy.sql import load

PRIVACY = "privacy"

_QUERIES = load(__package__, "families.sql")


@dataclass(frozen=True, slots=True)
class Total:
    """What there is to see of a child."""

    sessions: int = 0
    wall_ms: int = 0
    last_at: datetime | None = None
    "When the newest of them began."


@dataclass(frozen=True, slots=True)
class Shown:
    """A session as families see it."""

    card: Card
    summary: SummaryReading | None
    "None while there is none."
    corrections: Sequence[Override]
    "Those that count, as they were published."


async def totals(
    database: Database, tenant_id: UUID, student_ids: Iterable[UUID], *, everything: bool
) -> dict[UUID, Total]:
    """By child, what there is to see.

    Args:
        everything: Whether what nobody has reviewed yet is shown too.
    """
    async with database.transaction(tenant_id) as connection:
        found = await connection.fetch(
            _QUERIES["totals"], tenant_id, sorted(student_ids), everything
        )
    return {
        row["student_id"]: Total(row["sessions"], row["wall_ms"], row["last_at"]) for row in found
    }


async def shown(
    database: Database,
    tenant_id: UUID,
    student_id: UUID,
    *,
    everything: bool,
    after: Place | None = None,
    limit: int,
) -> tuple[list[Shown], Place | None]:
    """A page of a child's sessions, newest first, and where the next one goes on."""
    filters = Filters(
        student_ids=frozenset({student_id}), status="ended", reviewed=None if everything else True
    )
    cards, following = await listing.list_(database, tenant_id, filters, after=after, limit=limit)
    ids = [card.row.id for card in cards]
    kept = await summaries.newest_of(database, tenant_id, ids)
    published = await rows.published_of(database, tenant_id, ids)
    page = []
    for card in cards:
        overrides, made = published.get(card.row.id, []), kept.get(card.row.id)
        reading = (
            of_summary(made.summary, made.number, made.made_at, overrides, card.reviewed)
            if made
            else None
        )
        page.append(Shown(card, reading, in_force(overrides)))
    return page, following


def in_force(overrides: Iterable[Override]) -> list[Override]:
    """The corrections that count, as they were published."""
    known = list(overrides)
    replaced = {one.replaces for one in known if one.published_at is not None}
    ends = [one for one in resolve(known).values() if one.id not in replaced]
    return sorted(ends, key=lambda one: (one.published_at or one.created_at, one.id))


def is_private(override: Override) -> bool:
    """Whether something was taken out because others should not read it: families neither."""
    return PRIVACY in override.reasons
