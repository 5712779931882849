"""A draft: a plan as somebody types it, whole or not, and what changes one field of it. Pure.

The document is JSON: a plan's keys as typed, `steps` as a list in which each step has a short `id`
that stays with it. What is missing is not written yet. A path names one field:

    title   voice.speed   steps.k3f9   steps.k3f9.hints   step_order

A list is one field. `steps.<id>` is a whole step without its id: None where there is none, so a
change from None adds it and one to None takes it out. `step_order` is the list of ids.

Two may write at once. A change says what its writer saw (`was`); only where the field meanwhile
holds something else than that, and something else than `now`, is it a conflict. So whatever two
writers do to different fields both keep, and a change sent again changes nothing.
"""

import hashlib
import re
import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from sessions.errors import DraftRefused, StepUnknown
from sessions.lessons.plan import MAX_STEPS, Plan
from sessions.lessons.reading import MAX_BYTES

Json = Any
Content = Mapping[str, Json]
"The document. Never changed in place."

MAX_TEXT = 20_000  # characters: the longest that a plan takes, as `material`
MAX_ENTRIES = 100  # of one list; a plan takes fewer, but what was typed is kept
MAX_NUMBER = 1e9
ID_LENGTH = 6
_ID = re.compile(r"[a-z0-9]{1,24}")
_ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"  # none that looks like another

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


@dataclass(frozen=True, slots=True)
class Change:
    """What somebody did to one field."""

    path: str
    was: Json
    "What they saw there."
    now: Json
    after: str | None = None
    "The step that a new step stands behind; None: the last."


@dataclass(frozen=True, slots=True)
class Changed:
    """The draft after it."""

    content: Content
    value: Json
    "What the field holds now."
    different: bool
    "False: it held that already."


@dataclass(frozen=True, slots=True)
class Conflict:
    """Somebody else changed the same field."""

    theirs: Json


def change(content: Content, wanted: Change) -> Changed | Conflict:
    """Decide what a change does.

    Raises:
        DraftRefused: If a draft can't hold it, or has no such field.
        StepUnknown: If the field's step is not there (any more).
    """
    place = _place(wanted.path)
    if place[0] == "steps" and len(place) == 3 and place[1] not in order_of(content):
        raise StepUnknown(place[1])
    was, now = _without_nulls(place, wanted.was), _checked(place, wanted.now)
    present = value_at(content, wanted.path)
    if same(present, now):
        return Changed(content, present, different=False)
    if not same(present, was):
        return Conflict(present)
    if place == ("step_order",) and sorted(now or ()) != sorted(order_of(content)):
        raise DraftRefused(
            wanted.path, "`step_order` must name each step of the lesson once. Fetch it anew."
        )
    changed = _put(content, place, now, wanted.after)
    _check_size(wanted.path, changed)
    return Changed(changed, now, different=True)


def value_at(content: Content, path: str) -> Json:
    """What a field holds; None where nothing is written."""
    match _place(path):
        case ("step_order",):
            return order_of(content)
        case ("steps", step_id):
            found = _step(content, step_id)
            return None if found is None else _without_id(found)
        case ("steps", step_id, name):
            return (_step(content, step_id) or {}).get(name)
        case (part, name):
            return content.get(part, {}).get(name)
        case (name,):
            return content.get(name)
    raise AssertionError("a path has one to three parts")


def order_of(content: Content) -> list[str]:
    """The ids of the steps."""
    return [step["id"] for step in content.get("steps", ())]


def from_plan(plan: Plan, ids: Sequence[str] = ()) -> dict[str, Json]:
    """A plan as a draft to go on with; steps without an id get one."""
    content = plan.plain()
    steps = content.pop("steps", [])
    names = [*ids, *new_ids(len(steps) - len(ids), ids)]
    return content | {
        "steps": [{"id": name, **step} for name, step in zip(names, steps, strict=False)]
    }


def to_plan(content: Content) -> dict[str, Json]:
    """What `Plan` reads: without ids, and every single value as the text that was typed."""
    plain = {name: _texts(value) for name, value in content.items() if name != "steps"}
    steps = [_texts(_without_id(step)) for step in content.get("steps", ())]
    return plain | ({"steps": steps} if steps else {})


def blank(title: str, language: str = "en") -> dict[str, Json]:
    """What a new lesson begins with: one step, to be filled."""
    written = {"title": title} if title else {}
    return written | {"language": language, "steps": [{"id": new_ids(1)[0]}]}


def new_ids(count: int, taken: Iterable[str] = ()) -> list[str]:
    """Ids for so many steps, none of them in `taken`."""
    found: list[str] = []
    known = set(taken)
    while len(found) < count:
        name = "".join(secrets.choice(_ALPHABET) for _ in range(ID_LENGTH))
        if name not in known:
            known.add(name)
            found.append(name)
    return found


def digest(content: Content) -> str:
    """Tells whether two drafts are the same."""
    return hashlib.sha256(orjson.dumps(content, option=orjson.OPT_SORT_KEYS)).hexdigest()


