"""A school's settings are its own, and end when they were meant to."""

from datetime import UTC, datetime, timedelta
from typing import Any

from tenancy import audit, settings
from tenancy.audit import By
from tenancy.postgres import Database
from tenancy.settings import SchoolSettings

NOW = datetime.now(UTC)


async def put(
    database: Database, school: Any, name: str, value: Any, *, layer: str = "school", ends: int = 0
) -> None:
    ends_at = NOW + timedelta(seconds=ends) if ends else None
    async with database.transaction(school.tenant.id) as connection:
        await connection.execute(
            "INSERT INTO settings (tenant_id, layer, layer_id, name, value, expires_at, changed_at)"
            " VALUES ($1, $2, '', $3, $4, $5, $6)",
            school.tenant.id,
            layer,
            name,
            value,
            ends_at,
            NOW,
        )


async def test_a_school_has_its_own_settings(
    database: Database, school: Any, other_school: Any
) -> None:
    await put(database, school, "tutor.rules", "Be patient.")
    await put(database, other_school, "tutor.rules", "Be brief.")
    await put(database, school, "lesson.only", True, layer="lesson")
    assert await settings.of_school(database, school.tenant.id) == {"tutor.rules": "Be patient."}
    assert await settings.of_school(database, other_school.tenant.id) == {
        "tutor.rules": "Be brief."
    }


async def test_settings_may_end(database: Database, school: Any) -> None:
    await put(database, school, "ended", 1, ends=-60)
    await put(database, school, "holds", {"n": [1]}, ends=3_600)
    assert await settings.of_school(database, school.tenant.id) == {"holds": {"n": [1]}}


async def test_the_office_decides_and_it_is_noted_without_the_words(
    database: Database, school: Any, other_school: Any
) -> None:
    tenant_id, by = school.tenant.id, By(school.admin.id)
    assert await settings.get(database, tenant_id) == SchoolSettings("assigned", "reviewed", "")
    await put(database, school, "parents_read", "all", ends=3_600)
    assert (await settings.get(database, tenant_id)).parents_read == "all"
    decided = {"tutors_read": "school", "parents_read": "all", "rules": "No homework."}
    after = await settings.change(database, tenant_id, decided, by=by)
    assert after == SchoolSettings("school", "all", "No homework.")
    assert await settings.change(database, tenant_id, {"rules": "No homework."}, by=by) == after
    back = await settings.change(database, tenant_id, {"parents_read": "reviewed"}, by=by)
    assert back.parents_read == "reviewed"
    assert await settings.get(database, other_school.tenant.id) == SchoolSettings()
    noted, _ = await audit.list_(database, tenant_id, audit.Filters(thing="setting"), limit=9)
    assert [(entry.thing_id, entry.detail, entry.actor_id) for entry in noted] == [
        ("parents_read", {"was": "all", "now": "reviewed"}, by.person_id),
        ("tutors_read", {"was": "assigned", "now": "school"}, by.person_id),
        ("rules", None, by.person_id),
    ]


async def test_what_is_not_a_decision_decides_nothing(database: Database, school: Any) -> None:
    await put(database, school, "tutors_read", {"n": 1})
    await put(database, school, "rules", 7)
    assert await settings.get(database, school.tenant.id) == SchoolSettings()
