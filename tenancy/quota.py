"""How much of the tutors a school lets itself use: at once, in a day, in a month.

A limit keeps new sessions from beginning and touches none that runs. Once the month's money is used
up, no summary is written by a model and no engine is tried either. Days and months are UTC's, and
a session belongs to the one it began in. What a session costs that nobody knows the price of is not
counted; whoever shows these figures says so.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from tenancy import audit
from tenancy.audit import By
from tenancy.errors import LimitReached
from tenancy.postgres import Connection, Database
from tenancy.sql import load

LimitName = Literal["sessions", "minutes_day", "money_month"]
State = Literal["well", "near", "reached"]

RUNNING_S = 60.0  # a session whose student was seen within this time is running
SPENT_S = 5.0  # how old the figures of day and month may be when a session asks to begin
AGAIN_S = 30  # sessions end by and by
NEAR = 0.8
PERMILLE = 1_000
MOST: Mapping[str, int] = {
    "sessions": 100_000,
    "minutes_day": 10_000_000,
    "money_month_micros": 10**12,
    "price_factor_permille": 100_000,
}
_QUERIES = load(__package__, "quota.sql")


@dataclass(frozen=True, slots=True)
class Limits:
    """What a school has decided; None: no limit."""

    sessions: int | None = None
    "Running at once."
    minutes_day: int | None = None
    "Of all lessons together."
    money_month_micros: int | None = None
    "At the school's own prices."
    price_factor_permille: int = PERMILLE
    "The school's own price of what costs a provider's 1,000."


NAMES = tuple(one.name for one in fields(Limits))


@dataclass(frozen=True, slots=True)
class Standing:
    """How far a limit is used up."""

    name: LimitName
    limit: int
    used: int
    "In the limit's unit: sessions, whole minutes, millionths of a dollar."

    @property
    def state(self) -> State:
        if self.used >= self.limit:
            return "reached"
        return "near" if self.used >= NEAR * self.limit else "well"


def fit(name: str, value: Any) -> int:
    """A limit as it is kept. Raises ValueError."""
    if type(value) is not int or not 0 <= value <= MOST[name]:
        raise ValueError(f"it must be a whole number from 0 to {MOST[name]}")
    return value


async def limits(database: Database, tenant_id: UUID) -> Limits:
    """What the school has decided."""
    async with database.transaction(tenant_id) as connection:
        return await _limits(connection, tenant_id)


async def change(
    database: Database, tenant_id: UUID, changes: Mapping[str, int | None], *, by: By
) -> Limits:
    """Decide some; None: no limit. What is as it was before is not noted.

    Raises:
        ValueError: If a limit can't be so.
    """
    wanted = {name: None if value is None else fit(name, value) for name, value in changes.items()}

    async def work(connection: Connection) -> Limits:
        before = await _limits(connection, tenant_id)
        now = datetime.now(UTC)
        for name, value in wanted.items():
            if value is None:
                await connection.execute(_QUERIES["put_back"], tenant_id, _named(name))
            else:
                query = _QUERIES["put"]
                await connection.execute(query, tenant_id, _named(name), value, by.person_id, now)
        after = await _limits(connection, tenant_id)
        for name in NAMES:
            was, is_ = getattr(before, name), getattr(after, name)
            if was != is_:
                await audit.write(
                    connection,
                    tenant_id,
                    actor=by.person_id,
                    verb="change",
                    thing="setting",
                    thing_id=_named(name),
                    detail={"was": was, "now": is_},
                    address=by.address,
                )
        return after

    return await database.run(tenant_id, work)


async def standings(database: Database, tenant_id: UUID, now: datetime) -> list[Standing]:
    """How far each of a school's limits is used up."""
    async with database.transaction(tenant_id) as connection:
        return await _standings(connection, tenant_id, now)


async def is_money_used_up(database: Database, tenant_id: UUID, now: datetime) -> bool:
    """Whether a school has used up what it set aside for the month."""
    found = await standings(database, tenant_id, now)
    return any(one.name == "money_month" and one.state == "reached" for one in found)


