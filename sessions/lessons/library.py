"""A school's lessons as their authors see them: found, begun, put away and brought back."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal
from uuid import UUID

from sessions.bus import Bus, school_topic
from sessions.errors import LessonUnknown
from sessions.lessons import draft, writing
from sessions.lessons.aside import aside
from sessions.lessons.draft import Content
from sessions.lessons.plan import read_plan
from sessions.lessons.templates import template
from sessions.news import LessonChanged
from tenancy import policy
from tenancy.audit import By
from tenancy.model import Name, Person
from tenancy.policy import Thing
from tenancy.postgres import Connection, Database
from tenancy.sql import load

State = Literal["draft", "published", "archived"]
TRIES = 5  # of a slug that others want at the same moment
_QUERIES = load(__package__, "library.sql")


@dataclass(frozen=True, slots=True)
class SchoolLesson:
    """A lesson in its authors' list."""

    id: UUID
    slug: str
    title: str
    subject: str
    level: str
    language: str
    state: State
    has_changes: bool
    "The draft is in no version."
    published_number: int | None
    owner: Name
    revision: int
    "Of the draft."
    changed_at: datetime
    "The draft, last."
    changed_by: Name
    assignments: int


@dataclass(frozen=True, slots=True)
class Filters:
    """What a list is narrowed to; without a state to what is in use."""

    search: str | None = None
    "Part of the title, the subject or the slug."
    subject: str | None = None
    state: State | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """After which lesson a page begins."""

    changed_at: datetime
    id: UUID


def require(person: Person, verb: str) -> None:
    """Lessons are their authors' to see and to change. Raises NotAllowed."""
    policy.require(person, verb, Thing("lesson", person.tenant_id))


async def list_(
    database: Database,
    person: Person,
    filters: Filters,
    *,
    after: Place | None = None,
    limit: int,
) -> tuple[list[SchoolLesson], Place | None]:
    """A page of the school's lessons, last changed first, and where the next one begins.

    Raises:
        NotAllowed: If `person` writes no lessons.
    """
    require(person, "write")
    async with database.transaction(person.tenant_id) as connection:
        rows = await connection.fetch(
            _QUERIES["list"],
            person.tenant_id,
            None,
            filters.search,
            filters.subject,
            filters.state,
            after.changed_at if after else None,
            after.id if after else None,
            limit + 1,
        )
    found = [_lesson(row) for row in rows[:limit]]
    more = len(rows) > limit
    return found, Place(found[-1].changed_at, found[-1].id) if more else None


async def subjects(database: Database, person: Person) -> list[str]:
    """All subjects of the school's lessons. Raises NotAllowed."""
    require(person, "write")
    async with database.transaction(person.tenant_id) as connection:
        rows = await connection.fetch(_QUERIES["subjects"], person.tenant_id)
    return [row["subject"] for row in rows]


async def get(database: Database, person: Person, lesson_id: UUID) -> SchoolLesson:
    """One lesson, archived or not.

    Raises:
        NotAllowed: If `person` writes no lessons.
        LessonUnknown: If the school has none of this id.
    """
    require(person, "write")
    async with database.transaction(person.tenant_id) as connection:
        return await get_within(connection, person.tenant_id, lesson_id)


async def id_of(database: Database, tenant_id: UUID, slug: str) -> UUID:
    """The lesson of that slug. Raises LessonUnknown."""
    async with database.transaction(tenant_id) as connection:
        found: UUID | None = await connection.fetchval(_QUERIES["id_of"], tenant_id, slug)
    if found is None:
        raise LessonUnknown(slug)
    return found


