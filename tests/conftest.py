"""One PostgreSQL a run, one migrated database a process, two fresh schools a test.

PostgreSQL starts when the first test asks for it; under pytest-xdist the controller starts it for
all its workers. Schools share the cell `pool_1`: every test runs beside the rows of all others. A
process has one event loop, and its connections last: making them anew costs more than most tests.
"""

import asyncio
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from argon2 import PasswordHasher
from hypothesis import settings

from tenancy import cells, migrate, passwords
from tenancy.crypto import Keyring
from tenancy.embedded import ADMIN_ROLE, APP_ROLE, Embedded, Place
from tenancy.ids import new_id
from tenancy.model import ROLES, Person, Tenant
from tenancy.postgres import Database

MASTER_KEY = bytes(range(32))
SLOW_HASHER, NOBODYS_HASH = passwords._HASHER, passwords.NOBODYS_HASH
POOLED_CELL = "pool_1"
SHARED = {"journeys", "calls"}
"Folders whose tests have a server together."


settings.register_profile("on a machine with other things to do", deadline=None)
settings.load_profile("on a machine with other things to do")


@dataclass(frozen=True, slots=True)
class School:
    """A school with one person per role: the tutor's student, who is the parent's child."""

    tenant: Tenant
    student: Person
    instructor: Person
    tutor: Person
    parent: Person
    admin: Person

    @property
    def people(self) -> tuple[Person, ...]:
        return self.student, self.instructor, self.tutor, self.parent, self.admin


@dataclass(frozen=True, slots=True)
class Urls:
    """One database, by its two roles."""

    app: str
    admin: str


class Cluster:
    """A PostgreSQL of our own in a temporary folder, without fsync."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="student-connect-tests-"))
        self.postgres = asyncio.run(Embedded.start(self.folder / "data", durable=False))

    def stop(self) -> None:
        asyncio.run(self.postgres.stop())
        shutil.rmtree(self.folder, ignore_errors=True)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs PostgreSQL or a fake, and tell pytest-xdist whose a test is.

    A file is one worker's, and so are all journeys, and all calls; long ones come first.
    """
    long = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in long)
    for item in items:
        if "postgres" in getattr(item, "fixturenames", ()):
            item.add_marker("database")
        folder = item.path.parent.name
        if folder == "fakes" or (isinstance(item, pytest.Function) and _uses_fakes(item.module)):
            item.add_marker("simulated")
        item.add_marker(pytest.mark.xdist_group(folder if folder in SHARED else str(item.path)))


@cache
def _uses_fakes(module: ModuleType) -> bool:
    return any(
        getattr(value, "__module__", "").startswith("tests.fakes.")
        for value in vars(module).values()
        if callable(value)
    )


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """In the controller of pytest-xdist, for each worker."""
    if "not database" in node.config.option.markexpr:
        return
    if not hasattr(node.config, "cluster"):
        node.config.cluster = cluster = Cluster()
        node.config.add_cleanup(cluster.stop)
    node.workerinput["socket_dir"] = str(node.config.cluster.postgres.place.socket_dir)


@pytest.fixture(scope="session")
def postgres(request: pytest.FixtureRequest) -> Iterator[Place]:
    """Where this run's PostgreSQL answers."""
    given = getattr(request.config, "workerinput", {}).get("socket_dir")
    if given is not None:
        yield Place(Path(given))
        return
    cluster = Cluster()
    try:
        yield cluster.postgres.place
    finally:
        cluster.stop()


@pytest.fixture(scope="session")
def database_urls(postgres: Place) -> Urls:
    """This process's database, migrated, with one pooled cell."""
    name = f"tests_{os.getpid()}"
    urls = Urls(postgres.url(APP_ROLE, name), postgres.url(ADMIN_ROLE, name))

    async def make() -> None:
        await create_database(postgres, name)
        await migrate.up(urls.admin)
        async with migrate.admin(urls.admin) as connection:
            await migrate.make_cell(connection, POOLED_CELL)

    asyncio.run(make())
    return urls


@pytest.fixture(scope="session")
def make_database(postgres: Place) -> Callable[[], Awaitable[Urls]]:
    """Makes an empty database of the test's own: for tests of migrations and the like."""

    async def make() -> Urls:
        name = f"own_{new_id().hex}"
        await create_database(postgres, name)
        return Urls(postgres.url(APP_ROLE, name), postgres.url(ADMIN_ROLE, name))

    return make


async def create_database(postgres: Place, name: str) -> None:
    async with migrate.admin(postgres.url(ADMIN_ROLE, "postgres")) as connection:
        await connection.execute(
            f"CREATE DATABASE {name} STRATEGY FILE_COPY"
        )  # a third of the time


