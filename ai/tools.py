"""What a tutor engine may do besides speaking: the tools, as a language model is told of them.

An engine declares those that `Brief.tools` names and reports each use as `ToolCalled`; whoever runs
the session carries it out and answers with `Leg.give`. No tool names a school, a student or a
session: those are known to the session, and a model has no say in them. Each tool takes at most
three arguments, all of them plain strings and numbers: speech models get larger schemas wrong.

The results are JSON objects. `error` in one says what to do instead; the rest is for the model to
go on with, never to be read out.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from ai.engine import Step


@dataclass(frozen=True, slots=True)
class Tool:
    """One tool, in the words that a model reads."""

    name: str
    description: str
    parameters: Mapping[str, Any]
    "JSON Schema of an object."


@dataclass(frozen=True, slots=True)
class Judged:
    """What all accepted answers and misconceptions of a step together make of an answer."""

    verdict: Literal["right", "wrong", "unclear"] = "unclear"
    value: str = ""
    "What was understood, to be asked back: `three quarters`. May be empty."
    note: str = ""
    "two values | negated | unfinished | too long, or empty."
    misconception: int | None = None
    "Index of the step's misconception that the answer shows."


Judge = Callable[[Step, str, str], Awaitable[Judged]]
"The step, what the student said, and the language in; what can't be judged in time is unclear."

FIGURES = ("text", "formula", "plot", "points", "number_line", "bars", "fraction")
"What `show` draws, by its argument `kind`."

NOTES = ("step_done", "hint_given", "misconception_seen", "solved_for_them")
"What `note_progress` notes, by its argument `what`."


def _object(**properties: Mapping[str, Any]) -> Mapping[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _text(about: str, most: int) -> Mapping[str, Any]:
    return {"type": "string", "description": about, "maxLength": most}


CHECK_ANSWER = Tool(
    "check_answer",
    "Judge the student's answer to the step that is open, by mathematics and by the lesson's own"
    " accepted answers. Use it before you call an answer right or wrong. It tells the verdict, the"
    " misconception the answer shows, if any, and what to do next.",
    _object(said=_text("The student's answer in their own words, nothing added.", 500)),
)
SHOW = Tool(
    "show",
    "Put something on the student's board, to look at while you speak. Never show an answer that"
    " the student has still to find.",
    _object(
        kind={
            "type": "string",
            "enum": list(FIGURES),
            "description": "What to draw.",
        },
        content=_text(
            "text: up to 300 characters. formula: LaTeX, \\frac{2}{4}."
            " plot: functions of x and a range, x^2 - 1; 2x; x from -3 to 3."
            " points: (1, 2), (3, 4). number_line: 0 to 1: 1/4, 1/2."
            " bars: apples 3, pears 5. fraction: 3/4, or two to compare: 1/2, 2/4.",
            600,
        ),
        caption=_text("What it shows, in one short sentence; it is read to who can't see.", 200),
    ),
)
LOOK_UP = Tool(
    "look_up",
    "Search the lesson's reading material. Gives its best passages and where they are from. Use it"
    " before you state a fact of the material; what it gives is for you, not to be read out whole.",
    _object(about=_text("What to look for, in a few words.", 200)),
)
NOTE_PROGRESS = Tool(
    "note_progress",
    "Note where the lesson is, as soon as it is so: a step done, a hint given, a misconception"
    " seen, or a step whose solution you worked out for the student. Only the open step can be"
    " noted. It tells which step is open now.",
    _object(
        what={"type": "string", "enum": list(NOTES), "description": "What happened."},
        step={"type": "integer", "description": "Number of the open step, from 1.", "minimum": 1},
        which={
            "type": "integer",
            "description": "Number of the hint or misconception as the plan lists them, from 1;"
            " otherwise 0.",
            "minimum": 0,
        },
    ),
)
ASK_FOR_HUMAN = Tool(
    "ask_for_human",
    "Ask for a person of the school, when the student wants one, is upset, or you can't help. Tell"
    " the student that you asked; go on helping meanwhile.",
    _object(reason=_text("Why, in one sentence; a teacher reads it.", 300)),
)

TOOLS: tuple[Tool, ...] = (CHECK_ANSWER, SHOW, LOOK_UP, NOTE_PROGRESS, ASK_FOR_HUMAN)
NAMES = tuple(tool.name for tool in TOOLS)


def named(names: Iterable[str]) -> tuple[Tool, ...]:
    """The tools of these names, in the order of `TOOLS`; unknown names are of another version."""
    wanted = frozenset(names)
    return tuple(tool for tool in TOOLS if tool.name in wanted)
