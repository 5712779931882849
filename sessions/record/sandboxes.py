"""Sandboxes: sessions in which an author tries a draft. They are in no list and last a day."""

from datetime import datetime, timedelta
from uuid import UUID

from sessions import jobs
from sessions.jobs import Job
from tenancy.ids import new_id
from tenancy.postgres import Connection, Database
from tenancy.sql import load

DELETE_SANDBOX = "delete_sandbox"
LIVES_S = 86_400.0  # realtime.md: a session on a sandbox draft is deleted after 24 h
STILL_LIVE = timedelta(minutes=10)  # one that goes on at that time is asked again then
_ROWS = (
    *("delete_overrides", "delete_review", "delete_feedback", "delete_usage"),
    *("delete_summaries", "delete_items"),
)
_QUERIES = load(__package__, "sandboxes.sql")


async def ask_for_deletion(
    connection: Connection, tenant_id: UUID, session_id: UUID, expires_at: datetime
) -> None:
    """The job that deletes a sandbox, in the transaction that starts it."""
    await jobs.enqueue(
        connection,
        tenant_id,
        DELETE_SANDBOX,
        str(session_id),
        {"session_id": str(session_id)},
        expires_at,
    )


async def delete(database: Database, job: Job, now: datetime) -> datetime | None:
    """The job itself: the session, all that belongs to it, and the draft it was held on.

    What the audit and the list of readers say of it stays, and what it cost. A session that is no
    sandbox stays too, whatever the job says.
    """
    session_id = UUID(job.payload["session_id"])

    async def work(connection: Connection) -> datetime | None:
        status = await connection.fetchval(_QUERIES["lock"], job.tenant_id, session_id)
        if status is None:
            return None
        if status == "live":
            return now + STILL_LIVE
        await connection.execute(_QUERIES["keep_usage"], job.tenant_id, session_id, new_id())
        for query in _ROWS:
            await connection.execute(_QUERIES[query], job.tenant_id, session_id)
        version_id = await connection.fetchval(
            _QUERIES["delete_session"], job.tenant_id, session_id
        )
        await connection.execute(_QUERIES["delete_trial"], job.tenant_id, version_id)
        return None

    return await database.run(job.tenant_id, work)
