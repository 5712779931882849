"""Drafts that are kept to be tried. Each goes with its session; here goes one that never got any.

Between the two commits the server may be full, or die. So a job looks after the draft, a little
later than the session would be gone.
"""

from datetime import datetime, timedelta
from uuid import UUID

from sessions import jobs
from sessions.jobs import Job
from tenancy.postgres import Connection, Database
from tenancy.sql import load

DELETE_TRIAL = "delete_trial"
LOOKED_AFTER = timedelta(hours=25)  # a session that tries a draft lasts 24
_QUERIES = load(__package__, "trials.sql")


async def ask_for_deletion(connection: Connection, tenant_id: UUID, version_id: UUID) -> None:
    """The job, in the transaction that keeps the draft."""
    about = {"version_id": str(version_id)}
    due_at = jobs.utc_now() + LOOKED_AFTER
    await jobs.enqueue(connection, tenant_id, DELETE_TRIAL, str(version_id), about, due_at)


async def delete(database: Database, job: Job) -> datetime | None:
    """The job itself. A draft that some session is on stays."""

    async def work(connection: Connection) -> None:
        version_id = UUID(job.payload["version_id"])
        await connection.execute(_QUERIES["delete"], job.tenant_id, version_id)

    await database.run(job.tenant_id, work)
    return None
