"""`GET /v1/models`: the lessons a caller may take, as OpenAI's clients list models."""

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from server.realtime.http import lesson_of
from server.services import Services
from sessions.errors import LessonUnknown
from sessions.lessons import store
from sessions.lessons.store import LessonVersion
from tenancy.model import Caller


async def list_models(request: Request, services: Services, caller: Caller) -> Response:
    """All of them; a key for one lesson sees that one."""
    lessons = await store.list_for(services.database, caller.person)
    school = await services.database.tenant(caller.person.tenant_id)
    data = [_model(lesson, school.slug) for lesson in lessons if _may_see(lesson, caller)]
    return JSONResponse({"object": "list", "data": data})


async def get_model(request: Request, services: Services, caller: Caller) -> Response:
    """One, by its slug or id."""
    wanted = lesson_of(request.path_params["model"], caller)
    lesson = await store.get(services.database, caller.person, wanted)
    if not _may_see(lesson, caller):
        raise LessonUnknown(wanted)
    school = await services.database.tenant(caller.person.tenant_id)
    return JSONResponse(_model(lesson, school.slug))


def _may_see(lesson: LessonVersion, caller: Caller) -> bool:
    return caller.lesson in (None, lesson.slug, str(lesson.lesson_id))


def _model(lesson: LessonVersion, owner: str) -> dict[str, Any]:
    return {
        "id": lesson.slug,
        "object": "model",
        "created": (lesson.lesson_id.int >> 80) // 1000,  # a uuid7 begins with its time in ms
        "owned_by": owner,
        "lesson_id": str(lesson.lesson_id),
        "title": lesson.title,
        "subject": lesson.subject,
        "language": lesson.language,
    }
