"""What an import would change: it adds, takes nothing away, and says what can't be."""

from uuid import UUID

import pytest

from tenancy.model import Role
from tenancy.roster_file import Row
from tenancy.roster_plan import Known, Plan, School, plan

ANA, PAT, TAYO, OFF = (UUID(int=n) for n in range(1, 5))
CLASS, ARCHIVED = UUID(int=8), UUID(int=9)
STUDENT: frozenset[Role] = frozenset({"student"})
SCHOOL = School(
    people={
        "ana@s": Known(ANA, "Ana", "4", STUDENT, True),
        "pat@s": Known(PAT, "Pat", "", frozenset({"parent"}), True),
        "tayo@s": Known(TAYO, "Tayo", "", frozenset({"tutor", "instructor"}), True),
        "off@s": Known(OFF, "Off", "", frozenset({"parent", "student"}), False),
    },
    classes={"4b": (CLASS, False), "old": (ARCHIVED, True)},
    members=frozenset({(CLASS, ANA)}),
    guardians=frozenset({(PAT, ANA)}),
    tutors=frozenset({(TAYO, ANA)}),
)


def row(email: str, roles: frozenset[Role] = STUDENT, name: str = "Zoë", **more: object) -> Row:
    return Row(2, name, email, roles, **more)  # type: ignore[arg-type]


def of(*rows: Row) -> Plan:
    return plan(rows, SCHOOL)


def told(*rows: Row) -> list[tuple[str | None, str]]:
    made = of(*rows)
    return [(problem.column, problem.sentence) for problem in made.problems]


def test_somebody_new_is_made_with_all_that_is_theirs() -> None:
    made = of(
        row("zoe@s", classes=("4B", "New"), guardians=("pat@s", "mo@s"), tutors=("tayo@s",)),
        row("mo@s", frozenset({"parent"})),
    )
    assert (made.problems, made.new_classes, made.unchanged) == ([], {"new": "New"}, 0)
    zoe, _ = made.created
    assert zoe.classes == ("4b", "new")
    assert (zoe.guardians, zoe.tutors) == (("pat@s", "mo@s"), ("tayo@s",))
    assert made.updated == []


def test_the_same_again_changes_nothing() -> None:
    made = of(
        row("ana@s", name="Ana", classes=("4b",), guardians=("pat@s",), tutors=("tayo@s",)),
        row("ana@s", name="Ana", grade_level="4"),
        row("tayo@s", frozenset({"tutor"}), name="Tayo"),
    )
    assert (made.changes, made.unchanged, made.problems) == ([], 3, [])


@pytest.mark.parametrize(
    "changed",
    [
        row("ana@s", name="Ana B."),
        row("ana@s", name="Ana", grade_level="5"),
        row("ana@s", name="Ana", roles=frozenset({"tutor"})),
    ],
)
def test_an_account_is_brought_up_to_date(changed: Row) -> None:
    (change,) = of(changed).updated
    assert change.differs and change.roles >= STUDENT, "no role is taken away"


def test_a_class_alone_changes_no_account() -> None:
    (change,) = of(row("ana@s", name="Ana", classes=("5c",))).updated
    assert not change.differs and change.classes == ("5c",)


def test_a_class_is_made_once_however_it_is_written() -> None:
    made = of(row("a@s", classes=("5c",)), row("b@s", classes=("5C", "5c")))
    assert made.new_classes == {"5c": "5c"}
    assert [change.classes for change in made.created] == [("5c",), ("5c",)]


@pytest.mark.parametrize(
    ("rows", "column", "words"),
    [
        ([row("off@s")], "email", "switched off"),
        ([row("z@s", frozenset({"parent"}), classes=("4b",))], "class", "Only students and instr"),
        ([row("z@s", classes=("Old",))], "class", "“Old” is archived"),
        ([row("z@s", guardians=("who@s",))], "guardian_email", "Nobody with the address who@s"),
        ([row("z@s", guardians=("tayo@s",))], "guardian_email", "has not the role parent"),
        ([row("z@s", guardians=("z@s",))], "guardian_email", "own address"),
        ([row("z@s", guardians=("off@s",))], "guardian_email", "switched off"),
        ([row("z@s", tutors=("pat@s",))], "tutor_email", "has not the role tutor"),
        ([row("z@s", tutors=("y@s",)), row("y@s")], "tutor_email", "has not the role tutor"),
        ([row("z@s", frozenset({"tutor"}), tutors=("tayo@s",))], "tutor_email", "Only students"),
        ([row("z@s", frozenset({"admin"}), guardians=("pat@s",))], "guardian_email", "Only stud"),
    ],
)
def test_what_can_not_be_is_told(rows: list[Row], column: str, words: str) -> None:
    ((where, sentence),) = told(*rows)
    assert where == column and words in sentence and sentence.endswith(".")


def test_who_gets_the_role_in_this_file_has_it() -> None:
    made = of(row("z@s", tutors=("pat@s",)), row("pat@s", frozenset({"tutor"}), name="Pat"))
    assert made.problems == []
    assert made.updated[0].roles == {"parent", "tutor"}


def test_a_line_that_could_not_be_read_is_told_of_once() -> None:
    rows = [row("z@s", guardians=("broken@s", "who@s"))]
    (problem,) = plan(rows, SCHOOL, {"broken@s"}).problems
    assert "who@s" in problem.sentence
