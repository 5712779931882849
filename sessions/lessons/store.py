"""A school's lessons as those see them who take them: their published versions, and who may.

A version never changes once it is saved (the app's role has no right to), so whatever a session was
started on can be read for ever; publishing moves a pointer. What authors do with lessons is in
`library`, `drafts`, `versions`, `assignments` and `trials`; here is only what a lesson needs to be
there at all.
"""

from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any
from uuid import UUID

from sessions.errors import LessonUnknown, PlanInvalid
from sessions.lessons import assigning, trials, writing
from sessions.lessons.assigning import Dates, Target
from sessions.lessons.demo import SLUGS, demo_plan
from sessions.lessons.draft import from_plan, order_of
from sessions.lessons.plan import Plan
from sessions.lessons.writing import MAX_SLUG, is_slug
from tenancy import policy
from tenancy.audit import By
from tenancy.ids import new_id
from tenancy.model import Person
from tenancy.policy import Thing
from tenancy.postgres import Connection, Database
from tenancy.sql import load

_QUERIES = load(__package__, "lessons.sql")


@dataclass(frozen=True, slots=True)
class LessonVersion:
    """One version of a lesson, with what names the lesson."""

    lesson_id: UUID
    version_id: UUID
    slug: str
    title: str
    subject: str
    language: str
    plan: Plan
    number: int | None
    "None: a draft that is being tried."
    published: bool
    due_at: datetime | None = None
    "For the person who asked."


class SlugTaken(PlanInvalid):
    """Another lesson of the school has this slug."""

    def __init__(self, slug: str) -> None:
        super().__init__(
            [(None, "slug", f"there is a lesson `{slug}` already; choose another name")]
        )


async def get(database: Database, person: Person, slug_or_id: str) -> LessonVersion:
    """The lesson as `person` may take it: its published version.

    Raises:
        LessonUnknown: If there is none, it is another school's, or not for this person.
    """
    lesson_id = _uuid(slug_or_id)
    if lesson_id is None and not is_slug(slug_or_id):
        raise LessonUnknown(slug_or_id[:MAX_SLUG])
    tenant_id = person.tenant_id
    async with database.transaction(tenant_id) as connection:
        row = await connection.fetchrow(
            _QUERIES["lesson"], tenant_id, lesson_id, slug_or_id if not lesson_id else ""
        )
        if row is None:
            raise LessonUnknown(slug_or_id)
        due = await assigning.due_for(connection, person.tenant_id, row["id"], person.id)
    takers = frozenset({person.id} if due else ())
    if not policy.may(person, "take", Thing("lesson", tenant_id, student_ids=takers)):
        raise LessonUnknown(slug_or_id)
    return _version(row, min((at for at in due if at is not None), default=None))


async def exists(database: Database, tenant_id: UUID, lesson_id: UUID) -> None:
    """Whether the school has a lesson, archived or not. Raises LessonUnknown."""
    async with database.transaction(tenant_id) as connection:
        if not await connection.fetchval(_QUERIES["exists"], tenant_id, lesson_id):
            raise LessonUnknown(str(lesson_id))


async def list_for(database: Database, person: Person) -> list[LessonVersion]:
    """The lessons `person` may take, by title: their own, or all that are published for staff."""
    everyones = policy.may(
        person, "take", Thing("lesson", person.tenant_id, student_ids=frozenset())
    )
    own = policy.may(
        person, "take", Thing("lesson", person.tenant_id, student_ids=frozenset({person.id}))
    )
    if not everyones and not own:
        return []
    async with database.transaction(person.tenant_id) as connection:
        rows = await connection.fetch(
            _QUERIES["lessons_of"],
            *(person.tenant_id, person.id, bool(everyones), datetime.now(UTC)),
        )
    return [_version(row, row["due_at"]) for row in rows]


async def version(database: Database, tenant_id: UUID, version_id: UUID) -> LessonVersion:
    """What a session was started on, whatever became of the lesson since.

    Raises:
        LessonUnknown: If the school has no such version.
    """
    async with database.transaction(tenant_id) as connection:
        row = await connection.fetchrow(_QUERIES["version"], tenant_id, version_id)
    if row is None:
        raise LessonUnknown(str(version_id))
    return _version(row)


async def create(
    database: Database, tenant_id: UUID, plan: Plan, slug: str, author: UUID
) -> LessonVersion:
    """A new lesson with its first version, unpublished and assigned to nobody.

    Raises:
        PlanInvalid: If the slug is no slug; SlugTaken: If a lesson of the school has it.
    """
    if not is_slug(slug):
        raise PlanInvalid(
            [(None, "slug", f"write small letters, digits and hyphens, {MAX_SLUG} at most")]
        )
    return await database.run(
        tenant_id, lambda connection: _create(connection, tenant_id, plan, slug, author)
    )


