"""Reading strict values out of a client's JSON, with a sentence for each refusal.

Pure. JSON is taken as RFC 8259 has it and a little narrower: no NaN, no repeated names, no lone
surrogates, no integers that JavaScript would round, at most 20 levels.
"""

import json
import math
import re
from base64 import b64decode
from collections.abc import Collection, Mapping
from typing import Any, Final, TypeVar

from server.realtime.limits import TEXT_CHARACTERS

DEPTH = 20
LARGEST_INTEGER = 2**53
EVENT_ID_CHARACTERS = 512
ITEM_ID = re.compile(r"[A-Za-z0-9_.:-]{1,128}")
LOOSE_EVENT_ID = re.compile(r'"event_id"\s*:\s*"([^"\\\x00-\x1f\ud800-\udfff]{1,512})"')
SEARCHED_CHARACTERS = 2_000
DAY_MS = 86_400_000

Choice = TypeVar("Choice", bound=str)


class Bad(Exception):
    """Why a client's event is refused."""

    def __init__(self, message: str, *, code: str = "invalid_value", param: str | None = None):
        super().__init__(message)
        self.message = message
        self.code = code
        self.param = param


def loose_event_id(text: str) -> str | None:
    """The event id of something that can't be read as a whole; looked for at both its ends."""
    found = LOOSE_EVENT_ID.search(text[:SEARCHED_CHARACTERS])
    if found is None and len(text) > SEARCHED_CHARACTERS:
        found = LOOSE_EVENT_ID.search(text[-SEARCHED_CHARACTERS:])
    return found[1] if found else None


def parse_object(text: str | bytes) -> dict[str, Any]:
    """A JSON object. Raises Bad with code `invalid_json`."""
    try:
        value = json.loads(text, object_pairs_hook=_object, parse_constant=_constant)
    except RecursionError:
        raise _too_deep() from None
    except ValueError as problem:
        raise Bad(
            f"This is not JSON{_place(problem)}. Send one JSON object in each message.",
            code="invalid_json",
        ) from None
    if not isinstance(value, dict):
        raise Bad('Send a JSON object: {"type": …}.', code="invalid_json")
    _check_plain(value)
    return value


def base64(text: str) -> bytes:
    """Strict base64, padded. Raises ValueError."""
    if len(text) % 4:
        raise ValueError(text[-4:])
    return b64decode(text, validate=True)


def _place(problem: ValueError) -> str:
    if isinstance(problem, json.JSONDecodeError):
        return f" (line {problem.lineno}, column {problem.colno})"
    return ""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    read = dict(pairs)
    if len(read) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise Bad(f"The name {_shown(twice)} stands twice in one object.", code="invalid_json")
    return read


def _constant(name: str) -> Any:
    raise Bad(f"{name} is not JSON. Leave the field out or send a number.", code="invalid_json")


def _too_deep() -> Bad:
    return Bad(f"This is nested deeper than {DEPTH} levels.", code="invalid_json")


def _check_plain(value: Any) -> None:
    """Refuse what our own side, or another client, could not write down again."""
    level: list[Any] = [value]
    for _ in range(DEPTH):
        deeper: list[Any] = []
        for part in level:
            if isinstance(part, dict):
                deeper += part.keys()
                deeper += part.values()
            elif isinstance(part, list):
                deeper += part
            elif isinstance(part, str):
                if not (part.isascii() or _writable(part)):
                    raise Bad("A string holds half of a surrogate pair.", code="invalid_json")
            elif isinstance(part, float):
                if not math.isfinite(part):
                    raise Bad("A number is too large.", code="invalid_json")
            elif isinstance(part, int) and abs(part) > LARGEST_INTEGER:
                raise Bad("An integer is larger than 2^53.", code="invalid_json")
        if not deeper:
            return
        level = deeper
    raise _too_deep()


def _writable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _shown(text: str) -> str:
    """A client's own word in a sentence to it, shortened."""
    return repr(text if len(text) <= 64 else text[:61] + "…").encode(errors="replace").decode()


