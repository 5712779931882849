"""The audit's chain, and every way to cut or bend it that a database's superuser has."""

import asyncio

import pytest

from tenancy import audit
from tenancy.ids import new_id


async def note(database, school, verb="sign_in", **more):
    async with database.transaction(school.tenant.id) as connection:
        await audit.write(
            connection,
            school.tenant.id,
            actor=school.admin.id,
            verb=verb,
            thing="person",
            thing_id=str(school.student.id),
            **more,
        )


@pytest.fixture
async def audited(database, school, other_school):
    """A school with five entries, beside another with its own."""
    for verb in ("sign_in", "read", "assign", "sign_out"):
        await note(database, school, verb, detail={"lesson": 7}, address="192.0.2.1")
        await note(database, other_school, verb)
    return school


async def test_a_school_s_first_entry_is_its_making(database, school):
    async with database.transaction(school.tenant.id) as connection:
        rows = await connection.fetch("SELECT seq, verb, thing, thing_id, actor FROM audit")
    assert [tuple(row) for row in rows] == [(1, "create", "school", str(school.tenant.id), None)]
    assert await audit.verify(database, school.tenant.id) == []


async def test_what_was_noted_can_be_read_and_proved(database, audited):
    async with database.transaction(audited.tenant.id) as connection:
        row = await connection.fetchrow("SELECT * FROM audit WHERE seq = 3")
    assert (row["verb"], row["actor"], row["thing"]) == ("read", audited.admin.id, "person")
    assert (row["detail"], row["address"]) == ({"lesson": 7}, "192.0.2.1")
    assert await audit.verify(database, audited.tenant.id) == []
    assert (await audit.end(database, audited.tenant.id)).seq == 5


@pytest.mark.parametrize(
    "detail",
    [{"b": [1, {"ü": None}], "a": True}, {"n": 2**53 + 1, "neg": -1}, {"id": new_id()}, {}, None],
)
async def test_details_come_back_exactly(database, school, detail):
    await note(database, school, detail=detail)
    assert await audit.verify(database, school.tenant.id) == []


async def test_a_fraction_is_refused_because_it_may_come_back_otherwise(database, school):
    with pytest.raises(TypeError, match="give it as text"):
        await note(database, school, detail={"score": 1e22})


async def test_an_entry_is_kept_only_with_what_it_tells_of(database, school):
    with pytest.raises(ZeroDivisionError):
        async with database.transaction(school.tenant.id) as connection:
            await audit.write(
                connection, school.tenant.id, actor=None, verb="x", thing="y", thing_id="z"
            )
            raise ZeroDivisionError
    await note(database, school)
    assert await audit.verify(database, school.tenant.id) == []
    assert (await audit.end(database, school.tenant.id)).seq == 2


async def test_writers_at_once_make_one_gapless_chain(database, school):
    await asyncio.gather(*(note(database, school, f"verb_{n}") for n in range(30)))
    assert await audit.verify(database, school.tenant.id) == []
    assert (await audit.end(database, school.tenant.id)).seq == 31


async def test_a_long_chain_is_read_in_pages(database, school, monkeypatch):
    monkeypatch.setattr(audit, "PAGE", 2)
    for _ in range(4):
        await note(database, school)
    assert await audit.verify(database, school.tenant.id) == []


@pytest.mark.parametrize(
    "change",
    [
        "verb = 'read'",
        "actor = NULL",
        "at = at + interval '1 microsecond'",
        "thing = 'lesson'",
        "thing_id = thing_id || ' '",
        "detail = '{\"lesson\": 8}'",
        "detail = NULL",
        "address = NULL",
        "mac = sha256(mac)",
    ],
)
async def test_a_changed_entry_is_found(database, audited, admin_connection, change):
    await admin_connection.execute(
        f"UPDATE pool_1.audit SET {change} WHERE tenant_id = $1 AND seq = 2", audited.tenant.id
    )
    problems = await audit.verify(database, audited.tenant.id)
    assert problems[0] == "Entry 2 was changed, or does not belong there."


async def test_a_missing_entry_is_found(database, audited, admin_connection):
    await admin_connection.execute(
        "DELETE FROM pool_1.audit WHERE tenant_id = $1 AND seq IN (2, 3)", audited.tenant.id
    )
    assert "Entries 2 to 3 are missing." in await audit.verify(database, audited.tenant.id)


async def test_closing_up_the_numbers_hides_no_gap(database, audited, admin_connection):
    await admin_connection.execute(
        "DELETE FROM pool_1.audit WHERE tenant_id = $1 AND seq = 3", audited.tenant.id
    )
    for seq in (4, 5):
        await admin_connection.execute(
            "UPDATE pool_1.audit SET seq = seq - 1 WHERE tenant_id = $1 AND seq = $2",
            audited.tenant.id,
            seq,
        )
    await admin_connection.execute(
        "UPDATE pool_1.audit_heads SET seq = 4 WHERE tenant_id = $1", audited.tenant.id
    )
    problems = await audit.verify(database, audited.tenant.id)
    assert "Entry 3 was changed, or does not belong there." in problems