async def save(
    database: Database, tenant_id: UUID, lesson_id: UUID, plan: Plan, author: UUID, note: str = ""
) -> LessonVersion:
    """Another version of a lesson; the published one stays published, the draft as it is.

    Raises:
        LessonUnknown: If the school has no such lesson. LessonArchived
    """

    async def work(connection: Connection) -> LessonVersion:
        lesson = await writing.hold_lesson(connection, tenant_id, lesson_id)
        step_ids = order_of(from_plan(plan))
        version_id, number = await writing.add_version(
            connection, tenant_id, lesson_id, plan, step_ids, author, note
        )
        await writing.note(
            connection, tenant_id, By(author), "save", lesson_id, version=str(version_id)
        )
        return _saved(lesson_id, version_id, lesson["slug"], plan, number)

    return await database.run(tenant_id, work)


async def keep_trial(
    database: Database, tenant_id: UUID, lesson_id: UUID, plan: Plan, author: UUID
) -> LessonVersion:
    """A draft as it stands, for one session that tries it; goes with that session.

    Raises:
        LessonUnknown: If the school has no such lesson.
    """
    version_id = new_id()

    async def work(connection: Connection) -> str:
        slug: str | None = await connection.fetchval(
            writing.QUERIES["insert_trial"],
            tenant_id, version_id, lesson_id, plan.plain(), author, datetime.now(UTC),
        )  # fmt: skip
        if slug is None:
            raise LessonUnknown(str(lesson_id))
        await trials.ask_for_deletion(connection, tenant_id, version_id)
        return slug

    slug = await database.run(tenant_id, work)
    return _saved(lesson_id, version_id, slug, plan, None)


async def publish(
    database: Database, tenant_id: UUID, lesson_id: UUID, version_id: UUID, author: UUID
) -> None:
    """From now on students who start the lesson get this version; the same call rolls back.

    Raises:
        LessonUnknown: If the school has no such lesson, or the lesson no such version.
    """
    await database.run(
        tenant_id,
        lambda connection: _publish(connection, tenant_id, lesson_id, version_id, author),
    )


async def assign(
    database: Database,
    tenant_id: UUID,
    lesson_id: UUID,
    author: UUID,
    *,
    student_id: UUID | None = None,
    due_at: datetime | None = None,
) -> None:
    """Let a student take the lesson; without `student_id` everyone at the school. Idempotent."""
    await database.run(
        tenant_id,
        lambda connection: assigning.give(
            connection,
            tenant_id,
            lesson_id,
            Target(student_id=student_id),
            Dates(due_at=due_at),
            by=By(author),
        ),
    )


async def seed_demo(database: Database, tenant_id: UUID, author_id: UUID) -> None:
    """The demo lessons, published and for everyone at the school; those it has stay as they are."""

    async def seed(connection: Connection, slug: str) -> None:
        made = await _create(connection, tenant_id, demo_plan(slug), slug, author_id)
        await _publish(connection, tenant_id, made.lesson_id, made.version_id, author_id)
        await assigning.give(
            connection, tenant_id, made.lesson_id, Target(), Dates(), by=By(author_id)
        )

    for slug in SLUGS:
        with suppress(SlugTaken):
            await database.run(tenant_id, partial(seed, slug=slug))


async def _create(
    connection: Connection, tenant_id: UUID, plan: Plan, slug: str, author: UUID
) -> LessonVersion:
    content = from_plan(plan)
    lesson_id = await writing.add_lesson(connection, tenant_id, slug, content, author)
    if lesson_id is None:
        raise SlugTaken(slug)
    version_id, number = await writing.add_version(
        connection, tenant_id, lesson_id, plan, order_of(content), author
    )
    await writing.add_draft(
        connection, tenant_id, lesson_id, content, author, version_id=version_id
    )
    await writing.note(
        connection, tenant_id, By(author), "create", lesson_id, version=str(version_id)
    )
    return _saved(lesson_id, version_id, slug, plan, number)


async def _publish(
    connection: Connection, tenant_id: UUID, lesson_id: UUID, version_id: UUID, author: UUID
) -> None:
    await writing.point(connection, tenant_id, lesson_id, version_id)
    await writing.note(
        connection, tenant_id, By(author), "publish", lesson_id, version=str(version_id)
    )


def _saved(
    lesson_id: UUID, version_id: UUID, slug: str, plan: Plan, number: int | None
) -> LessonVersion:
    return LessonVersion(
        lesson_id, version_id, slug, plan.title, plan.subject, plan.language, plan, number, False
    )


def _version(row: Any, due_at: datetime | None = None) -> LessonVersion:
    plan = Plan.model_validate(row["plan"])
    return LessonVersion(
        lesson_id=row["id"],
        version_id=row["version_id"],
        slug=row["slug"],
        title=plan.title,
        subject=plan.subject,
        language=plan.language,
        plan=plan,
        number=row["number"],
        published=row["published_version_id"] == row["version_id"],
        due_at=due_at,
    )


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
