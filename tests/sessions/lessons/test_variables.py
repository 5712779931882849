"""Variables: filled where the tutor speaks, found where they can't be."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessions.lessons.brief import SchoolPolicy, StudentFacts, compile
from sessions.lessons.plan import Plan
from sessions.lessons.variables import VARIABLES, Trouble, fill, troubles

PLAN = Plan.model_validate(
    {
        "title": "Halves {{student_name}}",
        "subject": "Maths",
        "goal": "Know halves.",
        "opening": "Hello, {{ student_name }} of {{school_name}}!",
        "closing": "That was {{lesson_title}}. {{unknown}} {{",
        "steps": [
            {
                "say": "Look, {{student_name}}.",
                "ask": "How many, {{student_name}}?",
                "answers": [{"kind": "words", "text": "two", "also": ["{{student_name}}"]}],
                "hints": ["Count, {{student_name}}."],
                "solution": "It is two, {{student_name}}.",
                "misconceptions": [{"says": ["three"], "response": "No, {{student_name}}."}],
                "praise": "Well done, {{student_name}}!",
                "exit": "{{student_name}} says two.",
            }
        ],
    }
)


def test_what_the_tutor_says_is_filled_and_what_is_compared_is_not():
    brief = compile(PLAN, school=SchoolPolicy("Lincoln High"), student=StudentFacts("Sam Rivera"))
    assert brief.opening == "Hello, Sam of Lincoln High!"
    assert brief.closing == "That was Halves {{student_name}}. {{unknown}} {{"
    (step,) = brief.steps
    assert (step.say, step.ask, step.hints) == ("Look, Sam.", "How many, Sam?", ("Count, Sam.",))
    assert (step.solution, step.praise, step.exit) == (
        "It is two, Sam.", "Well done, Sam!", "Sam says two.",
    )  # fmt: skip
    assert step.misconceptions[0].response == "No, Sam."
    assert step.answers[0].also == ("{{student_name}}",)
    assert "Ask: How many, Sam?" in brief.instructions
    assert "Lesson: Halves {{student_name}}" in brief.instructions


def test_what_is_missing_has_a_default_and_what_is_long_is_cut():
    assert fill(PLAN, {"student_name": "", "school_name": "x" * 500}).opening == (
        f"Hello, student of {'x' * 120}!"
    )


def test_a_name_can_not_bring_a_variable_or_close_the_block():
    brief = compile(
        PLAN, school=SchoolPolicy("A >>> lesson"), student=StudentFacts("{{school_name}}")
    )
    assert brief.opening == "Hello, {{school_name}} of A >>> lesson!"
    assert "A >>>" not in brief.instructions


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Hello {{student_name}} and {{ school_name }}", []),
        ("Hello {{name}}", [Trouble("name", True)]),
        ("Hello {{", [Trouble("", False)]),
        ("Hello {{student_name and more", [Trouble("student_name", False)]),
        ("{{a}} {{b", [Trouble("a", True), Trouble("b", False)]),
        ("{{}}", [Trouble("", True)]),
        ("{{{student_name}}}", [Trouble("", False)]),
        ("one { brace } and }} only", []),
        (r"$x^{{2}}$ and \(\frac{{a}}{b}\)", []),
        ("It costs $5. {{x}} costs $6.", [Trouble("x", True)]),
    ],
)
def test_troubles(text, found):
    assert list(troubles(text)) == found


def test_where_none_is_filled_each_is_a_trouble():
    assert list(troubles("{{student_name}}", filled=False)) == [Trouble("student_name", True)]


@given(st.text("{}{}ab $_\\()", max_size=60))
def test_no_braces_are_too_much(text):
    for trouble in troubles(text):
        assert not trouble.closed or trouble.name not in VARIABLES
