"""Brings a database's tables to where this version wants them: `control` first, then every cell.

A migration is a file `migrations/NNNN_name.sql`:

    -- for: control | cell
    -- databases: all
    CREATE TABLE ...;
    -- databases: postgresql      what follows, only PostgreSQL can do
    CREATE POLICY ...;
    -- down:
    DROP TABLE ...;

Each file runs in a transaction of its own in each cell, and is noted with its checksum, so a run
that was broken off is picked up where it stopped, and a second run changes nothing.
"""

import asyncio
import contextlib
import hashlib
import re
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any, Literal, cast

import asyncpg

from tenancy.model import UNREADABLE, TenancyError
from tenancy.sql import load, split

CONTROL = "control"
AT_ONCE = 4  # cells that migrate at the same time, each on a connection of its own
WAIT_S = 30.0  # for another run's end: two servers, or a server and a command, start together
LOOK_AGAIN_S = 0.05

Progress = Callable[[int, int, str], None]
"Told (done, to do, what was done last)."
Connection = Any
"An `asyncpg.Connection` of a role that may create roles and schemas."

_FILE = re.compile(r"^(\d{4})_([a-z0-9_]+)\.sql$")
_DIRECTIVE = re.compile(r"^-- (for|databases|down):[ \t]*([a-z]*)[ \t]*$", re.MULTILINE)
_ROLES = load(__package__, "roles.sql")
_QUERIES = load(__package__, "migrate.sql")


class MigrationRefused(TenancyError):
    """Nothing was changed; the sentence says why."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One file."""

    number: int
    name: str
    scope: Literal["control", "cell"]
    up: tuple[str, ...]
    down: tuple[str, ...]
    checksum: str

    def __str__(self) -> str:
        return f"{self.number:04d}_{self.name}"


@dataclass(frozen=True, slots=True)
class Failure:
    """A file that did not go through in one place; the others went on."""

    cell: str
    migration: str
    sentence: str
    "The database's own."

    def __str__(self) -> str:
        return f"{self.cell}: {self.migration}: {self.sentence}"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run did."""

    done: int
    "Files run, counted once for each place."
    failures: tuple[Failure, ...] = ()


@cache
def ours() -> tuple[Migration, ...]:
    """The migrations of this version."""
    return read(files(__package__).joinpath("migrations"))


def read(folder: Traversable) -> tuple[Migration, ...]:
    """The migrations of a folder, in order.

    Raises:
        MigrationRefused: If a file's header is missing, or two files have the same number.
    """
    found: dict[int, Migration] = {}
    for path in sorted(folder.iterdir(), key=lambda p: p.name):
        if match := _FILE.match(path.name):
            migration = parse(int(match[1]), match[2], path.read_text(encoding="utf-8"))
            if migration.number in found:
                raise MigrationRefused(f"{found[migration.number]} and {migration} share a number.")
            found[migration.number] = migration
    return tuple(found.values())


def parse(number: int, name: str, text: str, database: str = "postgresql") -> Migration:
    """One file's statements, as far as they are for `database`."""
    scope, wanted, part = "", True, "up"
    parts: dict[str, list[str]] = {"up": [], "down": []}
    directives = list(_DIRECTIVE.finditer(text))
    for this, following in zip(directives, [*directives[1:], None], strict=False):
        match this[1], this[2]:
            case "for", "control" | "cell" as scope:
                pass
            case "databases", "all" | "postgresql" as databases:
                wanted = databases in ("all", database)
            case "down", "":
                part, wanted = "down", True
            case _:
                raise MigrationRefused(f"{number:04d}_{name}: {this[0]!r} is not understood.")
        if wanted:
            parts[part] += split(text[this.end() : following.start() if following else len(text)])
    if scope not in ("control", "cell") or split(
        text[: directives[0].start() if directives else 0]
    ):
        raise MigrationRefused(
            f"{number:04d}_{name} must begin with `-- for: control` or `-- for: cell`."
        )
    checksum = hashlib.sha256(text.encode()).hexdigest()
    return Migration(
        number,
        name,
        cast(Literal["control", "cell"], scope),
        tuple(parts["up"]),
        tuple(parts["down"]),
        checksum,
    )


@contextlib.asynccontextmanager
async def admin(url: str) -> AsyncIterator[Connection]:
    """A connection for migrations and for making schools. Raises MigrationRefused."""
    try:
        connection = await asyncpg.connect(url)
    except (asyncpg.InterfaceError, ValueError) as error:
        raise MigrationRefused(UNREADABLE.format("DATABASE_ADMIN_URL")) from error
    except (OSError, asyncpg.PostgresError) as error:
        raise MigrationRefused(
            f"The database does not let us in: {error or 'no answer'}. Check DATABASE_ADMIN_URL."
        ) from error
    try:
        yield connection
    finally:
        await connection.close()


