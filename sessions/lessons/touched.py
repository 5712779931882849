"""Who changed which field of a draft last: told to whoever comes upon their words. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sessions.lessons.draft import Content, order_of, value_at
from sessions.lessons.draft_fields import FIELDS, same

Touched = Mapping[str, Sequence[Any]]
"By path: who changed it last, and the revision which that made."


def after_change(
    known: Touched, path: str, by: str, revision: int, order: Iterable[str]
) -> Touched:
    """After somebody changed a field; what is said of steps that are gone is forgotten."""
    here = set(order)
    kept = {
        field: fact
        for field, fact in known.items()
        if not field.startswith("steps.") or field.split(".")[1] in here
    }
    gone = _is_step(path) and path.split(".")[1] not in here
    return {**kept, "step_order" if gone else path: [by, revision]}


def after_reset(before: Content, after: Content, by: str, revision: int) -> Touched:
    """After somebody put another content in its place."""
    paths = [*FIELDS, "step_order", *(f"steps.{name}" for name in order_of(after))]
    changed = (path for path in paths if not same(value_at(before, path), value_at(after, path)))
    return {path: [by, revision] for path in changed}


def by_whom(known: Touched, path: str) -> str | None:
    """Who changed a field last; None: nobody knows."""
    step = ".".join(path.split(".")[:2])
    facts = [
        fact
        for field, fact in known.items()
        if field == path
        or field.startswith(f"{path}.")
        or (_is_step(field) and (field == step or path == "step_order"))
    ]
    return max(facts, key=lambda fact: int(fact[1]))[0] if facts else None


def _is_step(path: str) -> bool:
    return path.startswith("steps.") and path.count(".") == 1
