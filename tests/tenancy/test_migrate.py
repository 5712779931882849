"""Migrations: run once, in every cell, whatever one of them does."""

import asyncio

import asyncpg
import pytest

from tenancy import migrate
from tenancy.migrate import MigrationRefused, parse

CONTROL = next(m for m in migrate.ours() if m.scope == "control")
ALPHA = parse(
    2,
    "alpha",
    "-- for: cell\n-- databases: all\n"
    "CREATE TABLE alpha (tenant_id uuid, said text DEFAULT 'a;b', PRIMARY KEY (tenant_id));\n"
    "GRANT SELECT ON alpha TO student_connect_app;\n"
    "-- databases: postgresql\nALTER TABLE alpha ENABLE ROW LEVEL SECURITY;\n"
    "-- down:\nDROP TABLE alpha;\n",
)
BETA = parse(
    3,
    "beta",
    "-- for: cell\nCREATE TABLE beta_log (id int);\nCREATE TABLE beta (id int);\n"
    "-- down:\nDROP TABLE beta;\nDROP TABLE beta_log;\n",
)
CELLS = ("one", "two", "three", "four", "five")


async def tables(connection, schema):
    rows = await connection.fetch(
        "SELECT tablename FROM pg_tables WHERE schemaname = $1 ORDER BY 1", schema
    )
    return [row[0] for row in rows]


@pytest.fixture(scope="module")
def own_urls(make_database):
    return asyncio.run(make_database())


@pytest.fixture
async def empty_urls(own_urls):
    """A database without a trace of ours."""
    async with migrate.admin(own_urls.admin) as connection:
        for schema in ("control", *CELLS):
            await connection.execute(f"DROP SCHEMA IF EXISTS {schema} CASCADE")
    return own_urls


@pytest.fixture
async def urls(empty_urls):
    """A database with five cells, at migration 2."""
    urls = empty_urls
    await migrate.up(urls.admin, migrations=[CONTROL])
    async with migrate.admin(urls.admin) as connection:
        for cell in CELLS:
            await migrate.make_cell(connection, cell, migrations=[CONTROL, ALPHA])
    return urls


async def test_our_own_go_up_and_down_and_up_again(empty_urls):
    urls = empty_urls
    ours = migrate.ours()
    assert [m.number for m in ours] == list(range(1, len(ours) + 1))
    async with migrate.admin(urls.admin) as connection:
        assert (await migrate.up(urls.admin)).done == 1
        await migrate.make_cell(connection, "one")
        made = await tables(connection, "one")
        assert await migrate.pending(connection) == []
        for migration in reversed(ours[1:]):
            assert await migrate.down(urls.admin, migration.number) == migrate.Outcome(1)
        assert await tables(connection, "one") == []
        assert await migrate.pending(connection) == [f"one: {m}" for m in ours[1:]]
        assert (await migrate.up(urls.admin)).done == len(ours) - 1
        assert await tables(connection, "one") == made != []


async def test_a_second_run_changes_nothing(urls):
    told = []
    run = await migrate.up(
        urls.admin, migrations=[CONTROL, ALPHA], progress=lambda *step: told.append(step)
    )
    assert run == migrate.Outcome(0)
    assert told == [(0, 0, "control")]


async def test_every_cell_is_brought_forward_and_counted(urls):
    told = []
    run = await migrate.up(
        urls.admin, migrations=[CONTROL, ALPHA, BETA], progress=lambda *step: told.append(step)
    )
    assert run == migrate.Outcome(len(CELLS))
    assert [step[:2] for step in told] == [(n, len(CELLS)) for n in range(len(CELLS) + 1)]
    assert {step[2] for step in told[1:]} == {f"{cell}: 0003_beta" for cell in CELLS}
    async with migrate.admin(urls.admin) as connection:
        for cell in CELLS:
            assert await tables(connection, cell) == ["alpha", "beta", "beta_log"]


async def test_a_failing_cell_stops_no_other_and_is_picked_up_later(urls):
    async with migrate.admin(urls.admin) as connection:
        await connection.execute("CREATE TABLE two.beta (in_the_way int)")
        run = await migrate.up(urls.admin, migrations=[CONTROL, ALPHA, BETA])
        assert run.done == len(CELLS) - 1
        assert [str(f) for f in run.failures] == ['two: 0003_beta: relation "beta" already exists']
        assert await tables(connection, "two") == ["alpha", "beta"], "half a file was kept"
        assert await tables(connection, "three") == ["alpha", "beta", "beta_log"]
        await connection.execute("DROP TABLE two.beta")
        run = await migrate.up(urls.admin, migrations=[CONTROL, ALPHA, BETA])
        assert run == migrate.Outcome(1)


async def test_a_later_file_waits_for_the_one_that_failed(urls):
    gamma = parse(4, "gamma", "-- for: cell\nCREATE TABLE gamma (id int);")
    async with migrate.admin(urls.admin) as connection:
        await connection.execute("CREATE TABLE two.beta (in_the_way int)")
        run = await migrate.up(urls.admin, migrations=[CONTROL, ALPHA, BETA, gamma])
        assert len(run.failures) == 1
        assert "gamma" not in await tables(connection, "two")


