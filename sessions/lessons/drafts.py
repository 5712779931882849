"""Drafts in the database: one a lesson, changed field by field by whoever writes it.

`sessions.lessons.draft` decides; here a row is held meanwhile, so that two changes never mix. Each
keystroke's save is no entry of the audit log: the row says who changed the draft last, `touched`
who changed which field, and what is published names its author.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sessions.bus import Bus
from sessions.errors import DraftConflict, DraftNotReady, LessonUnknown
from sessions.lessons import draft, touched, versions, writing
from sessions.lessons.aside import aside
from sessions.lessons.brief import Part, SchoolPolicy, StudentFacts, traced
from sessions.lessons.draft import Change, Conflict, Content
from sessions.lessons.draft_fields import Json
from sessions.lessons.findings import Finding, named, read_draft
from sessions.lessons.holes import HOLE, whole
from sessions.lessons.library import require, tell
from sessions.lessons.lint import check
from sessions.lessons.plan import Plan
from tenancy import settings
from tenancy.audit import By
from tenancy.model import Name, Person
from tenancy.postgres import Connection, Database
from tenancy.sql import load

EXAMPLE = StudentFacts(name="Alex")
"Whom the brief of a draft is made for."
_QUERIES = load(__package__, "drafts.sql")


@dataclass(frozen=True, slots=True)
class Draft:
    """A draft as it stands."""

    revision: int
    content: Content
    based_on: int | None
    "The number of the version it was last the same as."
    changed_at: datetime
    changed_by: Name


@dataclass(frozen=True, slots=True)
class Saved:
    """What a change came to."""

    revision: int
    value: Json
    "What the field holds now."
    steps: list[str]
    "The ids of all steps, in order."


@dataclass(frozen=True, slots=True)
class Checked:
    """What there is to say about a draft, and what a tutor would be told."""

    revision: int
    findings: list[Finding]
    brief: list[Part]
    "Line by line; what is missing is shown as missing. Paths are those of the draft."

    @property
    def publishable(self) -> bool:
        return all(finding.severity != "error" for finding in self.findings)


async def get(database: Database, person: Person, lesson_id: UUID) -> Draft:
    """The draft of a lesson.

    Raises:
        NotAllowed: If `person` writes no lessons.
        LessonUnknown: If the school has none of this id.
    """
    require(person, "write")
    return await of(database, person.tenant_id, lesson_id)


async def of(database: Database, tenant_id: UUID, lesson_id: UUID) -> Draft:
    """The same, for the operator. Raises LessonUnknown."""
    async with database.transaction(tenant_id) as connection:
        return await _get(connection, tenant_id, lesson_id)


async def change(
    database: Database, bus: Bus, person: Person, lesson_id: UUID, wanted: Change
) -> Saved:
    """Change one field.

    Raises:
        NotAllowed, LessonUnknown
        DraftRefused, StepUnknown: If the draft can't hold it, or the step is gone.
        DraftConflict: If somebody else changed the same field.
    """
    require(person, "write")
    tenant_id = person.tenant_id

    async def work(connection: Connection) -> tuple[Saved, bool]:
        row = await writing.hold_draft(connection, tenant_id, lesson_id)
        outcome = draft.change(row["content"], wanted)
        if isinstance(outcome, Conflict):
            raise DraftConflict(
                wanted.path,
                was=wanted.was,
                yours=wanted.now,
                theirs=outcome.theirs,
                changed_by=await _toucher(connection, tenant_id, wanted.path, row),
                revision=row["revision"],
            )
        order = draft.order_of(outcome.content)
        if not outcome.different:
            return Saved(row["revision"], outcome.value, order), False
        known = touched.after_change(
            row["touched"], wanted.path, str(person.id), row["revision"] + 1, order
        )
        revision = await writing.change_draft(
            connection, tenant_id, lesson_id, outcome.content, known, person.id
        )
        return Saved(revision, outcome.value, order), True

    saved, different = await database.run(tenant_id, work)
    if different:
        tell(bus, person, lesson_id, saved.revision)
    return saved


async def reset(
    database: Database, bus: Bus, person: Person, lesson_id: UUID, number: int, *, by: By
) -> Draft:
    """Make the draft one of the lesson's versions again.

    Raises:
        NotAllowed, LessonUnknown
        VersionUnknown: If there is none of this number.
    """
    require(person, "write")
    tenant_id = person.tenant_id

    async def work(connection: Connection) -> Draft:
        row = await writing.hold_draft(connection, tenant_id, lesson_id)
        version = await versions.get_version(connection, tenant_id, lesson_id, number)
        content = version.content
        known = touched.after_reset(row["content"], content, str(person.id), row["revision"] + 1)
        await writing.change_draft(connection, tenant_id, lesson_id, content, known, person.id)
        await connection.execute(writing.QUERIES["base_draft"], tenant_id, lesson_id, version.id)
        fresh = await _get(connection, tenant_id, lesson_id)
        await writing.note(connection, tenant_id, by, "reset", lesson_id, number=number)
        return fresh

    fresh = await database.run(tenant_id, work)
    tell(bus, person, lesson_id, fresh.revision)
    return fresh


async def checked(database: Database, person: Person, lesson_id: UUID) -> Checked:
    """What there is to mend in the draft, and the brief it makes, whole or not.

    Raises:
        NotAllowed, LessonUnknown
    """
    found = await get(database, person, lesson_id)
    tenant = await database.tenant(person.tenant_id)
    rules = (await settings.get(database, person.tenant_id)).rules
    school = SchoolPolicy(name=tenant.name, rules=rules)
    lines = await aside(brief_of, found.content, school)
    return Checked(found.revision, await aside(check, found.content), lines)


async def to_try(database: Database, person: Person, lesson_id: UUID) -> Plan:
    """The plan that the draft is at present; it may have errors that only publishing minds.

    Raises:
        NotAllowed: If `person` tries no drafts.
        LessonUnknown
        DraftNotReady: If it is no plan yet.
    """
    require(person, "try")
    found = await get(database, person, lesson_id)
    plan = await aside(read_draft, found.content)
    if isinstance(plan, list):
        errors = [one for one in await aside(check, found.content) if one.severity == "error"]
        raise DraftNotReady(errors)
    return plan


def brief_of(content: Content, school: SchoolPolicy) -> list[Part]:
    """What a tutor would be told of a draft, line by line, with the fields the lines come from."""
    ids = draft.order_of(content)
    lines = traced(whole(content, HOLE), school=school, student=EXAMPLE)
    return [
        Part(line.source, line.text, named(line.path, ids) if line.path else None) for line in lines
    ]


async def _get(connection: Connection, tenant_id: UUID, lesson_id: UUID) -> Draft:
    row = await connection.fetchrow(_QUERIES["get"], tenant_id, lesson_id)
    if row is None:
        raise LessonUnknown(str(lesson_id))
    return Draft(
        row["revision"],
        row["content"],
        row["based_on"],
        row["changed_at"],
        Name(row["changed_by"], row["changed_by_name"]),
    )


async def _toucher(
    connection: Connection, tenant_id: UUID, path: str, row: Mapping[str, Any]
) -> Name:
    """Who changed a field last, as far as it is known."""
    known = touched.by_whom(row["touched"], path)
    person_id = UUID(known) if known else row["changed_by"]
    name = await connection.fetchval(_QUERIES["name_of"], tenant_id, person_id)
    return Name(person_id, name)
