"""Events that are nearly right, for decoders to stumble over."""

import copy
import random
from typing import Any

NONSENSE: tuple[Any, ...] = (
    None, True, -1, 0, 7, 1e300, float("nan"), "", "x", "\ud800", "\0", [], [None], [[]], {},
    {"": {}}, 2**70, "call_1", {"text": 1}, [{"delta": 3}],
)  # fmt: skip


def scrambled(dice: random.Random, event: Any) -> Any:
    """A copy of an event with one to three of its parts exchanged, doubled or taken out."""
    event = copy.deepcopy(event)
    for _ in range(dice.randint(1, 3)):
        event = _one(dice, event)
    return event


def _one(dice: random.Random, event: Any) -> Any:
    places = list(_places(event))
    if not places or dice.random() < 0.03:
        return copy.deepcopy(dice.choice(NONSENSE))
    holder, key = dice.choice(places)
    match dice.randrange(4):
        case 0 if isinstance(holder, dict):
            del holder[key]
        case 1 if isinstance(holder, dict):
            holder[key] = [holder[key], holder[key]]
        case _:
            holder[key] = copy.deepcopy(dice.choice(NONSENSE))
    return event


def _places(value: Any) -> Any:
    """Every (dict or list, key) within."""
    keys = (
        value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    )
    for key in list(keys):
        yield value, key
        yield from _places(value[key])
