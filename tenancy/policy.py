"""Who may do what: one table, asked in every action.

`docs/rights.md` shows the table to people, and a test compares the two. A right that is not in the
table is nobody's. Nothing of another school is ever allowed, whatever the role.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from tenancy.model import ROLES, Decision, NotAllowed, Person, Role

Reach = Literal["own", "assigned", "published", "students", "children", "school"]


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
    tutor_ids: frozenset[UUID] = frozenset()
    "Who looks after `student_id` at present; where a school lets all tutors, all of them."
    guardian_ids: frozenset[UUID] = frozenset()
    "Whose child `student_id` is."
    shown: bool = False
    "Whether guardians see it: it was reviewed, or the school shows them everything."


@dataclass(frozen=True, slots=True)
class Right:
    """One row of the table: how far a verb reaches for each role; a missing role may not."""

    kind: str
    verb: str
    reach: Mapping[Role, Reach]
    refusal: str


_STAFF: dict[Role, Reach] = {"instructor": "school", "tutor": "school", "admin": "school"}
_AUTHORS: dict[Role, Reach] = {"instructor": "school", "admin": "school"}
_CARERS: dict[Role, Reach] = {"instructor": "school", "tutor": "students", "admin": "school"}
_OWN_AND_CARERS: dict[Role, Reach] = {"student": "own", **_CARERS}
_FAMILY_TOO: dict[Role, Reach] = {**_OWN_AND_CARERS, "parent": "children"}
_OFFICE: dict[Role, Reach] = {"admin": "school"}
_TAKERS: dict[Role, Reach] = {
    "student": "assigned",
    "instructor": "published",
    "tutor": "published",
    "admin": "published",
}
_TAKERS_THEIR_OWN: dict[Role, Reach] = dict.fromkeys(_TAKERS, "own")
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
    Right("lesson", "write", _AUTHORS, "Lessons are written by teachers. Ask one of them."),
    Right("lesson", "try", _AUTHORS, "Drafts are tried by teachers. Ask one of them."),
    Right("lesson", "publish", _AUTHORS, "Lessons are published by teachers. Ask one of them."),
    Right("lesson", "assign", _AUTHORS, "Lessons are assigned by teachers. Ask one of them."),
    Right(
        "session",
        "list",
        _OWN_AND_CARERS,
        "You may list your own sessions only. Leave other people out of the filter.",
    ),
    Right("session", "read", _OWN_AND_CARERS, "This session is another student's."),
    Right(
        "session",
        "continue",
        _TAKERS_THEIR_OWN,
        "Only the person whose session it is may go on with it.",
    ),
    Right("session", "follow", _CARERS, "You may not follow this lesson."),
    Right("session", "review", _CARERS, "Sessions are reviewed by tutors and teachers."),
    Right("session", "export", _OWN_AND_CARERS, "This session is another student's."),
    Right("session", "rate", _TAKERS_THEIR_OWN, "Only who took the lesson may say how it was."),
    Right("transcript", "read", _OWN_AND_CARERS, "This transcript is another student's."),
    Right("brief", "read", _CARERS, "What the tutor was told is for teachers and tutors."),
    Right("summary", "list", _FAMILY_TOO, "You may list your own and your children's only."),
    Right("summary", "read", _FAMILY_TOO, "This summary is of another student's session."),
    Right("summary", "renew", _CARERS, "Summaries are made anew by tutors and teachers."),
    Right("override", "read", _FAMILY_TOO, "These corrections are of another student's session."),
    Right("override", "write", _CARERS, "Transcripts are corrected by tutors and teachers."),
    Right("usage", "read", _OWN_AND_CARERS, "These figures are of another student's session."),
    Right("usage", "list", _OFFICE, "What the school uses and pays is for its office."),
    Right(
        "person",
        "list",
        {"instructor": "school", "tutor": "students", "admin": "school"},
        "Who is at the school is for its staff to see.",
    ),
    Right(
        "person",
        "read",
        {**_ALL_THEIR_OWN, "admin": "school"},
        "You may look at your own account only.",
    ),
    Right("person", "change", _ALL_THEIR_OWN, "You may change your own account only."),
    Right("person", "manage", _OFFICE, "Accounts are the school office's to manage. Ask there."),
    Right("class", "list", _AUTHORS, "Classes are for teachers to see."),
    Right("class", "manage", _OFFICE, "Classes are the school office's to manage. Ask there."),
    Right("assignment", "manage", _OFFICE, "Who looks after whom is the school office's to say."),
    Right("setting", "manage", _OFFICE, "Settings are the school office's. Ask there."),
    Right("engine", "manage", _OFFICE, "Tutor engines are the school office's. Ask there."),
    Right("audit", "read", _OFFICE, "The audit log is for the school office."),
    Right("token", "issue", _ALL_THEIR_OWN, "You may make keys for yourself only."),
)

_TABLE = {(right.verb, right.kind): right for right in RIGHTS}
_WORDS: dict[Reach, str] = {
    "own": "of their own",
    "assigned": "that is published and assigned to them",
    "published": "that is published",
    "students": "of the students they look after",
    "children": "of their children that is shown to parents",
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
        case "students":
            return thing.student_id == person.id or person.id in thing.tutor_ids
        case "children":
            return thing.shown and person.id in thing.guardian_ids
        case "school":
            return True


def _the(role: Role) -> str:
    return f"{'An' if role[0] in 'aeiou' else 'A'} {role}"
