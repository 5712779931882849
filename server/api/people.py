"""Signing in and out, and one's own account."""

import contextlib
import re
from typing import Annotated, Any, TypeVar
from uuid import UUID

import orjson
from pydantic import AfterValidator, Field, SecretStr
from starlette.datastructures import Headers
from starlette.responses import Response

from server.api.table import Call, Model, Route
from server.errors import Refused
from server.identity import clear_cookie, presented, set_cookie
from tenancy import passwords, people, schools
from tenancy.identities import LONGEST_S
from tenancy.model import ROLES, NotSignedIn, Person, Role, SignInRefused, Tenant, TenantUnknown
from tenancy.policy import Thing, require
from tenancy.postgres import Connection

T = TypeVar("T")

PREFERENCES_BYTES = 8 * 1024

WHICH_SCHOOL = "Say which school you sign in to: its short name, as your school told you."
NO_SUCH_SCHOOL = "There is no school of that short name here. Check it and try again."
ANOTHER_ONE = "The password you have now is another one. Write it once more."
THE_SAME = "That is the password you have already. Choose another one."
TOO_MANY_PREFERENCES = (
    f"Preferences may take {PREFERENCES_BYTES // 1024} KiB together. Remove some of them (null)."
)


def _no_nul(value: T) -> T:
    """PostgreSQL keeps every character but this one."""
    if b"\\u0000" in orjson.dumps(value):
        raise ValueError("it holds a character (NUL) that can't be kept")
    return value


class FrontDoor(Model):
    """What a sign-in page needs to know."""

    name: str | None
    "The school's name, where it is clear which one is meant."
    school_field: bool
    "Whether to ask for the school."


class SignIn(Model):
    """An e-mail address and a password."""

    school: Annotated[str, Field(max_length=64), AfterValidator(_no_nul)] | None = None
    "The school's short name, where `school_field` asks for it."
    email: Annotated[str, Field(min_length=1, max_length=254), AfterValidator(_no_nul)]
    password: Annotated[SecretStr, Field(min_length=1, max_length=1024)]


class School(Model):
    """The school that a person belongs to."""

    id: UUID
    slug: str
    name: str


class Me(Model):
    """One's own account."""

    id: UUID
    name: str
    email: str
    roles: list[Role]
    locale: str
    preferences: dict[str, Any]
    school: School
    csrf: str | None
    "For pages: to be sent back as `X-CSRF-Token` with every change. Null for tokens."


class SignedIn(Model):
    """Who came in."""

    person: Me


class Change(Model):
    """What one may change about oneself."""

    preferences: Annotated[
        dict[Annotated[str, Field(max_length=64)], Any],
        Field(max_length=64),
        AfterValidator(_no_nul),
    ]
    "Those named are set, null removes one, the others stay."


class PasswordChange(Model):
    """The password that one has, and the one that one wants."""

    current: Annotated[SecretStr, Field(min_length=1, max_length=1024)]
    new: Annotated[SecretStr, Field(min_length=1, max_length=1024)]


async def front_door(call: Call) -> FrontDoor:
    """Which school this address stands for."""
    school = await schools.at(call.services.database, _host(call))
    return FrontDoor(name=school.name if school else None, school_field=school is None)


async def sign_in(call: Call) -> Response:
    """A cookie for the right password; a cookie from before ends."""
    identities, wanted = call.services.identities, call.body
    school = await _school(call, wanted.school)
    signed_in = await identities.sign_in(
        school.id, wanted.email, wanted.password.get_secret_value(), address=call.address
    )
    before = presented(Headers(scope=call.request.scope))
    if before is not None and before.by == "cookie":
        with contextlib.suppress(NotSignedIn):
            await identities.sign_out(await identities.verify(before.value), address=call.address)
    me = await _me(call, signed_in.person, signed_in.token.csrf)
    return Response(
        SignedIn(person=me).model_dump_json(),
        media_type="application/json",
        headers={"Set-Cookie": set_cookie(signed_in.token.value, LONGEST_S)},
    )


