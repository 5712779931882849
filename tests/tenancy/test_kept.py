"""What the database itself keeps: published corrections, numbered versions, real sessions."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from tenancy.ids import new_id

NOW = datetime.now(UTC)


@pytest.fixture
async def held(database, school):
    """Runs statements in the school's cell: a lesson, a session and a sandbox are there."""
    tenant_id, person = school.tenant.id, school.student.id
    lesson, version, trial, brief = new_id(), new_id(), new_id(), "b"
    ids = {name: new_id() for name in ("session", "sandbox")}

    async def run(statement, *values):
        async with database.transaction(tenant_id) as connection:
            return await connection.execute(statement, tenant_id, *values)

    await run(
        "INSERT INTO lessons (tenant_id, id, slug, title, subject, language, owner_id, created_at)"
        " VALUES ($1, $2, 'a', 'A', 'Maths', 'en', $3, $4)",
        *(lesson, person, NOW),
    )
    for id_, number in ((version, 1), (trial, None)):
        await run(
            "INSERT INTO lesson_versions"
            " (tenant_id, id, lesson_id, number, plan, author_id, created_at)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7)",
            *(id_, lesson, number, {}, person, NOW),
        )
    await run("INSERT INTO briefs (tenant_id, hash, brief) VALUES ($1, $2, $3)", brief, b"")
    for name, id_ in ids.items():
        await run(
            "INSERT INTO sessions (tenant_id, id, student_id, lesson_id, lesson_version_id,"
            " brief_hash, sandbox, expires_at, mode, steps)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'text', 1)",
            *(id_, person, lesson, trial if name == "sandbox" else version, brief),
            *((True, NOW + timedelta(days=1)) if name == "sandbox" else (False, None)),
        )
        await run(
            "INSERT INTO items (tenant_id, session_id, seq, position, item_id, role, speaker,"
            " kind, status, interrupted, started_ms)"
            " VALUES ($1, $2, 1, 1, 'item_1', 'user', 'student', 'text', 'completed', false, 0)",
            id_,
        )
    run.ids = ids
    return run


async def add_override(run, school, session_id, succeeds=None, replaces=None) -> UUID:
    id_ = new_id()
    await run(
        "INSERT INTO overrides (tenant_id, session_id, id, target_kind, target_id, original,"
        " content, reasons, note, author_id, replaces, created_at, changed_at, published_at,"
        " succeeds) VALUES ($1, $2, $3, 'words', 'item_1', '', '', '[]', '', $4, $5, $6, $6, $7,"
        " $8)",
        *(session_id, id_, school.tutor.id, replaces, NOW, NOW if succeeds else None, succeeds),
    )
    return id_


async def test_sandboxes_go_and_nothing_else(held):
    for table in ("items", "sessions"):
        assert await held(f"DELETE FROM {table} WHERE tenant_id = $1") == "DELETE 1"
    assert await held("DELETE FROM lesson_versions WHERE tenant_id = $1") == "DELETE 1"


async def test_a_draft_of_a_correction_is_its_authors_to_change(held, school):
    id_ = await add_override(held, school, held.ids["session"])
    change = "UPDATE overrides SET note = 'x' WHERE tenant_id = $1 AND id = $2"
    assert await held(change, id_) == "UPDATE 1"
    publish = (
        "UPDATE overrides SET published_at = now(), succeeds = $3 WHERE tenant_id = $1 AND id = $2"
    )
    assert await held(publish, id_, UUID(int=0)) == "UPDATE 1"
    assert await held(change, id_) == "UPDATE 0"
    assert await held("DELETE FROM overrides WHERE tenant_id = $1") == "DELETE 0"


async def test_a_sandboxs_corrections_go_with_it(held, school):
    await add_override(held, school, held.ids["sandbox"], UUID(int=0))
    assert await held("DELETE FROM overrides WHERE tenant_id = $1") == "DELETE 1"


async def test_of_two_who_publish_at_once_one_is_let_in(held, school):
    first = await add_override(held, school, held.ids["session"], UUID(int=0))
    with pytest.raises(Exception, match="unique"):
        await add_override(held, school, held.ids["session"], UUID(int=0))
    await add_override(held, school, held.ids["session"], first, first)
    with pytest.raises(Exception, match="unique"):
        await add_override(held, school, held.ids["session"], first, first)


async def test_what_was_there_and_who_wrote_does_not_change_even_in_drafts(held, school):
    await add_override(held, school, held.ids["session"])
    for column in ("original", "author_id", "target_id", "session_id"):
        with pytest.raises(Exception, match="permission denied"):
            await held(f"UPDATE overrides SET {column} = NULL WHERE tenant_id = $1")
