"""Transactions in a school's cell, and what keeps schools apart."""

import asyncio
import contextlib
from uuid import UUID

import asyncpg
import pytest

from tenancy import cells, migrate
from tenancy.crypto import Keyring, MasterKeyUnusable
from tenancy.ids import new_id
from tenancy.model import TenantUnknown
from tenancy.postgres import (
    CellNameRefused,
    Database,
    DatabaseError,
    DatabaseUnavailable,
    TransactionNested,
    check_cell_name,
)

NAMES = "SELECT name FROM people"
SET_SETTING = (
    "INSERT INTO settings (tenant_id, layer, name, value, changed_at)"
    " VALUES ($1, 'school', $2, $3, now())"
)


async def test_a_school_sees_its_own_people_and_no_others(database, school, other_school):
    async with database.transaction(school.tenant.id) as connection:
        rows = await connection.fetch("SELECT id FROM people")
    assert {row["id"] for row in rows} == {person.id for person in school.people}


async def test_without_a_school_there_are_no_rows(database, school):
    async with database.control() as connection:
        assert await connection.fetch("SELECT * FROM pool_1.people") == []
        await connection.execute("SET LOCAL app.tenant_id = ''")
        assert await connection.fetch("SELECT * FROM pool_1.people") == []


async def test_nothing_is_found_outside_a_transaction_of_ours(database_urls, database, school):
    async with database.transaction(school.tenant.id) as connection:
        await connection.fetch(NAMES)
    async with database._pool.acquire() as connection:
        assert await connection.fetchval("SHOW search_path") == "pg_catalog"
        assert await connection.fetchval("SELECT current_setting('app.tenant_id', true)") == ""
        with pytest.raises(asyncpg.UndefinedTableError):
            await connection.fetch(NAMES)


async def test_another_school_s_rows_cannot_be_written(database, school, other_school):
    stranger = other_school.student.id
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="row-level security"):
        async with database.transaction(school.tenant.id) as connection:
            await connection.execute(SET_SETTING, other_school.tenant.id, "voice", "slt")
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="row-level security"):
        async with database.transaction(school.tenant.id) as connection:
            await connection.execute("UPDATE people SET tenant_id = $1", other_school.tenant.id)
    async with database.transaction(school.tenant.id) as connection:
        done = await connection.execute("UPDATE people SET name = '' WHERE id = $1", stranger)
        assert done == "UPDATE 0"


async def test_an_unforced_owner_s_table_would_still_hide_rows(database, school, admin_connection):
    async with migrate.as_owner(admin_connection, "pool_1"):
        assert await admin_connection.fetchval("SELECT count(*) FROM people") == 0


async def test_no_role_of_the_server_empties_a_table(database, school, admin_connection):
    for table in await admin_connection.fetch(
        "SELECT tablename AS name FROM pg_tables WHERE schemaname = 'pool_1'"
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with database.transaction(school.tenant.id) as connection:
                await connection.execute(f"TRUNCATE {table['name']} CASCADE")


@pytest.mark.parametrize("table", ["audit", "reads"])
async def test_what_must_stay_is_not_deleted(database, school, table):
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with database.transaction(school.tenant.id) as connection:
            await connection.execute(f"DELETE FROM {table}")


@pytest.mark.parametrize(("table", "column"), [("audit", "verb"), ("items", "said")])
async def test_what_was_said_and_done_is_not_changed(database, school, table, column):
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with database.transaction(school.tenant.id) as connection:
            await connection.execute(f"UPDATE {table} SET {column} = NULL")


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE extra (id int)",
        "CREATE TEMPORARY TABLE people (id int)",
        "CREATE SCHEMA extra",
        "ALTER TABLE people DISABLE ROW LEVEL SECURITY",
        "DROP POLICY own_school ON people",
        "SET ROLE student_connect_owner",
        "UPDATE control.tenants SET cell = 'pool_2'",
        "DELETE FROM control.data_keys",
    ],
)
async def test_the_server_s_role_changes_nothing_of_the_house(database, school, statement):
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with database.transaction(school.tenant.id) as connection:
            await connection.execute(statement)


