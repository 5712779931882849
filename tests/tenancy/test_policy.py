"""Every role, verb and kind, compared with the table that people read."""

import re
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from tenancy.model import ROLES, NotAllowed, Person, Role
from tenancy.policy import RIGHTS, Thing, may, require

SCHOOL, OTHER_SCHOOL = uuid4(), uuid4()
MORE_KINDS = ("recording", "")
MORE_VERBS = ("delete", "Read", "")


def person(*roles: Role, status: str = "active") -> Person:
    return Person(uuid4(), SCHOOL, "Ana", "ana@demo.school", frozenset(roles), status)


def documented() -> dict[tuple[str, str, str], str]:
    """(kind, verb, role) -> reach, as docs/rights.md has it."""
    text = (Path(__file__).parents[2] / "docs" / "rights.md").read_text(encoding="utf-8")
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in re.findall(r"^\|.*\|$", text, re.MULTILINE)
    ]
    header, body = rows[0], rows[2:]
    assert header[2:] == list(ROLES)
    return {
        (row[0], row[1], role): reach
        for row in body
        for role, reach in zip(header[2:], row[2:], strict=True)
    }


def things(kind: str, mine: UUID) -> dict[str, Thing]:
    """One thing for each question that a right can turn on."""
    me = frozenset({mine})
    return {
        "mine": Thing(kind, SCHOOL, student_id=mine, student_ids=me),
        "my draft": Thing(kind, SCHOOL, student_id=mine, published=False),
        "everyone's": Thing(kind, SCHOOL),
        "another's": Thing(kind, SCHOOL, student_id=uuid4(), student_ids=frozenset({uuid4()})),
        "another's draft": Thing(
            kind, SCHOOL, student_id=uuid4(), student_ids=frozenset(), published=False
        ),
        "my student's": Thing(
            kind, SCHOOL, student_id=uuid4(), student_ids=frozenset(), published=False, tutor_ids=me
        ),
        "my child's": Thing(
            kind,
            SCHOOL,
            student_id=uuid4(),
            student_ids=frozenset(),
            published=False,
            guardian_ids=me,
            shown=True,
        ),
        "my child's, not shown": Thing(
            kind,
            SCHOOL,
            student_id=uuid4(),
            student_ids=frozenset(),
            published=False,
            guardian_ids=me,
        ),
    }


REACHED = {
    "–": set(),
    "own": {"mine", "my draft"},
    "assigned": {"mine", "everyone's"},
    "published": {"mine", "everyone's", "another's"},
    "students": {"mine", "my draft", "my student's"},
    "children": {"my child's"},
    "school": {
        *("mine", "my draft", "everyone's", "another's", "another's draft"),
        *("my student's", "my child's", "my child's, not shown"),
    },
}


def test_the_code_does_what_the_document_says_for_every_role_verb_and_kind() -> None:
    table = documented()
    kinds = {kind for kind, _, _ in table} | {right.kind for right in RIGHTS} | {*MORE_KINDS}
    verbs = {verb for _, verb, _ in table} | {right.verb for right in RIGHTS} | {*MORE_VERBS}
    for kind in kinds:
        for verb in verbs:
            for role in ROLES:
                somebody = person(role)
                reached = {
                    name
                    for name, thing in things(kind, somebody.id).items()
                    if may(somebody, verb, thing)
                }
                assert reached == REACHED[table.get((kind, verb, role), "–")], (kind, verb, role)


def test_nothing_of_another_school_is_allowed() -> None:
    everybody = person(*ROLES)
    for right in RIGHTS:
        theirs = Thing(right.kind, OTHER_SCHOOL, student_id=everybody.id)
        decision = may(everybody, right.verb, theirs)
        assert not decision
        assert decision.reason == f"There is no such {right.kind} at your school."


def test_a_switched_off_account_may_nothing() -> None:
    nobody = person(*ROLES, status="deactivated")
    for right in RIGHTS:
        assert not may(nobody, right.verb, Thing(right.kind, SCHOOL, student_id=nobody.id))


def test_without_a_role_nothing_is_allowed() -> None:
    for right in RIGHTS:
        for thing in things(right.kind, (stranger := person()).id).values():
            assert not may(stranger, right.verb, thing)


def test_several_roles_add_up() -> None:
    both = person("parent", "instructor")
    assert may(both, "read", Thing("transcript", SCHOOL, student_id=uuid4()))
    assert not may(person("parent"), "read", Thing("transcript", SCHOOL, student_id=uuid4()))


def test_reasons_are_sentences() -> None:
    admin = person("admin")
    assert (
        may(admin, "read", Thing("transcript", SCHOOL, student_id=uuid4())).reason
        == "An admin may read any transcript of their school."
    )
    for right in RIGHTS:
        assert right.refusal[0].isupper() and right.refusal.endswith(".")


def test_an_action_is_stopped_with_the_reason() -> None:
    student = person("student")
    require(student, "read", Thing("session", SCHOOL, student_id=student.id))
    with pytest.raises(NotAllowed, match="This session is another student's"):
        require(student, "read", Thing("session", SCHOOL, student_id=uuid4()))
