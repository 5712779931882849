"""A backup brings everything back, or nothing."""

import asyncio

import pytest

from tenancy import audit, cells, migrate
from tenancy.backup import BackupFailed, backup, check, restore
from tenancy.crypto import Keyring
from tenancy.postgres import Database


@pytest.fixture(scope="module")
def filled(make_database, tmp_path_factory):
    """A database with one school, which has said something, and a backup of it."""
    keys = Keyring(bytes(32))
    file = tmp_path_factory.mktemp("backup") / "school.backup"

    async def fill():
        urls = await make_database()
        await migrate.up(urls.admin)
        async with migrate.admin(urls.admin) as connection:
            tenant = await cells.create_tenant(connection, keys, slug="one", name="One")
        await backup(urls.admin, file)
        return urls, tenant

    urls, tenant = asyncio.run(fill())
    return urls, tenant, keys, file, keys.seal(tenant.id, "items", "1", "one half")


def test_a_backup_is_for_its_owner_s_eyes(filled):
    file = filled[3]
    assert file.stat().st_mode & 0o777 == 0o600
    assert list(file.parent.iterdir()) == [file]


async def test_all_comes_back_in_another_database(filled, make_database):
    _, tenant, keys, file, sealed = filled
    other = await make_database()
    await migrate.up(other.admin)  # as a first start leaves it
    await restore(other.admin, file)
    assert (await migrate.up(other.admin)).done == 0
    database = await Database.open(other.app, keys)
    await database.self_check()
    assert await database.tenants() == [tenant]
    assert await audit.verify(database, tenant.id) == []
    assert database.unseal(tenant.id, "items", "1", sealed) == "one half"
    await database.close()


async def test_nothing_is_restored_over_a_school(filled):
    urls, _, _, file, _ = filled
    with pytest.raises(BackupFailed, match="has 1 schools already"):
        await restore(urls.admin, file)


async def test_half_a_backup_brings_nothing(filled, make_database, tmp_path):
    whole = filled[3].read_bytes()
    half = tmp_path / "half.backup"
    half.write_bytes(whole[: len(whole) // 2])
    other = await make_database()
    with pytest.raises(BackupFailed, match="pg_restore: error"):
        await restore(other.admin, half)
    async with migrate.admin(other.admin) as connection:
        assert not await connection.fetchval("SELECT to_regnamespace('control') IS NOT NULL")


async def test_a_file_that_is_no_backup_is_refused(database_urls, tmp_path):
    (tmp_path / "notes.txt").write_text("Hello")
    with pytest.raises(BackupFailed, match="is no backup"):
        await restore(database_urls.admin, tmp_path / "notes.txt")
    with pytest.raises(BackupFailed, match="No such file"):
        await restore(database_urls.admin, tmp_path / "none")


async def test_a_failed_backup_leaves_the_older_one(postgres, tmp_path):
    file = tmp_path / "school.backup"
    file.write_text("older")
    with pytest.raises(BackupFailed, match="does not exist"):
        await backup(postgres.url("postgres", "no_such_database"), file)
    assert file.read_text() == "older"
    assert list(tmp_path.iterdir()) == [file]


async def test_two_backups_to_one_file_are_no_trouble(database_urls, tmp_path):
    file = tmp_path / "school.backup"
    first, second = (asyncio.create_task(backup(database_urls.admin, file)) for _ in range(2))
    await asyncio.sleep(0.05)
    second.cancel()
    await asyncio.gather(first, second, return_exceptions=True)
    assert first.exception() is None
    check(file)
    assert list(tmp_path.iterdir()) == [file]


async def test_a_place_that_cannot_be_written_is_told(database_urls, tmp_path):
    with pytest.raises(BackupFailed, match="cannot be written"):
        await backup(database_urls.admin, tmp_path / "none" / "school.backup")
