"""Which school a visitor means, in a database of its own: elsewhere there are always several."""

from typing import Any

from tenancy import cells, migrate, schools
from tenancy.crypto import Keyring
from tenancy.postgres import Database


async def test_the_school_is_clear_by_its_host_name_or_where_there_is_only_one(
    make_database: Any, keys: Keyring
) -> None:
    urls = await make_database()
    await migrate.up(urls.admin)
    database = await Database.open(urls.app, keys)
    assert await schools.at(database, "localhost") is None
    async with migrate.admin(urls.admin) as connection:
        one = await cells.create_tenant(
            connection, keys, slug="one", name="One", cell="pool_1", domains=["one.example"]
        )
        assert await schools.at(database, "localhost") == one
        other = await cells.create_tenant(
            connection, keys, slug="other", name="Other", cell="pool_1", domains=["other.example"]
        )
    assert await schools.at(database, "localhost") is None
    assert await schools.at(database, "one.example") == one
    assert await schools.at(database, "OTHER.example") == other
    await database.close()
