"""What the school's office decides for all lessons, over HTTP."""

from typing import Literal

from server.api import office
from server.api.office import by, manages
from server.api.table import Call, Model, Route
from tenancy import settings


class Settings(Model):
    tutors_read: Literal["assigned", "school"]
    "Tutors read the sessions of the students they look after, or of everybody."
    parents_read: Literal["reviewed", "all"]
    "Parents see the sessions that somebody has reviewed, or all."
    rules: str
    "What every tutor is told in every lesson, in the school's words."


class SettingsChange(Model):
    """What is left out stays."""

    tutors_read: Literal["assigned", "school"] | None = None
    parents_read: Literal["reviewed", "all"] | None = None
    rules: office.Rules | None = None


async def get_settings(call: Call) -> Settings:
    """The school's settings."""
    return _settings(await settings.get(call.services.database, manages(call, "setting")))


async def change_settings(call: Call) -> Settings:
    """Change some of them. Rules are told from the next lesson on."""
    tenant_id = manages(call, "setting")
    changes = call.body.model_dump(exclude_none=True)
    return _settings(await settings.change(call.services.database, tenant_id, changes, by=by(call)))


def _settings(found: settings.SchoolSettings) -> Settings:
    return Settings(
        tutors_read=found.tutors_read, parents_read=found.parents_read, rules=found.rules
    )


ROUTES: tuple[Route, ...] = (
    Route("GET", "/settings", get_settings, "The school's settings", answer=Settings),
    Route(
        "PATCH",
        "/settings",
        change_settings,
        "Change the school's settings",
        answer=Settings,
        body=SettingsChange,
    ),
)
