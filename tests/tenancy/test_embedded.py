"""The PostgreSQL that comes along, through everything that kills it or us."""

import asyncio
import contextlib
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import asyncpg
import pytest

from tenancy import embedded, migrate, unprivileged
from tenancy.crypto import Keyring
from tenancy.embedded import Embedded, EmbeddedError
from tenancy.postgres import Database

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
SERVER = """
import asyncio, sys
from pathlib import Path
from tenancy import migrate
from tenancy.embedded import Embedded

async def main():
    postgres = await Embedded.start(Path(sys.argv[1]))
    async with migrate.admin(postgres.place.admin_url) as connection:
        await connection.execute("CREATE TABLE IF NOT EXISTS notes (n int)")
        await connection.execute("INSERT INTO notes VALUES (1)")
        print(await connection.fetchval("SELECT pg_backend_pid()"), postgres._child.pid, flush=True)
        await asyncio.sleep(60)

asyncio.run(main())
"""


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory):
    """One cluster for all tests here; its first start finds half of a broken first start."""
    data_dir = tmp_path_factory.mktemp("embedded") / "data"
    (data_dir / "postgres.new" / "base").mkdir(parents=True)

    async def first():
        await (await Embedded.start(data_dir, durable=False)).stop()

    asyncio.run(first())
    assert not (data_dir / "postgres.new").exists()
    return data_dir


@contextlib.asynccontextmanager
async def started(data_dir, *, durable=False):
    postgres = await Embedded.start(data_dir, durable=durable)
    try:
        yield postgres
    finally:
        await postgres.stop()


async def ask(url, query):
    async with migrate.admin(url) as connection:
        return await connection.fetchval(query)


def is_alive(pid):
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False


async def gone(pid):
    assert await embedded._until(lambda: not is_alive(pid), 5)


async def test_it_answers_on_its_socket_and_on_no_network(data_dir):
    async with started(data_dir) as postgres:
        url = postgres.place.admin_url
        assert (await ask(url, "SHOW server_version")).startswith("18.")
        assert await ask(url, "SHOW listen_addresses") == ""
        folder = postgres.place.socket_dir
        assert folder.stat().st_mode & 0o777 == 0o700
        assert await ask(url, "SELECT count(*) FROM pg_available_extensions WHERE name='vector'")


async def test_it_stops_when_it_is_told_to(data_dir):
    async with started(data_dir) as postgres:
        pid = postgres._child.pid
        assert is_alive(pid)
    assert not is_alive(pid)
    assert not (data_dir / "postgres" / "postmaster.pid").exists()


async def test_a_second_server_is_told_who_was_first(data_dir):
    async with started(data_dir):
        with pytest.raises(EmbeddedError) as caught:
            await Embedded.start(data_dir)
    assert f"server (process {os.getpid()}) already uses {data_dir}" in str(caught.value)
    async with started(data_dir):
        pass


async def test_a_command_uses_the_running_server_s(data_dir):
    async with started(data_dir) as postgres:
        async with embedded.borrowed(data_dir) as place:
            assert place == postgres.place
            assert await ask(place.admin_url, "SELECT 1") == 1
        assert await ask(postgres.place.admin_url, "SELECT 1") == 1


async def test_a_command_without_a_server_starts_its_own_for_as_long_as_it_runs(data_dir):
    async with embedded.borrowed(data_dir) as place:
        pid = await ask(place.admin_url, "SELECT pg_backend_pid()")
        assert "command (process" in (data_dir / "lock").read_text()
    assert not is_alive(pid)


async def test_who_comes_while_a_command_has_the_folder_waits_for_its_end(data_dir):
    async def command():
        async with embedded.borrowed(data_dir) as place:
            return await ask(place.admin_url, "SELECT 1")

    async def server():
        await embedded.await_free(data_dir)
        async with started(data_dir) as postgres:
            return await ask(postgres.place.admin_url, "SELECT 1")

    assert await asyncio.gather(command(), command(), server(), command()) == [1, 1, 1, 1]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child of its parent's end")