async def test_a_changed_file_is_refused_by_name(urls):
    changed = parse(2, "alpha", "-- for: cell\nCREATE TABLE alpha (id int);\n-- down:\nSELECT 1;")
    for work in (
        migrate.up(urls.admin, migrations=[CONTROL, changed, BETA]),
        migrate.down(urls.admin, 2, migrations=[CONTROL, changed]),
    ):
        with pytest.raises(MigrationRefused, match=r"0002_alpha\.sql was changed"):
            await work
    async with migrate.admin(urls.admin) as connection:
        assert await tables(connection, "one") == ["alpha"]


async def test_a_database_of_a_newer_version_is_refused(urls):
    with pytest.raises(MigrationRefused, match="0002_alpha, which this version does not know"):
        await migrate.up(urls.admin, migrations=[CONTROL])


async def test_only_the_last_file_is_rolled_back(urls):
    every = [CONTROL, ALPHA, BETA]
    await migrate.up(urls.admin, migrations=every)
    with pytest.raises(MigrationRefused, match="Roll back 0003 first"):
        await migrate.down(urls.admin, 2, migrations=every)
    assert await migrate.down(urls.admin, 3, migrations=every) == migrate.Outcome(len(CELLS))
    assert await migrate.down(urls.admin, 3, migrations=every) == migrate.Outcome(0)
    with pytest.raises(MigrationRefused, match="There is no migration 0009"):
        await migrate.down(urls.admin, 9, migrations=every)
    gamma = parse(4, "gamma", "-- for: cell\nSELECT 1;")
    with pytest.raises(MigrationRefused, match="no `-- down:` part"):
        await migrate.down(urls.admin, 4, migrations=[*every, gamma])


async def test_one_run_at_a_time(urls, monkeypatch):
    monkeypatch.setattr(migrate, "WAIT_S", 0.2)
    async with migrate.admin(urls.admin) as connection:
        assert await connection.fetchval(migrate._ROLES["lock_runner"])
        with pytest.raises(MigrationRefused, match="Another migration is running"):
            await migrate.up(urls.admin)


async def test_runs_that_begin_together_follow_each_other(urls):
    every = [CONTROL, ALPHA, BETA]
    async with migrate.admin(urls.admin) as connection:
        assert await connection.fetchval(migrate._ROLES["lock_runner"])
        runs = [asyncio.create_task(migrate.up(urls.admin, migrations=every)) for _ in range(3)]
        await asyncio.sleep(2 * migrate.LOOK_AGAIN_S)
        assert not any(run.done() for run in runs)
    assert sorted(outcome.done for outcome in await asyncio.gather(*runs)) == [0, 0, len(CELLS)]


async def test_an_operator_who_is_no_superuser_can_migrate(make_database, postgres):
    urls = await make_database()
    name = urls.admin.partition("?")[0].rpartition("/")[2]
    async with migrate.admin(urls.admin) as connection:
        await connection.execute(
            f"CREATE ROLE {name} LOGIN CREATEROLE; ALTER DATABASE {name} OWNER TO {name};"
            f" GRANT student_connect_owner TO {name} WITH ADMIN TRUE, SET FALSE"
        )
    operator = postgres.url(name, name)
    await migrate.up(operator)
    async with migrate.admin(operator) as connection:
        await migrate.make_cell(connection, "one")
        owners = await connection.fetch(
            "SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname IN ('one', 'control')"
        )
    assert [row[0] for row in owners] == ["student_connect_owner"]


def test_a_file_is_read_for_one_database():
    text = (
        "-- for: cell\n-- databases: all\nONE;\n-- databases: postgresql\nTWO;\n"
        "-- databases: all\nTHREE;\n-- down:\nFOUR;\n-- databases: postgresql\nFIVE;\n"
    )
    everything = parse(1, "a", text)
    assert (everything.up, everything.down) == (("ONE", "TWO", "THREE"), ("FOUR", "FIVE"))
    rest = parse(1, "a", text, "dsql")
    assert (rest.up, rest.down) == (("ONE", "THREE"), ("FOUR",))
    assert rest.checksum == everything.checksum


@pytest.mark.parametrize(
    "text",
    [
        "CREATE TABLE a ();",
        "-- databases: all\nSELECT 1;",
        "SELECT 1;\n-- for: cell\n",
        "-- for: cells\nSELECT 1;",
        "-- for: cell\n-- databases: mysql\nSELECT 1;",
    ],
)
def test_a_file_without_a_clear_header_is_refused(text):
    with pytest.raises(MigrationRefused, match="0007_odd"):
        parse(7, "odd", text)


def test_two_files_of_one_number_are_refused(tmp_path):
    for name in ("0001_a.sql", "0001_b.sql"):
        (tmp_path / name).write_text("-- for: cell\nSELECT 1;")
    with pytest.raises(MigrationRefused, match="0001_a and 0001_b share a number"):
        migrate.read(tmp_path)


async def test_roles_made_by_another_database_meanwhile_are_taken_as_they_are(urls, monkeypatch):
    roles = dict(migrate._ROLES) | {"owner_exists": "SELECT false", "app_exists": "SELECT false"}
    monkeypatch.setattr(migrate, "_ROLES", roles)
    connection = await asyncpg.connect(urls.admin)
    try:
        await migrate.make_roles(connection)
    finally:
        await connection.close()
