"""How long the first page of the list of sessions takes at a school that has 100,000 of them.

    python -m bench.sessions [--sessions 100000] [--rounds 40]

Fills an embedded database of its own within half a minute, asks for the list over HTTP (without a
network) as a teacher and as a tutor of thirty students, one filter after the other, and prints the
median, the 95th percentile and the worst. Some filters leave only few, or nothing.
"""

import argparse
import asyncio
import contextlib
import os
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
from starlette.applications import Starlette

from bench.percentile import percentile
from server.api import sessions as api
from server.api.table import starlette_routes
from server.identity import Door, Site
from tenancy import cells, migrate
from tenancy.crypto import Keyring
from tenancy.embedded import Embedded
from tenancy.identities import Identities, issue_token
from tenancy.ids import new_id
from tenancy.model import Tenant
from tenancy.postgres import Database
from tenancy.sql import load

STUDENTS = 1_000
PER_TUTOR = 30
LESSONS = 50
VERSIONS = 4
GOAL_MS = 50.0
WARM = 3

_QUERIES = load(__package__, "sessions.sql")


@dataclass(frozen=True)
class School:
    """A filled school, with what filters name."""

    tenant: Tenant
    rare_lesson: str
    common_lesson: str
    student: str


@dataclass(frozen=True)
class Timed:
    """How long one list took, in milliseconds, sorted; and how many were on its first page."""

    ms: list[float]
    found: int

    def at(self, share: float) -> float:
        return percentile(self.ms, share)


async def fill(
    postgres: Embedded, database: Database, count: int, *, sealed: bool = True
) -> School:
    """Make a school of `count` sessions.

    Args:
        sealed: With summaries and corrections that only count: nobody can open them.
    """
    async with migrate.admin(postgres.place.admin_url) as connection:
        tenant = await cells.create_tenant(
            connection, database.keys, slug="bench", name="Bench School"
        )
        await connection.execute(f"SET search_path = {tenant.cell}")

        for name, *values in (
            ("people", STUDENTS),
            ("roles", STUDENTS),
            ("students",),
            ("care", PER_TUTOR),
            ("lessons", LESSONS),
            ("versions", VERSIONS),
            ("brief",),
            ("sessions", count, LESSONS, VERSIONS),
            ("reviews",),
            *((("summaries",), ("overrides",)) if sealed else ()),
            ("settle",),
        ):
            ours = () if name in ("students", "settle") else (tenant.id,)
            await connection.execute(_QUERIES[name], *ours, *values)
        named = {
            row["slug"]: str(row["id"])
            for row in await connection.fetch("SELECT slug, id FROM lessons")
        }
        student = await connection.fetchval("SELECT id FROM students WHERE number = 17")
    return School(tenant, named["lesson-1"], named["lesson-9"], str(student))


def lists(school: School) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """What is asked for: by whom, what it is called, its filters."""
    filters: dict[str, dict[str, Any]] = {
        "no filter": {},
        "100 a page": {"limit": 100},
        "not reviewed (1 of 2,500)": {"reviewed": "false"},
        "reviewed": {"reviewed": "true"},
        "live": {"status": "live"},
        "one lesson (1 of 50)": {"lesson": school.common_lesson},
        "a lesson taken 10 times": {"lesson": school.rare_lesson},
        "a lesson's version": {"lesson": school.common_lesson, "version": 3},
        "a version nobody took": {"lesson": school.rare_lesson, "version": 4},
        "engine of all": {"engine": "offline"},
        "engine of 1 in 2,000": {"engine": "nova-sonic"},
        "engine of none": {"engine": "openai-realtime"},
        "thumbs up (1 of 3)": {"thumbs": "up"},
        "thumbs down (1 of 400)": {"thumbs": "down"},
        "an hour or more (1 of 1,000)": {"min_ms": 3_600_000},
        "two hours or more (none)": {"min_ms": 7_200_000},
        "ended by staff (1 of 5,000)": {"end_reason": "ended_by_staff"},
        "a week a year ago": {"from": "{year_ago}", "to": "{year_ago_and_week}"},
        "not reviewed, thumbs down": {"reviewed": "false", "thumbs": "down"},
        "one lesson, an hour, reviewed": {
            "lesson": school.common_lesson,
            "min_ms": 3_600_000,
            "reviewed": "true",
        },
    }
    for name, query in filters.items():
        yield "teacher", name, query
    yield "teacher", "one student (1 of 1,000)", {"student": school.student}
    for name, query in filters.items():
        yield "tutor", name, query


