"""What a lesson's versions are for: published once, compared, gone back to. None ever changes."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sessions.bus import Bus
from sessions.errors import DraftMoved, DraftNotReady, VersionUnknown
from sessions.lessons import draft, writing
from sessions.lessons.aside import aside
from sessions.lessons.draft import Content
from sessions.lessons.findings import read_draft
from sessions.lessons.library import SchoolLesson, get_within, require, tell
from sessions.lessons.lint import check
from sessions.lessons.plan import Plan
from tenancy.audit import By
from tenancy.model import Name, Person
from tenancy.postgres import Connection, Database
from tenancy.sql import load

MAX_NUMBER = 2**31 - 1
_QUERIES = load(__package__, "versions.sql")


@dataclass(frozen=True, slots=True)
class Version:
    """One published state of a lesson."""

    number: int
    author: Name
    note: str
    created_at: datetime
    published: bool
    "Students get this one."


@dataclass(frozen=True, slots=True)
class WholeVersion(Version):
    """With what is in it."""

    id: UUID
    plan: Plan
    step_ids: tuple[str, ...]

    @property
    def content(self) -> Content:
        """As a draft."""
        return draft.from_plan(self.plan, self.step_ids)


async def list_(database: Database, person: Person, lesson_id: UUID) -> list[Version]:
    """A lesson's versions, newest first.

    Raises:
        NotAllowed: If `person` writes no lessons.
        LessonUnknown: If the school has none of this id.
    """
    require(person, "write")
    async with database.transaction(person.tenant_id) as connection:
        await get_within(connection, person.tenant_id, lesson_id)
        rows = await connection.fetch(_QUERIES["list"], person.tenant_id, lesson_id)
    return [_version(row) for row in rows]


async def get(database: Database, person: Person, lesson_id: UUID, number: int) -> WholeVersion:
    """One version.

    Raises:
        NotAllowed, LessonUnknown, VersionUnknown
    """
    require(person, "write")
    async with database.transaction(person.tenant_id) as connection:
        await get_within(connection, person.tenant_id, lesson_id)
        return await get_version(connection, person.tenant_id, lesson_id, number)


async def publish(
    database: Database,
    bus: Bus,
    person: Person,
    lesson_id: UUID,
    revision: int,
    note: str,
    *,
    by: By,
) -> Version:
    """Make a version of the draft, and give it to the students who start from now on.

    Published again without a change in between, it is still one version.

    Args:
        revision: The draft as its author saw it.

    Raises:
        NotAllowed, LessonUnknown, LessonArchived
        DraftMoved: If somebody changed the draft since.
        DraftNotReady: If there are errors in it.
    """
    require(person, "publish")
    tenant_id = person.tenant_id

    async with database.transaction(tenant_id) as connection:
        row = await writing.hold_draft(connection, tenant_id, lesson_id)
    if row["revision"] != revision:
        raise DraftMoved(row["revision"])
    plan = await aside(ready, row["content"])

    async def work(connection: Connection) -> tuple[Version, bool]:
        row = await writing.hold_draft(connection, tenant_id, lesson_id)
        lesson = await writing.hold_lesson(connection, tenant_id, lesson_id)
        if row["revision"] != revision:
            raise DraftMoved(row["revision"])
        if row["digest"] == row["based_digest"]:
            known = await get_version(connection, tenant_id, lesson_id, row["based_on"])
            if known.published:
                return known, False
        step_ids = draft.order_of(row["content"])
        version_id, number = await writing.add_version(
            connection, tenant_id, lesson_id, plan, step_ids, person.id, note
        )
        await writing.point(connection, tenant_id, lesson_id, version_id)
        await connection.execute(writing.QUERIES["base_draft"], tenant_id, lesson_id, version_id)
        made = await get_version(connection, tenant_id, lesson_id, number)
        was = lesson["published_version_id"]
        await writing.note(
            connection, tenant_id, by, "publish", lesson_id,
            number=number, version=str(version_id), was=str(was) if was else None,
        )  # fmt: skip
        return made, True

    made, is_new = await database.run(tenant_id, work)
    if is_new:
        tell(bus, person, lesson_id, revision)
    return made


async def roll_back(
    database: Database, bus: Bus, person: Person, lesson_id: UUID, number: int, *, by: By
) -> SchoolLesson:
    """Give students another of the lesson's versions; the draft stays, and so do their sessions.

    Raises:
        NotAllowed, LessonUnknown, LessonArchived, VersionUnknown
    """
    require(person, "publish")
    tenant_id = person.tenant_id

    async def work(connection: Connection) -> tuple[SchoolLesson, bool]:
        lesson = await writing.hold_lesson(connection, tenant_id, lesson_id)
        row = await _row(connection, tenant_id, lesson_id, number)
        if row["id"] == lesson["published_version_id"]:
            return await get_within(connection, tenant_id, lesson_id), False
        await writing.point(connection, tenant_id, lesson_id, row["id"])
        after = await get_within(connection, tenant_id, lesson_id)
        was = lesson["published_version_id"]
        await writing.note(
            connection, tenant_id, by, "roll_back", lesson_id,
            number=number, version=str(row["id"]), was=str(was) if was else None,
        )  # fmt: skip
        return after, True

    after, moved = await database.run(tenant_id, work)
    if moved:
        tell(bus, person, lesson_id)
    return after


def ready(content: Content) -> Plan:
    """The plan that a draft is, with nothing in it to mend. Raises DraftNotReady."""
    errors = [finding for finding in check(content) if finding.severity == "error"]
    plan = read_draft(content)
    if errors or isinstance(plan, list):
        raise DraftNotReady(errors)
    return plan


async def get_version(
    connection: Connection, tenant_id: UUID, lesson_id: UUID, number: int
) -> WholeVersion:
    """One version, within somebody's transaction. Raises VersionUnknown."""
    row = await _row(connection, tenant_id, lesson_id, number)
    return WholeVersion(
        **_facts(row),
        id=row["id"],
        plan=Plan.model_validate(row["plan"]),
        step_ids=tuple(row["step_ids"]),
    )


async def _row(connection: Connection, tenant_id: UUID, lesson_id: UUID, number: int) -> Any:
    if not 0 < number <= MAX_NUMBER:
        raise VersionUnknown(number)
    row = await connection.fetchrow(_QUERIES["get"], tenant_id, lesson_id, number)
    if row is None:
        raise VersionUnknown(number)
    return row


def _version(row: Any) -> Version:
    return Version(**_facts(row))


def _facts(row: Any) -> dict[str, Any]:
    return {
        "number": row["number"],
        "author": Name(row["author_id"], row["author_name"]),
        "note": row["note"],
        "created_at": row["created_at"],
        "published": row["published"],
    }
