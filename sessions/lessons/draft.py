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
import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import orjson

from sessions.errors import DraftRefused, StepUnknown
from sessions.lessons import draft_fields as fields
from sessions.lessons.draft_fields import Json, same
from sessions.lessons.plan import MAX_STEPS, Plan
from sessions.lessons.reading import MAX_BYTES

Content = Mapping[str, Json]
"The document. Never changed in place."

ID_LENGTH = 6
_ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"  # none that looks like another


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
    place = fields.place(wanted.path)
    if place[0] == "steps" and len(place) == 3 and place[1] not in order_of(content):
        raise StepUnknown(place[1])
    was, now = fields.without_nulls(place, wanted.was), fields.checked(place, wanted.now)
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
    match fields.place(path):
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


# ---- inside ----------------------------------------------------------------------------------


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


def _set(part: Mapping[str, Json], name: str, value: Json) -> dict[str, Json]:
    """None takes it out."""
    if value is None:
        return {known: kept for known, kept in part.items() if known != name}
    return {**part, name: value}


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
