"""What staff pages follow: facts about a school, told after their commit.

They hold ids only. Who hears one asks for the thing itself, and so gets what they have a right to.
"""

from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from sessions.bus import Bus, school_topic
from sessions.record.model import SessionRow


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


def tell_session(
    bus: Bus, tenant_id: UUID, row: SessionRow, status: Literal["live", "ended"]
) -> None:
    """A session is not what it was. Call it after the commit; sandboxes are nobody's news."""
    if not row.sandbox:
        bus.publish(school_topic(tenant_id), SessionChanged(row.id, row.student_id, status))


def tell_summary(bus: Bus, tenant_id: UUID, row: SessionRow) -> None:
    """A session's summary was stored. Call it after the commit."""
    if not row.sandbox:
        bus.publish(school_topic(tenant_id), SummaryRenewed(row.id, row.student_id))