async def test_a_cut_off_end_is_found(database, audited, admin_connection):
    await admin_connection.execute(
        "DELETE FROM pool_1.audit WHERE tenant_id = $1 AND seq > 3", audited.tenant.id
    )
    assert await audit.verify(database, audited.tenant.id) == ["Entries 4 to 5 are missing."]


async def test_a_head_put_back_from_the_rows_hides_no_cut(database, audited, admin_connection):
    await admin_connection.execute(
        "DELETE FROM pool_1.audit WHERE tenant_id = $1 AND seq > 3", audited.tenant.id
    )
    await admin_connection.execute(
        "UPDATE pool_1.audit_heads SET seq = 3, mac = (SELECT mac FROM pool_1.audit"
        " WHERE tenant_id = $1 AND seq = 3) WHERE tenant_id = $1",
        audited.tenant.id,
    )
    assert await audit.verify(database, audited.tenant.id) == [
        "The chain's head does not fit its last entry, 3."
    ]


async def test_swapped_entries_are_found(database, audited, admin_connection):
    for old, new in ((2, 99), (3, 2), (99, 3)):
        await admin_connection.execute(
            "UPDATE pool_1.audit SET seq = $3 WHERE tenant_id = $1 AND seq = $2",
            audited.tenant.id,
            old,
            new,
        )
    assert await audit.verify(database, audited.tenant.id)


async def test_another_school_s_entry_is_found(database, audited, other_school, admin_connection):
    await admin_connection.execute(
        "DELETE FROM pool_1.audit WHERE tenant_id = $1 AND seq = 5", audited.tenant.id
    )
    await admin_connection.execute(
        "UPDATE pool_1.audit SET tenant_id = $1 WHERE tenant_id = $2 AND seq = 5",
        audited.tenant.id,
        other_school.tenant.id,
    )
    assert await audit.verify(database, audited.tenant.id)


async def test_an_entry_of_one_s_own_making_is_found(database, audited, admin_connection):
    await admin_connection.execute(
        "INSERT INTO pool_1.audit (tenant_id, seq, at, verb, thing, thing_id, mac)"
        " VALUES ($1, 6, now(), 'x', 'y', 'z', sha256('z'))",
        audited.tenant.id,
    )
    assert await audit.verify(database, audited.tenant.id) == [
        "Entry 6 was changed, or does not belong there.",
        "The chain's head does not fit its last entry, 6.",
    ]


async def test_a_school_without_entries_has_lost_them(database, audited, admin_connection):
    for table in ("audit", "audit_heads"):
        await admin_connection.execute(
            f"DELETE FROM pool_1.{table} WHERE tenant_id = $1", audited.tenant.id
        )
    assert await audit.verify(database, audited.tenant.id) == ["The chain's head is missing."]


async def test_a_thousand_problems_are_told_in_twenty(database, school, admin_connection):
    await admin_connection.execute(
        "INSERT INTO pool_1.audit (tenant_id, seq, at, verb, thing, thing_id, mac)"
        " SELECT $1, n, now(), 'x', 'y', 'z', '' FROM generate_series(2, 1500) AS n",
        school.tenant.id,
    )
    problems = await audit.verify(database, school.tenant.id)
    assert len(problems) == audit.NOT_SHOWN_AFTER + 1
    assert problems[-1] == "And 1480 more problems."


async def test_the_log_is_read_newest_first_with_names_and_filters(database, audited):
    tenant_id = audited.tenant.id
    entries, more = await audit.list_(database, tenant_id, audit.Filters(), limit=2)
    assert [(entry.seq, entry.verb) for entry in entries] == [(5, "sign_out"), (4, "assign")]
    assert (entries[0].actor, entries[0].address) == (audited.admin.name, "192.0.2.1")
    assert entries[0].about == audited.student.name
    rest, over = await audit.list_(database, tenant_id, audit.Filters(), before=more, limit=9)
    assert ([entry.seq for entry in rest], over) == ([3, 2, 1], None)
    assert (rest[-1].actor_id, rest[-1].actor) == (None, None)

    async def seqs(**filters):
        found, _ = await audit.list_(database, tenant_id, audit.Filters(**filters), limit=9)
        return [entry.seq for entry in found]

    assert await seqs(actor_id=audited.admin.id) == [5, 4, 3, 2]
    assert await seqs(verb="read") == [3]
    assert await seqs(thing="school") == [1]
    assert await seqs(from_=entries[1].at) == [5, 4]
    assert await seqs(to=entries[1].at) == [3, 2, 1]
    assert await seqs(actor_id=new_id()) == []
