"""The pool, and the one way to a cell's tables: `transaction(tenant_id)`.

DatabaseError
+-- DatabaseUnavailable   it does not answer; `outcome_unknown` where a commit was under way
+-- TransactionNested     a transaction was opened inside another
+-- CellNameRefused       a schema name that could be anything but one of ours
+-- SelfCheckFailed       the database would not keep schools apart; `problems` says how
"""

import asyncio
import contextlib
import random
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID

import asyncpg
import orjson

from tenancy import selfcheck
from tenancy.crypto import CryptoError, Keyring, WrappedKey
from tenancy.model import UNREADABLE, TenancyError, Tenant, TenantUnknown
from tenancy.sql import load

T = TypeVar("T")
PATIENCE_S = 10.0  # how long a restarting database is waited for before anything was done
RETRY_S = 0.05
ATTEMPTS = 8  # at a transaction that lost against another one
BACKOFF_S, BACKOFF_CAP_S = 0.002, 0.2
SCHOOL_TTL_S = 30.0  # how old a cached cell name or key may be

SETTINGS = {
    "application_name": "student-connect",
    "search_path": "pg_catalog",  # outside a transaction of ours no table is found
    "statement_timeout": "30s",
    "idle_in_transaction_session_timeout": "60s",
}

_ENDED = (
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
)
_GONE = (OSError, *_ENDED, asyncpg.TooManyConnectionsError)
# How a broken connection shows: at once, at the next query or, between the server's last word and
# the end of the line, by asyncpg finding itself in no known state. The latter two send nothing.
_NOT_SENT = (asyncpg.InterfaceError, asyncpg.InternalClientError)
_BROKEN = (*_GONE, *_NOT_SENT)
WENT_AWAY = (*_ENDED, *_NOT_SENT)
"The database ended, or is about to, in the middle of what was asked."
NO_TABLES = (asyncpg.UndefinedTableError,)
"No migration has run on it."
_LOST_AGAINST_ANOTHER = (asyncpg.SerializationError, asyncpg.DeadlockDetectedError)
_CELL = re.compile(r"[a-z][a-z0-9_]{0,62}")
_NOT_CELLS = re.compile(r"control|public|sys|information_schema|pg_.*")
_QUERIES = load(__package__, "postgres.sql")


class Connection(asyncpg.Connection):  # type: ignore[misc]
    """What `transaction` gives: asyncpg's connection, jsonb as Python values, the schools' keys."""

    keys: Keyring


class DatabaseError(TenancyError):
    """Base of what this module raises."""


class DatabaseUnavailable(DatabaseError):
    """The database does not answer."""

    def __init__(self, reason: object, *, outcome_unknown: bool = False) -> None:
        super().__init__(f"The database does not answer ({reason}). Please try again in a moment.")
        self.outcome_unknown = outcome_unknown


class TransactionNested(DatabaseError):
    """A transaction was opened inside another."""

    def __init__(self) -> None:
        super().__init__(
            "A transaction is open already. Hand its connection on instead of opening another."
        )


class CellNameRefused(DatabaseError):
    """A schema name that could be anything but one of ours."""

    def __init__(self, cell: str) -> None:
        super().__init__(
            f"{cell!r} cannot be a cell's name. Use small letters, digits and _, 63 at most,"
            " beginning with a letter."
        )


