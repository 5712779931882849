"""Which corrections families see: those that count, in the order they were published."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from sessions.review.families import in_force, is_private
from sessions.review.override import NIL, Author, Content, Override, Target

NOW = datetime(2026, 3, 2, tzinfo=UTC)


def override(
    n: int, item: str, *, replaces: int | None = None, published: bool = True, reason: str = "tone"
) -> Override:
    return Override(
        id=UUID(int=n),
        session_id=UUID(int=99),
        target=Target("words", item),
        original=Content(text="too"),
        new=Content(text="two"),
        reasons=(reason,),
        note="",
        author=Author(UUID(int=7), "Tayo"),
        created_at=NOW,
        changed_at=NOW,
        published_at=NOW + timedelta(minutes=n) if published else None,
        replaces=UUID(int=replaces) if replaces else None,
        succeeds=(UUID(int=replaces) if replaces else NIL) if published else None,
    )


def test_what_was_replaced_and_what_is_a_draft_does_not_count() -> None:
    first, second = override(1, "a"), override(3, "a", replaces=1)
    other, draft = override(2, "b"), override(4, "b", replaces=2, published=False)
    assert in_force([first, second, other, draft]) == [other, second]
    assert in_force([]) == []


def test_what_was_private_is_known_by_its_reason() -> None:
    assert is_private(override(1, "a", reason="privacy"))
    assert not is_private(override(1, "a"))
