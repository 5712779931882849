"""A school to look around in, made once in a new embedded folder: five people who know each other,
a class, four lessons.

The password's file says how far it is: `demo-password.new` from before the folder's PostgreSQL is
made, `demo-password` once the school is whole. A start that was cut off is taken up by the next.
"""

import asyncio
import contextlib
import os
from collections.abc import Mapping
from pathlib import Path

from sessions.lessons import store
from tenancy import assignments, cells, classes, guardians, migrate, passwords, people
from tenancy.audit import By
from tenancy.classes import ClassNameTaken
from tenancy.errors import InTheWay
from tenancy.identities import Identities
from tenancy.model import Person, Role, Tenant, TenantUnknown
from tenancy.people import EmailTaken
from tenancy.postgres import Database

SLUG = "demo"
NAME = "Demo School"
CLASS = "Class 4b"
KEPT_AS = "demo-password"
BEGUN_AS = "demo-password.new"
NAMES: Mapping[Role, str] = {
    "student": "Sam Rivera",
    "instructor": "Ines Weber",
    "tutor": "Tayo Okafor",
    "parent": "Pat Rivera",
    "admin": "Ada Lind",
}


def begin(data_dir: Path) -> None:
    """Note that the folder shall have the school; everybody's password is random, kept there."""
    path = data_dir / BEGUN_AS
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(passwords.make() + "\n")


def is_begun(data_dir: Path) -> bool:
    """Whether the school is still to be made, or finished."""
    return (data_dir / BEGUN_AS).exists()


async def finish(admin_url: str, database: Database, identities: Identities, data_dir: Path) -> str:
    """Make what is missing of the school; returns the password."""
    password = (data_dir / BEGUN_AS).read_text().strip()
    school = await _school(admin_url, database)
    made = await asyncio.gather(
        *(_person(database, identities, school, role, password) for role in NAMES)
    )
    of = dict(zip(NAMES, made, strict=True))
    await _bonds(database, school, of)
    await store.seed_demo(database, school.id, of["instructor"].id)
    (data_dir / BEGUN_AS).rename(data_dir / KEPT_AS)
    return password


async def _school(admin_url: str, database: Database) -> Tenant:
    try:
        return await database.tenant_by_slug(SLUG)
    except TenantUnknown:
        async with migrate.admin(admin_url) as connection:
            return await cells.create_tenant(connection, database.keys, slug=SLUG, name=NAME)


async def _person(
    database: Database, identities: Identities, school: Tenant, role: Role, password: str
) -> Person:
    email = f"{role}@demo.school"
    try:
        return await identities.create_person(
            school.id, email=email, name=NAMES[role], roles=frozenset({role}), password=password
        )
    except EmailTaken:
        async with database.transaction(school.id) as connection:
            person = await people.by_email(connection, school.id, email)
        assert person is not None
        return person


async def _bonds(database: Database, school: Tenant, of: Mapping[Role, Person]) -> None:
    """The student is the tutor's to look after, the parent's child, and in the teacher's class."""
    student = of["student"].id
    with contextlib.suppress(InTheWay):
        await assignments.create(database, school.id, of["tutor"].id, student, by=By())
    await guardians.put(database, school.id, of["parent"].id, student, by=By())
    with contextlib.suppress(ClassNameTaken):
        await classes.create(database, school.id, CLASS, by=By())
    rows, _ = await classes.list_(database, school.id, limit=100)
    class_id = next(row.id for row in rows if row.name == CLASS)
    for role in ("instructor", "student"):
        await classes.put_member(database, school.id, class_id, of[role].id, by=By())
