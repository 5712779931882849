"""What a teacher may leave open in a lesson's words: `Hello, {{student_name}}!`.

A variable is filled when a session's brief is compiled, in what the tutor says: opening, closing,
and a step's explanation, question, hints, solution, praise and answers to misconceptions. What is
compared with a student's words is never filled, nor is material: it may have braces of its own.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from sessions.lessons.plan import MisconceptionPlan, Plan, StepPlan


@dataclass(frozen=True, slots=True)
class Variable:
    """One of the variables that there are."""

    name: str
    about: str
    source: str
    "roster | school | lesson"
    default: str
    "Where its source has nothing."
    longest: int
    "Characters; a longer value is cut."


VARIABLES = {
    one.name: one
    for one in (
        Variable("student_name", "the student's first name", "roster", "student", 40),
        Variable("school_name", "the school's name", "school", "your school", 120),
        Variable("lesson_title", "the lesson's title", "lesson", "this lesson", 120),
    )
}
_SPOKEN = ("say", "ask", "solution", "praise", "exit")
FILLED = frozenset({"opening", "closing", "hints", "response", *_SPOKEN})

Filler = Callable[[str], str]

_NAMED = re.compile(r"\{\{\s*([A-Za-z_][A-Za-z_0-9]*)\s*\}\}")
_BRACES = re.compile(r"\{\{(?P<name>[^{}]{0,60})(?P<end>\}\})?")
_MATHS = re.compile(r"\\\(.+?\\\)|\\\[.+?\\\]|\$\$.+?\$\$|\$[^$\s](?:[^$]*?[^$\s])?\$", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Trouble:
    """A variable that can't be filled."""

    name: str
    closed: bool


def troubles(text: str, *, filled: bool = True) -> Iterator[Trouble]:
    """Variables of a text that are not closed, or not known; where none is filled, all of them."""
    if "{{" not in text:
        return
    plain = _MATHS.sub(" ", text)  # braces within braces are TeX there
    for found in _BRACES.finditer(plain):
        name = found["name"].strip()
        if not found["end"]:
            yield Trouble(name.split()[0] if name else "", closed=False)
        elif name not in VARIABLES or not filled:
            yield Trouble(name, closed=True)


def fill(plan: Plan, values: Mapping[str, str]) -> Plan:
    """The plan with what is known of its variables; unknown ones stay as they were written."""
    known = {name: one.default for name, one in VARIABLES.items()}
    known |= {name: value[: VARIABLES[name].longest] for name, value in values.items() if value}

    def filled(text: str) -> str:
        return _NAMED.sub(lambda found: known.get(found[1], found[0]), text)

    return plan.model_copy(
        update={
            "opening": filled(plan.opening),
            "closing": filled(plan.closing),
            "steps": tuple(_fill_step(step, filled) for step in plan.steps),
        }
    )


def _fill_step(step: StepPlan, filled: Filler) -> StepPlan:
    return step.model_copy(
        update={
            **{name: filled(getattr(step, name)) for name in _SPOKEN},
            "hints": tuple(map(filled, step.hints)),
            "misconceptions": tuple(_fill_answer(wrong, filled) for wrong in step.misconceptions),
        }
    )


def _fill_answer(wrong: MisconceptionPlan, filled: Filler) -> MisconceptionPlan:
    return wrong.model_copy(update={"response": filled(wrong.response)})
