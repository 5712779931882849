"""Importing a school's roster from a file: tried first, then done as a whole or not at all.

Reading and planning happen on a thread, hashing on those of the passwords, and rows are written by
the hundred: a school of thousands comes in within seconds, while lessons go on.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

from tenancy import audit, credentials, passwords
from tenancy.audit import By, Note
from tenancy.errors import InTheWay
from tenancy.identities import Identities
from tenancy.ids import new_id
from tenancy.postgres import Connection, Database
from tenancy.roster_file import Problem, Reading, read
from tenancy.roster_plan import Change, Known, Plan, School, plan
from tenancy.sql import load

_QUERIES = load(__package__, "roster_import.sql")


class RosterMoved(InTheWay):
    """Somebody changed the same at the same time."""

    def __init__(self) -> None:
        super().__init__(
            "Somebody changed the school's people at the same moment. Nothing was imported; please"
            " try again."
        )


@dataclass(frozen=True, slots=True)
class NewPassword:
    """What somebody new signs in with. Kept nowhere else."""

    name: str
    email: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an import changed, or would change; with problems it changes nothing."""

    lines: int
    create: int
    update: int
    unchanged: int
    new_classes: Sequence[str]
    problems: Sequence[Problem]
    "In the order of the lines."
    created: Sequence[NewPassword] = ()


async def try_(database: Database, tenant_id: UUID, data: bytes) -> Outcome:
    """What importing this file would change.

    Raises:
        FileRefused: If it can't be read at all.
    """
    reading = await asyncio.to_thread(read, data)
    async with database.transaction(tenant_id) as connection:
        return _outcome(reading, await _plan(connection, tenant_id, reading))


async def import_(
    database: Database, identities: Identities, tenant_id: UUID, data: bytes, *, by: By
) -> Outcome:
    """Import the file. Importing it once more changes nothing.

    Raises:
        FileRefused: If it can't be read at all; RosterMoved: If somebody else got in between.
        SignInRefused: If too many people are signing in.
    """
    reading = await asyncio.to_thread(read, data)
    async with database.transaction(tenant_id) as connection:
        first = await _plan(connection, tenant_id, reading)
    if reading.problems or first.problems or not first.changes:
        return _outcome(reading, first)
    emails = [change.row.email for change in first.created]
    made = await asyncio.to_thread(lambda: [passwords.make() for _ in emails])
    hashes = dict(zip(emails, await identities.passwords.hash_made(made), strict=True))

    async def work(connection: Connection) -> tuple[Plan, list[tuple[list[UUID], Change]]]:
        now_planned = await _plan(connection, tenant_id, reading)
        if now_planned.problems or not hashes.keys() >= {c.row.email for c in now_planned.created}:
            raise RosterMoved
        return now_planned, await _write(connection, tenant_id, now_planned, hashes, by)

    done, changed_roles = await database.run(tenant_id, work)
    for held, change in changed_roles:
        identities.revocations.announce_roles(held, change.roles)
    new = dict(zip(emails, made, strict=True))
    return _outcome(
        reading,
        done,
        [NewPassword(c.row.name, c.row.email, new[c.row.email]) for c in done.created],
    )


def _outcome(reading: Reading, plan_: Plan, created: Sequence[NewPassword] = ()) -> Outcome:
    problems = sorted([*reading.problems, *plan_.problems], key=lambda problem: problem.line)
    return Outcome(
        reading.lines,
        len(plan_.created),
        len(plan_.updated),
        plan_.unchanged,
        sorted(plan_.new_classes.values()),
        problems,
        created,
    )


async def _plan(connection: Connection, tenant_id: UUID, reading: Reading) -> Plan:
    rows = reading.rows
    emails = {email for row in rows for email in (row.email, *row.guardians, *row.tutors)}
    found = await connection.fetch(_QUERIES["people"], tenant_id, sorted(emails))
    classes = await connection.fetch(_QUERIES["classes"], tenant_id)
    ids = sorted(row["id"] for row in found)
    bonds = await connection.fetch(_QUERIES["bonds"], tenant_id, ids, datetime.now(UTC))
    members, guardians, tutors = (
        frozenset((row["one"], row["other"]) for row in bonds if row["bond"] == bond)
        for bond in ("member", "guardian", "tutor")
    )
    school = School(
        {
            row["email"]: Known(
                row["id"],
                row["name"],
                row["grade_level"],
                frozenset(row["roles"]),
                row["status"] == "active",
            )
            for row in found
        },
        {row["name"].lower(): (row["id"], row["archived"]) for row in classes},
        members,
        guardians,
        tutors,
    )
    return await asyncio.to_thread(plan, rows, school, reading.broken)