@pytest.mark.parametrize(
    "name",
    [
        *("", "A", "pool 1", "pool_1; DROP SCHEMA control", "pool_1\n", 'a"b', "1a", "a" * 64, "é"),
        *("control", "public", "pg_catalog", "pg_temp", "information_schema", "sys"),
        *("pool_1, public", "pool_1'", "pool-1", "$user"),
    ],
)
def test_nothing_else_passes_for_a_cell(name):
    with pytest.raises(CellNameRefused, match="cannot be a cell's name"):
        check_cell_name(name)


@pytest.mark.parametrize("tenant_id", ["x'; SET ROLE postgres; --", None, 7])
async def test_only_a_uuid_names_a_school(database, tenant_id):
    with pytest.raises(TypeError, match="named by a UUID"):
        async with database.transaction(tenant_id):
            pass


async def test_a_uuid_that_prints_itself_otherwise_injects_nothing(database, school):
    class Sly(UUID):
        def __str__(self) -> str:
            return "'; SET LOCAL app.tenant_id = 'x"

    async with database.transaction(Sly(int=school.tenant.id.int)) as connection:
        assert len(await connection.fetch(NAMES)) == len(school.people)


async def test_an_unknown_school_is_told(database):
    for _ in range(2):
        with pytest.raises(TenantUnknown):
            async with database.transaction(new_id()):
                pass


async def test_a_transaction_is_kept_or_undone_whole(database, school):
    async with database.transaction(school.tenant.id) as connection:
        await connection.execute(SET_SETTING, school.tenant.id, "kept", {"a": [1, None, "é"]})
    with pytest.raises(ZeroDivisionError):
        async with database.transaction(school.tenant.id) as connection:
            await connection.execute(SET_SETTING, school.tenant.id, "undone", 1)
            raise ZeroDivisionError
    async with database.transaction(school.tenant.id) as connection:
        rows = await connection.fetch("SELECT name, value FROM settings")
    assert [tuple(row) for row in rows] == [("kept", {"a": [1, None, "é"]})]


async def test_a_swallowed_error_is_not_taken_for_a_commit(database, school):
    with pytest.raises(DatabaseError, match="nothing was written"):
        async with database.transaction(school.tenant.id) as connection:
            await connection.execute(SET_SETTING, school.tenant.id, "lost", 1)
            with contextlib.suppress(asyncpg.DivisionByZeroError):
                await connection.execute("SELECT 1 / 0")


async def test_rolling_back_is_nothing_to_complain_of(database, school, caplog):
    for error in (ZeroDivisionError, asyncpg.DivisionByZeroError):
        with pytest.raises(error):
            async with database.transaction(school.tenant.id) as connection:
                if error is asyncpg.DivisionByZeroError:
                    await connection.execute("SELECT 1 / 0")
                raise error
    assert caplog.records == []


async def test_a_cancelled_transaction_leaves_nothing_behind(database, school, caplog):
    begun = asyncio.Event()

    async def work():
        async with database.transaction(school.tenant.id) as connection:
            await connection.execute(SET_SETTING, school.tenant.id, "undone", 1)
            begun.set()
            await connection.execute("SELECT pg_sleep(30)")

    task = asyncio.create_task(work())
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with database.transaction(school.tenant.id) as connection:
        assert await connection.fetch("SELECT name FROM settings") == []
    assert caplog.records == []


async def test_transactions_do_not_nest(database, school, other_school):
    async with database.transaction(school.tenant.id):
        with pytest.raises(TransactionNested, match="Hand its connection on"):
            async with database.transaction(other_school.tenant.id):
                pass
        with pytest.raises(TransactionNested):
            async with database.control():
                pass
        with pytest.raises(TransactionNested):
            await asyncio.create_task(database.tenants())
    async with database.transaction(other_school.tenant.id) as connection:
        assert len(await connection.fetch(NAMES)) == len(other_school.people)


async def test_a_task_begun_in_a_transaction_may_have_its_own_later(database, school):
    committed = asyncio.Event()

    async def later():
        await committed.wait()
        async with database.transaction(school.tenant.id) as connection:
            return len(await connection.fetch(NAMES))

    async with database.transaction(school.tenant.id):
        task = asyncio.create_task(later())
    committed.set()
    assert await task == len(school.people)


