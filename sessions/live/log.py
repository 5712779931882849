"""The items of one session in memory: ids, order, and what is already saved."""

import hashlib
from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator
from dataclasses import replace

from sessions.record.model import Heard, Item


def fingerprint(text: str | None, pcm: bytes | None) -> str:
    """What makes two items with the same id the same item."""
    content = b"t" + text.encode() if text is not None else b"a" + (pcm or b"")
    return hashlib.sha256(content).hexdigest()[:32]


class Log:
    """Items by id and in conversation order. A position is taken when speech starts."""

    def __init__(self, items: Iterable[Item] = ()) -> None:
        self._items = {item.id: item for item in items}
        self._order = sorted((item.position, item.id) for item in self._items.values())
        self._saved = set(self._items)
        self._next = self._order[-1][0] + 1 if self._order else 1

    def __len__(self) -> int:
        return len(self._items)

    def __contains__(self, item_id: str) -> bool:
        return item_id in self._items

    def __iter__(self) -> Iterator[Item]:
        """In conversation order."""
        return (self._items[item_id] for _, item_id in self._order)

    def get(self, item_id: str) -> Item | None:
        return self._items.get(item_id)

    def last(self) -> Item | None:
        return self._items[self._order[-1][1]] if self._order else None

    def take_position(self) -> int:
        self._next += 1
        return self._next - 1

    def add(self, item: Item) -> None:
        self._items[item.id] = item
        insort(self._order, (item.position, item.id))

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
        """The id of the item before this one in the conversation."""
        index = bisect_left(self._order, (item.position, ""))
        return self._order[index - 1][1] if index else None

    def after(self, item_id: str | None) -> tuple[list[Item], bool]:
        """Items after one, and whether that is the whole conversation."""
        items = list(self)
        for index, item in enumerate(items):
            if item.id == item_id:
                return items[index + 1 :], False
        return items, True

    def mark_saved(self, item_ids: Iterable[str]) -> list[Item]:
        """Note what is in the database; tells which items that is news of."""
        news = [item_id for item_id in item_ids if item_id not in self._saved]
        self._saved.update(news)
        return [self._items[item_id] for item_id in news if item_id in self._items]

    def is_saved(self, item_id: str) -> bool:
        return item_id in self._saved