async def up(
    url: str, *, progress: Progress | None = None, migrations: Sequence[Migration] | None = None
) -> Outcome:
    """Run what was not run yet, in `control` and in every cell; a failing cell stops no other.

    Another run under way is waited for, `WAIT_S` at most.

    Raises:
        MigrationRefused: If an applied file was changed since, the database is newer than this
            version, or another run does not end.
    """
    migrations = ours() if migrations is None else migrations
    async with admin(url) as connection:
        await _make_ready(connection)
        applied = await _applied(connection)
        _check(applied, migrations)
        wanted = [m for m in migrations if m.scope == "control"]
        done = await _bring(connection, CONTROL, wanted, applied)
        applied = await _applied(connection)
        plan = {
            row["name"]: _missing(row["name"], _of_cells(migrations), applied)
            for row in await connection.fetch(_QUERIES["cells"])
        }
        counter = _Counter(done, done + sum(map(len, plan.values())), progress)
        counter.tell(CONTROL)
        failures = await _each(url, {c: p for c, p in plan.items() if p}, counter, _apply)
    return Outcome(counter.done, tuple(failures))


async def down(
    url: str,
    number: int,
    *,
    progress: Progress | None = None,
    migrations: Sequence[Migration] | None = None,
) -> Outcome:
    """Run the `-- down:` part of one file wherever the file was run.

    Raises:
        MigrationRefused: If there is no such file or part, or a later file stands on it.
    """
    migrations = ours() if migrations is None else migrations
    one = next((m for m in migrations if m.number == number), None)
    if one is None:
        raise MigrationRefused(f"There is no migration {number:04d}.")
    if not one.down:
        raise MigrationRefused(f"{one} cannot be rolled back: it has no `-- down:` part.")
    async with admin(url) as connection:
        await _make_ready(connection)
        applied = await _applied(connection)
        _check(applied, migrations)
        later = max((n for _, n in applied if n > number), default=None)
        if later is not None:
            raise MigrationRefused(f"Roll back {later:04d} first; it was made on top of {one}.")
        plan = {cell: (one,) for cell, n in applied if n == number}
        counter = _Counter(0, len(plan), progress)
        failures = await _each(url, plan, counter, _revert)
    return Outcome(counter.done, tuple(failures))


async def make_cell(
    connection: Connection, cell: str, *, migrations: Sequence[Migration] | None = None
) -> None:
    """Make a cell's schema and tables, or finish making them. The caller checked the name.

    Raises:
        MigrationRefused: If another run is under way, and does not end.
    """
    migrations = _of_cells(ours() if migrations is None else migrations)
    await _follow_other_runs(connection)  # which would make the same tables once they see the cell
    try:
        applied = await _applied(connection)
        if _missing(cell, migrations, applied):
            async with as_owner(connection, CONTROL):
                await connection.execute(_QUERIES["add_cell"], cell)
                await connection.execute(await connection.fetchval(_ROLES["make_schema"], cell))
            await _bring(connection, cell, migrations, applied)
    finally:
        await connection.execute(_ROLES["unlock_runner"])


async def pending(connection: Connection) -> list[str]:
    """What `up` would run, as `cell: file`; the app's role may ask this.

    Raises:
        MigrationRefused: As `up` does.
    """
    migrations = ours()
    if not await connection.fetchval(_ROLES["has_control"]):
        return [f"{CONTROL}: {m}" for m in migrations if m.scope == "control"]
    applied = await _applied(connection)
    _check(applied, migrations)
    places = [(CONTROL, [m for m in migrations if m.scope == "control"])]
    places += [
        (r["name"], _of_cells(migrations)) for r in await connection.fetch(_QUERIES["cells"])
    ]
    return [f"{cell}: {m}" for cell, all_ in places for m in _missing(cell, all_, applied)]


class _Counter:
    """Counts for the progress bar."""

    def __init__(self, done: int, total: int, progress: Progress | None) -> None:
        self.done = done
        self._total = total
        self._progress = progress

    def add(self, what: str) -> None:
        self.done += 1
        self.tell(what)

    def tell(self, what: str) -> None:
        if self._progress is not None:
            self._progress(self.done, self._total, what)


Applied = Mapping[tuple[str, int], tuple[str, str]]


