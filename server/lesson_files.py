"""`student-connect lessons`: plans as files, checked, taken in and given out."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from sessions.bus import Bus
from sessions.errors import LessonUnknown, PlanInvalid
from sessions.lessons import drafts, library
from sessions.lessons.export import Format, export
from sessions.lessons.lint import lint
from sessions.lessons.plan import Plan, read_plan
from sessions.lessons.reading import MAX_BYTES, read
from tenancy import people
from tenancy.audit import By
from tenancy.model import Person, TenancyError
from tenancy.postgres import Database


class NotDone(TenancyError):
    """Why a command could not be carried out."""


@dataclass(frozen=True, slots=True)
class Looked:
    """What is said of one file."""

    file: Path
    text: str
    plan: Plan | None
    "None: it is none."
    lines: tuple[str, ...]
    "For people: `fractions.yaml:12: Step 2, hint 1: …`."
    failed: bool


def look(file: Path) -> Looked:
    """Read and lint a file.

    Raises:
        OSError: If there is none, or it can't be read.
    """
    with file.open("rb") as opened:
        data = opened.read(MAX_BYTES + 1)
    try:
        text = data.decode("utf-8-sig")
        plan = read_plan(text)
    except UnicodeDecodeError:
        return Looked(file, "", None, (f"{file}: this is not UTF-8; save it as UTF-8",), True)
    except PlanInvalid as trouble:
        lines = tuple(_problem(file, *problem) for problem in trouble.problems)
        return Looked(file, text, None, lines, True)
    found = lint(plan)
    tree = read(text)
    at = [tree.line_of(_parts(finding.path)) for finding in found]
    lines = tuple(
        f"{file}:{line}: {finding.place}: {finding.severity}: {finding.reason} {finding.mend}"
        for line, finding in sorted(zip(at, found, strict=True), key=lambda one: one[0])
    )
    failed = any(finding.severity == "error" for finding in found)
    return Looked(file, text, plan, lines, failed)


async def take_in(
    database: Database, tenant: str, author: str, files: Sequence[Looked]
) -> AsyncIterator[str]:
    """A new lesson, as a draft, for each file; a sentence for each as soon as it is made.

    Raises:
        NotDone: If nobody at the school has this e-mail.
        TenancyError: If there is no such school, or they write no lessons.
    """
    school = await database.tenant_by_slug(tenant)
    person = await _author(database, school.id, author)
    library.require(person, "write")
    for one in files:
        lesson = await library.create(database, Bus(), person, by=By(person.id), text=one.text)
        yield f"{one.file}: lesson {lesson.slug}, a draft of {person.name}"


async def give_out(database: Database, slug: str, tenant: str | None, format: Format) -> str:
    """A lesson's draft as a file.

    Raises:
        NotDone: If there is no such lesson, or several schools have one.
        TenancyError: If there is no such school.
    """
    if tenant is not None:
        schools = [await database.tenant_by_slug(tenant)]
    else:
        schools = await database.tenants()
    found: list[tuple[str, UUID, UUID]] = []
    for school in schools:
        try:
            found.append((school.slug, school.id, await library.id_of(database, school.id, slug)))
        except LessonUnknown:
            continue
    if not found:
        who = f"School {tenant} has no" if tenant else "No school has a"
        raise NotDone(f"{who} lesson {slug!r}.")
    if len(found) > 1:
        names = ", ".join(name for name, _, _ in found)
        raise NotDone(f"Several schools have a lesson {slug!r}: {names}. Name one with --tenant.")
    ((_, tenant_id, lesson_id),) = found
    return export((await drafts.of(database, tenant_id, lesson_id)).content, format)


async def _author(database: Database, tenant_id: UUID, email: str) -> Person:
    async with database.transaction(tenant_id) as connection:
        person = await people.by_email(connection, tenant_id, email)
    if person is None:
        raise NotDone(f"Nobody at this school has the e-mail {email!r}.")
    return person


def _problem(file: Path, line: int | None, path: str, sentence: str) -> str:
    where = f"{file}:{line}" if line else str(file)
    return f"{where}: {path + ': ' if path else ''}{sentence}"


def _parts(path: str) -> list[str | int]:
    return [int(part) if part.isdigit() else part for part in path.split(".")]