async def server_money(database: Database, tenant_id: UUID, now: datetime) -> int:
    """What a school has used of the server's own keys this month, in millionths of a dollar."""
    async with database.transaction(tenant_id) as connection:
        query = _QUERIES["server_money"]
        return int(await connection.fetchval(query, tenant_id, _month(now)))


async def hold_place(connection: Connection, tenant_id: UUID, now: datetime) -> None:
    """Within the transaction that begins a session: that it is not one too many at once.

    Raises:
        LimitReached: If it is.
    """
    limit = await connection.fetchval(_QUERIES["hold"], tenant_id, _named("sessions"))
    if limit is None:
        return
    running = await _running(connection, tenant_id, now)
    if running >= limit:
        raise reached(Standing("sessions", limit, running), now)


class Quota:
    """Asked before each session; day and month are summed up every few seconds at most."""

    def __init__(self, database: Database, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._database = database
        self._clock = clock
        self._known: dict[UUID, tuple[float, list[Standing]]] = {}

    async def check(self, tenant_id: UUID) -> None:
        """Raise if a new session of the school would have to wait.

        Raises:
            LimitReached: If one of its limits is used up.
        """
        now = datetime.now(UTC)
        looked_at, found = self._known.get(tenant_id, (0.0, None))
        if found is None or self._clock() - looked_at >= SPENT_S:
            found = await standings(self._database, tenant_id, now)
            self._known[tenant_id] = self._clock(), found
        for standing in found:
            if standing.name == "sessions":
                async with self._database.transaction(tenant_id) as connection:
                    standing = replace(standing, used=await _running(connection, tenant_id, now))
            if standing.state == "reached":
                raise reached(standing, now)

    def forget(self, tenant_id: UUID) -> None:
        """Its limits were changed."""
        self._known.pop(tenant_id, None)


def reached(standing: Standing, now: datetime) -> LimitReached:
    """The refusal, in words for a student."""
    match standing.name:
        case "sessions":
            return LimitReached(
                f"All {standing.limit} places for lessons at your school are taken right now."
                " Please try again in a few minutes.",
                AGAIN_S,
            )
        case "minutes_day":
            left_s = (_day(now) + timedelta(days=1) - now).total_seconds()
            return LimitReached(
                "Your school has used up its lesson time for today. New lessons can start"
                " tomorrow; lessons that are running go on.",
                round(left_s) + 1,
            )
        case "money_month":
            left_s = (_month(_month(now) + timedelta(days=31)) - now).total_seconds()
            return LimitReached(
                "Your school has used up what it set aside for lessons this month. Please tell"
                " your teacher; lessons that are running go on.",
                round(left_s) + 1,
            )


def month_of(now: datetime) -> datetime:
    """When the month of a time began."""
    return _month(now)


async def _limits(connection: Connection, tenant_id: UUID) -> Limits:
    names = [_named(name) for name in NAMES]
    rows = await connection.fetch(_QUERIES["limits"], tenant_id, datetime.now(UTC), names)
    return Limits(**{row["name"].removeprefix("limit_"): row["value"] for row in rows})


async def _standings(connection: Connection, tenant_id: UUID, now: datetime) -> list[Standing]:
    decided = await _limits(connection, tenant_id)
    found = []
    if decided.sessions is not None:
        running = await _running(connection, tenant_id, now)
        found.append(Standing("sessions", decided.sessions, running))
    if decided.minutes_day is not None:
        spent_ms = await connection.fetchval(_QUERIES["lesson_ms"], tenant_id, _day(now))
        found.append(Standing("minutes_day", decided.minutes_day, spent_ms // 60_000))
    if decided.money_month_micros is not None:
        row = await connection.fetchrow(_QUERIES["money"], tenant_id, _month(now))
        found.append(Standing("money_month", decided.money_month_micros, row["price_micros"]))
    return found


async def _running(connection: Connection, tenant_id: UUID, now: datetime) -> int:
    seen_since = now - timedelta(seconds=RUNNING_S)
    return int(await connection.fetchval(_QUERIES["sessions"], tenant_id, seen_since))


def _day(now: datetime) -> datetime:
    return now.replace(hour=0, minute=0, second=0, microsecond=0)


def _month(now: datetime) -> datetime:
    return _day(now).replace(day=1)


def _named(name: str) -> str:
    return f"limit_{name}"
