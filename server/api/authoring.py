"""A school's lessons over HTTP, as their authors see them: found, begun, put away."""

from datetime import datetime
from typing import Literal
from uuid import UUID

import orjson
from pydantic import Field
from starlette.responses import Response

from server.api.authors import SchoolLesson, id_in_path, of_lesson, told
from server.api.cursors import LONGEST, open_cursor, seal_cursor
from server.api.drafts import Draft, of_draft
from server.api.office import by
from server.api.table import Call, Model, Route
from server.errors import Refused
from sessions.lessons import drafts, library
from sessions.lessons.library import Filters, Place
from sessions.lessons.plan import Plan
from sessions.lessons.templates import templates

ONE_WAY = "Choose one of `template`, `copy_of` and `yaml`, or none for a blank lesson."
SCHEMA_MEDIA = "application/schema+json"


class SchoolLessonsQuery(Model):
    search: str | None = Field(None, max_length=120)
    "Part of the title, the subject or the slug."
    subject: str | None = Field(None, max_length=80)
    state: Literal["draft", "published", "archived"] | None = None
    "Without it: what is in use."
    cursor: str | None = Field(None, max_length=LONGEST)
    limit: int = Field(50, ge=1, le=100)


class SchoolLessonPage(Model):
    """Last changed first."""

    items: list[SchoolLesson]
    next_cursor: str | None
    subjects: list[str]
    "All of the school's."


class SchoolLessonDetail(SchoolLesson):
    draft: Draft


class NewLesson(Model):
    """Blank, or from one of three; `title` instead of the one that comes with it."""

    title: str | None = Field(None, max_length=120)
    template: str | None = Field(None, max_length=80)
    copy_of: UUID | None = None
    yaml: str | None = None
    "A plan, YAML or JSON."


class TemplateCard(Model):
    name: str
    title: str
    about: str


class TemplatePage(Model):
    items: list[TemplateCard]


async def list_school_lessons(call: Call) -> SchoolLessonPage:
    """The school's lessons."""
    query, database = call.query, call.services.database
    filters = Filters(query.search or None, query.subject or None, query.state)
    name = f"school lessons {query.search!r} {query.subject!r} {query.state}"
    after = _place(await open_cursor(call, name, query.cursor)) if query.cursor else None
    found, following = await library.list_(
        database, call.person, filters, after=after, limit=query.limit
    )
    place = f"{following.id} {following.changed_at.isoformat()}" if following else None
    return SchoolLessonPage(
        items=[SchoolLesson(**of_lesson(lesson)) for lesson in found],
        next_cursor=seal_cursor(call, name, place) if place else None,
        subjects=await library.subjects(database, call.person),
    )


async def create_lesson(call: Call) -> SchoolLesson:
    """A new lesson, for its authors only."""
    body = call.body
    if sum(way is not None for way in (body.template, body.copy_of, body.yaml)) > 1:
        raise Refused(400, "invalid_body", ONE_WAY)
    with told():
        made = await library.create(
            call.services.database,
            call.services.bus,
            call.person,
            by=by(call),
            title=(body.title or "").strip() or None,
            like=body.template,
            copy_of=body.copy_of,
            text=body.yaml,
        )
    return SchoolLesson(**of_lesson(made))


async def get_school_lesson(call: Call) -> SchoolLessonDetail:
    """One lesson with its draft."""
    with told():
        lesson_id = id_in_path(call)
        lesson = await library.get(call.services.database, call.person, lesson_id)
        draft = await drafts.get(call.services.database, call.person, lesson_id)
    return SchoolLessonDetail(**of_lesson(lesson), draft=of_draft(draft))


async def archive_lesson(call: Call) -> SchoolLesson:
    """Put a lesson away: nobody begins it any more, everything in it is kept."""
    return await _archive(call, away=True)


async def restore_lesson(call: Call) -> SchoolLesson:
    """Bring it back."""
    return await _archive(call, away=False)


async def list_templates(call: Call) -> TemplatePage:
    """Lessons to begin with."""
    library.require(call.person, "write")
    return TemplatePage(
        items=[TemplateCard(name=one.name, title=one.title, about=one.about) for one in templates()]
    )


async def get_plan_schema(call: Call) -> Response:
    """What a plan may be, as JSON Schema."""
    library.require(call.person, "write")
    return Response(orjson.dumps(Plan.json_schema()), media_type=SCHEMA_MEDIA)


async def _archive(call: Call, *, away: bool) -> SchoolLesson:
    services = call.services
    with told():
        lesson = await library.archive(
            services.database, services.bus, call.person, id_in_path(call), by=by(call), away=away
        )
    return SchoolLesson(**of_lesson(lesson))


def _place(text: str) -> Place:
    lesson_id, _, at = text.partition(" ")
    return Place(datetime.fromisoformat(at), UUID(lesson_id))


ROUTES: tuple[Route, ...] = (
    Route(
        "GET",
        "/school/lessons",
        list_school_lessons,
        "The school's lessons, for authors",
        answer=SchoolLessonPage,
        query=SchoolLessonsQuery,
    ),
    Route(
        "POST",
        "/school/lessons",
        create_lesson,
        "Begin a lesson",
        answer=SchoolLesson,
        body=NewLesson,
        refuses=(404, 422),
    ),
    Route(
        "GET",
        "/school/templates",
        list_templates,
        "Lessons to begin with",
        answer=TemplatePage,
    ),
    Route(
        "GET",
        "/school/plan-schema",
        get_plan_schema,
        "The JSON Schema of a plan",
        media=(SCHEMA_MEDIA,),
    ),
    Route(
        "GET",
        "/school/lessons/{id}",
        get_school_lesson,
        "One lesson with its draft",
        answer=SchoolLessonDetail,
        refuses=(404,),
    ),
    Route(
        "POST",
        "/school/lessons/{id}/archive",
        archive_lesson,
        "Put a lesson away",
        answer=SchoolLesson,
        refuses=(404,),
    ),
    Route(
        "POST",
        "/school/lessons/{id}/restore",
        restore_lesson,
        "Bring a lesson back",
        answer=SchoolLesson,
        refuses=(404,),
    ),
)