async def make_roles(connection: Connection) -> None:
    """The owner of the schemas and the server's own role, and their rights in this database."""
    for exists, make in (
        ("owner_exists", "make_owner"),
        ("app_exists", "make_app"),
        ("may_be_owner", "become_owner"),
        ("may_make_schemas", "let_make_schemas"),
    ):
        if not await connection.fetchval(_ROLES[exists]):
            # Roles belong to the whole cluster, where another database may be made ready just now.
            with contextlib.suppress(asyncpg.DuplicateObjectError, asyncpg.UniqueViolationError):
                await connection.execute(_ROLES[make])


async def _make_ready(connection: Connection) -> None:
    """Roles and the schema `control`, without which no migration can run."""
    await _follow_other_runs(connection)
    await make_roles(connection)
    if not await connection.fetchval(_ROLES["has_control"]):
        async with as_owner(connection, CONTROL):
            await connection.execute(await connection.fetchval(_ROLES["make_schema"], CONTROL))


async def _follow_other_runs(connection: Connection) -> None:
    # Asked again and again: a wait inside PostgreSQL would be a query under way all the while,
    # whose end a CREATE INDEX CONCURRENTLY of the other run would wait for in turn.
    for _ in range(round(WAIT_S / LOOK_AGAIN_S)):
        if await connection.fetchval(_ROLES["lock_runner"]):
            return
        await asyncio.sleep(LOOK_AGAIN_S)
    raise MigrationRefused("Another migration is running on this database. Wait until it ends.")


async def _applied(connection: Connection) -> Applied:
    if not await connection.fetchval(_ROLES["has_control"]):
        return {}
    rows = await connection.fetch(_QUERIES["applied"])
    return {(r["cell"], r["number"]): (r["name"], r["checksum"]) for r in rows}


def _check(applied: Applied, migrations: Sequence[Migration]) -> None:
    known = {m.number: m for m in migrations}
    for (_, number), (name, checksum) in sorted(applied.items()):
        migration = known.get(number)
        if migration is None:
            raise MigrationRefused(
                f"The database has had {number:04d}_{name}, which this version does not know."
                " Install the version that migrated it, or a newer one."
            )
        if migration.checksum != checksum:
            raise MigrationRefused(
                f"The file {migration}.sql was changed after it was applied."
                " Put it back as it was, and make the change in a new file."
            )


def _of_cells(migrations: Sequence[Migration]) -> list[Migration]:
    return [m for m in migrations if m.scope == "cell"]


def _missing(cell: str, migrations: Sequence[Migration], applied: Applied) -> tuple[Migration, ...]:
    return tuple(m for m in migrations if (cell, m.number) not in applied)


async def _bring(
    connection: Connection,
    cell: str,
    migrations: Sequence[Migration],
    applied: Applied,
) -> int:
    missing = _missing(cell, migrations, applied)
    for migration in missing:
        await _apply(connection, cell, migration)
    return len(missing)


async def _each(
    url: str,
    plan: Mapping[str, Sequence[Migration]],
    counter: _Counter,
    work: Callable[[Connection, str, Migration], Any],
) -> list[Failure]:
    """Do `work` in every place of the plan, a few places at a time."""
    places = iter(plan.items())
    failures: list[Failure] = []

    async def worker() -> None:
        async with admin(url) as connection:
            for cell, migrations in places:
                for migration in migrations:
                    try:
                        await work(connection, cell, migration)
                    except asyncpg.PostgresError as error:
                        failures.append(Failure(cell, str(migration), str(error)))
                        break
                    counter.add(f"{cell}: {migration}")

    async with asyncio.TaskGroup() as group:
        for _ in range(min(AT_ONCE, len(plan))):
            group.create_task(worker())
    return sorted(failures, key=lambda f: f.cell)


async def _apply(connection: Connection, cell: str, migration: Migration) -> None:
    async with as_owner(connection, cell):
        for statement in migration.up:
            await connection.execute(statement)
        await connection.execute(
            _QUERIES["note"], cell, migration.number, migration.name, migration.checksum
        )


async def _revert(connection: Connection, cell: str, migration: Migration) -> None:
    async with as_owner(connection, cell):
        for statement in migration.down:
            await connection.execute(statement)
        if await connection.fetchval(_ROLES["has_control"]):
            await connection.execute(_QUERIES["forget"], cell, migration.number)


@contextlib.asynccontextmanager
async def as_owner(connection: Connection, schema: str) -> AsyncIterator[None]:
    """A transaction in which all that is made belongs to the owner and lands in `schema`."""
    async with connection.transaction():
        await connection.execute(_ROLES["act_as_owner"])
        await connection.execute(_ROLES["look_in"], schema)
        yield
