"""Backup and restore of a whole database, by the `pg_dump` and `pg_restore` that come along.

A backup holds the schools' data keys only wrapped: without the master key, which is to be kept in
another place, nobody reads a word in it.
"""

import asyncio
import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit, urlunsplit

import asyncpg

from tenancy import embedded, migrate, unprivileged
from tenancy.model import TenancyError
from tenancy.sql import load

MAGIC = b"PGDMP"  # how pg_dump's custom format begins
_QUERIES = load(__package__, "backup.sql")


class BackupFailed(TenancyError):
    """Nothing was written; the sentence says why."""


@contextlib.contextmanager
def _replacing(file: Path) -> Iterator[Path]:
    """A file beside `file` that takes its place once it is whole. Raises BackupFailed.

    Its name is its own: somebody else may be writing to the same file.
    """
    try:
        descriptor, name = tempfile.mkstemp(prefix=f"{file.name}.", suffix=".part", dir=file.parent)
    except OSError as error:
        raise BackupFailed(f"{file} cannot be written: {error.strerror}.") from error
    part = Path(name)
    try:
        yield part
        os.fsync(descriptor)
        part.rename(file)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    finally:
        os.close(descriptor)


async def backup(url: str, file: Path) -> None:
    """Write the whole database to `file`, while the server goes on.

    Args:
        url: Of the admin role.

    Raises:
        BackupFailed: If it cannot be written; an older `file` is left as it was.
    """
    with _replacing(file) as part:
        await _run("pg_dump", url, "--format=custom", f"--file={part}")


def check(file: Path) -> None:
    """See whether a file is a backup. Raises BackupFailed."""
    try:
        with file.open("rb") as opened:
            genuine = opened.read(len(MAGIC)) == MAGIC
    except OSError as error:
        raise BackupFailed(f"{file} cannot be read: {error.strerror}.") from error
    if not genuine:
        raise BackupFailed(f"{file} is no backup made by `student-connect backup`.")


async def restore(url: str, file: Path) -> None:
    """Read a backup into a database without schools; all of it or nothing.

    Args:
        url: Of the admin role. No server may be using the database.

    Raises:
        BackupFailed: If `file` is no backup, or the database has schools.
    """
    check(file)
    async with migrate.admin(url) as connection:
        await migrate.make_roles(connection)
        try:
            schools = await connection.fetchval(_QUERIES["schools"])
        except asyncpg.UndefinedTableError:
            schools = 0
        if schools:
            raise BackupFailed(
                f"This database has {schools} schools already. Restore into an empty one:"
                " set DATA_DIR to a new folder, or DATABASE_URL to a new database."
            )
        for statement in await connection.fetch(_QUERIES["emptying"]):
            await connection.execute(statement["sql"])
    await _run("pg_restore", url, "--single-transaction", "--exit-on-error", str(file))


async def _run(program: str, url: str, *arguments: str) -> None:
    """Run a PostgreSQL program on a database, the password not among its arguments."""
    parts = urlsplit(url)
    environment = {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C"}
    if parts.password is not None:
        environment["PGPASSWORD"] = unquote(parts.password)
        user, _, place = parts.netloc.rpartition("@")
        parts = parts._replace(netloc=f"{user.partition(':')[0]}@{place}")
    child = await asyncio.create_subprocess_exec(
        str(embedded.binaries() / program),
        f"--dbname={urlunsplit(parts)}",
        *arguments,
        env=environment,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        preexec_fn=unprivileged.preparation(None, ()),  # it ends with us, however we end
    )
    try:
        _, said = await child.communicate()
    except BaseException:
        child.kill()
        await child.wait()
        raise
    if child.returncode != 0:
        lines = said.decode("utf-8", "replace").strip().splitlines()
        raise BackupFailed(lines[0] if lines else f"{program} failed without a reason.")