async def test_one_prepared_statement_serves_every_cell(database_urls, keys, school):
    """The same text on the same connection, by turns in two schemas."""
    one = await Database.open(database_urls.app, keys, size=1)
    async with migrate.admin(database_urls.admin) as admin:
        slug = f"own-{new_id().hex}"
        own = await cells.create_tenant(admin, keys, slug=slug, name="Its own cell")
    assert own.cell == cells.own_cell(slug)
    for _ in range(7):  # PostgreSQL makes a generic plan at the sixth use
        async with one.transaction(school.tenant.id) as connection:
            assert len(await connection.fetch(NAMES)) == len(school.people)
        async with one.transaction(own.id) as connection:
            assert await connection.fetch(NAMES) == []
    await one.close()


async def test_the_later_of_two_writers_is_tried_again(database, school):
    tenant_id = school.tenant.id
    async with database.transaction(tenant_id) as connection:
        await connection.execute(SET_SETTING, tenant_id, "count", 0)
    both_read = asyncio.Barrier(2)
    tries = 0

    async def add_one(connection):
        nonlocal tries
        tries += 1
        await connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        count = await connection.fetchval("SELECT value FROM settings WHERE name = 'count'")
        if tries <= 2:
            await both_read.wait()
        await connection.execute("UPDATE settings SET value = $1", count + 1)
        return count + 1

    results = await asyncio.gather(
        database.run(tenant_id, add_one), database.run(tenant_id, add_one)
    )
    assert sorted(results) == [1, 2]
    assert tries == 3


async def test_a_lost_connection_is_replaced_and_the_work_done_again(
    database, school, admin_connection
):
    tries = 0

    async def work(connection):
        nonlocal tries
        tries += 1
        await connection.execute(SET_SETTING, school.tenant.id, "once", tries)
        if tries == 1:
            pid = await connection.fetchval("SELECT pg_backend_pid()")
            await admin_connection.execute("SELECT pg_terminate_backend($1, 5000)", pid)
        return await connection.fetchval("SELECT value FROM settings")

    assert await database.run(school.tenant.id, work) == 2


async def test_idle_connections_that_died_are_not_noticed(database, school, admin_connection):
    async with database.transaction(school.tenant.id) as connection:
        pid = await connection.fetchval("SELECT pg_backend_pid()")
    await admin_connection.execute("SELECT pg_terminate_backend($1, 5000)", pid)
    async with database.transaction(school.tenant.id) as connection:
        assert await connection.fetchval("SELECT pg_backend_pid()") != pid


async def test_a_connection_lost_in_the_middle_is_told_in_a_sentence(
    database, school, admin_connection
):
    with pytest.raises(DatabaseUnavailable, match="try again in a moment") as caught:
        async with database.transaction(school.tenant.id) as connection:
            pid = await connection.fetchval("SELECT pg_backend_pid()")
            await admin_connection.execute("SELECT pg_terminate_backend($1, 5000)", pid)
            await connection.fetch(NAMES)
    assert not caught.value.outcome_unknown


class Line:
    """A way to PostgreSQL that can be cut: what it answers after that, nobody hears."""

    def __init__(self, there):
        self.there, self.is_cut = there, False

    async def __call__(self, reader, writer):
        answers, questions = await asyncio.open_unix_connection(self.there)
        await asyncio.gather(self.ask(reader, questions), self.answer(answers, writer))

    async def ask(self, reader, questions):
        while data := await reader.read(65_536):
            questions.write(data)
        questions.close()

    async def answer(self, answers, writer):
        while (data := await answers.read(65_536)) and not self.is_cut:
            writer.write(data)
        writer.close()


async def test_a_commit_that_got_no_answer_is_not_tried_again(
    database, database_urls, keys, school, postgres, tmp_path
):
    socket = ".s.PGSQL.5432"
    line = Line(postgres.socket_dir / socket)
    serving = await asyncio.start_unix_server(line, tmp_path / socket)
    far = await Database.open({"dsn": database_urls.app, "host": str(tmp_path)}, keys)
    tries = 0

    async def work(connection):
        nonlocal tries
        tries += 1
        await connection.execute(SET_SETTING, school.tenant.id, "once", tries)
        line.is_cut = True

    with pytest.raises(DatabaseUnavailable) as caught:
        await far.run(school.tenant.id, work)
    assert caught.value.outcome_unknown
    await far.close()
    serving.close()
    async with database.transaction(school.tenant.id) as connection:
        assert await connection.fetchval("SELECT value FROM settings") == 1