async def test_it_ends_with_a_killed_server_and_the_next_start_is_quick(data_dir):
    server = subprocess.Popen(
        [sys.executable, "-c", SERVER, str(data_dir)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    with server:
        backend, postmaster = map(int, server.stdout.readline().split())
        assert is_alive(backend)
        server.kill()
    before_s = time.monotonic()
    async with started(data_dir) as postgres:
        assert time.monotonic() - before_s < 2
        assert await ask(postgres.place.admin_url, "SELECT count(*) FROM notes") == 1
        assert not is_alive(postmaster)
        assert not is_alive(backend)


async def test_one_left_behind_is_stopped(data_dir):
    """As on systems whose kernel does not end a child with its parent."""
    async with started(data_dir) as first:
        os.close(first._lock)
        async with started(data_dir) as second:
            assert not is_alive(first._child.pid)
            assert await ask(second.place.admin_url, "SELECT 1") == 1
        first._lock = os.open(os.devnull, os.O_RDONLY)


async def test_when_it_is_killed_it_comes_back_and_so_does_the_pool(data_dir, keys: Keyring):
    async with started(data_dir, durable=True) as postgres:
        await migrate.up(postgres.place.admin_url)
        database = await Database.open(postgres.place.app_url, keys)
        async with database.control() as connection:
            backend = await connection.fetchval("SELECT pg_backend_pid()")
        guard = asyncio.create_task(postgres.keep_alive())
        killed = postgres._child.pid
        os.kill(killed, signal.SIGKILL)
        await gone(killed)
        await gone(backend)  # orphaned, it may answer for a moment and then break off
        assert await database.tenants() == []
        assert postgres._child.pid != killed
        guard.cancel()
        await database.close()


async def test_a_number_that_another_process_has_by_now_is_no_obstacle(data_dir):
    """As in a container, where after a crash the same few numbers are given again."""
    stranger = subprocess.Popen(["sleep", "60"])
    async with started(data_dir) as postgres:
        lines = (data_dir / "postgres" / "postmaster.pid").read_text().splitlines()
        postgres._child.kill()
        postgres._child.wait()
        (data_dir / "postgres" / "postmaster.pid").write_text(
            "\n".join([str(stranger.pid), *lines[1:]]) + "\n"
        )
        lock = postgres.place.socket_dir / f"{embedded.SOCKET_NAME}.lock"
        lock.write_text(lock.read_text().replace(lines[0], str(stranger.pid)))
    async with started(data_dir) as postgres:
        assert await ask(postgres.place.admin_url, "SELECT 1") == 1
    assert stranger.poll() is None, "an innocent process was stopped"
    stranger.kill()
    stranger.wait()


async def test_another_major_version_is_told_in_a_sentence(data_dir):
    (data_dir / "postgres" / "PG_VERSION").write_text("16\n")
    try:
        with pytest.raises(
            EmbeddedError, match=r"written by PostgreSQL 16; .* brings PostgreSQL 18"
        ):
            await Embedded.start(data_dir)
    finally:
        (data_dir / "postgres" / "PG_VERSION").write_text("18\n")


async def test_a_start_that_fails_says_why_and_lets_go(data_dir, monkeypatch):
    monkeypatch.setitem(embedded.SETTINGS, "shared_buffers", "lots")
    with pytest.raises(EmbeddedError, match=r"did not start: .*shared_buffers.*postgres\.log"):
        await Embedded.start(data_dir)
    monkeypatch.undo()
    async with started(data_dir):
        pass


async def test_a_long_path_gets_a_short_socket(data_dir, tmp_path):
    far = tmp_path / ("x" * 100) / "data"
    far.parent.mkdir()
    data_dir.rename(far)
    try:
        async with started(far) as postgres:
            folder = postgres.place.socket_dir
            assert not folder.is_relative_to(far)
            assert folder.stat().st_mode & 0o777 == 0o700
            assert await ask(postgres.place.admin_url, "SELECT 1") == 1
            async with embedded.borrowed(far) as place:
                assert await ask(place.admin_url, "SELECT 1") == 1
        assert not folder.exists()
    finally:
        far.rename(data_dir)


async def test_its_log_holds_nothing_that_was_said(data_dir):
    async with (
        started(data_dir) as postgres,
        migrate.admin(postgres.place.admin_url) as connection,
    ):
        await connection.execute("CREATE TEMPORARY TABLE t (said text PRIMARY KEY)")
        for _ in range(2):
            with contextlib.suppress(asyncpg.UniqueViolationError):
                await connection.execute("INSERT INTO t VALUES ($1)", "canary-in-parameter")
        with pytest.raises(asyncpg.PostgresSyntaxError):
            await connection.execute("SELECT 'canary-in-statement' FROM FROM")
    log = (data_dir / "postgres.log").read_text()
    assert "duplicate key" in log
    assert "canary" not in log


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has rights to give up")
@pytest.mark.parametrize("closed", [True, False])
async def test_as_root_it_has_no_rights_but_to_pass_closed_folders(data_dir, tmp_path, closed):
    place = Path(tempfile.mkdtemp(prefix="student-connect-tests-"))
    place.chmod(0o700 if closed else 0o711)
    data_dir.rename(place / "data")
    try:
        async with started(place / "data") as postgres:
            status = Path(f"/proc/{postgres._child.pid}/status").read_text()
        assert place.stat().st_mode & 0o777 == (0o700 if closed else 0o711)
    finally:
        (place / "data").rename(data_dir)
        place.rmdir()
    uids = re.search(r"^Uid:\s+(.*)$", status, re.MULTILINE)[1].split()
    assert set(uids) == {str(unprivileged.account(data_dir / "postgres").uid)} != {"0"}
    assert re.search(r"^Groups:\s*$", status, re.MULTILINE)
    held = int(re.search(r"^CapEff:\s+(\w+)$", status, re.MULTILINE)[1], 16)
    assert held in ((1 << 1, 1 << 2) if closed or _closed_programs() else (0,))


def _closed_programs():
    who = unprivileged.account(Path("/nonexistent"))
    return unprivileged._closed(embedded.binaries(), who) is not None


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has rights to give up")
def test_where_nothing_passes_a_closed_folder_a_sentence_says_so(tmp_path, monkeypatch):
    tmp_path.chmod(0o700)
    monkeypatch.setattr(unprivileged, "_passing_capability", lambda: None)
    who = unprivileged.account(tmp_path / "none")
    with pytest.raises(unprivileged.CannotLeaveRoot, match=r"cannot pass the folder .* DATA_DIR"):
        unprivileged.preparation(who, [tmp_path])