async def _write(
    connection: Connection, tenant_id: UUID, plan_: Plan, hashes: Mapping[str, str], by: By
) -> list[tuple[list[UUID], Change]]:
    """Everything that is planned; returns the sign-ins of those whose roles are others now."""
    now = datetime.now(UTC)
    new = plan_.created
    ids, *accounts = await asyncio.to_thread(_accounts, new)
    added = await connection.fetch(_QUERIES["add_people"], tenant_id, ids, *accounts, now)
    if len(added) != len(new):
        raise RosterMoved
    new_hashes = [hashes[change.row.email] for change in new]
    await connection.execute(_QUERIES["add_passwords"], tenant_id, ids, ids, new_hashes, now)
    differs = [(c.before.id, c) for c in plan_.updated if c.before is not None and c.differs]
    await connection.execute(
        _QUERIES["change_people"],
        tenant_id,
        [person_id for person_id, _ in differs],
        [change.row.name for _, change in differs],
        [change.row.grade_level for _, change in differs],
    )
    id_of = await _ids(connection, tenant_id, plan_, dict(zip(accounts[0], ids, strict=True)))
    roles = [
        (id_of[change.row.email], role)
        for change in plan_.changes
        for role in sorted(change.roles - (change.before.roles if change.before else frozenset()))
    ]
    await connection.execute(_QUERIES["add_roles"], tenant_id, *_columns(roles))
    notes = [
        *await _bind(connection, tenant_id, plan_, id_of, now),
        *await asyncio.to_thread(_notes, plan_, id_of),
        Note(
            "import",
            "roster",
            str(tenant_id),
            {"created": len(plan_.created), "updated": len(plan_.updated)},
        ),
    ]
    changed = [(id, c) for id, c in differs if c.before is not None and c.before.roles != c.roles]
    held = [(await credentials.held(connection, tenant_id, id), change) for id, change in changed]
    await audit.write_all(connection, tenant_id, by, notes)
    return held


def _accounts(new: Sequence[Change]) -> tuple[list[UUID], list[str], list[str], list[str]]:
    """Ids, addresses, names and grades."""
    return (
        [new_id() for _ in new],
        [change.row.email for change in new],
        [change.row.name for change in new],
        [change.row.grade_level or "" for change in new],
    )


async def _ids(
    connection: Connection, tenant_id: UUID, plan_: Plan, new: Mapping[str, UUID]
) -> dict[str, UUID]:
    """Of everybody that is named, by address."""
    named = {
        email
        for change in plan_.changes
        for email in (change.row.email, *change.guardians, *change.tutors)
    }
    known = await connection.fetch(_QUERIES["people"], tenant_id, sorted(named - new.keys()))
    return {**new, **{row["email"]: row["id"] for row in known}}


async def _bind(
    connection: Connection,
    tenant_id: UUID,
    plan_: Plan,
    id_of: Mapping[str, UUID],
    now: datetime,
) -> list[Note]:
    """New classes, and who is in which; guardians and tutors."""
    made = {name: new_id() for name in plan_.new_classes}
    await connection.execute(
        _QUERIES["add_classes"],
        tenant_id,
        list(made.values()),
        list(plan_.new_classes.values()),
        now,
    )
    rows = await connection.fetch(_QUERIES["classes"], tenant_id)
    class_of = {row["name"].lower(): row["id"] for row in rows}
    members = [
        (class_of[name], id_of[c.row.email], "instructor" if "instructor" in c.roles else "student")
        for c in plan_.changes
        for name in c.classes
    ]
    await connection.execute(_QUERIES["add_members"], tenant_id, *_columns(members, 3), now)
    guardians = [(id_of[email], id_of[c.row.email]) for c in plan_.changes for email in c.guardians]
    await connection.execute(_QUERIES["add_guardians"], tenant_id, *_columns(guardians), now)
    tutors = [
        (new_id(), id_of[email], id_of[c.row.email]) for c in plan_.changes for email in c.tutors
    ]
    await connection.execute(_QUERIES["add_tutors"], tenant_id, *_columns(tutors, 3), now)
    return [Note("create", "class", str(class_of[name])) for name in made]


def _columns(rows: Sequence[tuple[object, ...]], count: int = 2) -> list[list[object]]:
    """Rows turned about, as `unnest` takes them."""
    return [[row[n] for row in rows] for n in range(count)]


def _notes(plan_: Plan, id_of: Mapping[str, UUID]) -> list[Note]:
    """An entry for everybody who is made or changed."""
    return [_note(change, id_of) for change in plan_.changes]


def _note(change: Change, id_of: Mapping[str, UUID]) -> Note:
    before = change.before
    detail: dict[str, object] = {"import": True}
    if before is None:
        detail["roles"] = sorted(change.roles)
    elif before.roles != change.roles:
        detail["roles"] = {"was": sorted(before.roles), "now": sorted(change.roles)}
    if before is not None and before.name != change.row.name:
        detail["name"] = True
    for bond, emails in (("guardians", change.guardians), ("tutors", change.tutors)):
        if emails:
            detail[bond] = [str(id_of[email]) for email in emails]
    if change.classes:
        detail["classes"] = len(change.classes)
    verb = "create" if before is None else "change"
    return Note(verb, "person", str(id_of[change.row.email]), detail)