def _kind(value: Any) -> str:
    names = {dict: "an object", list: "an array", str: "a string", bool: "a boolean"}
    return names.get(type(value), "null" if value is None else "a number")


MISSING: Final = object()


class Fields:
    """The fields of one JSON object; `path` is where it stands in the event.

    In each method a missing field, and `null`, is `None`, or refused where `required`.
    """

    def __init__(self, values: Mapping[str, Any], path: str = "") -> None:
        self.values = values
        self.path = path

    def param(self, name: str) -> str:
        return f"{self.path}.{name}" if self.path else name

    def bad(self, name: str, wish: str, *, code: str = "invalid_value") -> Bad:
        value = self.values.get(name, MISSING)
        given = "is missing" if value is MISSING else f"is {_kind(value)}"
        return Bad(f"`{self.param(name)}` {given}; {wish}.", code=code, param=self.param(name))

    def _get(self, name: str, required: bool, wish: str) -> Any:
        value = self.values.get(name)
        if value is None and required:
            raise self.bad(name, wish)
        return value

    def object(self, name: str, *, required: bool = False) -> "Fields | None":
        value = self._get(name, required, "send an object")
        if value is None:
            return None
        if not isinstance(value, dict):
            raise self.bad(name, "send an object")
        return Fields(value, self.param(name))

    def list(self, name: str, *, required: bool = False) -> list[Any] | None:
        value = self._get(name, required, "send an array")
        if value is not None and not isinstance(value, list):
            raise self.bad(name, "send an array")
        return value

    def string(
        self, name: str, *, required: bool = False, limit: int = TEXT_CHARACTERS
    ) -> str | None:
        value = self._get(name, required, "send a string")
        if value is None:
            return None
        if not isinstance(value, str):
            raise self.bad(name, "send a string")
        if len(value) > limit:
            raise Bad(
                f"`{self.param(name)}` has {len(value):,} characters; at most {limit:,} are taken.",
                code="too_large",
                param=self.param(name),
            )
        return value

    def choice(self, name: str, choices: Collection[Choice]) -> Choice | None:
        value = self.string(name)
        if value is None:
            return None
        for choice in choices:
            if value == choice:
                return choice
        raise Bad(
            f"`{self.param(name)}` is {_shown(value)}; send one of {', '.join(choices)}.",
            param=self.param(name),
        )

    def item_id(self, name: str, *, required: bool = False) -> str | None:
        wish = "send 1 to 128 characters of A-Z a-z 0-9 _ . : -"
        value = self._get(name, required, wish)
        if value is None:
            return None
        if not isinstance(value, str):
            raise self.bad(name, wish)
        if not ITEM_ID.fullmatch(value):
            raise Bad(f"`{self.param(name)}` can't be an id; {wish}.", param=self.param(name))
        return value

    def boolean(self, name: str, *, required: bool = False) -> bool | None:
        value = self._get(name, required, "send true or false")
        if value is not None and not isinstance(value, bool):
            raise self.bad(name, "send true or false")
        return value

    def number(self, name: str) -> float | None:
        value = self.values.get(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.bad(name, "send a number")
        return float(value)

    def integer(self, name: str) -> int | None:
        value = self.values.get(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float) or value != int(value):
            raise self.bad(name, "send a whole number")
        return int(value)

    def milliseconds(self, name: str) -> int:
        """A required time within a session, in whole ms; fractions are cut."""
        wish = "send milliseconds, 0 or more"
        value = self._get(name, True, wish)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.bad(name, wish)
        if not 0 <= value <= DAY_MS:
            raise Bad(
                f"`{self.param(name)}` is {value}; send milliseconds, 0 to {DAY_MS:,}.",
                param=self.param(name),
            )
        return int(value)

    def audio(self, name: str) -> bytes:
        """Required base64, without line breaks."""
        value = self._get(name, True, "send base64")
        if not isinstance(value, str):
            raise self.bad(name, "send base64")
        try:
            return base64(value)
        except ValueError:
            raise Bad(
                f"`{self.param(name)}` is not base64; send the audio's bytes as standard base64.",
                param=self.param(name),
            ) from None
