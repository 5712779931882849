"""Which school a visitor means."""

from tenancy.model import Tenant, TenantUnknown
from tenancy.postgres import Database
from tenancy.sql import load

_QUERIES = load(__package__, "schools.sql")


async def at(database: Database, host: str) -> Tenant | None:
    """The school whose name is on the door: the one of this host name, else the only one there is.

    None: there are several (or none), so the visitor has to say which.
    """
    try:
        return await database.tenant_by_domain(host)
    except TenantUnknown:
        pass
    async with database.control() as connection:
        rows = await connection.fetch(_QUERIES["first_two"])
    return Tenant(**rows[0]) if len(rows) == 1 else None
