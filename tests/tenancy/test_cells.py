"""Schools are made, whole or not at all."""

import asyncio

import pytest

from tenancy import cells, migrate
from tenancy.crypto import Keyring, MasterKeyUnusable
from tenancy.ids import new_id
from tenancy.postgres import CellNameRefused, Database


async def test_a_school_gets_a_cell_of_its_own_or_shares_one(make_database, keys):
    urls = await make_database()
    await migrate.up(urls.admin)
    async with migrate.admin(urls.admin) as connection:
        own = await cells.create_tenant(connection, keys, slug="lincoln-high", name=" Lincoln ")
        first, second = [
            await cells.create_tenant(connection, keys, slug=slug, name=slug, cell="pool_7")
            for slug in ("a", "b")
        ]
    assert (own.cell, own.name, own.status) == ("school_lincoln_high", "Lincoln", "active")
    assert first.cell == second.cell == "pool_7"
    database = await Database.open(urls.app, keys)
    assert await database.tenants() == [first, second, own]
    for tenant in (own, first, second):
        async with database.transaction(tenant.id) as connection:
            assert await connection.fetchval("SELECT current_schema()") == tenant.cell
            assert await connection.fetchval("SELECT count(*) FROM audit") == 1
    await database.self_check()
    await database.close()


@pytest.mark.parametrize(
    "slug", ["", "A", "-a", "a-", "a_b", "a b", "a" * 56, "é", "a;b", "a\n", "../a"]
)
async def test_a_slug_that_would_not_fit_everywhere_is_refused(admin_connection, keys, slug):
    with pytest.raises(cells.SchoolRefused, match="short name"):
        await cells.create_tenant(admin_connection, keys, slug=slug, name="A")


async def test_a_name_is_needed(admin_connection, keys):
    with pytest.raises(cells.SchoolRefused, match="needs a name"):
        await cells.create_tenant(admin_connection, keys, slug="a", name="  ")


@pytest.mark.parametrize("cell", ["control", "public", "x; DROP SCHEMA control", ""])
async def test_a_cell_that_could_be_something_else_is_refused(admin_connection, keys, cell):
    with pytest.raises(CellNameRefused):
        await cells.create_tenant(admin_connection, keys, slug="a", name="A", cell=cell)


async def test_what_is_taken_is_refused_and_leaves_nothing(database, admin_connection, keys):
    slug, domain = f"s-{new_id().hex}", f"{new_id().hex}.example"
    await cells.create_tenant(
        admin_connection, keys, slug=slug, name="A", cell="pool_1", domains=[domain]
    )
    before = await database.tenants()
    for other, domains in ((slug, []), (f"s-{new_id().hex}", [domain])):
        with pytest.raises(cells.SchoolRefused, match="already"):
            await cells.create_tenant(
                admin_connection, keys, slug=other, name="B", cell="pool_1", domains=domains
            )
    assert await database.tenants() == before


async def test_no_school_is_made_under_another_master_key(make_database, keys):
    urls = await make_database()
    await migrate.up(urls.admin)
    async with migrate.admin(urls.admin) as connection:
        await cells.create_tenant(connection, keys, slug="one", name="One")
        with pytest.raises(MasterKeyUnusable, match="another master key"):
            await cells.create_tenant(connection, Keyring(bytes(32)), slug="two", name="Two")
        assert await connection.fetchval("SELECT count(*) FROM control.tenants") == 1


async def test_schools_and_migrations_that_are_made_together_wait_for_each_other(
    make_database, keys
):
    urls = await make_database()
    await migrate.up(urls.admin)

    async def school(slug):
        async with migrate.admin(urls.admin) as connection:
            await cells.create_tenant(connection, keys, slug=slug, name=slug)

    async def migrated():
        assert (await migrate.up(urls.admin)).failures == ()

    await asyncio.gather(*(work for n in range(4) for work in (school(f"s{n}"), migrated())))
    async with migrate.admin(urls.admin) as connection:
        assert await migrate.pending(connection) == []
        assert await connection.fetchval("SELECT count(*) FROM control.tenants") == 4


def test_the_longest_slug_still_has_a_cell():
    longest = "a" * 55
    assert cells._SLUG.fullmatch(longest)
    assert len(cells.own_cell(longest)) <= 63
