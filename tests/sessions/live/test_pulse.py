"""What must come out of a leg that lives, and when it counts as dead."""

import pytest

from ai.cascade import WORDS_WITHIN_MOST_S
from ai.engine import Ask, Patience, TurnDetection
from ai.events import (
    AnswerEnded,
    AnswerStarted,
    Failed,
    Kept,
    Progressed,
    SpeechConfirmed,
    SpeechDropped,
    SpeechStarted,
    SpeechStopped,
    Spoke,
    ToolCalled,
    Used,
)
from sessions.live.pulse import LOUD, QUIET, Pulse

ASK = Ask("a", "student", True)
PATIENCE = Patience(answer_s=6, turn_s=5, ears_s=8, told_s=2.5)


def asked(ask: Ask = ASK) -> Pulse:
    pulse = Pulse(PATIENCE)
    pulse.asked(ask, 100.0)
    return pulse


def test_who_asked_for_nothing_misses_nothing() -> None:
    pulse = Pulse(PATIENCE)
    assert pulse.missing(1e9) is None and pulse.deadline() is None and not pulse.slow(1e9)


def test_an_answer_that_does_not_come_is_told_and_then_missed() -> None:
    pulse = asked()
    assert pulse.deadline() == 102.5 and not pulse.slow(102.4)
    assert pulse.slow(102.5) and not pulse.slow(103), "once"
    assert pulse.deadline() == 106
    assert pulse.missing(105.9) is None and pulse.missing(106) == "answer_stalled"


@pytest.mark.parametrize(
    "event", [AnswerStarted("a"), Kept("a", {}), Progressed(1, "asking"), Spoke("a", "words only")]
)
def test_what_nobody_hears_is_no_answer(event: AnswerStarted) -> None:
    pulse = asked()
    pulse.reported(event, 105.0)
    assert pulse.missing(106) == "answer_stalled"


def test_each_sound_gives_it_more_time() -> None:
    pulse = asked()
    pulse.reported(Spoke("a", "yes", b"\0\0"), 105.0)
    assert pulse.missing(110.9) is None and pulse.missing(111) == "answer_stalled"
    pulse.reported(Spoke("old", "no", b"\0\0"), 110.0)
    assert pulse.missing(111) == "answer_stalled"


def test_where_text_is_asked_for_text_is_enough() -> None:
    pulse = asked(Ask("a", "student", False))
    pulse.reported(Spoke("a", "yes"), 105.0)
    assert pulse.missing(106) is None


@pytest.mark.parametrize("end", [AnswerEnded("a"), Failed("x", "", "a")])
def test_an_answer_that_is_over_is_waited_for_no_more(end: AnswerEnded) -> None:
    pulse = asked()
    pulse.reported(end, 101.0)
    assert pulse.missing(1e9) is None
    pulse = asked()
    pulse.cancelled("a")
    assert pulse.missing(1e9) is None


def test_while_tools_are_at_work_nobody_waits_for_the_engine() -> None:
    pulse = asked()
    pulse.reported(ToolCalled("a", "c1", "show", "{}"), 101.0)
    pulse.reported(ToolCalled("a", "c2", "show", "{}"), 101.0)
    pulse.gave(200.0)
    assert pulse.missing(1e9) is None and pulse.deadline() is None
    pulse.gave(300.0)
    assert pulse.missing(305.9) is None and pulse.missing(306) == "answer_stalled"


def test_a_turn_that_goes_on_in_silence_is_missed() -> None:
    pulse = Pulse(PATIENCE)
    pulse.reported(SpeechStarted("t", 0), 0)
    pulse.reported(SpeechConfirmed("t"), 0)
    assert not pulse.heard(LOUD, 9_000) and not pulse.heard(QUIET - 1, 4_900)
    assert not pulse.heard(QUIET, 100), "no silence"
    assert not pulse.heard(0, 4_900) and pulse.heard(0, 100)
    assert pulse.missing(0) == "turn_stalled"


@pytest.mark.parametrize("end", [SpeechStopped("t", 0), SpeechDropped("t")])
def test_a_turn_that_ended_may_be_followed_by_any_silence(end: SpeechStopped) -> None:
    pulse = Pulse(PATIENCE)
    pulse.reported(SpeechStarted("t", 0), 0)
    pulse.reported(end, 0)
    assert not pulse.heard(0, 1_000_000)
    pulse.reported(SpeechStarted("t", 0), 0)
    pulse.committed()
    assert not pulse.heard(0, 1_000_000)


def test_a_turn_longer_than_any_is_missed_even_where_it_is_loud() -> None:
    pulse = Pulse(PATIENCE)
    pulse.reported(SpeechStarted("t", 0), 0)
    assert pulse.heard(LOUD, 76_000)


def test_ears_that_notice_nothing_loud_are_deaf() -> None:
    pulse = Pulse(PATIENCE)
    for _ in range(79):
        assert not pulse.heard(LOUD, 100)
    assert pulse.heard(LOUD, 100) and pulse.missing(0) == "ears_stalled"
    assert 8_000 <= pulse.doubtful_ms <= 9_000


def test_any_sign_of_life_takes_the_doubt_away_but_what_is_told_by_the_meter() -> None:
    pulse = Pulse(PATIENCE)
    pulse.heard(LOUD, 7_900)
    pulse.reported(Used("audio_in_ms", 1), 0)
    assert pulse.heard(LOUD, 100)
    pulse.reported(SpeechStarted("t", 0), 0)
    pulse.reported(SpeechDropped("t"), 0)
    assert not pulse.heard(LOUD, 7_900)


def test_a_clap_now_and_then_is_no_speech() -> None:
    pulse = Pulse(PATIENCE)
    for _ in range(100):
        assert not pulse.heard(LOUD, 1_000)
        assert not pulse.heard(0, 6_000)


def test_ears_that_are_here_are_not_doubted() -> None:
    for pulse in (Pulse(Patience()), Pulse(PATIENCE, doubts_ears=False)):
        assert not pulse.listens and not pulse.heard(LOUD, 1_000_000)


def test_the_usual_patience_outlasts_the_slowest_parts() -> None:
    usual = Patience()
    assert usual.answer_s > WORDS_WITHIN_MOST_S + 8
    assert usual.turn_s > 10, "the most patience a plan may ask for"
    assert usual.ears_s is None and usual.told_s is None


@pytest.mark.parametrize(("silence_ms", "told_ms"), [(900, 2_500), (4_000, 5_000)])
def test_a_turn_whose_end_is_overdue_is_told(silence_ms: int, told_ms: int) -> None:
    pulse = Pulse(PATIENCE)
    pulse.detect(TurnDetection(silence_ms))
    pulse.reported(SpeechStarted("t", 0), 100.0)
    pulse.reported(SpeechConfirmed("t"), 100.0)
    pulse.heard(LOUD, 3_000)
    assert not pulse.heard(0, told_ms - 20) and not pulse.slow(103)
    assert pulse.heard(0, 20)
    assert pulse.slow(103) and not pulse.slow(103), "once"
    pulse.reported(SpeechStopped("t", 3_000), 106.0)
    pulse.asked(ASK, 106.0)
    assert not pulse.slow(109), "it is known by now"
    pulse.asked(ASK, 120.0)
    assert pulse.slow(123)


def test_a_turn_that_the_client_ends_may_be_quiet() -> None:
    pulse = Pulse(PATIENCE)
    pulse.detect(None)
    pulse.reported(SpeechStarted("t", 0), 100.0)
    assert not pulse.heard(0, 4_900) and not pulse.slow(105)
