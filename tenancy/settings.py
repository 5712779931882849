"""What a school has set. The table has layers down to a person; so far the school's own is read."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from tenancy.postgres import Database
from tenancy.sql import load

_QUERIES = load(__package__, "settings.sql")


async def of_school(database: Database, tenant_id: UUID) -> Mapping[str, Any]:
    """The school's settings by name; those that have expired are left out."""
    async with database.transaction(tenant_id) as connection:
        rows = await connection.fetch(_QUERIES["of_school"], tenant_id, datetime.now(UTC))
    return {row["name"]: row["value"] for row in rows}
