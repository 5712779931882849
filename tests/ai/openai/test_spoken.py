"""Words and sound that come apart are told together, and what was heard is told in time."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ai.audio import silence
from ai.openai.spoken import Cut, Pace, Piece, Spoken

TEXT = "A half and two quarters are the same amount, because both fill the same part."


def told(pieces: list[Piece | None]) -> str:
    return " ".join(piece.text for piece in pieces if piece is not None and piece.text)


def say(spoken: Spoken, item: str, text: str, ms: int) -> list[Piece | None]:
    """Words first, then the sound in tenths of seconds."""
    pieces = [spoken.words(item, text)]
    pieces += [spoken.heard(item, silence(100)) for _ in range(ms // 100)]
    return [*pieces, spoken.ended(item)]


def test_words_come_with_the_sound_in_which_they_are_spoken() -> None:
    spoken = Spoken(Pace())
    assert spoken.words("i", TEXT) is None
    first = [spoken.heard("i", silence(100)) for _ in range(20)]  # 2 s, some 30 characters
    assert told(first) == "A half and two quarters are the"
    rest = [spoken.heard("i", silence(100)) for _ in range(40)]
    assert told(first + rest + [spoken.ended("i")]) == TEXT
    assert spoken.ended("i") is None


def test_words_that_come_after_their_sound_are_told_with_the_next() -> None:
    spoken = Spoken(Pace())
    assert spoken.heard("i", silence(2_000)) == Piece("", silence(2_000))
    assert spoken.words("i", "A half and ") is None
    assert spoken.heard("i", silence(100)) == Piece("A half and", silence(100))


def test_a_word_is_never_told_in_two() -> None:
    spoken = Spoken(Pace())
    spoken.words("i", "numer")
    assert spoken.heard("i", silence(3_000)) == Piece("", silence(3_000))
    spoken.words("i", "ator is")
    assert spoken.heard("i", silence(20)) == Piece("numerator", silence(20))
    assert spoken.ended("i") == Piece("is", b"")


def test_languages_without_spaces_are_told_by_their_punctuation() -> None:
    spoken = Spoken(Pace())
    spoken.words("i", "二分之一等于四分之二。你说对")
    assert spoken.heard("i", silence(3_000)) == Piece("二分之一等于四分之二。", silence(3_000))
    assert spoken.ended("i") == Piece("你说对", b"")


def test_text_alone_is_told_as_it_comes() -> None:
    spoken = Spoken(Pace(), sound=False)
    assert spoken.words("i", "A half ") == Piece("A half", b"")
    assert spoken.words("i", "an") is None
    assert spoken.heard("i", silence(100)) is None
    assert spoken.ended("i") == Piece("an", b"")
    assert spoken.cut("A") == []


def test_the_pace_is_learnt() -> None:
    pace = Pace()
    say(Spoken(pace), "i", TEXT, 2_500)
    assert pace.per_s == pytest.approx((15 + len(TEXT) / 2.5) / 2)


def test_half_a_sample_waits_for_the_other() -> None:
    spoken = Spoken(Pace())
    assert spoken.heard("i", b"\1") is None
    assert spoken.heard("i", b"\2\3") == Piece("", b"\1\2")
    assert spoken.heard("i", b"\4") == Piece("", b"\3\4")


def test_what_was_heard_is_told_in_time() -> None:
    spoken = Spoken(Pace())
    pieces = say(spoken, "i", TEXT, 6_000)
    assert told(pieces) == TEXT
    [cut] = spoken.cut("A half and two quarters")
    assert cut.item == "i"
    assert 1_300 <= cut.heard_ms <= 1_800
    assert spoken.cut(TEXT) == []
    assert spoken.cut("") == [Cut("i", 0)]


def test_a_last_word_that_was_not_heard_is_cut_off_though_it_came_after_the_sound() -> None:
    spoken = Spoken(Pace())
    whole = told(say(spoken, "i", "Hello! Which part is two of four?", 2_400))
    [cut] = spoken.cut(whole.removesuffix(" four?"))
    assert 1_700 < cut.heard_ms < 2_200


def test_of_a_cut_answer_that_goes_on_everything_is_cut() -> None:
    spoken = Spoken(Pace())
    spoken.words("i", TEXT)
    heard = told([spoken.heard("i", silence(1_000))])
    assert spoken.cut(heard) == [Cut("i", 1_000)]


def test_items_after_the_cut_were_not_heard() -> None:
    spoken = Spoken(Pace())
    first = told(say(spoken, "i", "One moment, please.", 1_500))
    second = told(say(spoken, "j", TEXT, 5_000))
    assert spoken.cut(first) == [Cut("j", 0)]
    [cut] = spoken.cut(f"{first} A half and two")
    assert cut.item == "j"
    assert 800 < cut.heard_ms < 1_400
    assert spoken.cut(f"{first} {second}") == []


@given(
    st.lists(st.tuples(st.text(max_size=8), st.integers(0, 700)), max_size=20), st.integers(0, 99)
)
def test_nothing_is_lost_and_no_cut_is_beyond_the_sound(
    deltas: list[tuple[str, int]], share: int
) -> None:
    spoken = Spoken(Pace())
    pieces: list[Piece | None] = []
    for text, count in deltas:
        pieces += [spoken.words("i", text), spoken.heard("i", bytes(count))]
    pieces.append(spoken.ended("i"))
    whole = told(pieces)
    assert "".join(whole.split()) == "".join("".join(text for text, _ in deltas).split())
    sound = b"".join(piece.pcm for piece in pieces if piece is not None)
    assert len(sound) == sum(count for _, count in deltas) // 2 * 2
    for cut in spoken.cut(whole[: len(whole) * share // 100]):
        assert 0 <= cut.heard_ms <= len(sound) // 48
