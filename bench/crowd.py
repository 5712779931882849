"""Many students of the demo school: calls are limited for each person."""

import contextlib
from pathlib import Path

from server.cli import _database
from server.config import Config
from server.demo import SLUG
from tenancy.identities import Identities, issue_token
from tenancy.people import EmailTaken

TTL_S = 6 * 3600


async def tokens(data_dir: Path, count: int) -> list[str]:
    """A bearer token for each of so many students; who is not there yet is made. The server on
    that folder must be running."""
    async with _database(Config.from_environ({"DATA_DIR": str(data_dir)})) as database:
        identities = Identities(database)
        school = await database.tenant_by_slug(SLUG)
        found = []
        for n in range(count):
            email = f"student-{n}@demo.school"
            with contextlib.suppress(EmailTaken):  # of an earlier round
                await identities.create_person(
                    school.id, email=email, name=f"Student {n}", roles=frozenset({"student"})
                )
            found.append(await issue_token(database, email, SLUG, TTL_S))
        return found