async def create(
    database: Database,
    bus: Bus,
    person: Person,
    *,
    by: By,
    title: str | None = None,
    like: str | None = None,
    copy_of: UUID | None = None,
    text: str | None = None,
) -> SchoolLesson:
    """A new lesson that only its authors see: blank, or from one of the three others.

    Args:
        title: Instead of that of the template, lesson or text.
        like: The name of a template.
        copy_of: A lesson whose draft is copied.
        text: A plan, YAML or JSON.

    Raises:
        NotAllowed: If `person` writes no lessons.
        TemplateUnknown, LessonUnknown: If what it shall be made from is not there.
        PlanInvalid: If the text is no plan; with line, path and mend of each problem.
    """
    require(person, "write")
    begun: Content | None = None
    if text is not None:
        begun = draft.from_plan(await aside(read_plan, text))
    elif like is not None:
        begun = draft.from_plan(template(like))

    async def work(connection: Connection) -> SchoolLesson:
        content = begun or draft.blank("")
        if copy_of is not None:
            content = await _copied(connection, person.tenant_id, copy_of)
        if title:
            content = {**content, "title": title}
        return await _create(connection, person, content, by)

    made = await database.run(person.tenant_id, work)
    tell(bus, person, made.id, made.revision)
    return made


async def archive(
    database: Database, bus: Bus, person: Person, lesson_id: UUID, *, by: By, away: bool
) -> SchoolLesson:
    """Put a lesson away, so that nobody begins it any more, or bring it back. Idempotent.

    Raises:
        NotAllowed, LessonUnknown
    """
    require(person, "publish")
    tenant_id = person.tenant_id

    async def work(connection: Connection) -> tuple[SchoolLesson, bool]:
        row = await writing.hold_lesson(connection, tenant_id, lesson_id, in_use=False)
        if (row["archived_at"] is not None) == away:
            return await get_within(connection, tenant_id, lesson_id), False
        at = datetime.now(UTC) if away else None
        await connection.execute(_QUERIES["archive"], tenant_id, lesson_id, at)
        lesson = await get_within(connection, tenant_id, lesson_id)
        await writing.note(connection, tenant_id, by, "archive" if away else "restore", lesson_id)
        return lesson, True

    lesson, changed = await database.run(tenant_id, work)
    if changed:
        tell(bus, person, lesson_id)
    return lesson


def tell(bus: Bus, person: Person, lesson_id: UUID, revision: int | None = None) -> None:
    """A lesson is not what it was. Call it after the commit."""
    bus.publish(school_topic(person.tenant_id), LessonChanged(lesson_id, revision, person.id))


async def _create(connection: Connection, person: Person, content: Content, by: By) -> SchoolLesson:
    tenant_id = person.tenant_id
    lesson_id = None
    for _ in range(TRIES):
        slug = await writing.free_slug(connection, tenant_id, writing.heading(content)[0])
        lesson_id = await writing.add_lesson(connection, tenant_id, slug, content, person.id)
        if lesson_id is not None:
            break
    assert lesson_id is not None, "others take one name after the other"
    await writing.add_draft(connection, tenant_id, lesson_id, content, person.id)
    lesson = await get_within(connection, tenant_id, lesson_id)
    await writing.note(connection, tenant_id, by, "create", lesson_id)
    return lesson


async def _copied(connection: Connection, tenant_id: UUID, lesson_id: UUID) -> Content:
    content: Any = await connection.fetchval(_QUERIES["content"], tenant_id, lesson_id)
    if content is None:
        raise LessonUnknown(str(lesson_id))
    title = writing.heading(content)[0]
    return {**content, "title": f"{title[:113]} (copy)" if title else "Copy"}


async def get_within(connection: Connection, tenant_id: UUID, lesson_id: UUID) -> SchoolLesson:
    """One lesson, within somebody's transaction. Raises LessonUnknown."""
    row = await connection.fetchrow(
        _QUERIES["list"], tenant_id, lesson_id, None, None, None, None, None, 1
    )
    if row is None:
        raise LessonUnknown(str(lesson_id))
    return _lesson(row)


def _lesson(row: Any) -> SchoolLesson:
    published = "published" if row["published_version_id"] is not None else "draft"
    return SchoolLesson(
        id=row["id"],
        slug=row["slug"],
        title=row["title"],
        subject=row["subject"],
        level=row["level"] or "",
        language=row["language"],
        state="archived" if row["archived_at"] is not None else published,  # type: ignore[arg-type]
        has_changes=row["has_changes"],
        published_number=row["published_number"],
        owner=Name(row["owner_id"], row["owner_name"]),
        revision=row["revision"],
        changed_at=row["changed_at"],
        changed_by=Name(row["changed_by"], row["changed_by_name"]),
        assignments=row["assignments"],
    )
