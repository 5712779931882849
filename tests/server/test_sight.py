"""Who sees which news: every role, and who looks after whom, asked seldom."""

from collections.abc import Callable
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest

from server.sight import GOOD_FOR_S, NEEDS, Sight, at_first_sight
from sessions.news import (
    LessonChanged,
    News,
    OverridePublished,
    SessionChanged,
    SessionReviewed,
    SummaryRenewed,
)
from sessions.record import listing
from tenancy.ids import new_id
from tenancy.model import Person
from tenancy.postgres import Database
from tests.conftest import School

SESSION, OVERRIDE, LESSON = new_id(), new_id(), new_id()


def all_of(student_id: UUID) -> dict[str, News]:
    return {
        "changed": SessionChanged(SESSION, student_id, "live"),
        "reviewed": SessionReviewed(SESSION, student_id),
        "corrected": OverridePublished(SESSION, student_id, OVERRIDE),
        "renewed": SummaryRenewed(SESSION, student_id),
        "lesson": LessonChanged(LESSON),
    }


def test_every_kind_of_news_is_for_somebody() -> None:
    assert set(NEEDS) == {type(news) for news in all_of(new_id()).values()}


@pytest.fixture
def seen(database: Database) -> Callable[..., Any]:
    async def seen(person: Person, student_id: UUID) -> set[str]:
        sight = Sight(database)
        kinds = all_of(student_id).items()
        return {name for name, news in kinds if await sight.sees(person, news)}

    return seen


async def test_each_sees_what_they_have_a_right_to(
    school: School, other_school: School, seen: Callable[..., Any]
) -> None:
    sessions = {"changed", "reviewed", "corrected", "renewed"}
    for person, expected in (
        (school.student, sessions),
        (school.tutor, sessions),
        (school.parent, {"reviewed"}),
        (school.instructor, {*sessions, "lesson"}),
        (school.admin, {*sessions, "lesson"}),
    ):
        assert await seen(person, school.student.id) == expected, person.roles


async def test_parents_hear_of_what_somebody_has_reviewed(
    database: Database,
    school: School,
    other_school: School,
    seen: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = []

    async def card(_: Any, tenant_id: UUID, session_id: UUID) -> Any:
        asked.append((tenant_id, session_id))
        return SimpleNamespace(reviewed="by somebody")

    monkeypatch.setattr(listing, "card", card)
    assert await seen(school.parent, school.student.id) == {"reviewed", "corrected", "renewed"}
    assert set(asked) == {(school.tenant.id, SESSION)}
    assert await seen(other_school.parent, school.student.id) == set()
    assert len(asked) == 2, "whose child it is not is not even looked for"


async def test_who_has_nothing_to_do_with_a_student_hears_nothing_of_them(
    school: School, other_school: School, seen: Callable[..., Any]
) -> None:
    for person in (school.student, school.tutor, school.parent):
        for stranger in (new_id(), other_school.student.id):
            assert await seen(person, stranger) == set(), person.roles


async def test_parents_hear_of_everything_where_the_school_shows_everything(
    database: Database, school: School, seen: Callable[..., Any]
) -> None:
    async with database.transaction(school.tenant.id) as connection:
        await connection.execute(
            "INSERT INTO settings (tenant_id, layer, layer_id, name, value, author, changed_at)"
            " VALUES ($1, 'school', '', 'parents_read', '\"all\"', $2, now())",
            school.tenant.id,
            school.admin.id,
        )
    assert await seen(school.parent, school.student.id) == {"reviewed", "corrected", "renewed"}


async def test_what_is_known_is_good_for_a_few_seconds(database: Database, school: School) -> None:
    now = [100.0]
    sight = Sight(database, lambda: now[0])
    news = SessionChanged(SESSION, school.student.id, "live")
    assert await sight.sees(school.tutor, news)
    async with database.transaction(school.tenant.id) as connection:
        await connection.execute(
            "UPDATE assignments SET status = 'completed', ends_at = $2 WHERE tenant_id = $1",
            school.tenant.id,
            datetime.now(UTC),
        )
    assert await sight.sees(school.tutor, news)
    now[0] += GOOD_FOR_S + 0.1
    assert not await sight.sees(school.tutor, news)
    assert len(sight._known) == 1


@pytest.mark.parametrize("role", ["student", "instructor", "parent", "admin"])
def test_most_is_known_from_the_roles_alone(school: School, role: str) -> None:
    person: Person = getattr(school, role)
    expected = role in ("instructor", "admin")
    assert at_first_sight(person, SessionChanged(SESSION, new_id(), "live")) is expected
