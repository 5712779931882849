"""The items of one session in memory: ids, order, and what is already saved."""

import hashlib
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import replace

from ai.engine import Utterance
from sessions.live import wording
from sessions.live.audience import is_note
from sessions.record.model import Heard, Item, tool_of
from sessions.review.override import Override, resolve
from sessions.review.readings import Reading, of_item


def fingerprint(text: str | None, pcm: bytes | None) -> str:
    """What makes two items with the same id the same item."""
    content = b"t" + text.encode() if text is not None else b"a" + (pcm or b"")
    return hashlib.sha256(content).hexdigest()[:32]


class Log:
    """Items by id and in conversation order. Speech takes its place before it is an item.

    They are kept as they were recorded; `read` and `memory` give them as they are read now.
    """

    def __init__(self, items: Iterable[Item] = (), overrides: Iterable[Override] = ()) -> None:
        self._items = {item.id: item for item in items}
        self._places = sorted((item.position, item.id) for item in self._items.values())
        self._saved = {item_id: number for number, (_, item_id) in enumerate(self._places)}
        "Item -> how many were saved before it."
        self._next = self._places[-1][0] + 1 if self._places else 1
        self.unsaved = 0
        "Items on their way to the database."
        self._corrections = resolve(overrides)

    def __len__(self) -> int:
        return len(self._items)

    def __contains__(self, item_id: str) -> bool:
        return item_id in self._items

    def __iter__(self) -> Iterator[Item]:
        """In conversation order."""
        return (self._items[item_id] for _, item_id in self._places if item_id in self._items)

    def get(self, item_id: str) -> Item | None:
        return self._items.get(item_id)

    def last_said(self) -> Item | None:
        """The last that a person or the tutor said; a note of the system is nobody's turn."""
        places = (self._items.get(item_id) for _, item_id in reversed(self._places))
        return next((item for item in places if item and item.role != "system"), None)

    def correct(self, overrides: Iterable[Override]) -> None:
        """From now on these published corrections are in force."""
        self._corrections = resolve(overrides)

    def read(self, item: Item) -> Reading:
        """An item as it is read now."""
        return of_item(item, self._corrections)

    def memory(self) -> list[Utterance]:
        """The conversation as an engine remembers it; of the tutor's words, those heard.

        Who reads along is no part of it: nothing in a lesson depends on that. Nor are the tools
        it used: what came of them is in its words, and in what is kept beside them.
        """
        return [
            utterance
            for item in self
            if not is_note(item) and tool_of(item) is None
            for utterance in _utterances(self.read(item))
        ]

    def last_place(self) -> int:
        """The last place that was taken; 0 where there is none."""
        return self._next - 1

    def last_turn(self) -> int:
        """The place of the student's last turn; -1 where there is none."""
        for position, item_id in reversed(self._places):
            item = self._items.get(item_id)
            if item is not None and item.role == "user":
                return position
        return -1

    def take_place(self, item_id: str) -> int:
        """The next place in the conversation is this item's; it may come later."""
        self._places.append((self._next, item_id))
        self._next += 1
        return self._next - 1

    def leave_place(self, item_id: str) -> None:
        """What had taken a place never became an item."""
        self._places = [place for place in self._places if place[1] != item_id]

    def add(self, item: Item) -> None:
        """The item of a place that was taken."""
        self._items[item.id] = item

    def change(self, item: Item) -> Item:
        """Replace an item by a later state of itself."""
        self._items[item.id] = item
        return item

    def hear(self, heard: Heard) -> None:
        """Note what reached the student of an item."""
        item = self._items.get(heard.item_id)
        if item is not None:
            self._items[item.id] = replace(
                item, heard=heard.heard, heard_ms=heard.heard_ms, interrupted=heard.interrupted
            )

    def previous(self, item: Item) -> str | None:
        """The id of the item before this one in the conversation, there already or on its way."""
        index = bisect_left(self._places, (item.position, ""))
        return self._places[index - 1][1] if index else None

    def after(self, item_id: str | None) -> tuple[list[Item], bool]:
        """What a client that has this item may lack, and whether that is the whole conversation.

        That is what follows the item, and what stands before it but was not saved earlier.
        """
        known = self._items.get(item_id) if item_id is not None else None
        if known is None:
            return list(self), True
        never = len(self._saved)
        saved = self._saved.get(known.id, never)
        lacked = [
            item
            for item in self
            if item.position > known.position or self._saved.get(item.id, never) > saved
        ]
        return lacked, False

    def mark_saved(self, item_ids: Iterable[str]) -> list[Item]:
        """Note what is in the database; tells which items that is news of."""
        news = [item_id for item_id in item_ids if item_id not in self._saved]
        for item_id in news:
            self._saved[item_id] = len(self._saved)
        self.unsaved -= len(news)
        return [self._items[item_id] for item_id in news if item_id in self._items]

    def is_saved(self, item_id: str) -> bool:
        return item_id in self._saved


def _utterances(reading: Reading) -> Iterator[Utterance]:
    item = reading.item
    if not item.said or item.heard == "":
        return
    if reading.original.said != item.said and item.role == "assistant":
        item = replace(item, heard=None)  # what was heard of the right words, nobody knows
    yield _utterance(item)
    if reading.answer is not None:
        yield Utterance("system", wording.CORRECTED.format(reading.answer.new.text))


def _utterance(item: Item) -> Utterance:
    if item.role == "assistant":
        text = item.heard if item.heard is not None else (item.said or "")
        return Utterance("tutor", text, item.data.get("engine", {}))
    if item.role == "user":
        return Utterance("student", item.said or "", {"sure": item.data.get("sure", True)})
    if item.data.get("asked_for_person"):
        # Why, are the student's own words: with a system's voice they could give orders.
        return Utterance("system", wording.STUDENT_ASKED)
    return Utterance("system", item.said or "")
