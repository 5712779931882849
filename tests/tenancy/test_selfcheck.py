"""The database is asked whether it keeps schools apart; here it is made not to."""

import pytest

from tenancy import cells, migrate, selfcheck
from tenancy.crypto import Keyring
from tenancy.postgres import Database, SelfCheckFailed


async def test_a_migrated_database_passes(database, school):
    await database.self_check()


async def test_a_superuser_is_refused(database_urls, keys):
    database = await Database.open(database_urls.admin, keys)
    with pytest.raises(SelfCheckFailed, match="is a superuser"):
        await database.self_check()
    await database.close()


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        ("ALTER TABLE {c}.people NO FORCE ROW LEVEL SECURITY", "{c}.people does not hide"),
        ("ALTER TABLE {c}.people DISABLE ROW LEVEL SECURITY", "{c}.people does not hide"),
        ("DROP POLICY own_school ON {c}.people", "{c}.people needs a policy"),
        ("CREATE POLICY all_ ON {c}.people USING (true)", "{c}.people needs a policy"),
        ("CREATE POLICY all_ ON {c}.people FOR SELECT USING (true)", "{c}.people needs a policy"),
        ("ALTER POLICY own_school ON {c}.people WITH CHECK (true)", "{c}.people needs a policy"),
        ("CREATE TABLE {c}.extra (id uuid)", "{c}.extra has no tenant_id"),
        ("CREATE TABLE {c}.extra (tenant_id uuid)", "{c}.extra does not hide"),
        ("GRANT TRUNCATE ON {c}.people TO student_connect_app", "empty or rig"),
        ("GRANT TRIGGER ON {c}.people TO PUBLIC", "empty or rig"),
        ("CREATE VIEW {c}.all_ AS SELECT * FROM {c}.people", "view {c}.all_"),
        ("CREATE MATERIALIZED VIEW {c}.all_ AS SELECT 1", "view {c}.all_"),
        ("GRANT CREATE ON SCHEMA {c} TO student_connect_app", "make things in the schema {c}"),
        ("GRANT CREATE ON SCHEMA public TO PUBLIC", "make things in the schema public"),
        (
            "CREATE FUNCTION {c}.f() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1'",
            "function {c}.f runs with its owner's rights",
        ),
        ("GRANT student_connect_owner TO student_connect_app", "may act as the owner"),
        ("ALTER ROLE student_connect_app BYPASSRLS", "has BYPASSRLS"),
    ],
)
async def test_each_way_to_mix_schools_is_found(admin_connection, spoil, sentence):
    """Spoiled, asked as the app's role, and undone, all in one transaction."""
    spoiling = admin_connection.transaction()
    await spoiling.start()
    await admin_connection.execute(spoil.format(c="pool_1"))
    await admin_connection.execute("SET LOCAL ROLE student_connect_app")
    problems = await selfcheck.problems(admin_connection)
    await spoiling.rollback()
    assert sentence.format(c="pool_1") in problems[0]
    assert all("pool_1.extra" in problem for problem in problems[1:])


async def test_a_database_that_waits_for_its_migrations_is_refused(make_database, keys):
    urls = await make_database()
    database = await Database.open(urls.app, keys)
    with pytest.raises(SelfCheckFailed, match=r"0001_control.*run `student-connect migrate`"):
        await database.self_check()
    await migrate.up(urls.admin)
    await database.self_check()
    async with migrate.admin(urls.admin) as connection:
        await connection.execute("UPDATE control.migrations SET checksum = ''")
    with pytest.raises(SelfCheckFailed, match="was changed after it was applied"):
        await database.self_check()
    await database.close()


async def test_a_view_that_asks_as_its_reader_is_fine(admin_connection):
    spoiling = admin_connection.transaction()
    await spoiling.start()
    await admin_connection.execute(
        "CREATE VIEW pool_1.mine WITH (security_invoker = true) AS SELECT * FROM pool_1.people"
    )
    await admin_connection.execute("SET LOCAL ROLE student_connect_app")
    assert await selfcheck.problems(admin_connection) == []
    await spoiling.rollback()


@pytest.mark.parametrize(
    ("number", "fine"),
    [
        *((number, False) for number in (140019, 150013, 160009, 170005)),
        *((number, True) for number in (150014, 160010, 170006, 180000, 180004, 190000)),
    ],
)
def test_servers_with_the_known_fault_are_refused(number, fine):
    assert (not list(selfcheck._of_version({"number": number, "name": "x"}))) is fine


async def test_a_master_key_that_opens_nothing_is_refused(database_urls, school):
    database = await Database.open(database_urls.app, Keyring(bytes(32)))
    with pytest.raises(SelfCheckFailed, match="Put back the MASTER_KEY"):
        await database.self_check()
    await database.close()


async def test_keys_wrapped_anew_open_with_the_new_master_key_only(
    database_urls, keys, make_database
):
    urls = await make_database()
    async with migrate.admin(urls.admin) as connection:
        await migrate.up(urls.admin)
        tenant = await cells.create_tenant(connection, keys, slug="one", name="One")
        sealed = keys.seal(tenant.id, "items", "1", "kept")
        rotated = Keyring(bytes(32), former=[bytes(range(32))])
        assert await cells.rewrap_keys(connection, rotated) == 1
    database = await Database.open(urls.app, Keyring(bytes(32)))
    await database.self_check()
    async with database.transaction(tenant.id):
        assert database.unseal(tenant.id, "items", "1", sealed) == "kept"
    await database.close()
