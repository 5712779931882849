"""A school's settings are its own, and end when they were meant to."""

from datetime import UTC, datetime, timedelta
from typing import Any

from tenancy import settings
from tenancy.postgres import Database

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
