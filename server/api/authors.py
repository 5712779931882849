"""What the modules for authors share: how a lesson looks to them, and what is refused how."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from server.api.shapes import PersonName
from server.api.table import Call, Model
from server.errors import Refused
from sessions.errors import (
    DraftConflict,
    DraftMoved,
    DraftNotReady,
    DraftRefused,
    LessonUnknown,
    PlanInvalid,
)
from sessions.lessons import findings, library
from tenancy.model import Name

NO_SUCH_LESSON = (
    "There is no such lesson at your school. GET /api/v1/school/lessons lists those that there are."
)
NOT_READ = "This is no lesson plan yet. Mend what is listed, and send it again."


class SchoolLesson(Model):
    """A lesson as its authors see it."""

    id: UUID
    slug: str
    title: str
    subject: str
    level: str
    language: str
    state: Literal["draft", "published", "archived"]
    "`draft`: never published."
    has_changes: bool
    "The draft is in no version."
    published_number: int | None
    owner: PersonName
    changed_at: datetime
    changed_by: PersonName
    assignments: int


class Finding(Model):
    """One thing to mend (`error`), or to consider."""

    rule: str
    severity: Literal["error", "warning"]
    path: str
    "Of the field; it may go on into a list: `steps.k3f9.hints.1`."
    place: str
    reason: str
    mend: str


def by_name(name: Name) -> PersonName:
    return PersonName(id=name.id, name=name.name)


def of_lesson(lesson: library.SchoolLesson) -> dict[str, Any]:
    """The members of a `SchoolLesson`."""
    return {
        "id": lesson.id,
        "slug": lesson.slug,
        "title": lesson.title,
        "subject": lesson.subject,
        "level": lesson.level,
        "language": lesson.language,
        "state": lesson.state,
        "has_changes": lesson.has_changes,
        "published_number": lesson.published_number,
        "owner": by_name(lesson.owner),
        "changed_at": lesson.changed_at,
        "changed_by": by_name(lesson.changed_by),
        "assignments": lesson.assignments,
    }


def of_findings(found: Iterable[findings.Finding]) -> list[Finding]:
    return [
        Finding(
            rule=one.rule,
            severity=one.severity,
            path=one.path,
            place=one.place,
            reason=one.reason,
            mend=one.mend,
        )
        for one in found
    ]


def id_in_path(call: Call, name: str = "id") -> UUID:
    """The lesson's id. What is none is of no lesson. Raises LessonUnknown."""
    try:
        return UUID(call.path[name])
    except ValueError:
        raise LessonUnknown(call.path[name][:80]) from None


@contextmanager
def told() -> Iterator[None]:
    """What is refused to authors, with what their pages need to help."""
    try:
        yield
    except LessonUnknown:
        raise Refused(404, "lesson_not_found", NO_SUCH_LESSON) from None
    except DraftRefused as trouble:
        raise Refused(400, "invalid_change", str(trouble), param=trouble.path[:100]) from None
    except DraftConflict as trouble:
        more = {
            "path": trouble.path,
            "was": trouble.was,
            "yours": trouble.yours,
            "theirs": trouble.theirs,
            "changed_by": by_name(trouble.changed_by).model_dump(mode="json"),
            "revision": trouble.revision,
        }
        raise Refused(409, "draft_conflict", str(trouble), more=more) from None
    except DraftMoved as trouble:
        more = {"revision": trouble.revision}
        raise Refused(409, "draft_moved", str(trouble), more=more) from None
    except DraftNotReady as trouble:
        found = [one.model_dump() for one in of_findings(trouble.findings)]
        raise Refused(422, "plan_invalid", str(trouble), more={"findings": found}) from None
    except PlanInvalid as trouble:
        problems = [
            {"line": line, "path": path, "sentence": sentence}
            for line, path, sentence in trouble.problems
        ]
        raise Refused(422, "plan_invalid", NOT_READ, more={"problems": problems}) from None
