"""`student-connect check`: is all well that a lesson needs? Where it is not: what to do."""

import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from importlib.util import find_spec

from server.config import Config
from server.engines import Engines
from server.probe import Outcome
from server.wiring import open_parts
from sessions import jobs
from tenancy import audit, migrate
from tenancy.model import TenancyError
from tenancy.postgres import Database

# What the offline engine is made of, besides what any command imports.
PARTS = ("numpy", "onnxruntime", "pocketsphinx", "espeakng_loader", "rapidfuzz", "sympy")


@dataclass(frozen=True, slots=True)
class Finding:
    """What one look found."""

    about: str
    sentence: str
    well: bool = True


async def engine(config: Config) -> Finding:
    """Whether the tutor gets warm."""
    missing = [part for part in PARTS if find_spec(part) is None]
    if missing:
        return Finding("engine", f"Not installed: {', '.join(missing)}. Install them.", well=False)
    began_s = time.monotonic()
    try:
        async with AsyncExitStack() as stack:
            await open_parts(config, stack)
            took_s = time.monotonic() - began_s
    except Exception as trouble:
        sentence = f"The offline tutor does not start ({type(trouble).__name__})."
        return Finding("engine", f"{sentence} Start the server and read its log.", well=False)
    return Finding("engine", f"The offline tutor is warm after {took_s:.1f} s.")


async def engines(config: Config, database: Database, slug: str) -> AsyncIterator[Outcome]:
    """Say a sentence to each engine of a school, in its order.

    Raises:
        TenantUnknown: If there is no such school.
    """
    school = await database.tenant_by_slug(slug)
    async with AsyncExitStack() as stack:
        parts, _, _ = await open_parts(config, stack)
        home = Engines(config.engines, database, parts)
        stack.push_async_callback(home.close)
        async for outcome in home.probe(school.id):
            yield outcome


async def record(database: Database) -> AsyncIterator[Finding]:
    """Whether the database keeps schools apart, opens their words, and is whole."""
    async with database.control() as connection:
        pending = await migrate.pending(connection)
    if pending:
        yield Finding(
            "database",
            f"{len(pending)} migrations have not run. Run `student-connect migrate`.",
            well=False,
        )
        return
    try:
        await database.self_check()
    except TenancyError as trouble:
        yield Finding("database", str(trouble), well=False)
        return
    yield Finding("database", "It keeps schools apart, and every school's words open.")
    schools = await database.tenants()
    broken = False
    for school in schools:
        for problem in await audit.verify(database, school.id):
            broken = True
            yield Finding("audit", f"{school.slug}: {problem}", well=False)
    if not broken:
        yield Finding("audit", f"Every school's chain is whole ({len(schools)}).")
    given_up = await jobs.failed(database)
    for job in given_up:
        yield Finding(
            "jobs",
            f"{job.kind} of school {job.tenant_id} was given up after {job.attempts} attempts"
            f" ({job.last_error}).",
            well=False,
        )
    if not given_up:
        yield Finding("jobs", "None was given up.")
