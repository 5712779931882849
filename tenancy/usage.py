"""What a school used in a month, and what it cost: by engine, by lesson, by student.

Months are UTC's, and a session belongs to the one it began in. Money is millionths of a dollar;
where nobody knows the price of something that was used, `in_part` or None says so.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from tenancy.postgres import Database
from tenancy.sql import load

MOST = 1_000  # rows of lessons and of students; the dearest
_QUERIES = load(__package__, "usage.sql")


@dataclass(frozen=True, slots=True)
class OfEngine:
    """What one engine used of one thing."""

    engine: str
    model: str
    unit: str
    sessions: int
    quantity: int
    cost_micros: int | None
    price_micros: int | None


@dataclass(frozen=True, slots=True)
class OfOne:
    """What the sessions of one lesson, or of one student, used."""

    id: UUID
    name: str
    sessions: int
    lesson_ms: int
    cost_micros: int
    price_micros: int
    in_part: bool
    "There is use besides whose price nobody knows."


@dataclass(frozen=True, slots=True)
class Month:
    """What all sessions of a month used."""

    since: datetime
    sessions: int
    lesson_ms: int
    engines: tuple[OfEngine, ...]

    @property
    def cost_micros(self) -> int:
        """What is known of the providers' cost."""
        return sum(one.cost_micros or 0 for one in self.engines)

    @property
    def price_micros(self) -> int:
        """What is known of the school's own price."""
        return sum(one.price_micros or 0 for one in self.engines)

    @property
    def in_part(self) -> bool:
        """Whether there is use whose price nobody knows."""
        return any(one.price_micros is None for one in self.engines)


def month(text: str) -> datetime:
    """When a month, as `2026-11`, begins. Raises ValueError."""
    return datetime.strptime(text, "%Y-%m").replace(tzinfo=UTC)


def following(since: datetime) -> datetime:
    """The month after one."""
    return since.replace(year=since.year + since.month // 12, month=since.month % 12 + 1)


async def of_month(database: Database, tenant_id: UUID, since: datetime) -> Month:
    """A month's use by engine, model and unit."""
    times = since, following(since)
    async with database.transaction(tenant_id) as connection:
        totals = await connection.fetchrow(_QUERIES["totals"], tenant_id, *times)
        rows = await connection.fetch(_QUERIES["by_engine"], tenant_id, *times)
    engines = tuple(OfEngine(**row) for row in rows)
    return Month(since, totals["sessions"], totals["lesson_ms"], engines)


async def by_lesson(database: Database, tenant_id: UUID, since: datetime) -> list[OfOne]:
    """A month's use by lesson, the dearest first."""
    return await _by(database, tenant_id, since, "by_lesson")


async def by_student(database: Database, tenant_id: UUID, since: datetime) -> list[OfOne]:
    """A month's use by who took the lessons, the dearest first."""
    return await _by(database, tenant_id, since, "by_student")


async def _by(database: Database, tenant_id: UUID, since: datetime, query: str) -> list[OfOne]:
    async with database.transaction(tenant_id) as connection:
        rows = await connection.fetch(_QUERIES[query], tenant_id, since, following(since), MOST)
    return [OfOne(**row) for row in rows]
