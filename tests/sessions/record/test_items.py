"""Items in the log: sealed, in order, and as they were."""

from dataclasses import replace

import pytest

from ai.events import Word
from sessions.record import items, sessions
from sessions.record.model import Batch, Heard
from tenancy.crypto import SealBroken

WORDS = (Word("three", 0, 300, 0.9), Word("quarters", 310, 800, None))


@pytest.fixture
def rich(turn):
    """An item with everything in it."""
    return turn(
        1,
        "Plutonium is a verb",
        kind="audio",
        status="incomplete",
        heard="Plutonium is",
        heard_ms=900,
        interrupted=True,
        words=WORDS,
        data={"sure": False, "engine": {"step": 1, "note": "plutonium"}, "content": "ab12"},
    )


async def test_an_item_comes_back_as_it_was(database, school, begin, turn, rich):
    ref = await begin(school)
    bare = turn(2, None, ended_ms=None)
    await sessions.append(database, ref, Batch(items=(rich, bare)))
    assert await sessions.items(database, school.tenant.id, ref.session_id) == (rich, bare)


async def test_items_come_in_conversation_order_however_they_were_saved(
    database, school, begin, turn
):
    ref = await begin(school)
    await sessions.append(database, ref, Batch(items=(turn(3), turn(1))))
    await sessions.append(database, ref, Batch(items=(turn(2),)))
    found = await sessions.items(database, school.tenant.id, ref.session_id)
    assert [item.position for item in found] == [1, 2, 3]


async def test_no_word_is_readable_in_the_database(
    database, admin_connection, school, begin, turn, rich
):
    ref = await begin(school, brief_text="Plutonium!")
    await sessions.append(
        database,
        ref,
        Batch(
            items=(rich, turn(2, "plutonium?")), heard=(Heard("item_1", "Plutonium", 300, True),)
        ),
    )
    raw = b""
    for table in ("items", "sessions", "briefs"):
        rows = await admin_connection.fetch(
            f"SELECT * FROM pool_1.{table} WHERE tenant_id = $1", school.tenant.id
        )
        assert rows
        for row in rows:
            raw += b"|".join(
                value if isinstance(value, bytes) else str(value).encode() for value in row.values()
            )
    assert b"item_1" in raw
    assert b"lutonium" not in raw
    assert b"three" not in raw


async def test_words_moved_to_another_item_or_column_do_not_open(
    database, admin_connection, school, begin, turn
):
    for change in (
        "said = (SELECT said FROM pool_1.items WHERE session_id = $1 AND item_id = 'item_2')",
        "said = heard",
    ):
        ref = await begin(school)
        items = (turn(1, "mine", heard="mine"), turn(2, "yours"))
        await sessions.append(database, ref, Batch(items=items))
        await admin_connection.execute(
            f"UPDATE pool_1.items SET {change} WHERE session_id = $1 AND item_id = 'item_1'",
            ref.session_id,
        )
        with pytest.raises(SealBroken):
            await sessions.items(database, school.tenant.id, ref.session_id)


async def test_only_what_was_heard_may_change_and_nothing_may_go(database, school, begin, turn):
    ref = await begin(school)
    await sessions.append(database, ref, Batch(items=(turn(1, "one two three"),)))
    heard = (Heard("item_1", "one", 200, True), Heard("item_1", "one two", 400, True))
    await sessions.append(database, ref, Batch(heard=heard))
    (item,) = await sessions.items(database, school.tenant.id, ref.session_id)
    assert (item.said, item.heard, item.heard_ms, item.interrupted) == (
        "one two three",
        "one two",
        400,
        True,
    )
    for forbidden in (
        "UPDATE items SET said = NULL WHERE tenant_id = $1",
        "UPDATE items SET seq = 9 WHERE tenant_id = $1",
    ):
        with pytest.raises(Exception, match="permission denied"):
            async with database.transaction(school.tenant.id) as connection:
                await connection.execute(forbidden, school.tenant.id)
    async with database.transaction(school.tenant.id) as connection:
        gone = await connection.execute("DELETE FROM items WHERE tenant_id = $1", school.tenant.id)
    assert gone == "DELETE 0", "only a sandbox's items go"


async def test_the_other_school_finds_nothing(database, school, other_school, begin, turn):
    ref = await begin(school)
    await begin(other_school)
    await sessions.append(database, ref, Batch(items=(turn(1),)))
    assert await sessions.items(database, other_school.tenant.id, ref.session_id) == ()
    async with database.transaction(other_school.tenant.id) as connection:
        for table in ("items", "sessions", "briefs", "usage", "summaries"):
            rows = await connection.fetch(f"SELECT tenant_id FROM {table}")
            assert all(row["tenant_id"] == other_school.tenant.id for row in rows)


async def test_items_are_found_one_by_one_and_of_several_sessions(
    database, school, other_school, begin, turn, rich
):
    one, two, theirs = await begin(school), await begin(school), await begin(other_school)
    await sessions.append(database, one, Batch(items=(turn(2), rich)))
    for ref in (two, theirs):
        await sessions.append(database, ref, Batch(items=(turn(1, "Another"),)))
    ids = [one.session_id, two.session_id, theirs.session_id]
    found = await items.of_sessions(database, school.tenant.id, ids)
    assert found == {
        one.session_id: [replace(rich, words=()), turn(2)],
        two.session_id: [turn(1, "Another")],
    }
    for tenant, session_id, item_id, expected in (
        (school, one.session_id, "item_1", rich),
        (school, two.session_id, "item_1", turn(1, "Another")),
        (school, two.session_id, "item_2", None),
        (school, theirs.session_id, "item_1", None),
        (other_school, one.session_id, "item_1", None),
    ):
        async with database.transaction(tenant.tenant.id) as connection:
            assert (
                await items.one(database, connection, tenant.tenant.id, session_id, item_id)
                == expected
            )
