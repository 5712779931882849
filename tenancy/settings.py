"""What a school has set. The table has layers down to a person; so far the school's own is read."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal
from uuid import UUID

from tenancy import audit
from tenancy.audit import By
from tenancy.postgres import Connection, Database
from tenancy.sql import load

TutorsRead = Literal["assigned", "school"]
ParentsRead = Literal["reviewed", "all"]

_QUERIES = load(__package__, "settings.sql")


@dataclass(frozen=True, slots=True)
class SchoolSettings:
    """What the school's office decides for all lessons."""

    tutors_read: TutorsRead = "assigned"
    "Tutors read the sessions of those they look after, or of everybody."
    parents_read: ParentsRead = "reviewed"
    "Parents see what was reviewed, or all."
    rules: str = ""
    "For every tutor, in the school's words."


async def of_school(database: Database, tenant_id: UUID) -> Mapping[str, Any]:
    """The school's settings by name; those that have expired are left out."""
    async with database.transaction(tenant_id) as connection:
        return await _of_school(connection, tenant_id)


async def get(database: Database, tenant_id: UUID) -> SchoolSettings:
    """What the office has decided, with what holds where it has not."""
    return _read(await of_school(database, tenant_id))


async def change(
    database: Database, tenant_id: UUID, changes: Mapping[str, str], *, by: By
) -> SchoolSettings:
    """Decide some of them; what is as it was before is not noted."""

    async def work(connection: Connection) -> SchoolSettings:
        before = _read(await _of_school(connection, tenant_id))
        different = {
            name: value for name, value in changes.items() if getattr(before, name) != value
        }
        for name, value in sorted(different.items()):
            query = _QUERIES["put_school"]
            now = datetime.now(UTC)
            await connection.execute(query, tenant_id, name, value, by.person_id, now)
        after = _read(await _of_school(connection, tenant_id))
        for name, value in sorted(different.items()):
            await audit.write(
                connection,
                tenant_id,
                actor=by.person_id,
                verb="change",
                thing="setting",
                thing_id=name,
                detail=None if name == "rules" else {"was": getattr(before, name), "now": value},
                address=by.address,
            )
        return after

    return await database.run(tenant_id, work)


async def _of_school(connection: Connection, tenant_id: UUID) -> dict[str, Any]:
    rows = await connection.fetch(_QUERIES["of_school"], tenant_id, datetime.now(UTC))
    return {row["name"]: row["value"] for row in rows}


def _read(found: Mapping[str, Any]) -> SchoolSettings:
    rules = found.get("rules", "")
    return SchoolSettings(
        tutors_read="school" if found.get("tutors_read") == "school" else "assigned",
        parents_read="all" if found.get("parents_read") == "all" else "reviewed",
        rules=rules if isinstance(rules, str) else "",
    )
