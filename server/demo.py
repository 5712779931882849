"""A school to look around in, made once in a new embedded folder: five people, four lessons."""

import asyncio
import os
import secrets
from collections.abc import Mapping
from pathlib import Path

from sessions.lessons import store
from tenancy import cells, migrate
from tenancy.identities import Identities
from tenancy.model import Role
from tenancy.postgres import Database

SLUG = "demo"
NAME = "Demo School"
KEPT_AS = "demo-password"
NAMES: Mapping[Role, str] = {
    "student": "Sam Rivera",
    "instructor": "Ines Weber",
    "tutor": "Tayo Okafor",
    "parent": "Pat Rivera",
    "admin": "Ada Lind",
}

_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # none that look alike


async def create(admin_url: str, database: Database, identities: Identities, data_dir: Path) -> str:
    """Make the school; everybody's password is random, kept in the data folder and returned."""
    password = "-".join("".join(secrets.choice(_LETTERS) for _ in range(4)) for _ in range(3))
    _keep(data_dir / KEPT_AS, password)
    async with migrate.admin(admin_url) as connection:
        school = await cells.create_tenant(connection, database.keys, slug=SLUG, name=NAME)
    people = await asyncio.gather(
        *(
            identities.create_person(
                school.id,
                email=f"{role}@demo.school",
                name=name,
                roles=frozenset({role}),
                password=password,
            )
            for role, name in NAMES.items()
        )
    )
    author = next(person for person in people if "instructor" in person.roles)
    await store.seed_demo(database, school.id, author.id)
    return password


def _keep(path: Path, password: str) -> None:
    """Readable by the owner only, from the first byte."""
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(password + "\n")
