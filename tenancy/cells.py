"""Makes schools: a cell for their rows, a data key for their words, the host names they go by.

These are the operator's doings (`student-connect tenants`), on an admin connection; the server's
own role may not do them.
"""

import re
from collections.abc import Sequence
from typing import Any

import asyncpg

from tenancy import audit
from tenancy.crypto import Keyring, WrappedKey
from tenancy.ids import new_id
from tenancy.migrate import as_owner, make_cell
from tenancy.model import TenancyError, Tenant
from tenancy.postgres import check_cell_name
from tenancy.sql import load

_SLUG = re.compile(r"[a-z0-9]([a-z0-9-]{0,53}[a-z0-9])?")
_QUERIES = load(__package__, "cells.sql")


class SchoolRefused(TenancyError):
    """The school cannot be made so; the sentence says why."""


def own_cell(slug: str) -> str:
    """The cell of a school that has one for itself."""
    return "school_" + slug.replace("-", "_")


async def create_tenant(
    connection: Any,
    keys: Keyring,
    *,
    slug: str,
    name: str,
    cell: str | None = None,
    domains: Sequence[str] = (),
) -> Tenant:
    """Make a school, and its cell where that does not exist yet.

    Args:
        connection: From `migrate.admin`.
        slug: What it is called in addresses and commands: `lincoln-high`.
        cell: A schema to share with others; None: one of its own.
        domains: Host names that stand for it at sign-in.

    Raises:
        SchoolRefused: If slug or domain cannot be used, or are taken.
        CellNameRefused: If the cell's name cannot be used.
        MasterKeyUnusable: If the other schools' keys were wrapped with another master key.
    """
    if not _SLUG.fullmatch(slug):
        raise SchoolRefused(
            f"{slug!r} cannot be a school's short name. Use small letters, digits and -,"
            " 55 at most, and a letter or digit at both ends."
        )
    if not name.strip():
        raise SchoolRefused("A school needs a name.")
    cell = own_cell(slug) if cell is None else cell
    check_cell_name(cell)
    if await connection.fetchval(_QUERIES["taken"], slug):
        raise SchoolRefused(f"There is a school {slug!r} already. Choose another short name.")
    if other := await connection.fetchrow(_QUERIES["all_keys"]):
        keys.rewrap(WrappedKey(other["tenant_id"], other["key_id"], other["wrapped"]))
    tenant = Tenant(new_id(), slug, name.strip(), cell)
    key = keys.new_key(tenant.id)
    keys.load(tenant.id, [key])
    await make_cell(connection, cell)
    try:
        async with as_owner(connection, cell):
            await connection.execute(_QUERIES["add"], tenant.id, slug, tenant.name, cell)
            await connection.execute(_QUERIES["add_key"], tenant.id, key.key_id, key.wrapped)
            for domain in domains:
                await connection.execute(_QUERIES["add_domain"], domain.lower(), tenant.id)
            await connection.execute(_QUERIES["act_for"], str(tenant.id))
            await audit.append(
                connection,
                keys.audit_key(tenant.id),
                tenant.id,
                actor=None,
                verb="create",
                thing="school",
                thing_id=str(tenant.id),
            )
    except asyncpg.UniqueViolationError as error:
        raise SchoolRefused(
            f"Another school has the short name {slug!r} or one of these domains already."
        ) from error
    return tenant


async def rewrap_keys(connection: Any, keys: Keyring) -> int:
    """Wrap every school's data keys with the present master key; the number of keys.

    Raises:
        MasterKeyUnusable: If `keys` does not hold the master key they were wrapped with.
    """
    async with connection.transaction():
        rows = await connection.fetch(_QUERIES["all_keys"])
        for row in rows:
            key = keys.rewrap(WrappedKey(row["tenant_id"], row["key_id"], row["wrapped"]))
            await connection.execute(_QUERIES["set_key"], key.tenant_id, key.key_id, key.wrapped)
    return len(rows)
