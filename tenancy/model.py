"""Schools and people: the plain nouns.

TenancyError
+-- TenantUnknown      no such school
+-- SignInRefused      wrong e-mail or password, or too many guesses
+-- NotSignedIn        no token, or one that is not (or no longer) valid
+-- NotAllowed         `policy.may` said no; carries the reason
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

Role = Literal["student", "instructor", "tutor", "parent", "admin"]
ROLES: tuple[Role, ...] = ("student", "instructor", "tutor", "parent", "admin")


@dataclass(frozen=True, slots=True)
class Tenant:
    """One school."""

    id: UUID
    slug: str
    name: str
    cell: str
    "The schema its rows are in."
    status: str = "active"
    "active | suspended"


@dataclass(frozen=True, slots=True)
class Person:
    """A human with an account at one school."""

    id: UUID
    tenant_id: UUID
    name: str
    email: str
    roles: frozenset[Role]
    status: str = "active"
    "active | deactivated"
    locale: str = "en"


@dataclass(frozen=True, slots=True)
class Name:
    """Somebody, or a class, as lists name them."""

    id: UUID
    name: str


@dataclass(frozen=True, slots=True)
class Caller:
    """Who a verified credential stands for, and what it was."""

    person: Person
    credential_id: UUID
    "The row of `access_tokens`; what sign-out and revocation name."
    kind: Literal["cookie", "bearer", "ephemeral"]
    lesson: str | None = None
    "An ephemeral key may name the one lesson it is for."
    csrf: str | None = None
    "For cookies: what the page must send back in `X-CSRF-Token`."
    ends_at: datetime | None = None
    "When a socket opened with it must close: its expiry, or that of what a key was made from."


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer of `policy.may`, with a sentence that says why."""

    allowed: bool
    reason: str

    def __bool__(self) -> bool:
        return self.allowed


# Without the library's own words, which may repeat a part of the password.
UNREADABLE = (
    "{} can't be used as it is written. It is postgresql://user:password@host:5432/database,"
    " special characters in it escaped with %; check its parameters too (sslmode, and the files"
    " they name)."
)


class TenancyError(Exception):
    """Base of what this room raises."""


class TenantUnknown(TenancyError):
    """No such school."""


class SignInRefused(TenancyError):
    """Wrong e-mail or password, or too many guesses (`retry_after_s`)."""

    def __init__(self, message: str, retry_after_s: int | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class NotSignedIn(TenancyError):
    """No token, or one that is not, or no longer, valid."""


class NotAllowed(TenancyError):
    """`policy.may` said no."""
