"""Drafts over HTTP: read, changed field by field, checked, published."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import Field, JsonValue

from server.api.authors import Finding, by_name, id_in_path, of_findings, told
from server.api.office import by
from server.api.shapes import PersonName
from server.api.table import Call, Model, Route
from server.api.versions import Version, of_version
from sessions.lessons import drafts, store, versions
from sessions.lessons.draft import Change

LONGEST_PATH = 100
LONGEST_NOTE = 500


class Draft(Model):
    """A plan as it is being written: what is missing is not written yet."""

    revision: int
    "Counts changes."
    plan: dict[str, JsonValue]
    "A plan's keys as typed; each step has an `id` that stays with it."
    based_on: int | None
    "The number of the version it was last the same as."
    changed_at: datetime
    changed_by: PersonName


class DraftChange(Model):
    """One field: `title`, `voice.speed`, `steps.<id>`, `steps.<id>.hints`, `step_order`."""

    path: str = Field(max_length=LONGEST_PATH)
    was: JsonValue
    "What you saw there; null: nothing."
    now: JsonValue
    after: str | None = Field(None, max_length=LONGEST_PATH)
    "The step that a new step stands behind; without it, it stands last."


class DraftSaved(Model):
    revision: int
    path: str
    value: JsonValue
    "What the field holds now."
    steps: list[str]
    "The ids of all steps, in order."


class BriefPart(Model):
    """A line of what the tutor is told, and whose it is."""

    source: Literal["platform", "school", "subject", "lesson", "student"]
    path: str | None
    "The field of the draft that it comes from."
    text: str


class DraftChecked(Model):
    revision: int
    findings: list[Finding]
    brief: list[BriefPart]
    publishable: bool


class DraftReset(Model):
    number: int
    "The version that the draft becomes."


class Publication(Model):
    revision: int
    "The draft as you saw it."
    note: str = Field("", max_length=LONGEST_NOTE)
    "What is new, for other authors."


class Trial(Model):
    mode: Literal["voice", "text"] = "voice"


class TrialBegun(Model):
    session_id: UUID
    address: str
    "The student's own page, with the draft."


async def get_draft(call: Call) -> Draft:
    """The draft as it stands."""
    with told():
        found = await drafts.get(call.services.database, call.person, id_in_path(call))
    return of_draft(found)


async def change_draft(call: Call) -> DraftSaved:
    """Change one field; 409 only if somebody else changed the same one."""
    body, services = call.body, call.services
    wanted = Change(body.path, body.was, body.now, body.after)
    with told():
        saved = await drafts.change(
            services.database, services.bus, call.person, id_in_path(call), wanted
        )
    return DraftSaved(revision=saved.revision, path=body.path, value=saved.value, steps=saved.steps)


async def check_draft(call: Call) -> DraftChecked:
    """What there is to mend, and the brief that the draft makes."""
    with told():
        found = await drafts.checked(call.services.database, call.person, id_in_path(call))
    return DraftChecked(
        revision=found.revision,
        findings=of_findings(found.findings),
        brief=[
            BriefPart(source=part.source, path=part.path, text=part.text)  # type: ignore[arg-type]
            for part in found.brief
        ],
        publishable=found.publishable,
    )


async def reset_draft(call: Call) -> Draft:
    """Make the draft a version again; what was in it is gone."""
    services = call.services
    with told():
        fresh = await drafts.reset(
            services.database,
            services.bus,
            call.person,
            id_in_path(call),
            call.body.number,
            by=by(call),
        )
    return of_draft(fresh)


async def publish_draft(call: Call) -> Version:
    """Make a version of the draft, which students get from now on."""
    services = call.services
    with told():
        made = await versions.publish(
            services.database,
            services.bus,
            call.person,
            id_in_path(call),
            call.body.revision,
            call.body.note.strip(),
            by=by(call),
        )
    return Version(**of_version(made))


async def try_draft(call: Call) -> TrialBegun:
    """Take the draft as a student would: an ordinary session that counts nowhere, for a day."""
    services, person = call.services, call.person
    with told():
        lesson_id = id_in_path(call)
        plan = await drafts.to_try(services.database, person, lesson_id)
        version = await store.keep_trial(
            services.database, person.tenant_id, lesson_id, plan, person.id
        )
    session = await services.lobby.begin_trial(person, version, call.body.mode)
    return TrialBegun(
        session_id=session.id, address=f"/student/lessons/{version.slug}?session={session.id}"
    )


def of_draft(found: drafts.Draft) -> Draft:
    content: dict[str, Any] = dict(found.content)
    return Draft(
        revision=found.revision,
        plan=content,
        based_on=found.based_on,
        changed_at=found.changed_at,
        changed_by=by_name(found.changed_by),
    )


ROUTES: tuple[Route, ...] = (
    Route(
        "GET",
        "/school/lessons/{id}/draft",
        get_draft,
        "A lesson's draft",
        answer=Draft,
        refuses=(404,),
    ),
    Route(
        "PATCH",
        "/school/lessons/{id}/draft",
        change_draft,
        "Change one field of a draft",
        answer=DraftSaved,
        body=DraftChange,
        refuses=(404, 409),
    ),
    Route(
        "GET",
        "/school/lessons/{id}/draft/check",
        check_draft,
        "What there is to mend in a draft, and its brief",
        answer=DraftChecked,
        refuses=(404,),
    ),
    Route(
        "POST",
        "/school/lessons/{id}/draft/reset",
        reset_draft,
        "Make the draft a version again",
        answer=Draft,
        body=DraftReset,
        refuses=(404,),
    ),
    Route(
        "POST",
        "/school/lessons/{id}/publish",
        publish_draft,
        "Publish the draft",
        answer=Version,
        body=Publication,
        refuses=(404, 409, 422),
    ),
    Route(
        "POST",
        "/school/lessons/{id}/try",
        try_draft,
        "Try the draft as it stands",
        answer=TrialBegun,
        body=Trial,
        refuses=(404, 422, 503),
    ),
)
