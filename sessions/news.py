"""What staff pages follow: facts about a school, told after their commit.

They hold ids only. Who hears one asks for the thing itself, and so gets what they have a right to.
"""

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class SessionChanged:
    """A session began, came to another step, or ended."""

    session_id: UUID
    student_id: UUID
    status: str
    "live | ended"


@dataclass(frozen=True, slots=True)
class SessionReviewed:
    """Somebody went through a session, or took that back."""

    session_id: UUID
    student_id: UUID


@dataclass(frozen=True, slots=True)
class OverridePublished:
    """A correction is what readers get from now on."""

    session_id: UUID
    student_id: UUID
    override_id: UUID


@dataclass(frozen=True, slots=True)
class SummaryRenewed:
    """A session's summary was made, or made anew."""

    session_id: UUID
    student_id: UUID


@dataclass(frozen=True, slots=True)
class LessonChanged:
    """A lesson's draft, versions, state or assignments are not what they were."""

    lesson_id: UUID
    revision: int | None = None
    "Of the draft, where that changed."
    by: UUID | None = None


News = SessionChanged | SessionReviewed | OverridePublished | SummaryRenewed | LessonChanged
