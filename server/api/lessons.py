"""Lessons over HTTP: what the caller may take, and where they stand with it."""

from bisect import bisect_right
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import Field

from server.api.cursors import LONGEST, open_cursor, seal_cursor
from server.api.table import Call, Model, Route
from server.errors import Refused
from sessions.errors import LessonUnknown, SessionUnknown
from sessions.lessons import store
from sessions.lessons.store import LessonVersion
from sessions.record import listing, sessions
from sessions.record.listing import Standing
from tenancy.policy import Thing, may

LONGEST_NAME = 200
NO_SUCH_LESSON = (
    "There is no such lesson for you. GET /api/v1/lessons lists those that you may take."
)


TRIED = "You are trying a draft: what is said is in nobody's list, and is deleted after a day."


class LessonsQuery(Model):
    cursor: str | None = Field(None, max_length=LONGEST)
    limit: int = Field(50, ge=1, le=100)


class LessonCard(Model):
    """A lesson as its takers see it."""

    id: UUID
    slug: str
    title: str
    subject: str
    level: str
    language: str
    goal: str
    steps: int
    hears_speech: bool
    "False where the tutor's ears don't know the language: the student types."
    due_at: datetime | None
    status: Literal["new", "in_progress", "done"]
    live_session_id: UUID | None
    "The caller's own session that they can go on with."


class LessonPage(Model):
    """By title."""

    items: list[LessonCard]
    next_cursor: str | None


class LessonQuery(Model):
    session: UUID | None = None
    "One of the caller's own: the lesson as it has it, whatever became of the lesson since."


class LessonDetail(LessonCard):
    version: int | None
    "Null: a draft that is being tried."
    version_id: UUID
    sandbox: bool
    "Whether it is a draft that its author tries: nothing of it is kept for long."
    readers: str
    "Who can read what is said in the lesson."


async def list_lessons(call: Call) -> LessonPage:
    """Lessons that the caller may take."""
    lessons = sorted(await store.list_for(call.services.database, call.person), key=_key)
    begin = 0
    if call.query.cursor:
        after = await open_cursor(call, "lessons", call.query.cursor)
        begin = bisect_right([_key(lesson) for lesson in lessons], after)
    page = lessons[begin : begin + call.query.limit]
    standing = await _standing(call)
    return LessonPage(
        items=[LessonCard(**await _card(call, lesson, standing)) for lesson in page],
        next_cursor=seal_cursor(call, "lessons", _key(page[-1]))
        if begin + len(page) < len(lessons)
        else None,
    )


async def get_lesson(call: Call) -> LessonDetail:
    """One lesson, by its id or slug."""
    name = call.path["id"]
    database = call.services.database
    try:
        if len(name) > LONGEST_NAME or not name.isprintable():
            raise LessonUnknown(name)
        if call.query.session is None:
            lesson = await store.get(database, call.person, name)
        else:
            lesson = await _as_held(call, name, call.query.session)
    except (LessonUnknown, SessionUnknown):
        raise Refused(404, "lesson_not_found", NO_SUCH_LESSON) from None
    school = await database.tenant(call.person.tenant_id)
    return LessonDetail(
        **await _card(call, lesson, await _standing(call)),
        version=lesson.number,
        version_id=lesson.version_id,
        sandbox=lesson.number is None,
        readers=TRIED
        if lesson.number is None
        else f"The teachers, tutors and administrators of {school.name} can read what is said"
        " in this lesson. You see here who has.",
    )


async def _as_held(call: Call, name: str, session_id: UUID) -> LessonVersion:
    """The lesson of a session of the caller's own."""
    database, person = call.services.database, call.person
    row = await sessions.get(database, person.tenant_id, session_id)
    lesson = await store.version(database, person.tenant_id, row.lesson_version_id)
    own = Thing("session", person.tenant_id, student_id=row.student_id)
    if name not in (lesson.slug, str(lesson.lesson_id)) or not may(person, "continue", own):
        raise LessonUnknown(name)
    return lesson


async def _standing(call: Call) -> dict[UUID, Standing]:
    return await listing.standing(call.services.database, call.person.tenant_id, call.person.id)


async def _card(
    call: Call, lesson: LessonVersion, standing: dict[UUID, Standing]
) -> dict[str, Any]:
    stands = standing.get(lesson.lesson_id)
    chain = await call.services.lobby.chain(call.person.tenant_id, lesson, "voice")
    return {
        "id": lesson.lesson_id,
        "slug": lesson.slug,
        "title": lesson.title,
        "subject": lesson.subject,
        "level": lesson.plan.level,
        "language": lesson.language,
        "goal": lesson.plan.goal,
        "steps": len(lesson.plan.steps),
        "hears_speech": chain.hears(lesson.language),
        "due_at": lesson.due_at,
        "status": stands.status if stands else "new",
        "live_session_id": stands.live_session_id if stands else None,
    }


def _key(lesson: LessonVersion) -> str:
    return f"{lesson.title.casefold()} {lesson.lesson_id}"


ROUTES: tuple[Route, ...] = (
    Route(
        "GET",
        "/lessons",
        list_lessons,
        "Lessons that you may take",
        answer=LessonPage,
        query=LessonsQuery,
    ),
    Route(
        "GET",
        "/lessons/{id}",
        get_lesson,
        "One lesson, by id or slug",
        answer=LessonDetail,
        query=LessonQuery,
        refuses=(404,),
    ),
)
