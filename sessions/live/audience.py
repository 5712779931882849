"""Who reads along with a lesson, and when that is worth a note in its transcript. No I/O.

A person counts once, however many windows they read in. Who is back within `BACK_WITHIN_S` was
never away: lines break, pages are reloaded, and a transcript full of comings and goings says less.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sessions.live import wording
from sessions.live.events import PersonPresent, PresenceChanged
from sessions.record.model import Item
from tenancy.model import Person, Role

MOST = 10  # connections of readers, a session
BACK_WITHIN_S = 15.0
STAFF: tuple[Role, ...] = ("tutor", "instructor", "admin")

_MARK = "reads_along"
"In the data of an item: it notes that somebody came, or went."


@dataclass(slots=True)
class _Reader:
    name: str
    role: str
    windows: int = 0
    left_at: float | None = None
    "When their last window closed; None: they are here."


@dataclass(frozen=True, slots=True)
class Note:
    """What the transcript says of somebody who came or went."""

    text: str
    data: Mapping[str, Any]


def is_note(item: Item) -> bool:
    """Whether an item only says who reads along: nothing that was said in the lesson."""
    return _MARK in item.data


class Audience:
    """The readers of one session. `now` is seconds of the session's steady clock."""

    def __init__(self, items: Iterable[Item], now: float) -> None:
        """Whoever was here when the log ends, in another process, may still come back."""
        self._readers: dict[UUID, _Reader] = {}
        for item in items:
            if (mark := item.data.get(_MARK)) is None:
                continue
            person_id = UUID(mark["person"])
            if mark["here"]:
                self._readers[person_id] = _Reader(mark["name"], mark["role"], left_at=now)
            else:
                self._readers.pop(person_id, None)

    def present(self) -> PresenceChanged:
        """Who reads along now."""
        people = sorted((reader.name, reader.role) for reader in self._readers.values())
        return PresenceChanged(tuple(PersonPresent(name, role) for name, role in people))

    def join(self, person: Person) -> Note | None:
        """A window of theirs opened; a note, if they come new."""
        known = self._readers.get(person.id)
        if known is not None:
            known.windows += 1
            known.left_at = None
            return None
        role = next((role for role in STAFF if role in person.roles), "tutor")
        self._readers[person.id] = _Reader(person.name, role, windows=1)
        return self._note(person.id, here=True)

    def leave(self, person_id: UUID, now: float) -> None:
        """A window of theirs closed."""
        reader = self._readers[person_id]
        reader.windows -= 1
        if reader.windows == 0:
            reader.left_at = now

    def tick(self, now: float) -> list[Note]:
        """Who has been away for so long that they have gone."""
        gone = [one for one, reader in self._readers.items() if _due(reader, now)]
        notes = [self._note(person_id, here=False) for person_id in gone]
        for person_id in gone:
            del self._readers[person_id]
        return notes

    def deadline(self) -> float | None:
        """When to call `tick` again."""
        left = [reader.left_at for reader in self._readers.values() if reader.left_at is not None]
        return min(left) + BACK_WITHIN_S if left else None

    def _note(self, person_id: UUID, *, here: bool) -> Note:
        reader = self._readers[person_id]
        text = wording.reads_along(reader.name) if here else wording.stopped_reading(reader.name)
        mark = {
            "person": str(person_id),
            "name": reader.name,
            "role": reader.role,
            "here": here,
        }
        return Note(text, {_MARK: mark})


def _due(reader: _Reader, now: float) -> bool:
    return reader.left_at is not None and now >= reader.left_at + BACK_WITHIN_S