async def test_a_commit_that_was_never_sent_is_tried_again(database, school, admin_connection):
    tries = 0

    async def work(connection):
        nonlocal tries
        tries += 1
        await connection.execute(SET_SETTING, school.tenant.id, "once", tries)
        if tries == 1:
            pid = await connection.fetchval("SELECT pg_backend_pid()")
            await admin_connection.execute("SELECT pg_terminate_backend($1, 5000)", pid)
            with contextlib.suppress(asyncpg.InterfaceError):  # the pool has taken it back
                while not connection.is_closed():
                    await asyncio.sleep(0)

    await database.run(school.tenant.id, work)
    async with database.transaction(school.tenant.id) as connection:
        assert await connection.fetchval("SELECT value FROM settings") == 2


async def test_a_pool_without_a_free_connection_says_that_it_is_busy(
    database_urls, keys, school, monkeypatch
):
    monkeypatch.setattr("tenancy.postgres.PATIENCE_S", 0.1)
    one = await Database.open(database_urls.app, keys, size=1)
    taken = await one._pool.acquire()
    with pytest.raises(DatabaseUnavailable, match="it is busy"):
        await one.tenants()
    await one._pool.release(taken)
    assert school.tenant in await one.tenants()
    await one.close()
    with pytest.raises(DatabaseUnavailable, match="pool is clos"):
        await one.tenants()


async def test_closing_waits_for_who_is_at_work_but_not_for_ever(
    database_urls, keys, school, monkeypatch
):
    monkeypatch.setattr("tenancy.postgres.PATIENCE_S", 0.05)
    one = await Database.open(database_urls.app, keys)
    with pytest.raises(DatabaseUnavailable):
        async with one.transaction(school.tenant.id) as connection:
            await one.close()
            await connection.fetch(NAMES)


async def test_closing_can_be_broken_off(database_urls, keys):
    one = await Database.open(database_urls.app, keys)
    await one._pool.acquire()
    closing = asyncio.create_task(one.close())
    await asyncio.sleep(0)
    closing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await closing
    assert one.in_use == 0


async def test_a_database_that_is_not_there_is_told_in_a_sentence(tmp_path, keys):
    with pytest.raises(DatabaseUnavailable, match="The database does not answer"):
        await Database.open(f"postgresql://nobody@/none?host={tmp_path}", keys)


async def test_a_database_that_refuses_us_is_told_in_a_sentence(database_urls, keys):
    with pytest.raises(DatabaseError, match=r"refuses us: .*Check DATABASE_URL"):
        await Database.open(database_urls.app.replace("/tests_", "/none_"), keys)


async def test_schools_are_found_by_slug_domain_and_id(database, admin_connection, keys, school):
    slug = f"d-{new_id().hex}"
    made = await cells.create_tenant(
        admin_connection, keys, slug=slug, name="D", cell="pool_1", domains=[f"{slug}.Example"]
    )
    assert await database.tenant_by_slug(slug) == made
    assert await database.tenant_by_domain(f"{slug}.EXAMPLE") == made
    assert await database.tenant(made.id) == made
    assert {made, school.tenant} <= set(await database.tenants())
    with pytest.raises(TenantUnknown):
        await database.tenant_by_slug("nowhere")


async def test_words_are_sealed_for_one_school(database, school, other_school):
    for one in (school, other_school):
        async with database.transaction(one.tenant.id):
            pass
    sealed = database.seal(school.tenant.id, "items", "1", "three quarters")
    assert database.unseal(school.tenant.id, "items", "1", sealed) == "three quarters"


async def test_another_master_key_opens_no_school(database_urls, school):
    other = await Database.open(database_urls.app, Keyring(bytes(32)))
    with pytest.raises(MasterKeyUnusable):
        async with other.transaction(school.tenant.id):
            pass
    await other.close()
