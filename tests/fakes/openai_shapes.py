"""Whether what a client sent has the shape that the `openai` package's own types give it.

The package's request types are TypedDicts; this walks them, stricter than Python is: a name that
is in none of them, a missing one or a value of another kind is a complaint, with its path.
"""

import math
import types
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import (
    Annotated,
    Any,
    Literal,
    NotRequired,
    Required,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

from openai.types.realtime.realtime_client_event_param import RealtimeClientEventParam
from typing_extensions import is_typeddict

TELL_APART = ("type", "role")
"The names by whose value one shape of a union is told from another."
NULLS = {
    "previous_item_id",
    "session.audio.input.noise_reduction",
    "session.audio.input.transcription",
}
"What the documentation lets be null, though the package's types do not."


@dataclass(frozen=True, slots=True)
class Complaint:
    """What the provider says of something that it cannot take."""

    message: str
    code: str
    param: str | None = None


def of_event(event: object) -> Complaint | None:
    """Of one Realtime client event."""
    if not isinstance(event, dict):
        return Complaint("An event is a JSON object.", "invalid_event")
    if not isinstance(event.get("type"), str):
        return missing("type")
    return of_value(event, RealtimeClientEventParam, "")


def of_value(value: object, shape: Any, at: str) -> Complaint | None:
    """Of `value` at the path `at`, which should be a `shape`."""
    if value is None and at in NULLS:
        return None
    origin = get_origin(shape)
    if origin in (Required, NotRequired, Annotated):
        return of_value(value, get_args(shape)[0], at)
    if origin in (Union, types.UnionType):
        return _of_union(value, get_args(shape), at)
    if origin is Literal:
        return None if _one_of(value, get_args(shape)) else _unsupported(at, value, get_args(shape))
    if is_typeddict(shape):
        return _of_object(value, shape, at)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return _of_mapping(value, get_args(shape), at)
    if isinstance(origin, type) and issubclass(origin, Iterable):
        return _of_list(value, get_args(shape)[0], at)
    return None if _is(value, shape) else _wrong(at, shape)


def _of_object(value: object, shape: Any, at: str) -> Complaint | None:
    if not isinstance(value, dict):
        return _wrong(at, dict)
    hints = _hints(shape)
    for name in value:
        if name not in hints:
            return unknown(_join(at, name))
    for name in _required(shape):
        if name not in value:
            return missing(_join(at, name))
    for name, one in value.items():
        if complaint := of_value(one, hints[name], _join(at, name)):
            return complaint
    return None


def _of_mapping(value: object, kinds: tuple[Any, ...], at: str) -> Complaint | None:
    if not isinstance(value, dict):
        return _wrong(at, dict)
    complaints = (of_value(one, kinds[1], _join(at, name)) for name, one in value.items())
    return next(filter(None, complaints), None) if kinds else None


def _of_list(value: object, kind: Any, at: str) -> Complaint | None:
    if not isinstance(value, list):
        return _wrong(at, list)
    complaints = (of_value(one, kind, f"{at}[{place}]") for place, one in enumerate(value))
    return next(filter(None, complaints), None)


def _of_union(value: object, shapes: tuple[Any, ...], at: str) -> Complaint | None:
    if isinstance(value, dict) and (objects := list(_objects(shapes))):
        for name in TELL_APART:
            fitting = [one for one in objects if _fits(value, one, name)]
            if not fitting:
                if name not in value:
                    return missing(_join(at, name))
                allowed = dict.fromkeys(word for one in objects for word in _literal(one, name))
                return _unsupported(_join(at, name), value[name], tuple(allowed))
            objects = fitting
        found = [of_value(value, one, at) for one in objects]
        return None if None in found else max(found, key=_depth)
    complaints = [of_value(value, one, at) for one in shapes]
    return None if None in complaints else max(complaints, key=_depth)


def _fits(value: dict[str, Any], shape: Any, name: str) -> bool:
    allowed = _literal(shape, name)
    if name not in value:
        return not allowed or name not in _required(shape)
    return not allowed or value[name] in allowed


def _depth(complaint: Complaint | None) -> int:
    """What is complained of deeper inside was the shape meant."""
    param = (complaint and complaint.param) or ""
    return param.count(".") + param.count("[")


def _objects(shapes: Iterable[Any]) -> Iterable[Any]:
    """The TypedDicts of a union, also of unions inside it."""
    for one in shapes:
        if is_typeddict(one):
            yield one
        elif get_origin(one) in (Union, types.UnionType):
            yield from _objects(get_args(one))


@cache
def _hints(shape: Any) -> dict[str, Any]:
    return get_type_hints(shape, include_extras=False)


@cache
def _required(shape: Any) -> frozenset[str]:
    """`__required_keys__`, which misses what is written in strings."""
    hints = get_type_hints(shape, include_extras=True)
    wanted = {name for name, hint in hints.items() if get_origin(hint) is Required}
    return frozenset(wanted | shape.__required_keys__)


def _literal(shape: Any, name: str) -> tuple[Any, ...]:
    hint = _hints(shape).get(name)
    return get_args(hint) if get_origin(hint) is Literal else ()


def _one_of(value: object, allowed: tuple[Any, ...]) -> bool:
    return any(type(value) is type(one) and value == one for one in allowed)


def _is(value: object, shape: Any) -> bool:
    if shape in (Any, object):
        return True
    if shape in (None, type(None)):
        return value is None
    if shape is bool:
        return isinstance(value, bool)
    if isinstance(value, bool):
        return False
    if shape is float:
        return isinstance(value, int | float) and math.isfinite(value)
    return isinstance(value, shape)


def _join(at: str, name: str) -> str:
    return f"{at}.{name}" if at else name


def unknown(path: str) -> Complaint:
    return Complaint(f"Unknown parameter: '{path}'.", "unknown_parameter", path)


def missing(path: str) -> Complaint:
    return Complaint(f"Missing required parameter: '{path}'.", "missing_required_parameter", path)


def _wrong(path: str, wanted: Any) -> Complaint:
    kind = {dict: "an object", list: "an array", str: "a string", int: "an integer"}.get(wanted)
    said = kind or getattr(wanted, "__name__", str(wanted))
    return Complaint(f"Invalid type for '{path}': expected {said}.", "invalid_type", path)


def _unsupported(path: str, value: object, allowed: tuple[Any, ...]) -> Complaint:
    listed = ", ".join(f"'{one}'" for one in allowed)
    return Complaint(
        f"Invalid value: '{value}'. Supported values are: {listed}.", "invalid_value", path
    )
