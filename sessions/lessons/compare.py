"""What differs between two states of a lesson, field by field. Pure.

Steps are matched by their ids, and those that have none in common by what they ask, so that a step
that was moved is told as moved and not as one taken out and another put in.
"""

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from sessions.lessons.draft import Content, from_plan, order_of, value_at
from sessions.lessons.draft_fields import FIELDS, STEP_FIELDS, Json, same
from sessions.lessons.findings import place_of, read_draft

Kind = Literal["added", "removed", "changed", "moved"]
_BEHIND_STEPS = ("closing", "material", "voice", "patience_s", "engines")


@dataclass(frozen=True, slots=True)
class Difference:
    """One field that is another on the right."""

    path: str
    "Of the right side; of the left where it is no more."
    place: str
    "In a teacher's words: `Step 2, hints`."
    kind: Kind
    left: Json
    right: Json
    "Of a step that moved: where it stood, and stands: `Step 2`."


def compare(left: Content, right: Content) -> list[Difference]:
    """Every difference, in the lesson's order."""
    left, right = _settled(left), _settled(right)
    before = [name for name in FIELDS if name.split(".")[0] not in _BEHIND_STEPS]
    behind = [name for name in FIELDS if name.split(".")[0] in _BEHIND_STEPS]
    return [
        *_fields(before, left, right),
        *_steps(left.get("steps", ()), right.get("steps", ())),
        *_fields(behind, left, right),
    ]


def _settled(content: Content) -> Content:
    """Without differences that mean nothing: spaces, and defaults that are written out."""
    plan = read_draft(content)
    return content if isinstance(plan, list) else from_plan(plan, order_of(content))


def _fields(paths: Sequence[str], left: Content, right: Content) -> Iterator[Difference]:
    for path in paths:
        yield from _field(path, place_of(path), value_at(left, path), value_at(right, path))


def _field(path: str, place: str, left: Json, right: Json) -> Iterator[Difference]:
    if same(left, right):
        return
    kind: Kind = "added" if left is None else "removed" if right is None else "changed"
    yield Difference(path, place, kind, left, right)


def _steps(
    left: Sequence[Mapping[str, Json]], right: Sequence[Mapping[str, Json]]
) -> Iterator[Difference]:
    pairs = _matched(left, right)
    stayed = _longest_rising([pairs[here] for here in sorted(pairs)])
    for here, step in enumerate(right):
        path, place = f"steps.{step['id']}", place_of(f"steps.{here}")
        if here not in pairs:
            yield Difference(path, place, "added", None, _without_id(step))
            continue
        there = pairs[here]
        if there not in stayed:
            yield Difference(path, place, "moved", place_of(f"steps.{there}"), place)
        for name in STEP_FIELDS:
            where = place_of(f"steps.{here}.{name}")
            yield from _field(f"{path}.{name}", where, left[there].get(name), step.get(name))
    known = set(pairs.values())
    for there, step in enumerate(left):
        if there not in known:
            place = place_of(f"steps.{there}")
            yield Difference(f"steps.{step['id']}", place, "removed", _without_id(step), None)


def _matched(
    left: Sequence[Mapping[str, Json]], right: Sequence[Mapping[str, Json]]
) -> dict[int, int]:
    """For steps on the right which on the left they are: by number."""
    pairs: dict[int, int] = {}
    for key in ("id", "ask"):
        free = {
            _key(step.get(key)): there
            for there, step in reversed(list(enumerate(left)))
            if there not in pairs.values() and step.get(key)
        }
        for here, step in enumerate(right):
            if here not in pairs and (there := free.pop(_key(step.get(key)), None)) is not None:
                pairs[here] = there
    return pairs


def _key(value: Json) -> str:
    return " ".join(str(value).split()).casefold()


def _longest_rising(numbers: Sequence[int]) -> set[int]:
    """The most of them that rise from left to right: all others have moved."""
    ends: list[int] = []  # the lowest end of a rising run of each length
    runs: list[list[int]] = []
    for number in numbers:
        at = bisect_left(ends, number)
        run = [*(runs[at - 1] if at else []), number]
        ends[at : at + 1] = [number]
        runs[at : at + 1] = [run]
    return set(runs[-1]) if runs else set()


def _without_id(step: Mapping[str, Json]) -> dict[str, Json]:
    return {name: value for name, value in step.items() if name != "id"}
