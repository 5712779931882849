"""Lays the words of a sentence along its sound as that arrives. No I/O.

Nova says first what it is about to say, and sends the sound afterwards, piece by piece. How long
the sentence will be is not known before its end, so words are given out by the pace at which this
voice has spoken so far: what a student heard of an interrupted answer is then right to a word or
two.
"""

from ai.audio import BYTES_PER_MS, duration_ms
from ai.events import Word

MS_PER_CHARACTER = (
    62.0  # some 16 characters a second, as Nova's voices speak before one knows better
)
PIECE_BYTES = 100 * BYTES_PER_MS  # what is sent to a student in one piece; smaller is only dearer

Paced = tuple[str, bytes, tuple[Word, ...]]
"Text, its sound, and when its words sound within that."


class Pacer:
    """The words and the sound of one voice."""

    def __init__(self) -> None:
        self._rate = MS_PER_CHARACTER
        self.begin()

    def begin(self) -> None:
        """Another answer: its first sound goes out at once."""
        self._words: list[str] = []
        self._sound = bytearray()
        self._first = True
        self._block_ms = self._characters = 0

    def text(self, text: str) -> None:
        """What is about to be said."""
        self._words += text.split()

    def sound(self, pcm: bytes) -> list[Paced]:
        """Some of the sound."""
        self._sound += pcm
        if not self._first and len(self._sound) < PIECE_BYTES:
            return []
        self._first = False
        return [self._give()] if self._sound else []

    def finish(self) -> list[Paced]:
        """The sound of what was to be said is complete."""
        left = self._give(all_words=True) if self._words or self._sound else None
        if self._characters and self._block_ms:
            self._rate = (self._rate + self._block_ms / self._characters) / 2
        self._block_ms = self._characters = 0
        return [left] if left is not None else []

    def _give(self, *, all_words: bool = False) -> Paced:
        pcm = bytes(self._sound)
        self._sound.clear()
        began_ms = self._block_ms
        self._block_ms += duration_ms(pcm)
        timed: list[Word] = []
        for word in self._words:
            start_ms = self._characters * self._rate
            if start_ms >= self._block_ms and not all_words:
                break
            self._characters += len(word) + 1
            start = min(max(0, round(start_ms) - began_ms), duration_ms(pcm))
            end = max(start, round(self._characters * self._rate) - began_ms)
            timed.append(Word(word, start, end))
        del self._words[: len(timed)]
        return " ".join(word.text for word in timed), pcm, tuple(timed)
