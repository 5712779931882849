"""Asks the database, before the server serves, whether it is up to date and keeps schools apart.

Each rule here stands for a way in which one school's rows were seen to reach another.
"""

from collections.abc import Iterator
from typing import Any

from tenancy import migrate
from tenancy.sql import load

# The first releases without CVE-2025-8713, which leaks rows past row-level security.
FLOORS = {15: 150014, 16: 160010, 17: 170006}

_QUERIES = load(__package__, "selfcheck.sql")


async def problems(connection: Any) -> list[str]:
    """What is wrong, in sentences; empty where nothing is. Asked as the server's own role."""
    try:
        waiting = await migrate.pending(connection)
    except migrate.MigrationRefused as refusal:
        return [str(refusal)]
    if waiting:
        return [
            f"This database has yet to be brought up to date ({waiting[0]}, and"
            f" {len(waiting) - 1} more): run `student-connect migrate`."
        ]
    version = await connection.fetchrow(_QUERIES["version"])
    role = await connection.fetchrow(_QUERIES["role"])
    found = [*_of_version(version), *_of_role(role)]
    if found:
        return found  # such a role has every right; what follows would name every table
    for row in await connection.fetch(_QUERIES["schemas"]):
        found.append(
            f"The server's role may make things in the schema {row['schema']}:"
            f" REVOKE CREATE ON SCHEMA {row['schema']} FROM PUBLIC, {role['rolname']}."
        )
    for row in await connection.fetch(_QUERIES["tables"]):
        found += _of_table(row)
    for row in await connection.fetch(_QUERIES["views"]):
        found.append(
            f"The view {row['schema']}.{row['name']} shows its owner's rows:"
            " make it WITH (security_invoker = true)."
        )
    for row in await connection.fetch(_QUERIES["functions"]):
        found.append(
            f"The function {row['schema']}.{row['name']} runs with its owner's rights:"
            " make it SECURITY INVOKER."
        )
    return found


def _of_version(version: Any) -> Iterator[str]:
    major = version["number"] // 10_000
    if version["number"] < FLOORS.get(major, 150014):
        yield (
            f"PostgreSQL {version['name']} has a fault that lets rows past row-level security."
            " Use 15.14, 16.10, 17.6, 18 or newer."
        )


def _of_role(role: Any) -> Iterator[str]:
    name = role["rolname"]
    remedy = "Let DATABASE_URL name the role student_connect_app."
    if role["rolsuper"]:
        yield f"The server's role {name} is a superuser, for whom no row is hidden. {remedy}"
    if role["rolbypassrls"]:
        yield f"The server's role {name} has BYPASSRLS, so no row is hidden from it. {remedy}"
    if role["is_owner"] and not role["rolsuper"]:
        yield f"The server's role {name} may act as the owner of all tables. {remedy}"


def _of_table(table: Any) -> Iterator[str]:
    name = f"{table['schema']}.{table['name']}"
    if not table["has_tenant"]:
        yield f"The table {name} has no tenant_id, so its rows belong to no school."
        return
    if not (table["enabled"] and table["forced"]):
        yield (
            f"The table {name} does not hide other schools' rows:"
            " ALTER TABLE it to ENABLE and to FORCE ROW LEVEL SECURITY."
        )
    if not table["has_policy"] or table["has_gap"]:
        yield (
            f"The table {name} needs a policy for ALL that compares tenant_id with app.tenant_id,"
            " both USING and WITH CHECK, and none that lets anything else through."
        )
    if table["truncatable"] or table["triggerable"]:
        yield (
            f"The server's role may empty or rig the table {name}:"
            " REVOKE TRUNCATE and TRIGGER on it."
        )
