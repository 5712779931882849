"""The audio that is kept for another leg, and what legs call things."""

from hypothesis import given
from hypothesis import strategies as st

from ai.audio import BYTES_PER_MS
from ai.events import SpeechStarted, ToolCalled, Transcribed
from sessions.live.names import Names
from sessions.live.ring import Ring, is_silent, peak


def ms(value: int, length: int = 1) -> bytes:
    """Audio of one value, so many milliseconds long."""
    return value.to_bytes(2, "little", signed=True) * (24 * length)


def test_the_latest_is_given_in_the_pieces_in_which_it_came() -> None:
    ring = Ring()
    for value in range(10):
        ring.add(ms(value, 20))
    assert ring.latest(40) == [ms(8, 20), ms(9, 20)]
    assert ring.latest(50) == [ms(7, 10), ms(8, 20), ms(9, 20)]
    assert ring.latest(0) == [] and b"".join(ring.latest(10_000)) == b"".join(
        ms(value, 20) for value in range(10)
    )


def test_a_stretch_of_it() -> None:
    ring = Ring()
    for value in range(10):
        ring.add(ms(value, 20))
    assert ring.between(60, 20) == ms(7, 20) + ms(8, 20)
    assert ring.between(20, 60) == b""


def test_what_is_older_is_forgotten() -> None:
    ring = Ring()
    for value in range(10):
        ring.add(ms(value, 20))
    ring.keep(50)
    assert 50 <= ring.length_ms < 70
    ring.keep(0)
    assert ring.length_ms == 0 and ring.latest(100) == []


def test_when_it_is_full_the_oldest_goes_and_is_counted() -> None:
    ring = Ring(most_ms=100)
    for value in range(10):
        ring.add(ms(value, 20))
    assert ring.length_ms == 100 and ring.lost_ms == 100
    assert ring.latest(1_000)[0] == ms(5, 20)


@given(st.lists(st.integers(1, 400)), st.integers(0, 300), st.integers(0, 300))
def test_pieces_of_any_length_are_one_stream(
    lengths: list[int], start_ms: int, end_ms: int
) -> None:
    ring, whole = Ring(), b""
    for index, length in enumerate(lengths):
        piece = bytes((index + at) % 251 for at in range(2 * length))
        whole += piece
        ring.add(piece)
    start = max(0, len(whole) - start_ms * BYTES_PER_MS)
    assert b"".join(ring.latest(start_ms)) == whole[start:]
    end = max(start, len(whole) - end_ms * BYTES_PER_MS)
    assert ring.between(start_ms, end_ms) == whole[start:end]


def test_loudness_is_that_of_the_loudest() -> None:
    assert peak(ms(0) + ms(900) + ms(-3_000)) == 900
    assert peak(b"") == 0 and peak(b"\x01") == 0


def test_two_legs_may_call_different_turns_the_same() -> None:
    first, second = Names(1), Names(2)
    events = [names.ours(SpeechStarted("turn_1", 0)) for names in (first, second)]
    assert events == [SpeechStarted("1.turn_1", 0), SpeechStarted("2.turn_1", 0)]
    assert second.theirs("2.turn_1") == "turn_1"
    assert second.ours(ToolCalled("a", "c1", "show", "{}")) == ToolCalled("a", "2.c1", "show", "{}")
    assert second.knows("2.c1") and not second.knows("1.c1")


def test_a_turn_that_a_leg_was_given_keeps_its_name() -> None:
    names = Names(2)
    assert names.theirs("1.turn_1") == "1.turn_1"
    assert names.ours(Transcribed("1.turn_1", "half")) == Transcribed("1.turn_1", "half")
    assert names.ours(Transcribed("turn_1", "half")) == Transcribed("2.turn_1", "half")


def test_zeros_and_what_a_codec_makes_of_them_are_silent() -> None:
    assert is_silent(b"") and is_silent(ms(0, 20)) and is_silent(ms(1, 10) + ms(-1, 10) + b"\0")
    assert not is_silent(ms(2, 20)) and not is_silent(ms(-2, 20))
    assert not is_silent(ms(0, 20) + ms(0)[:14] + b"\x02\0" + ms(0)), "a glance alone can't tell"
