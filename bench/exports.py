"""How a list of 5,000 sessions is exported: how fast, and what others feel of it.

    python -m bench.exports [--sessions 5000] [--items 40]

Fills an embedded database of its own, exports everything in each form, and prints how long that
took, for how long at worst nothing else could run (a lesson's sound waits as long; counted in CPU
time, so that other programs don't count), and by how much the program grew.
"""

import argparse
import asyncio
import os
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from starlette.applications import Starlette

from ai.events import Word
from bench import sessions as lists
from bench.processes import memory
from server.api import exports
from server.api.table import PREFIX, starlette_routes
from server.exports import Exports
from server.identity import Door, Site
from sessions.record import items, summaries
from sessions.record.model import Item, Sentence, Summary
from tenancy import migrate
from tenancy.crypto import Keyring
from tenancy.embedded import Embedded
from tenancy.identities import Identities, issue_token
from tenancy.ids import new_id
from tenancy.postgres import Database

FORMS = ("json", "csv", "vtt")
SAID = "I think that two of the four equal slices are as much as one half of the pizza."
LONG = 25  # one session of so many has ten times as many items


@dataclass
class Taken:
    """What came out of one export."""

    bytes: int = 0
    parts: int = 0
    largest: int = 0
    first_s: float = 0.0
    whole_s: float = 0.0
    cpu_s: float = 0.0
    held_ms: float = 0.0
    "The longest time that the event loop did nothing else, in CPU time."


def turns(count: int) -> list[Item]:
    """A conversation: the tutor asks, the student answers, with the times of each word."""
    words = tuple(Word(word, n * 200, n * 200 + 150, 0.9) for n, word in enumerate(SAID.split()))
    return [
        Item(
            id=f"item_{n}",
            role="user" if n % 2 == 0 else "assistant",
            speaker="student" if n % 2 == 0 else "ai",
            kind="audio",
            position=n,
            status="completed",
            said=SAID,
            started_ms=n * 4_000,
            ended_ms=n * 4_000 + 3_500,
            heard=None if n % 2 == 0 else SAID,
            words=words,
            engine="offline",
            data={"sure": True} if n % 2 == 0 else {"engine": {"step": 1, "results": []}},
        )
        for n in range(1, count + 1)
    ]


async def talk(database: Database, school: lists.School, count: int) -> int:
    """Put words into every session; returns how many items that made."""
    tenant_id, made = school.tenant.id, 0
    sentence = Sentence("You found the answer to four questions.", ("item_1", "item_2"))
    summary = Summary("normal", (sentence,) * 5, (sentence,) * 2, ("Maths",), sentence)
    async with database.transaction(tenant_id) as connection:
        rows = await connection.fetch("SELECT id FROM sessions ORDER BY started_at")
    for number, row in enumerate(rows):
        said = turns(count * 10 if number % LONG == 0 else count)
        async with database.transaction(tenant_id) as connection:
            await items.insert(database, connection, tenant_id, row["id"], 1, said)
        await summaries.keep(database, tenant_id, row["id"], summary)
        made += len(said)
    return made


async def take(app: Any, token: str, how: str) -> Taken:
    """Export everything, as fast as it comes; nothing of it is kept."""
    taken, began = Taken(), time.perf_counter()
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": "GET",
        "path": f"{PREFIX}/sessions/export",
        "raw_path": b"",
        "query_string": f"format={how}".encode(),
        "headers": [(b"host", b"localhost"), (b"authorization", f"Bearer {token}".encode())],
        "client": ("127.0.0.1", 1),
        "server": ("localhost", 80),
        "scheme": "http",
        "root_path": "",
    }
    gone = asyncio.Event()

    async def receive() -> dict[str, Any]:
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            assert message["status"] == 200
        elif body := message.get("body", b""):
            taken.first_s = taken.first_s or time.perf_counter() - began
            taken.bytes += len(body)
            taken.parts += 1
            taken.largest = max(taken.largest, len(body))

    async def watch() -> None:
        while True:
            before = time.thread_time()
            await asyncio.sleep(0)  # every other task has its turn before this one again
            taken.held_ms = max(taken.held_ms, (time.thread_time() - before) * 1000)

    watching, cpu_began = asyncio.create_task(watch()), time.thread_time()
    try:
        await app(scope, receive, send)
    finally:
        watching.cancel()
        gone.set()
    taken.whole_s = time.perf_counter() - began
    taken.cpu_s = time.thread_time() - cpu_began
    return taken


async def measure(count: int, each: int) -> None:
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        postgres = await Embedded.start(Path(folder) / "data")
        try:
            await migrate.up(postgres.place.admin_url)
            database = await Database.open(postgres.place.app_url, Keyring(new_id().bytes * 2))
            school = await lists.fill(postgres, database, count, sealed=False)
            made = await talk(database, school, each)
            print(f"{count:,} sessions with {made:,} items.\n", flush=True)
            await table(database)
            await database.close()
        finally:
            await postgres.stop()


async def table(database: Database) -> None:
    identities = Identities(database)
    services = SimpleNamespace(
        database=database,
        identities=identities,
        door=Door(identities, Site()),
        exports=Exports(),
    )
    app = Starlette(routes=starlette_routes(exports.ROUTES, lambda _: services))  # type: ignore
    token = await issue_token(database, f"p{lists.STUDENTS + 1}@bench.example", "bench", 3_600)
    own = os.getpid()
    for how in ("csv", *FORMS):  # the first one warms up
        before = memory(own)["server"].rss
        taken = await take(app, token, how)
        print(
            f"{how:<4} {taken.whole_s:6.1f} s, CPU {taken.cpu_s:5.1f} s;"
            f" {taken.bytes / 1e6:6.1f} MB, the first of it after {taken.first_s * 1000:.0f} ms;"
            f" held the loop for {taken.held_ms:.1f} ms at most;"
            f" grew by {memory(own)['server'].rss - before:+.1f} MB",
            flush=True,
        )
    identities.close()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.exports", description=__doc__)
    parser.add_argument("--sessions", type=int, default=5_000)
    parser.add_argument("--items", type=int, default=40)
    options = parser.parse_args()
    print(f"{os.cpu_count()} cores, load average {os.getloadavg()[0]:.1f} before.")
    asyncio.run(measure(options.sessions, options.items))


if __name__ == "__main__":
    main()
