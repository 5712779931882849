"""A lesson's versions over HTTP: listed, read, compared, gone back to, exported."""

from datetime import datetime
from typing import Any

from pydantic import JsonValue

from server.api.authors import SchoolLesson, by_name, id_in_path, of_lesson, told
from server.api.office import by
from server.api.shapes import PersonName
from server.api.table import Call, Model, Route
from sessions.errors import VersionUnknown
from sessions.lessons import versions


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
)
