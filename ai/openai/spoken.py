"""What one answer says: text and sound that come apart, put together again. No I/O.

OpenAI sends the words of an answer ahead of its sound, and never says which belongs to which. Here
each piece of sound gets the words that are spoken in it by the pace of speech so far, so that a
transcript which is cut where the sound was cut is nearly right; and from what was heard in words it
is told in milliseconds what was heard, which is what the provider wants to know.
"""

import re
from dataclasses import dataclass, field

from ai.audio import BYTES_PER_MS

PACE = 15.0  # characters a second: 150 words of English a minute
SLOWEST, FASTEST = 3.0, 40.0
KNOWN_FROM_MS = 1_000  # shorter items say little of the pace
WORD = re.compile(r"\s*(?:[^\s。！？，、；：]*[。！？，、；：]|\S+(?=\s))")
"A word and what ends it: white space, or punctuation of languages that write without it."


class Pace:
    """How fast the tutor speaks, learnt from what was said."""

    def __init__(self) -> None:
        self.per_s = PACE

    def learn(self, characters: int, length_ms: int) -> None:
        if length_ms >= KNOWN_FROM_MS and characters:
            now = min(FASTEST, max(SLOWEST, characters * 1000 / length_ms))
            self.per_s = (self.per_s + now) / 2


@dataclass(frozen=True, slots=True)
class Piece:
    """Words and the sound in which they are spoken; either may be empty."""

    text: str
    pcm: bytes


@dataclass(frozen=True, slots=True)
class Cut:
    """So much was heard of an item; 0: nothing."""

    item: str
    heard_ms: int


@dataclass(slots=True)
class _Item:
    """One message of an answer, as far as it came."""

    name: str
    text: str = ""
    "That has come and was not told yet."
    told: int = 0
    "How many characters were."
    half: bytes = b""
    "Of a sample that came in two."
    received: int = 0
    "Bytes of sound."
    said: bool = False

    @property
    def length_ms(self) -> int:
        return self.received // BYTES_PER_MS


@dataclass(slots=True)
class _Mark:
    """Where words that were told sound."""

    item: _Item
    end: int
    "Of the words within all that was told."
    start_ms: int
    end_ms: int


@dataclass(slots=True)
class Spoken:
    """One answer, in one or several items."""

    pace: Pace
    sound: bool = True
    "False: only its words are wanted."
    _items: dict[str, _Item] = field(default_factory=dict)
    _marks: list[_Mark] = field(default_factory=list)
    _told: int = 0

    @property
    def empty(self) -> bool:
        """Nothing has come of it."""
        return not any(item.received or item.told or item.text for item in self._items.values())

    @property
    def length_ms(self) -> int:
        """Sound that has come."""
        return sum(item.length_ms for item in self._items.values())

    def came(self, item: str) -> bool:
        """Whether any sound or words of this item were told."""
        known = self._items.get(item)
        return known is not None and bool(known.received or known.told)

    def words(self, name: str, text: str) -> Piece | None:
        """More words; told at once only where no sound is to come."""
        item = self._item(name)
        item.text += text
        return None if self.sound else self._piece(item, len(item.text), b"")

    def heard(self, name: str, pcm: bytes) -> Piece | None:
        """More sound, of whatever length."""
        if not self.sound:
            return None
        item = self._item(name)
        if item.half or len(pcm) % 2:
            pcm = item.half + pcm
            whole = len(pcm) & ~1
            pcm, item.half = pcm[:whole], pcm[whole:]
        if not pcm:
            return None
        item.received += len(pcm)
        due = int(item.received / BYTES_PER_MS * self.pace.per_s / 1000) - item.told
        return self._piece(item, due, pcm)

    def ended(self, name: str) -> Piece | None:
        """No more of this item: what is left of its words."""
        item = self._items.get(name)
        if item is None or item.said:
            return None
        item.said = True
        if self.sound:
            self.pace.learn(item.told + len(item.text), item.length_ms)
        rest, item.text = item.text.strip(), ""
        return self._tell(item, rest, b"", item.length_ms) if rest else None

    def all_ended(self) -> list[Piece]:
        """The same for all items."""
        pieces = [self.ended(name) for name in self._items]
        return [piece for piece in pieces if piece is not None]

    def cut(self, heard: str) -> list[Cut]:
        """What was heard of each item that was not heard to its end, or has none yet.

        Args:
            heard: The beginning of all that was told, joined by spaces.
        """
        reach = len(heard.rstrip())
        if reach >= self._told:
            return [
                Cut(item.name, item.length_ms)
                for item in self._items.values()
                if item.received and not item.said
            ]
        heard_ms: dict[str, int] = dict.fromkeys(self._items, 0)
        start = 0
        for mark in self._marks:
            if reach >= mark.end:
                heard_ms[mark.item.name] = mark.end_ms
            elif reach > start:
                share = (reach - start) / (mark.end - start)
                at = mark.start_ms + round(share * (mark.end_ms - mark.start_ms))
                heard_ms[mark.item.name] = at
            start = mark.end
        self._end_early(heard_ms, reach)
        return [
            Cut(item.name, min(heard_ms[item.name], item.length_ms))
            for item in self._items.values()
            if item.received and (heard_ms[item.name] < item.length_ms or not item.said)
        ]

    def _end_early(self, heard_ms: dict[str, int], reach: int) -> None:
        """Words that came after all the sound were in it: by their share, not at its end."""
        start = 0
        for place, mark in enumerate(self._marks):
            item, last = mark.item, place + 1 == len(self._marks)
            if last or self._marks[place + 1].item is not item:
                if start < reach < mark.end and heard_ms[item.name] >= item.length_ms:
                    share = (reach - start) / (mark.end - start)
                    heard_ms[item.name] = round(share * item.length_ms)
                start = mark.end

    def _item(self, name: str) -> _Item:
        item = self._items.get(name)
        if item is None:
            item = self._items[name] = _Item(name)
        return item

    def _piece(self, item: _Item, due: int, pcm: bytes) -> Piece | None:
        """Sound with the whole words that have begun by `due` characters on."""
        end = 0
        for word in WORD.finditer(item.text):
            if word.start() > due or word.start() != end:
                break
            end = word.end()
        text, item.text = item.text[:end], item.text[end:]
        item.told += len(text)
        text = text.strip()
        if not text and not pcm:
            return None
        return self._tell(item, text, pcm, item.length_ms - len(pcm) // BYTES_PER_MS)

    def _tell(self, item: _Item, text: str, pcm: bytes, start_ms: int) -> Piece:
        if text:
            self._told += len(text) + (1 if self._told else 0)
            self._marks.append(_Mark(item, self._told, start_ms, item.length_ms))
        elif self._marks and self._marks[-1].item is item:
            self._marks[-1].end_ms = item.length_ms  # the last word goes on
        return Piece(text, pcm)