class SelfCheckFailed(DatabaseError):
    """The database would not keep schools apart."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__(" ".join(problems))
        self.problems = problems


@dataclass(slots=True)
class _Mark:
    """Left in the context while a transaction is open."""

    open: bool = True


@dataclass(frozen=True, slots=True)
class _School:
    tenant: Tenant
    begin: str
    loaded_at_s: float


_inside: ContextVar[_Mark | None] = ContextVar("transaction", default=None)


class Database:
    """One database with its schools, from `open` to `close`."""

    def __init__(self, pool: Any, keys: Keyring) -> None:
        self._pool = pool
        self._schools: dict[UUID, _School] = {}
        self.keys = keys

    @classmethod
    async def open(
        cls, place: str | Mapping[str, Any], keys: Keyring, *, size: int = 10
    ) -> "Database":
        """Connect as the app's role.

        Args:
            place: A `postgresql://` URL, or what `asyncpg.connect` takes.
            size: Connections at most.

        Raises:
            DatabaseUnavailable: If it does not answer.
            DatabaseError: If it refuses us.
        """
        how: dict[str, Any] = {"dsn": place} if isinstance(place, str) else dict(place)
        try:
            pool = await asyncpg.create_pool(
                min_size=0,
                max_size=size,
                connection_class=Connection,
                server_settings=SETTINGS,
                init=lambda connection: _prepare(connection, keys),
                reset=_roll_back,
                **how,
            )
            await pool.release(await pool.acquire())
        except _GONE as error:
            raise DatabaseUnavailable(error) from error
        except asyncpg.PostgresError as error:
            raise DatabaseError(
                f"The database refuses us: {error}. Check DATABASE_URL, and that"
                " `student-connect migrate` has run."
            ) from error
        except (asyncpg.InterfaceError, ValueError) as error:
            raise DatabaseError(UNREADABLE.format("DATABASE_URL")) from error
        return cls(pool, keys)

    @property
    def size(self) -> int:
        """How many connections there may be."""
        return int(self._pool.get_max_size())

    @property
    def in_use(self) -> int:
        """How many connections are at work now."""
        return int(self._pool.get_size() - self._pool.get_idle_size())

    async def close(self) -> None:
        """Give every connection back; those in use get a little time."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                await self._pool.close()
        except TimeoutError:
            self._pool.terminate()

    @contextlib.asynccontextmanager
    async def transaction(self, tenant_id: UUID) -> AsyncIterator[Connection]:
        """A transaction in a school's cell; committed at the end, rolled back on any exception.

        Raises:
            TenantUnknown: If there is no such school.
            TransactionNested: If one is open already.
            DatabaseUnavailable: If the database does not answer.
        """
        school = await self._school(tenant_id)
        async with self._transaction(school.begin) as connection:
            yield connection

    @contextlib.asynccontextmanager
    async def control(self) -> AsyncIterator[Connection]:
        """A transaction in the schema `control`, which sees no cell."""
        async with self._transaction("BEGIN; SET LOCAL search_path = control") as connection:
            yield connection

    async def self_check(self) -> None:
        """Refuse a database that would not keep schools apart, or whose words would not open.

        Raises:
            SelfCheckFailed: With a sentence for each problem.
        """
        async with self.control() as connection:
            problems = await selfcheck.problems(connection)
            if problems:
                raise SelfCheckFailed(problems)
            for row in await connection.fetch(_QUERIES["all_data_keys"]):
                try:
                    self.keys.rewrap(WrappedKey(row["tenant_id"], row["key_id"], row["wrapped"]))
                except CryptoError as error:
                    raise SelfCheckFailed([str(error)]) from error

    async def run(self, tenant_id: UUID, work: Callable[[Connection], Awaitable[T]]) -> T:
        """`work` in a transaction; again from its start if that lost against another one.

        `work` may be called several times, and only the last call's writes stay.

        Raises:
            DatabaseUnavailable: If the database stays away, or went while it committed.
        """
        deadline_s = time.monotonic() + PATIENCE_S
        for attempt in range(1, ATTEMPTS + 1):
            try:
                async with self.transaction(tenant_id) as connection:
                    return await work(connection)
            except _LOST_AGAINST_ANOTHER:
                if attempt == ATTEMPTS:
                    raise
            except DatabaseUnavailable as error:
                late = time.monotonic() > deadline_s
                if error.outcome_unknown or late or attempt == ATTEMPTS:
                    raise
            pause_s = min(BACKOFF_CAP_S, BACKOFF_S * 2**attempt)
            await asyncio.sleep(pause_s * random.uniform(0.5, 1))
        raise AssertionError("unreachable")

    async def tenant(self, tenant_id: UUID) -> Tenant:
        """A school by its id; up to half a minute old.

        Raises:
            TenantUnknown: If there is none.
        """
        return (await self._school(tenant_id)).tenant

    async def tenants(self) -> list[Tenant]:
        """Every school, by slug."""
        async with self.control() as connection:
            return [_tenant(row) for row in await connection.fetch(_QUERIES["tenants"])]

    async def tenant_by_slug(self, slug: str) -> Tenant:
        """A school by its short name.

        Raises:
            TenantUnknown: If there is none.
        """
        return await self._find("tenant_by_slug", slug)

    async def tenant_by_domain(self, domain: str) -> Tenant:
        """The school that a host name stands for.

        Raises:
            TenantUnknown: If there is none.
        """
        return await self._find("tenant_by_domain", domain.lower())

    def seal(self, tenant_id: UUID, table: str, row_id: str, text: str) -> bytes:
        """Encrypt a row's text. The school's keys are loaded once a transaction of its was open."""
        return self.keys.seal(tenant_id, table, row_id, text)

    def unseal(self, tenant_id: UUID, table: str, row_id: str, sealed: bytes) -> str:
        """Decrypt a row's text.

        Raises:
            CryptoError: If it does not open.
        """
        return self.keys.open(tenant_id, table, row_id, sealed)

    async def _find(self, query: str, name: str) -> Tenant:
        async with self.control() as connection:
            row = await connection.fetchrow(_QUERIES[query], name)
        if row is None:
            raise TenantUnknown(f"There is no school {name!r}.")
        return _tenant(row)

    async def _school(self, tenant_id: UUID) -> _School:
        if not isinstance(tenant_id, UUID):
            raise TypeError(f"A school is named by a UUID, not by {type(tenant_id).__name__}.")
        known = self._schools.get(tenant_id)
        if known is not None and time.monotonic() - known.loaded_at_s < SCHOOL_TTL_S:
            return known
        async with self.control() as connection:
            row = await connection.fetchrow(_QUERIES["tenant"], tenant_id)
            wrapped = await connection.fetch(_QUERIES["data_keys"], tenant_id)
        if row is None:
            self._schools.pop(tenant_id, None)
            self.keys.forget(tenant_id)
            raise TenantUnknown(f"There is no school {tenant_id}.")
        self.keys.load(
            tenant_id, (WrappedKey(tenant_id, r["key_id"], r["wrapped"]) for r in wrapped)
        )
        tenant = _tenant(row)
        school = _School(tenant, _begin(tenant_id, tenant.cell), time.monotonic())
        self._schools[tenant_id] = school
        return school

    @contextlib.asynccontextmanager
    async def _transaction(self, begin: str) -> AsyncIterator[Connection]:
        around = _inside.get()
        if around is not None and around.open:
            raise TransactionNested
        connection = await self._begun(begin)
        mark = _Mark()
        _inside.set(mark)
        committing = False
        try:
            yield connection
            committing = True
            if await connection.execute("COMMIT") != "COMMIT":
                raise DatabaseError("The transaction had failed before; nothing was written.")
        except _BROKEN as error:
            if not _is_gone(connection, error):
                raise
            unknown = committing and not isinstance(error, _NOT_SENT)
            raise DatabaseUnavailable(error, outcome_unknown=unknown) from error
        finally:
            mark.open = False
            try:
                with contextlib.suppress(*_BROKEN):
                    await _roll_back(connection)
            finally:
                await self._pool.release(connection)

    async def _begun(self, begin: str) -> Connection:
        """A connection with its transaction begun; waits for a database that restarts."""
        deadline_s = time.monotonic() + PATIENCE_S
        while True:
            try:
                connection: Connection = await self._pool.acquire(
                    timeout=deadline_s - time.monotonic()
                )
            except TimeoutError as error:
                raise DatabaseUnavailable("it is busy") from error
            except asyncpg.InterfaceError as error:
                raise DatabaseUnavailable(error) from error
            except _GONE as error:
                if time.monotonic() + RETRY_S > deadline_s:
                    raise DatabaseUnavailable(error) from error
                await asyncio.sleep(RETRY_S)
                continue
            try:
                await connection.execute(begin)
            except BaseException as error:
                gone = isinstance(error, _BROKEN) and _is_gone(connection, error)
                await self._pool.release(connection)
                if gone:
                    continue
                raise
            return connection


