"""A lesson's versions over HTTP: listed, read, compared, gone back to, exported."""

from datetime import datetime
from typing import Any, Literal

from pydantic import Field, JsonValue
from starlette.responses import Response

from server.api.authors import SchoolLesson, by_name, id_in_path, of_lesson, told
from server.api.office import by
from server.api.shapes import PersonName
from server.api.table import Call, Model, Route
from sessions.errors import VersionUnknown
from sessions.lessons import drafts, library, versions
from sessions.lessons.aside import aside
from sessions.lessons.compare import compare
from sessions.lessons.draft import Content
from sessions.lessons.export import MEDIA, export


class Version(Model):
    """One published state of a lesson. It never changes."""

    number: int
    author: PersonName
    note: str
    created_at: datetime
    published: bool
    "Students get this one."


class VersionPage(Model):
    """Newest first."""

    items: list[Version]


class VersionDetail(Version):
    plan: dict[str, JsonValue]
    yaml: str


class CompareQuery(Model):
    left: str = Field(max_length=20)
    "A version's number."
    right: str = Field("draft", max_length=20)
    "A version's number, or `draft`."


class ComparedSide(Model):
    label: str
    number: int | None
    "Null: the draft."


class PlanChange(Model):
    """One field that is another on the right."""

    path: str
    place: str
    kind: Literal["added", "removed", "changed", "moved"]
    left: JsonValue
    right: JsonValue


class Comparison(Model):
    """In the lesson's order."""

    left: ComparedSide
    right: ComparedSide
    changes: list[PlanChange]


class ExportQuery(Model):
    format: Literal["yaml", "json"] = "yaml"


class RollBack(Model):
    number: int
    "The version that students get from now on."


async def list_versions(call: Call) -> VersionPage:
    """A lesson's versions."""
    with told():
        found = await versions.list_(call.services.database, call.person, id_in_path(call))
    return VersionPage(items=[Version(**of_version(one)) for one in found])


async def get_version(call: Call) -> VersionDetail:
    """One version with its plan."""
    with told():
        found = await versions.get(
            call.services.database, call.person, id_in_path(call), number_in(call.path["number"])
        )
    return VersionDetail(**of_version(found), plan=found.plan.plain(), yaml=found.plan.to_yaml())


async def roll_back(call: Call) -> SchoolLesson:
    """Give students another version; running sessions keep theirs, the draft stays."""
    services = call.services
    with told():
        lesson = await versions.roll_back(
            services.database,
            services.bus,
            call.person,
            id_in_path(call),
            call.body.number,
            by=by(call),
        )
    return SchoolLesson(**of_lesson(lesson))


async def compare_versions(call: Call) -> Comparison:
    """Two states of a lesson side by side."""
    with told():
        left, before = await _side(call, call.query.left)
        right, after = await _side(call, call.query.right)
    return Comparison(
        left=left,
        right=right,
        changes=[
            PlanChange(
                path=one.path, place=one.place, kind=one.kind, left=one.left, right=one.right
            )
            for one in await aside(compare, before, after)
        ],
    )


async def export_draft(call: Call) -> Response:
    """The draft as a file."""
    database, person, format = call.services.database, call.person, call.query.format
    with told():
        lesson = await library.get(database, person, id_in_path(call))
        draft = await drafts.get(database, person, lesson.id)
    return Response(
        await aside(export, draft.content, format),
        media_type=MEDIA[format],
        headers={"Content-Disposition": f'attachment; filename="{lesson.slug}.{format}"'},
    )


async def _side(call: Call, name: str) -> tuple[ComparedSide, Content]:
    database, person, lesson_id = call.services.database, call.person, id_in_path(call)
    if name == "draft":
        draft = await drafts.get(database, person, lesson_id)
        return ComparedSide(label="The draft", number=None), draft.content
    version = await versions.get(database, person, lesson_id, number_in(name))
    label = f"Version {version.number}"
    return ComparedSide(label=label, number=version.number), version.content


def number_in(text: str) -> int:
    """A version's number, as an address names it. Raises VersionUnknown."""
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise VersionUnknown(text[:20])
    return int(text)


def of_version(version: versions.Version) -> dict[str, Any]:
    """The members of a `Version`."""
    return {
        "number": version.number,
        "author": by_name(version.author),
        "note": version.note,
        "created_at": version.created_at,
        "published": version.published,
    }


ROUTES: tuple[Route, ...] = (
    Route(
        "GET",
        "/school/lessons/{id}/versions",
        list_versions,
        "A lesson's versions",
        answer=VersionPage,
        refuses=(404,),
    ),
    Route(
        "GET",
        "/school/lessons/{id}/versions/{number}",
        get_version,
        "One version with its plan",
        answer=VersionDetail,
        refuses=(404,),
    ),
    Route(
        "POST",
        "/school/lessons/{id}/roll-back",
        roll_back,
        "Give students another version",
        answer=SchoolLesson,
        body=RollBack,
        refuses=(404, 409),
    ),
    Route(
        "GET",
        "/school/lessons/{id}/compare",
        compare_versions,
        "Two states of a lesson side by side",
        answer=Comparison,
        query=CompareQuery,
        refuses=(404,),
    ),
    Route(
        "GET",
        "/school/lessons/{id}/export",
        export_draft,
        "The draft as a file",
        query=ExportQuery,
        media=(*MEDIA.values(),),
        refuses=(404,),
    ),
)
