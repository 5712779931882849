"""A new folder has a school to look around in."""

from pathlib import Path
from typing import Any

from server import demo
from sessions.lessons import store
from sessions.lessons.demo import SLUGS
from tenancy.identities import Identities
from tenancy.model import ROLES
from tenancy.postgres import Database


async def test_five_people_sign_in_with_the_password_in_the_folder(
    database: Database, database_urls: Any, tmp_path: Path, monkeypatch: Any
) -> None:
    monkeypatch.setattr(demo, "SLUG", "demo-of-this-test")
    identities = Identities(database)
    password = await demo.create(database_urls.admin, database, identities, tmp_path)

    kept = tmp_path / demo.KEPT_AS
    assert kept.read_text() == password + "\n"
    assert kept.stat().st_mode & 0o777 == 0o600
    assert len(password) >= 12

    school = await database.tenant_by_slug("demo-of-this-test")
    for role in ROLES:
        signed_in = await identities.sign_in(
            school.id, f"{role}@demo.school", password, address="127.0.0.1"
        )
        assert signed_in.person.roles == {role}
        if role == "student":
            lessons = await store.list_for(database, signed_in.person)
            assert {lesson.slug for lesson in lessons} == set(SLUGS)
    identities.close()
