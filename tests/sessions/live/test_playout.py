"""What was heard of a sentence whose sound comes in pieces."""

import pytest

from ai.audio import silence
from ai.events import Word
from sessions.live.playout import Playout


def streamed(*words: Word) -> Playout:
    """A sentence of 1.2 s in three pieces, and another one."""
    playout = Playout()
    playout.add("i", silence(400), "one two three four", words[:1], 1.0)
    playout.add("i", silence(400), "", words[1:2], 1.0)
    playout.add("i", silence(400), "", (), 1.0)
    playout.add("i", silence(400), "Five?", (), 1.0)
    playout.release(1.0)
    return playout


@pytest.mark.parametrize(
    ("heard_ms", "heard"),
    [
        (0, ""),
        (150, "one"),
        (600, "one two"),
        (1_200, "one two three four"),
        (1_600, "one two three four Five?"),
    ],
)
def test_later_pieces_belong_to_the_sentence_before(heard_ms: int, heard: str) -> None:
    played = streamed().cut_at("i", heard_ms, 1.0)
    assert played is not None and (played.heard, played.heard_ms) == (heard, heard_ms)


def test_words_of_later_pieces_count_from_where_they_begin() -> None:
    playout = streamed(Word("one", 0, 400), Word("two", 0, 100))
    played = playout.cut_at("i", 460, 1.0)
    assert played is not None and played.heard == "one two"