async def ask(client: httpx.AsyncClient, token: str, query: Mapping[str, Any], n: int) -> Timed:
    """Ask for a list `n` times."""
    took: list[float] = []
    for turn in range(WARM + n):
        began = time.perf_counter()
        answer = await client.get(
            "/sessions", params=query, headers={"Authorization": f"Bearer {token}"}
        )
        if turn >= WARM:
            took.append((time.perf_counter() - began) * 1000)
        assert answer.status_code == 200, answer.text
    return Timed(sorted(took), len(answer.json()["items"]))


@contextlib.asynccontextmanager
async def door(database: Database) -> AsyncIterator[httpx.AsyncClient]:
    """The API's lists, as a client reaches them."""
    identities = Identities(database)
    services = SimpleNamespace(
        database=database, identities=identities, door=Door(identities, Site())
    )
    app = Starlette(routes=starlette_routes(api.ROUTES, lambda _: services))  # type: ignore
    try:
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(app), base_url="http://localhost/api/v1"
        ) as client:
            yield client
    finally:
        identities.close()


async def measure(count: int, rounds: int) -> None:
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        postgres = await Embedded.start(Path(folder) / "data")
        try:
            await migrate.up(postgres.place.admin_url)
            database = await Database.open(postgres.place.app_url, Keyring(new_id().bytes * 2))
            began = time.monotonic()
            school = await fill(postgres, database, count)
            print(f"{count:,} sessions in {time.monotonic() - began:.0f} s.\n", flush=True)
            print(f"{'first page, by HTTP':<44}{'found':>6}{'p50':>9}{'p95':>9}{'max':>9}  ms")
            async with door(database) as client:
                await table(client, database, school, rounds)
            await database.close()
        finally:
            await postgres.stop()


async def table(client: httpx.AsyncClient, database: Database, school: School, rounds: int) -> None:
    tokens = {
        "teacher": await issue_token(database, f"p{STUDENTS + 1}@bench.example", "bench", 3_600),
        "tutor": await issue_token(database, f"p{STUDENTS + 2}@bench.example", "bench", 3_600),
    }
    year = time.time() - 365 * 86_400
    stamps = {
        "{year_ago}": time.strftime("%Y-%m-%d", time.gmtime(year)),
        "{year_ago_and_week}": time.strftime("%Y-%m-%d", time.gmtime(year + 7 * 86_400)),
    }
    worst = 0.0
    for who, name, query in lists(school):
        filled = {key: stamps.get(str(value), value) for key, value in query.items()}
        timed = await ask(client, tokens[who], filled, rounds)
        worst = max(worst, timed.at(0.95))
        print(
            f"{who}: {name:<{42 - len(who)}}{timed.found:>6}{timed.at(0.5):>9.1f}"
            f"{timed.at(0.95):>9.1f}{timed.at(1.0):>9.1f}",
            flush=True,
        )
    print(f"\nThe slowest 95th percentile is {worst:.1f} ms; the goal is {GOAL_MS:.0f} ms.")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.sessions", description=__doc__)
    parser.add_argument("--sessions", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=40)
    options = parser.parse_args()
    print(f"{os.cpu_count()} cores, load average {os.getloadavg()[0]:.1f} before.")
    asyncio.run(measure(options.sessions, options.rounds))


if __name__ == "__main__":
    main()