async def sign_out(call: Call) -> Response:
    """Ends the credential, everything made from it, and live lessons opened with it."""
    assert call.caller is not None
    await call.services.identities.sign_out(call.caller, address=call.address)
    return Response(status_code=204, headers={"Set-Cookie": clear_cookie()})


async def show_me(call: Call) -> Me:
    """Who the caller is."""
    assert call.caller is not None
    require(call.person, "read", _own_account(call.person))
    return await _me(call, call.person, call.caller.csrf)


async def change_me(call: Call) -> Me:
    """Set some of one's preferences."""
    assert call.caller is not None
    person = call.person
    require(person, "change", _own_account(person))

    async def work(connection: Connection) -> None:
        chosen = await people.change_preferences(
            connection, person.tenant_id, person.id, call.body.preferences
        )
        if len(orjson.dumps(chosen)) > PREFERENCES_BYTES:
            raise Refused(400, "invalid_field", TOO_MANY_PREFERENCES, param="preferences")

    await call.services.database.run(person.tenant_id, work)
    return await _me(call, person, call.caller.csrf)


async def change_password(call: Call) -> None:
    """Another password of one's own; one is signed out everywhere else."""
    assert call.caller is not None
    person = call.person
    require(person, "change", _own_account(person))
    current = call.body.current.get_secret_value()
    new = call.body.new.get_secret_value()
    school = await call.services.database.tenant(person.tenant_id)
    known = (*person.name.split(), *re.split(r"\W+", person.email), school.name, school.slug)
    if weak := passwords.weakness(new, known=known):
        raise Refused(400, "password_weak", weak, param="new")
    if new == current:
        raise Refused(400, "password_same", THE_SAME, param="new")
    identities = call.services.identities
    if not await identities.change_password(call.caller, current, new, address=call.address):
        raise Refused(400, "password_wrong", ANOTHER_ONE, param="current")


async def _school(call: Call, slug: str | None) -> Tenant:
    """The school named in the form, else the one of the address."""
    database = call.services.database
    if not slug or not slug.strip():
        school = await schools.at(database, _host(call))
        if school is None:
            raise Refused(400, "school_needed", WHICH_SCHOOL, param="school")
        return school
    try:
        return await database.tenant_by_slug(slug.strip().lower())
    except TenantUnknown:
        raise SignInRefused(NO_SUCH_SCHOOL) from None


async def _me(call: Call, person: Person, csrf: str | None) -> Me:
    school = await call.services.database.tenant(person.tenant_id)
    async with call.services.database.transaction(person.tenant_id) as connection:
        preferences = await people.preferences(connection, person.tenant_id, person.id)
    return Me(
        id=person.id,
        name=person.name,
        email=person.email,
        roles=[role for role in ROLES if role in person.roles],
        locale=person.locale,
        preferences=preferences,
        school=School(id=school.id, slug=school.slug, name=school.name),
        csrf=csrf,
    )


def _own_account(person: Person) -> Thing:
    return Thing("person", person.tenant_id, student_id=person.id)


def _host(call: Call) -> str:
    """The host's name; `server.security` has checked that it is one of ours."""
    host = Headers(scope=call.request.scope)["host"]
    return host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() else host


ROUTES: tuple[Route, ...] = (
    Route(
        "GET",
        "/school",
        front_door,
        "Which school this address stands for",
        answer=FrontDoor,
        public=True,
    ),
    Route(
        "POST",
        "/sign-in",
        sign_in,
        "Sign in with e-mail and password",
        answer=SignedIn,
        body=SignIn,
        public=True,
        refuses=(429,),
    ),
    Route("POST", "/sign-out", sign_out, "Sign out, everywhere this sign-in is used"),
    Route("GET", "/me", show_me, "One's own account", answer=Me),
    Route("PATCH", "/me", change_me, "Change one's own preferences", answer=Me, body=Change),
    Route(
        "POST",
        "/me/password",
        change_password,
        "Change one's own password, which signs one out everywhere else",
        body=PasswordChange,
        refuses=(429,),
    ),
)
