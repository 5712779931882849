"""Whose parent somebody is."""

from datetime import UTC, datetime
from uuid import UUID

from tenancy import audit, people
from tenancy.audit import By
from tenancy.errors import Unfit
from tenancy.postgres import Connection, Database
from tenancy.sql import load

_QUERIES = load(__package__, "guardians.sql")


async def put(
    database: Database, tenant_id: UUID, parent_id: UUID, student_id: UUID, *, by: By
) -> None:
    """A student is a parent's child. Idempotent.

    Raises:
        NotThere: If there is no such person; Unfit: If they are not parent and student.
    """
    if parent_id == student_id:
        raise Unfit("Nobody is their own child. Choose the student.")

    async def work(connection: Connection) -> None:
        await people.fit(connection, tenant_id, parent_id, "parent")
        await people.fit(connection, tenant_id, student_id, "student")
        query = _QUERIES["put"]
        if await connection.fetchval(query, tenant_id, parent_id, student_id, datetime.now(UTC)):
            await _note(connection, tenant_id, by, "add", parent_id, student_id)

    await database.run(tenant_id, work)


async def remove(
    database: Database, tenant_id: UUID, parent_id: UUID, student_id: UUID, *, by: By
) -> bool:
    """Take that back; False if it was not so."""

    async def work(connection: Connection) -> bool:
        query = _QUERIES["remove"]
        if not await connection.fetchval(query, tenant_id, parent_id, student_id):
            return False
        await _note(connection, tenant_id, by, "remove", parent_id, student_id)
        return True

    return await database.run(tenant_id, work)


async def _note(
    connection: Connection, tenant_id: UUID, by: By, verb: str, parent_id: UUID, student_id: UUID
) -> None:
    detail = {"student": str(student_id)}
    await audit.note(connection, tenant_id, by, verb, "guardian", parent_id, detail)
