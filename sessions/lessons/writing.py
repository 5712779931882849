"""What changes of lessons are made of: rows put down within somebody's transaction, and noted."""

import re
import unicodedata
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sessions.errors import LessonArchived, LessonUnknown
from sessions.lessons import draft
from sessions.lessons.draft import Content
from sessions.lessons.plan import Plan
from tenancy import audit
from tenancy.audit import By
from tenancy.ids import new_id
from tenancy.postgres import Connection
from tenancy.sql import load

MAX_SLUG = 80
SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
QUERIES = load(__package__, "writing.sql")
_SHORTER = 60  # of a title; leaves room for a number


async def add_lesson(
    connection: Connection, tenant_id: UUID, slug: str, content: Content, owner: UUID
) -> UUID | None:
    """A new lesson without versions and draft; None where the school has the slug already."""
    lesson_id: UUID | None = await connection.fetchval(
        QUERIES["insert_lesson"],
        tenant_id, new_id(), slug, *heading(content), owner, datetime.now(UTC),
    )  # fmt: skip
    return lesson_id


async def free_slug(connection: Connection, tenant_id: UUID, title: str) -> str:
    """A slug for a title that no lesson of the school has."""
    stem = slug_of(title)
    rows = await connection.fetch(QUERIES["slugs_like"], tenant_id, stem)
    taken = {row["slug"] for row in rows}
    names = (stem if number == 1 else f"{stem}-{number}" for number in range(1, len(taken) + 2))
    return next(name for name in names if name not in taken)


def slug_of(title: str) -> str:
    """A title in small letters, digits and hyphens; `lesson` where nothing is left of it."""
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    stem = re.sub(r"[^a-z0-9]+", "-", plain)[:_SHORTER].strip("-")
    return "lesson" if not stem or _is_uuid(stem) else stem


async def add_version(
    connection: Connection,
    tenant_id: UUID,
    lesson_id: UUID,
    plan: Plan,
    step_ids: list[str],
    author: UUID,
    note: str = "",
) -> tuple[UUID, int]:
    """The next version, for good: its id and number. The lesson's row is held."""
    version_id = new_id()
    number = await connection.fetchval(
        QUERIES["insert_version"],
        tenant_id, version_id, lesson_id, plan.plain(), step_ids, author, note, datetime.now(UTC),
    )  # fmt: skip
    return version_id, number


async def add_draft(
    connection: Connection,
    tenant_id: UUID,
    lesson_id: UUID,
    content: Content,
    by: UUID,
    *,
    version_id: UUID | None = None,
) -> None:
    """The draft of a new lesson; with `version_id` it is the same as this version."""
    digest = draft.digest(content)
    await connection.execute(
        QUERIES["insert_draft"],
        tenant_id, lesson_id, content, digest,
        version_id, digest if version_id else None, by, datetime.now(UTC),
    )  # fmt: skip


async def hold_draft(connection: Connection, tenant_id: UUID, lesson_id: UUID) -> Any:
    """The draft's row, nobody else's until the transaction ends. Raises LessonUnknown."""
    row = await connection.fetchrow(QUERIES["hold_draft"], tenant_id, lesson_id)
    if row is None:
        raise LessonUnknown(str(lesson_id))
    return row


async def change_draft(
    connection: Connection,
    tenant_id: UUID,
    lesson_id: UUID,
    content: Content,
    touched: Mapping[str, Any],
    by: UUID,
) -> int:
    """Put another content into a draft that is held; returns its revision."""
    revision: int = await connection.fetchval(
        QUERIES["change_draft"],
        tenant_id, lesson_id, content, draft.digest(content), touched, by, datetime.now(UTC),
    )  # fmt: skip
    await connection.execute(QUERIES["entitle"], tenant_id, lesson_id, *heading(content))
    return revision


async def hold_lesson(
    connection: Connection, tenant_id: UUID, lesson_id: UUID, *, in_use: bool = True
) -> Any:
    """The lesson's row, nobody else's until the transaction ends.

    Raises:
        LessonUnknown: If the school has none of this id.
        LessonArchived: If it has to be in use, and is not.
    """
    row = await connection.fetchrow(QUERIES["hold_lesson"], tenant_id, lesson_id)
    if row is None:
        raise LessonUnknown(str(lesson_id))
    if in_use and row["archived_at"] is not None:
        raise LessonArchived
    return row


async def point(connection: Connection, tenant_id: UUID, lesson_id: UUID, version_id: UUID) -> None:
    """Students who start the lesson from now on get this version. Raises LessonUnknown."""
    if not await connection.fetchval(QUERIES["publish"], tenant_id, lesson_id, version_id):
        raise LessonUnknown(str(lesson_id))


async def note(
    connection: Connection,
    tenant_id: UUID,
    by: By,
    verb: str,
    lesson_id: UUID,
    **detail: str | int | None,
) -> None:
    """Say in the audit log what was done; the last statement of its transaction."""
    await audit.write(
        connection,
        tenant_id,
        actor=by.person_id,
        verb=verb,
        thing="lesson",
        thing_id=str(lesson_id),
        detail={name: value for name, value in detail.items() if value is not None} or None,
        address=by.address,
    )


def heading(content: Content) -> tuple[str, str, str]:
    """Title, subject and language as lists show them."""
    words = draft.to_plan({name: content.get(name) for name in ("title", "subject", "language")})
    title, subject, language = (
        " ".join((words[name] or "").split()) for name in ("title", "subject", "language")
    )
    return title[:120], subject[:80], language[:20] or "en"


def is_slug(text: str) -> bool:
    return len(text) <= MAX_SLUG and SLUG.fullmatch(text) is not None and not _is_uuid(text)


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True
