"""Shapes that several modules of the API use."""

from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator

from server.api.table import Model


def _utc(at: datetime) -> datetime:
    """Without a zone a time is UTC."""
    try:
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except OverflowError:
        raise ValueError("it is out of range") from None


Time = Annotated[datetime, AfterValidator(_utc)]


class LessonName(Model):
    id: UUID
    slug: str
    title: str


class PersonName(Model):
    id: UUID
    name: str