def same(one: Json, other: Json) -> bool:
    """Whether two JSON values are the same: `1` and `1.0` are, `1` and `true` are not."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other)


# ---- who touched what --------------------------------------------------------------------------

Touched = Mapping[str, Sequence[Any]]
"By path: who changed it last, and the revision which that made."


def touch(touched: Touched, path: str, by: str, revision: int, order: Iterable[str]) -> Touched:
    """After somebody changed a field; what is said of steps that are gone is forgotten."""
    here = set(order)
    kept = {
        known: fact
        for known, fact in touched.items()
        if not known.startswith("steps.") or known.split(".")[1] in here
    }
    gone = _is_step(path) and path.split(".")[1] not in here
    return {**kept, "step_order" if gone else path: [by, revision]}


def touch_all(before: Content, after: Content, by: str, revision: int) -> Touched:
    """After somebody put another content in its place."""
    paths = [*FIELDS, "step_order", *(f"steps.{name}" for name in order_of(after))]
    changed = (path for path in paths if not same(value_at(before, path), value_at(after, path)))
    return {path: [by, revision] for path in changed}


def toucher(touched: Touched, path: str) -> str | None:
    """Who changed a field last; None: nobody knows."""
    step = ".".join(path.split(".")[:2])
    facts = [
        fact
        for known, fact in touched.items()
        if known == path
        or known.startswith(f"{path}.")
        or (_is_step(known) and (known == step or path == "step_order"))
    ]
    return max(facts, key=lambda fact: int(fact[1]))[0] if facts else None


def _is_step(path: str) -> bool:
    return path.startswith("steps.") and path.count(".") == 1


# ---- paths -----------------------------------------------------------------------------------


def _place(path: str) -> tuple[str, ...]:
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


def _step(content: Content, step_id: str) -> Mapping[str, Json] | None:
    return next((step for step in content.get("steps", ()) if step["id"] == step_id), None)


def _without_id(step: Mapping[str, Json]) -> dict[str, Json]:
    return {name: value for name, value in step.items() if name != "id"}


def _put(content: Content, place: tuple[str, ...], now: Json, after: str | None) -> Content:
    steps = list(content.get("steps", ()))
    match place:
        case ("step_order",):
            by_id = {step["id"]: step for step in steps}
            return {**content, "steps": [by_id[step_id] for step_id in now]}
        case ("steps", step_id):
            return {**content, "steps": list(_with_step(steps, step_id, now, after))}
        case ("steps", step_id, name):
            return {
                **content,
                "steps": [
                    _set(step, name, now) if step["id"] == step_id else step for step in steps
                ],
            }
        case (part, name):
            return _set(content, part, _set(content.get(part, {}), name, now) or None)
        case (name,):
            return _set(content, name, now)
    raise AssertionError("a path has one to three parts")


def _with_step(
    steps: list[dict[str, Json]], step_id: str, now: Json, after: str | None
) -> Iterator[dict[str, Json]]:
    ids = [step["id"] for step in steps]
    new = [] if now is None else [{"id": step_id, **now}]
    known = step_id in ids
    for step in steps:
        if step["id"] == step_id:
            yield from new
            continue
        yield step
        if not known and step["id"] == after:
            yield from new
    if not known and after not in ids:
        yield from new


def _set_in(step: Mapping[str, Json], step_id: str, name: str, value: Json) -> Mapping[str, Json]:
    return _set(step, name, value) if step["id"] == step_id else step


def _set(part: Mapping[str, Json], name: str, value: Json) -> dict[str, Json]:
    """None takes it out."""
    if value is None:
        return {known: kept for known, kept in part.items() if known != name}
    return {**part, name: value}


# ---- what a draft can hold -----------------------------------------------------------------------


def _checked(place: tuple[str, ...], value: Json) -> Json:
    """A value that the field can hold, right or wrong as a plan. Raises DraftRefused."""
    path = ".".join(place)
    if value is None:
        return None
    match place:
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
            return _without_nulls(place, value)
        case ("steps", _, name):
            _check(path, value, STEP_FIELDS[name])
        case _:
            _check(path, value, FIELDS[path])
    return value


def _without_nulls(place: tuple[str, ...], value: Json) -> Json:
    """A step's keys that hold nothing are as good as not there."""
    if place[0] == "steps" and len(place) == 2 and isinstance(value, Mapping):
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


def _check_size(path: str, content: Content) -> None:
    if len(content.get("steps", ())) > MAX_STEPS:
        raise DraftRefused(path, f"A lesson has {MAX_STEPS} steps at most. Make two lessons of it.")
    if len(orjson.dumps(content)) > MAX_BYTES:
        raise DraftRefused(
            path, f"A lesson is {MAX_BYTES // 1024} KiB at most. Make two lessons of it."
        )


def _texts(value: Json) -> Json:
    """As a file would give it: every single value is the text that was written."""
    match value:
        case Mapping():
            return {key: _texts(part) for key, part in value.items()}
        case list() | tuple():
            return [_texts(part) for part in value]
        case bool() | int() | float():
            return orjson.dumps(value).decode()
    return value
