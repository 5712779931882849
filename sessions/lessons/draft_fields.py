"""The fields of a draft: their paths, and what each can hold, right or wrong as a plan.

Whatever is typed shall be kept; so only shapes and bounds are judged here.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sessions.errors import DraftRefused

Json = Any

MAX_TEXT = 20_000  # characters: the longest that a plan takes, as `material`
MAX_ENTRIES = 100  # of one list; a plan takes fewer, but what was typed is kept
MAX_NUMBER = 1e9
_ID = re.compile(r"[a-z0-9]{1,24}")

ONE, LIST = "one", "list"
Shape = str | Mapping[str, str]
"ONE value, a LIST of values, or a list of parts with these keys."

FIELDS: Mapping[str, Shape] = {
    "title": ONE,
    "subject": ONE,
    "level": ONE,
    "language": ONE,
    "goal": ONE,
    "prior_knowledge": LIST,
    "opening": ONE,
    "closing": ONE,
    "material": {"source": ONE, "text": ONE},
    "voice.name": ONE,
    "voice.speed": ONE,
    "voice.rules": LIST,
    "patience_s": ONE,
    "engines": LIST,
}
STEP_FIELDS: Mapping[str, Shape] = {
    "say": ONE,
    "ask": ONE,
    "answers": {"kind": ONE, "text": ONE, "also": LIST},
    "choices": LIST,
    "solution": ONE,
    "hints": LIST,
    "misconceptions": {"says": LIST, "response": ONE},
    "exit": ONE,
    "praise": ONE,
    "patience_s": ONE,
}


def place(path: str) -> tuple[str, ...]:
    """A path in its parts. Raises DraftRefused."""
    parts = tuple(path.split("."))
    if parts[0] == "steps" and len(parts) in (2, 3):
        if not _ID.fullmatch(parts[1]):
            raise DraftRefused(
                path, "A step's id consists of 1 to 24 small letters and digits. Choose another."
            )
        if len(parts) == 2 or parts[2] in STEP_FIELDS:
            return parts
        raise DraftRefused(path, _no_field(parts[2], "step", STEP_FIELDS))
    if path in FIELDS or path == "step_order":
        return parts
    raise DraftRefused(path, _no_field(path, "lesson", [*FIELDS, "step_order", "steps.<id>"]))


def _no_field(name: str, where: str, known: Iterable[str]) -> str:
    return f"There is no field {name[:60]!r} in this {where}. There are: {', '.join(known)}."


def checked(where: tuple[str, ...], value: Json) -> Json:
    """A value that the field can hold, right or wrong as a plan. Raises DraftRefused."""
    path = ".".join(where)
    if value is None:
        return None
    match where:
        case ("step_order",):
            if not all(isinstance(entry, str) for entry in _list(path, value)):
                raise DraftRefused(path, "`step_order` is a list of the steps' ids.")
        case ("steps", _):
            if not isinstance(value, Mapping):
                raise DraftRefused(path, 'A step is an object, such as {"ask": "…"}.')
            for name, part in value.items():
                if name not in STEP_FIELDS:
                    raise DraftRefused(path, _no_field(str(name), "step", STEP_FIELDS))
                _check(f"{path}.{name}", part, STEP_FIELDS[name])
            return without_nulls(where, value)
        case ("steps", _, name):
            _check(path, value, STEP_FIELDS[name])
        case _:
            _check(path, value, FIELDS[path])
    return value


def without_nulls(where: tuple[str, ...], value: Json) -> Json:
    """A step's keys that hold nothing are as good as not there."""
    if where[0] == "steps" and len(where) == 2 and isinstance(value, Mapping):
        return {name: part for name, part in value.items() if part is not None}
    return value


def _check(path: str, value: Json, shape: Shape) -> None:
    if value is None:
        return
    if shape == ONE:
        _check_one(path, value)
    elif shape == LIST:
        for entry in _list(path, value):
            _check_one(path, entry)
    elif isinstance(shape, Mapping):
        for entry in _list(path, value):
            if not isinstance(entry, Mapping):
                raise DraftRefused(path, f"Each entry is an object with {', '.join(shape)}.")
            for name, part in entry.items():
                if name not in shape:
                    raise DraftRefused(path, _no_field(str(name), "entry", shape))
                _check(path, part, shape[name])


def _list(path: str, value: Json) -> Sequence[Json]:
    if not isinstance(value, list | tuple):
        raise DraftRefused(path, "This field is a list. Send its entries in [ ].")
    if len(value) > MAX_ENTRIES:
        raise DraftRefused(path, f"A list may have {MAX_ENTRIES} entries. Send fewer.")
    return value


def _check_one(path: str, value: Json) -> None:
    if isinstance(value, Mapping | list | tuple):
        raise DraftRefused(path, "This field holds one value: a text or a number.")
    if isinstance(value, str) and len(value) > MAX_TEXT:
        raise DraftRefused(path, f"A text may have {MAX_TEXT:,} characters. Split it.")
    if isinstance(value, int | float) and not abs(value) <= MAX_NUMBER:
        raise DraftRefused(path, "This number is too large to mean anything here.")


def same(one: Json, other: Json) -> bool:
    """Whether two JSON values are the same: `1` and `1.0` are, `1` and `true` are not."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other)
