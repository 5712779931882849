"""Reads what a model wrote as a tool's arguments. They are data: wrong ones make a sentence.

Models write numbers as words, words as numbers, and sometimes no JSON at all. What can be meant is
taken; for the rest `Unusable` says how to call the tool. Fields that a tool does not have are
passed over, whatever they say.
"""

import math
import re
import unicodedata
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from ai.tools import (
    ASK_FOR_HUMAN,
    CHECK_ANSWER,
    FIGURES,
    LOOK_UP,
    NOTE_PROGRESS,
    NOTES,
    SHOW,
    TOOLS,
    Tool,
)

MOST_CHARACTERS = 4_000
MOST_FIELDS = 16
_UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069]")


class Unusable(Exception):
    """The call can't be carried out; the sentence is for the model and says what to do."""


@dataclass(frozen=True, slots=True)
class CheckAnswer:
    said: str


@dataclass(frozen=True, slots=True)
class Show:
    kind: str
    content: str
    caption: str


@dataclass(frozen=True, slots=True)
class LookUp:
    about: str


@dataclass(frozen=True, slots=True)
class NoteProgress:
    what: str
    step: int
    which: int


@dataclass(frozen=True, slots=True)
class AskForHuman:
    reason: str


Use = CheckAnswer | Show | LookUp | NoteProgress | AskForHuman


def read_use(name: str, arguments: str, allowed: Collection[str]) -> Use:
    """What is to be done.

    Args:
        name: The tool's name, as the model gave it.
        arguments: JSON, as the model wrote it.
        allowed: Names of the tools that the lesson has.

    Raises:
        Unusable: If that can't be told.
    """
    tool = next((tool for tool in TOOLS if tool.name == name and name in allowed), None)
    if tool is None:
        known = ", ".join(tool.name for tool in TOOLS if tool.name in allowed) or "none"
        raise Unusable(f"There is no such tool. The tools of this lesson: {known}.")
    fields = _Fields(tool, _object(tool, arguments))
    match name:
        case CHECK_ANSWER.name:
            return CheckAnswer(fields.text("said"))
        case SHOW.name:
            return Show(
                fields.one_of("kind", FIGURES),
                fields.text("content", lines=True),
                fields.text("caption", optional=True),
            )
        case LOOK_UP.name:
            return LookUp(fields.text("about"))
        case NOTE_PROGRESS.name:
            return NoteProgress(
                fields.one_of("what", NOTES), fields.count("step"), fields.count("which", 0)
            )
        case ASK_FOR_HUMAN.name:
            return AskForHuman(fields.text("reason", optional=True))
    raise AssertionError(name)


def _object(tool: Tool, arguments: str) -> Mapping[str, Any]:
    if len(arguments) > MOST_CHARACTERS:
        raise Unusable(f"The arguments have at most {MOST_CHARACTERS} characters. Say it shorter.")
    try:
        found = orjson.loads(arguments or "{}")
    except ValueError:
        found = None
    if not isinstance(found, dict) or len(found) > MOST_FIELDS:
        fields = ", ".join(tool.parameters["properties"])
        raise Unusable(f"The arguments are a JSON object with these fields: {fields}.")
    return found


class _Fields:
    """The fields of one call, each read as what it should be."""

    def __init__(self, tool: Tool, values: Mapping[str, Any]) -> None:
        self._properties = tool.parameters["properties"]
        self._values = values

    def text(self, name: str, *, optional: bool = False, lines: bool = False) -> str:
        """Words; a number is taken for its digits."""
        value, most = self._values.get(name), self._properties[name]["maxLength"]
        if isinstance(value, int | float) and not isinstance(value, bool):
            value = f"{value:g}" if isinstance(value, float) else str(value)
        if value is None and optional:
            return ""
        if not isinstance(value, str):
            raise Unusable(f"`{name}` is a text. {self._properties[name]['description']}")
        value = _UNPRINTABLE.sub("", unicodedata.normalize("NFC", value)).strip()
        value = value if lines else " ".join(value.split())
        if not value and not optional:
            raise Unusable(f"`{name}` is empty. {self._properties[name]['description']}")
        if len(value) > most:
            raise Unusable(f"`{name}` has at most {most} characters. Say it shorter.")
        return value

    def one_of(self, name: str, choices: Collection[str]) -> str:
        value = self._values.get(name)
        value = value.strip().lower().replace(" ", "_") if isinstance(value, str) else value
        if not isinstance(value, str) or value not in choices:
            raise Unusable(f"`{name}` is one of: {', '.join(choices)}.")
        return value

    def count(self, name: str, otherwise: int | None = None) -> int:
        """A whole number that is not negative; `2.0` and `"2"` are two."""
        value = self._values.get(name, otherwise)
        if value is None and otherwise is not None:
            return otherwise
        if isinstance(value, str) and re.fullmatch(r"\s*\d{1,4}\s*", value, re.ASCII):
            value = int(value)
        if isinstance(value, float) and math.isfinite(value) and value.is_integer():
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= 9_999:
            raise Unusable(f"`{name}` is a whole number. {self._properties[name]['description']}")
        return value
