"""Corrections to test with, in no database."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from uuid import UUID

from sessions.review.override import NIL, Author, Content, Override, Target
from sessions.review.reasons import Kind

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
SESSION = UUID(int=5)
TAYO = Author(UUID(int=7), "Tayo Okafor")
_NUMBERS: Iterator[int] = count(1)


def override(
    kind: Kind,
    target: str,
    new: str,
    original: str | None = None,
    *,
    after: Override | None = None,
    published: bool = True,
    by: Author = TAYO,
) -> Override:
    """A correction of something, published a minute after the one made before it."""
    number = next(_NUMBERS)
    at = NOON + timedelta(minutes=number)
    is_speaker = kind == "speaker"
    follows = after.id if after and after.target == Target(kind, target) else NIL
    return Override(
        id=UUID(int=1_000 + number),
        session_id=SESSION,
        target=Target(kind, target),
        original=Content(speaker=original) if is_speaker else Content(original),  # type: ignore[arg-type]
        new=Content(speaker=new) if is_speaker else Content(new),  # type: ignore[arg-type]
        reasons=("other",),
        note="because",
        author=by,
        created_at=at,
        changed_at=at,
        published_at=at if published else None,
        replaces=after.id if after else None,
        succeeds=follows if published else None,
    )