def _is_gone(connection: Connection, error: BaseException) -> bool:
    """Whether a connection broke; the pool takes such a one back by itself."""
    try:
        if isinstance(error, asyncpg.InternalClientError):
            connection.terminate()
        return bool(connection.is_closed())
    except asyncpg.InterfaceError:
        return True


def check_cell_name(cell: str) -> None:
    """Raise unless `cell` can be nothing but a schema of ours.

    Raises:
        CellNameRefused: If it could.
    """
    if not _CELL.fullmatch(cell) or _NOT_CELLS.fullmatch(cell):
        raise CellNameRefused(cell)


def _begin(tenant_id: UUID, cell: str) -> str:
    """The project's only built SQL: nothing gets in but a UUID object and a checked schema name."""
    check_cell_name(cell)
    return (
        f"BEGIN; SET LOCAL search_path = {cell};"
        f" SET LOCAL app.tenant_id = '{UUID(bytes=tenant_id.bytes)}'"
    )


def _tenant(row: Any) -> Tenant:
    return Tenant(row["id"], row["slug"], row["name"], row["cell"], row["status"])


async def _prepare(connection: Connection, keys: Keyring) -> None:
    connection.keys = keys
    await connection.set_type_codec(
        "jsonb",
        schema="pg_catalog",
        encoder=lambda value: orjson.dumps(value).decode(),
        decoder=orjson.loads,
    )
    # asyncpg's own UUID is a subclass, which orjson refuses.
    await connection.set_type_codec(
        "uuid",
        schema="pg_catalog",
        encoder=lambda value: value.bytes,
        decoder=lambda data: UUID(bytes=data),
        format="binary",
    )


async def _roll_back(connection: Connection) -> None:
    """Also the pool's reset: settings are transaction-local, there is nothing else to undo."""
    if connection.is_in_transaction():
        await connection.execute("ROLLBACK")
