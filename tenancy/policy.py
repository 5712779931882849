"""Who may do what: one table, asked in every action.

`docs/rights.md` shows the table to people, and a test compares the two. A right that is not in the
table is nobody's. Nothing of another school is ever allowed, whatever the role.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from tenancy.model import ROLES, Decision, NotAllowed, Person, Role

Reach = Literal["own", "assigned", "published", "school"]


@dataclass(frozen=True, slots=True)
class Thing:
    """What somebody wants to do something with, as far as rights depend on it."""

    kind: str
    tenant_id: UUID
    student_id: UUID | None = None
    "Whose it is. For lists: whose entries are asked for; None: everybody's."
    student_ids: frozenset[UUID] | None = None
    "Lessons: who they are assigned to; None: everyone at the school."
    published: bool = True
    "Lessons: whether there is a published version."


@dataclass(frozen=True, slots=True)
class Right:
    """One row of the table: how far a verb reaches for each role; a missing role may not."""

    kind: str
    verb: str
    reach: Mapping[Role, Reach]
    refusal: str


_STAFF: dict[Role, Reach] = {"instructor": "school", "tutor": "school", "admin": "school"}
_OWN_AND_STAFF: dict[Role, Reach] = {"student": "own", **_STAFF}
_TAKERS: dict[Role, Reach] = {
    "student": "assigned",
    "instructor": "published",
    "tutor": "published",
    "admin": "published",
}
_ALL_THEIR_OWN: dict[Role, Reach] = dict.fromkeys(ROLES, "own")

RIGHTS: tuple[Right, ...] = (
    Right(
        "lesson",
        "read",
        {"student": "assigned", **_STAFF},
        "This lesson is not assigned to you. Ask your teacher about it.",
    ),
    Right(
        "lesson",
        "take",
        _TAKERS,
        "You can't take this lesson: it is not published, or not assigned to you."
        " Ask your teacher about it.",
    ),
    Right(
        "session",
        "list",
        _OWN_AND_STAFF,
        "You may list your own sessions only. Leave other people out of the filter.",
    ),
    Right("session", "read", _OWN_AND_STAFF, "This session is another student's."),
    Right(
        "session",
        "continue",
        {"student": "own", "instructor": "own", "tutor": "own", "admin": "own"},
        "Only the person whose session it is may go on with it.",
    ),
    Right("transcript", "read", _OWN_AND_STAFF, "This transcript is another student's."),
    Right("summary", "read", _OWN_AND_STAFF, "This summary is of another student's session."),
    Right("usage", "read", _OWN_AND_STAFF, "These figures are of another student's session."),
    Right("person", "read", _ALL_THEIR_OWN, "You may look at your own account only."),
    Right("person", "change", _ALL_THEIR_OWN, "You may change your own account only."),
    Right("token", "issue", _ALL_THEIR_OWN, "You may make keys for yourself only."),
)

_TABLE = {(right.verb, right.kind): right for right in RIGHTS}
_WORDS: dict[Reach, str] = {
    "own": "of their own",
    "assigned": "that is published and assigned to them",
    "published": "that is published",
    "school": "of their school",
}


def may(person: Person, verb: str, thing: Thing) -> Decision:
    """Whether `person` may `verb` the `thing`, with a sentence that says why or why not."""
    if thing.tenant_id != person.tenant_id:
        return Decision(False, f"There is no such {thing.kind} at your school.")
    if person.status != "active":
        return Decision(False, "Your account is switched off. Ask your school to switch it on.")
    right = _TABLE.get((verb, thing.kind))
    if right is None:
        return Decision(False, f"Nobody may {verb} a {thing.kind}.")
    for role in ROLES:
        reach = right.reach.get(role) if role in person.roles else None
        if reach is not None and _reaches(reach, person, thing):
            return Decision(True, f"{_the(role)} may {verb} any {thing.kind} {_WORDS[reach]}.")
    return Decision(False, right.refusal)


def require(person: Person, verb: str, thing: Thing) -> None:
    """The same as `may`, for actions.

    Raises:
        NotAllowed: With the reason, if `may` says no.
    """
    decision = may(person, verb, thing)
    if not decision:
        raise NotAllowed(decision.reason)


def _reaches(reach: Reach, person: Person, thing: Thing) -> bool:
    match reach:
        case "own":
            return thing.student_id == person.id
        case "assigned":
            return thing.published and (thing.student_ids is None or person.id in thing.student_ids)
        case "published":
            return thing.published
        case "school":
            return True


def _the(role: Role) -> str:
    return f"{'An' if role[0] in 'aeiou' else 'A'} {role}"
