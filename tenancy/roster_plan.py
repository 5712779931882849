"""What importing a roster would change: a file and a school in, a plan out. It waits for nothing.

People are known by their address. An import adds to a school and takes nothing away: who is not in
the file stays as they are, and so does what a cell leaves empty. It never touches a password.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from tenancy.model import Role
from tenancy.roster_file import Problem, Row


@dataclass(frozen=True, slots=True)
class Known:
    """Somebody who is at the school already."""

    id: UUID
    name: str
    grade_level: str
    roles: frozenset[Role]
    active: bool


@dataclass(frozen=True, slots=True)
class School:
    """What of a school its roster turns on. Bonds are pairs of ids."""

    people: Mapping[str, Known]
    "By address."
    classes: Mapping[str, tuple[UUID, bool]]
    "By name in small letters: which, and whether it is archived."
    members: frozenset[tuple[UUID, UUID]] = frozenset()
    "Class and person."
    guardians: frozenset[tuple[UUID, UUID]] = frozenset()
    "Parent and student."
    tutors: frozenset[tuple[UUID, UUID]] = frozenset()
    "Tutor and student, where it has not ended."


@dataclass(frozen=True, slots=True)
class Change:
    """What somebody's line adds to the school. Classes are named in small letters."""

    row: Row
    before: Known | None
    "None: they are new."
    roles: frozenset[Role]
    "All that they have from then on."
    classes: tuple[str, ...] = ()
    guardians: tuple[str, ...] = ()
    tutors: tuple[str, ...] = ()

    @property
    def is_new(self) -> bool:
        return self.before is None

    @property
    def differs(self) -> bool:
        """Whether the account itself becomes another one."""
        before, row = self.before, self.row
        return (
            before is None
            or before.name != row.name
            or before.roles != self.roles
            or row.grade_level not in (None, before.grade_level)
        )

    @property
    def changes(self) -> bool:
        return self.differs or bool(self.classes or self.guardians or self.tutors)


@dataclass(slots=True)
class Plan:
    """What is to be done, or why nothing can be."""

    changes: list[Change] = field(default_factory=list)
    unchanged: int = 0
    new_classes: dict[str, str] = field(default_factory=dict)
    "Their names, by themselves in small letters."
    problems: list[Problem] = field(default_factory=list)

    @property
    def created(self) -> list[Change]:
        return [change for change in self.changes if change.is_new]

    @property
    def updated(self) -> list[Change]:
        return [change for change in self.changes if not change.is_new]


def plan(rows: Sequence[Row], school: School, broken: Collection[str] = ()) -> Plan:
    """What these rows, none of which stands twice, would change at a school.

    Args:
        broken: Addresses on lines that could not be read: nobody is told that they are missing.
    """
    made = Plan()
    roles = {row.email: _roles(row, school) for row in rows}
    for row in rows:
        before = school.people.get(row.email)
        problems = [
            *_account(row, before),
            *_in_classes(row, roles[row.email], school),
            *_bonds(row, roles, school, "guardian_email", row.guardians, "parent", broken),
            *_bonds(row, roles, school, "tutor_email", row.tutors, "tutor", broken),
        ]
        if problems:
            made.problems += problems
            continue
        for name in row.classes:
            if name.lower() not in school.classes:
                made.new_classes.setdefault(name.lower(), name)
        change = Change(
            row,
            before,
            roles[row.email],
            tuple(_new_classes(row, before, school)),
            tuple(_new_bonds(row.guardians, before, school.guardians, school)),
            tuple(_new_bonds(row.tutors, before, school.tutors, school)),
        )
        if change.changes:
            made.changes.append(change)
        else:
            made.unchanged += 1
    return made


def _roles(row: Row, school: School) -> frozenset[Role]:
    before = school.people.get(row.email)
    return row.roles | before.roles if before else row.roles


def _account(row: Row, before: Known | None) -> Iterable[Problem]:
    if before is not None and not before.active:
        yield Problem(
            row.line,
            "email",
            f"The account of {row.email} is switched off. Switch it on first, or leave this line"
            " out.",
        )


def _in_classes(row: Row, roles: frozenset[Role], school: School) -> Iterable[Problem]:
    if row.classes and not roles & {"student", "instructor"}:
        told = "Only students and instructors are in classes. Leave this empty, or add the role."
        yield Problem(row.line, "class", told)
    for name in row.classes:
        _, archived = school.classes.get(name.lower(), (None, False))
        if archived:
            told = f"The class “{name}” is archived. Bring it back first, or choose another one."
            yield Problem(row.line, "class", told)


def _bonds(
    row: Row,
    roles: Mapping[str, frozenset[Role]],
    school: School,
    column: str,
    emails: Sequence[str],
    needed: Role,
    broken: Collection[str],
) -> Iterable[Problem]:
    """What is wrong with a student's guardians, or tutors."""
    if emails and "student" not in roles[row.email]:
        told = f"Only students have a {needed}. Leave this empty, or add the role student."
        yield Problem(row.line, column, told)
        return
    for email in emails:
        known = school.people.get(email)
        if email in broken:
            continue
        if email == row.email:
            told = f"{email} is this student's own address. Write the {needed}'s."
        elif email not in roles and known is None:
            told = (
                f"Nobody with the address {email} is in this file or at the school. Give them a"
                f" line of their own, with the role {needed}."
            )
        elif needed not in (roles.get(email) or (known.roles if known else ())):
            told = f"{email} has not the role {needed}. Add it to their line, or write another one."
        elif email not in roles and known is not None and not known.active:
            told = f"The account of {email} is switched off. Switch it on first."
        else:
            continue
        yield Problem(row.line, column, told)


def _new_classes(row: Row, before: Known | None, school: School) -> Iterable[str]:
    for name in dict.fromkeys(map(str.lower, row.classes)):
        class_id, _ = school.classes.get(name, (None, False))
        if class_id is None or before is None or (class_id, before.id) not in school.members:
            yield name


def _new_bonds(
    emails: Sequence[str],
    student: Known | None,
    bonds: frozenset[tuple[UUID, UUID]],
    school: School,
) -> Iterable[str]:
    for email in emails:
        known = school.people.get(email)
        if known is None or student is None or (known.id, student.id) not in bonds:
            yield email
