"""What the modules of the school office share: whose doing, which id, and the fields of forms."""

from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, Field

from server.api.shapes import PersonName
from server.api.table import Call
from tenancy import fields
from tenancy.audit import By
from tenancy.errors import NotThere
from tenancy.model import Name
from tenancy.policy import Thing, require

Person = Annotated[str, Field(max_length=400), AfterValidator(fields.name)]
ClassName = Annotated[str, Field(max_length=400), AfterValidator(fields.class_name)]
Grade = Annotated[str, Field(max_length=400), AfterValidator(fields.grade)]
Subject = Annotated[str, Field(max_length=400), AfterValidator(fields.subject)]
Email = Annotated[str, Field(max_length=400), AfterValidator(fields.email)]
Rules = Annotated[str, Field(max_length=20_000), AfterValidator(fields.rules)]
Search = Annotated[str, Field(max_length=120)]


def by(call: Call) -> By:
    """The caller, and where they ask from."""
    return By(call.person.id, call.address or None)


def manages(call: Call, kind: str) -> UUID:
    """The caller's school, whose things of a kind they may manage. Raises NotAllowed."""
    require(call.person, "manage", Thing(kind, call.person.tenant_id))
    return call.person.tenant_id


def id_in(call: Call, what: str, list_: str, name: str = "id") -> UUID:
    """The id in the path. What is none is of nothing. Raises NotThere."""
    try:
        return UUID(call.path[name])
    except ValueError:
        raise NotThere(what, list_) from None


def names(found: tuple[Name, ...]) -> list[PersonName]:
    return [PersonName(id=one.id, name=one.name) for one in found]
