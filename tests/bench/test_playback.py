"""What counts as a gap in the sound a student hears."""

from ai.audio import silence
from bench.playback import Playback

SECOND = silence(1_000)


def test_sound_that_comes_in_time_has_no_gap() -> None:
    playback = Playback()
    playback.add("a", SECOND, now=10.0)
    playback.add("a", SECOND, now=10.9)
    assert playback.gaps_ms == []
    assert playback.left_s(11.5) == 0.5
    assert playback.place(11.5) == ("a", 1_500)


def test_sound_that_comes_late_leaves_a_gap() -> None:
    playback = Playback()
    playback.add("a", SECOND, now=10.0)
    playback.add("a", SECOND, now=11.25)
    assert playback.gaps_ms == [250.0]
    assert playback.place(11.5) == ("a", 1_250)


def test_between_two_answers_silence_is_no_gap() -> None:
    playback = Playback()
    playback.add("a", SECOND, now=10.0)
    playback.add("b", SECOND, now=20.0)
    assert playback.gaps_ms == []


def test_a_pause_that_the_server_asked_for_is_no_gap() -> None:
    playback = Playback()
    playback.add("a", SECOND, now=10.0)
    playback.pause(10.5)
    assert playback.place(12.0) == ("a", 500)
    playback.resume(12.0)
    assert playback.place(12.25) == ("a", 750)
    playback.add("a", SECOND, now=12.4)
    assert playback.gaps_ms == []


def test_what_an_interruption_threw_away_was_not_heard() -> None:
    playback = Playback()
    playback.add("a", SECOND, now=10.0)
    playback.clear(10.25)
    assert playback.heard_ms == 250.0
    assert playback.left_s(10.25) == 0.0