@pytest.fixture(scope="session")
async def loop() -> asyncio.AbstractEventLoop:
    """The one of all tests and fixtures."""
    return asyncio.get_running_loop()


@pytest.fixture(autouse=True)
def no_task_is_left(loop: asyncio.AbstractEventLoop) -> Iterator[None]:
    """What a test left running would go on beside the next one."""
    yield
    if left := asyncio.all_tasks(loop):
        left = loop.run_until_complete(end(left))
    assert not left, "A test must wait for its tasks, or cancel them."


async def end(tasks: set[asyncio.Task[Any]]) -> set[asyncio.Task[Any]]:
    """Let what is on its way out go; cancels and returns the rest."""
    _, pending = await asyncio.wait(tasks, timeout=1)
    for task in pending:
        task.cancel()
    await asyncio.gather(*pending, return_exceptions=True)
    return pending


@pytest.fixture(scope="session", autouse=True)
def cheap_hashes() -> Iterator[None]:
    """A password's hash takes 0.1 ms of a core here, not 29."""
    cheap = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "NOBODYS_HASH", cheap.hash("nobody's"))
        patch.setattr(passwords, "_HASHER", cheap)
        yield


@pytest.fixture
def real_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """For tests of how dear they are."""
    monkeypatch.setattr(passwords, "NOBODYS_HASH", NOBODYS_HASH)
    monkeypatch.setattr(passwords, "_HASHER", SLOW_HASHER)


@pytest.fixture(scope="session")
def keys() -> Keyring:
    return Keyring(MASTER_KEY)


@pytest.fixture(scope="session")
async def open_database(database_urls: Urls, keys: Keyring) -> AsyncIterator[Database]:
    opened = await Database.open(database_urls.app, keys)
    yield opened
    await opened.close()


@pytest.fixture
async def database(open_database: Database) -> Database:
    """As the server has it: connected as the app's role. No jobs of earlier tests are in it."""
    async with open_database.control() as connection:
        await connection.execute("DELETE FROM jobs")
    return open_database


@pytest.fixture(scope="session")
async def open_admin(database_urls: Urls) -> AsyncIterator[Any]:
    async with migrate.admin(database_urls.admin) as connection:
        yield connection


@pytest.fixture
async def admin_connection(open_admin: Any) -> AsyncIterator[Any]:
    """As the operator has it: the database's superuser, for whom no row is hidden."""
    yield open_admin
    await open_admin.reset()


@pytest.fixture
async def school(database: Database, open_admin: Any) -> School:
    return await make_school(database, open_admin, "Lincoln High")


@pytest.fixture
async def other_school(database: Database, open_admin: Any) -> School:
    return await make_school(database, open_admin, "Springfield Elementary")


@pytest.fixture
async def openai_simulator() -> AsyncIterator[Any]:
    """A `tests.fakes.openai_server.OpenAISimulator` that loses no time with sound.

    Its `manners` say what it hears and answers. A client that broke the protocol fails the test.
    """
    from tests.fakes.openai_manners import Manners  # most tests do without
    from tests.fakes.openai_server import simulate_openai

    async with simulate_openai(Manners(pace=None, checks=False)) as simulator:
        yield simulator
        assert simulator.violations == []


async def make_school(database: Database, admin_connection: Any, name: str) -> School:
    slug = f"s-{new_id().hex}"
    tenant = await cells.create_tenant(
        admin_connection, database.keys, slug=slug, name=name, cell=POOLED_CELL
    )
    people = {
        role: Person(
            id=new_id(),
            tenant_id=tenant.id,
            name=f"{role.title()} of {name}",
            email=f"{role}@{slug}.example",
            roles=frozenset({role}),
        )
        for role in ROLES
    }
    async with database.transaction(tenant.id) as connection:
        now = datetime.now(UTC)
        await connection.executemany(
            "INSERT INTO people (tenant_id, id, email, name, created_at)"
            " VALUES ($1, $2, $3, $4, $5)",
            [(p.tenant_id, p.id, p.email, p.name, now) for p in people.values()],
        )
        await connection.executemany(
            "INSERT INTO person_roles (tenant_id, person_id, role) VALUES ($1, $2, $3)",
            [(p.tenant_id, p.id, role) for role, p in people.items()],
        )
        await connection.execute(
            "INSERT INTO assignments (tenant_id, id, tutor_id, student_id, starts_at)"
            " VALUES ($1, $2, $3, $4, $5)",
            *(tenant.id, new_id(), people["tutor"].id, people["student"].id, now),
        )
        await connection.execute(
            "INSERT INTO guardians (tenant_id, parent_id, student_id, since)"
            " VALUES ($1, $2, $3, $4)",
            *(tenant.id, people["parent"].id, people["student"].id, now),
        )
    return School(tenant, **people)
