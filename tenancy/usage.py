"""What a school used in a month, and what it cost: by engine, by lesson, by student.

Months are UTC's, and a session belongs to the one it began in. Money is millionths of a dollar;
where nobody knows the price of something that was used, `in_part` or None says so.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from operator import attrgetter
from typing import Literal
from uuid import UUID

from tenancy.ids import new_id
from tenancy.postgres import Connection, Database
from tenancy.sql import load

PaidBy = Literal["school", "server", "both", "nobody"]
"nobody: it runs here, and costs nothing."

MOST = 1_000  # rows of lessons and of students; the dearest
_QUERIES = load(__package__, "usage.sql")


@dataclass(frozen=True, slots=True)
class OfEngine:
    """What one engine used of one thing, for lessons or for tests of the engine."""

    kind: Literal["lesson", "test"]
    engine: str
    model: str
    unit: str
    sessions: int
    quantity: int
    cost_micros: int | None
    price_micros: int | None
    server_quantity: int
    "So much of it was used with the server's own key."
    server_cost_micros: int
    "What is known of the cost of that."

    @property
    def paid_by(self) -> PaidBy:
        """Whose key paid the provider."""
        if not self.model:
            return "nobody"
        if self.server_quantity == 0:
            return "school"
        return "server" if self.server_quantity >= self.quantity else "both"


@dataclass(frozen=True, slots=True)
class OfTest:
    """What a test of an engine used of one thing."""

    unit: str
    model: str
    quantity: int
    cost_micros: int | None
    price_micros: int | None
    server_quantity: int
    server_cost_micros: int


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
    def server_cost_micros(self) -> int:
        """What is known of the cost that the server's own keys paid."""
        return sum(one.server_cost_micros for one in self.engines)

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


async def add_test(
    database: Database, tenant_id: UUID, engine: str, since: datetime, used: Sequence[OfTest]
) -> None:
    """Count what a test of an engine cost, in the month that begins at `since`."""
    if not used:
        return
    columns = [attrgetter(one.name) for one in fields(OfTest)]
    test = tenant_id, new_id(), since, engine

    async def work(connection: Connection) -> None:
        values = ([column(one) for one in used] for column in columns)
        await connection.execute(_QUERIES["add_test"], *test, *values)

    await database.run(tenant_id, work)


async def by_lesson(database: Database, tenant_id: UUID, since: datetime) -> list[OfOne]:
    """A month's use by lesson, the dearest first."""
    return await _by(database, tenant_id, since, "lesson")


async def by_student(database: Database, tenant_id: UUID, since: datetime) -> list[OfOne]:
    """A month's use by who took the lessons, the dearest first."""
    return await _by(database, tenant_id, since, "student")


async def _by(database: Database, tenant_id: UUID, since: datetime, what: str) -> list[OfOne]:
    about = tenant_id, since, following(since), MOST, what
    async with database.transaction(tenant_id) as connection:
        rows = await connection.fetch(_QUERIES["by_one"], *about)
    return [OfOne(**row) for row in rows]
