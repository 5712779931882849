import pytest
from hypothesis import given
from hypothesis import strategies as st

from ai.engine import TurnDetection
from ai.turns import (
    ECHO_GUARD_MS,
    MAX_TURN_MS,
    PAUSE_MS,
    WINDOW_MS,
    Confirmed,
    Dropped,
    Ended,
    Paused,
    Resumed,
    Suspected,
    TurnDetector,
)

PATIENT = TurnDetection(silence_ms=900)
VOICE, BREATH, SILENCE = 0.97, 0.42, 0.02  # BREATH is between the two thresholds


class Student:
    """Feeds a detector stretches of voice and silence."""

    def __init__(self, detection=PATIENT, start_ms=0):
        self.detector = TurnDetector(detection)
        self.now_ms = start_ms
        self.facts = []

    def hears_tutor_for(self, ms):
        self.detector.playing(True)
        return self.is_quiet(ms)

    def speaks(self, ms, probability=VOICE):
        return self._feed(ms, probability)

    def is_quiet(self, ms):
        return self._feed(ms, SILENCE)

    def _feed(self, ms, probability):
        new = []
        for _ in range(round(ms / WINDOW_MS)):
            self.now_ms += WINDOW_MS
            new += [(type(fact), self.now_ms) for fact in self.hear(probability)]
        return [kind for kind, _ in new]

    def hear(self, probability):
        facts = self.detector.hear(probability, self.now_ms)
        self.facts += facts
        return facts

    def onset_of(self, kind, ms=2_000, probability=VOICE):
        """Milliseconds of voice until the first fact of a kind, or None."""
        start_ms = self.now_ms
        while self.now_ms < start_ms + ms:
            self.now_ms += WINDOW_MS
            if any(isinstance(fact, kind) for fact in self.hear(probability)):
                return self.now_ms - start_ms
        return None


def test_an_answer_is_suspected_confirmed_and_ended():
    student = Student()
    assert student.is_quiet(960) == []
    assert student.speaks(1_600) == [Suspected, Confirmed]
    assert student.is_quiet(960) == [Paused, Ended]
    assert student.facts == [
        Suspected(at_ms=960, from_ms=660),
        Confirmed(),
        Paused(at_ms=2_560),
        Ended(at_ms=2_560),
    ]


@pytest.mark.parametrize(
    ("hears_ms", "suspected_ms", "confirmed_ms"),
    [
        (0, 64, 192),
        (ECHO_GUARD_MS - 960, 128, 448),
        (ECHO_GUARD_MS + 960, 96, 288),
    ],
    ids=["tutor silent", "tutor heard for the first seconds", "tutor heard for long"],
)
def test_it_takes_more_voice_while_the_tutor_is_heard(hears_ms, suspected_ms, confirmed_ms):
    suspecting, confirming = Student(), Student()
    for student in (suspecting, confirming):
        if hears_ms:
            student.hears_tutor_for(hears_ms)
    assert suspecting.onset_of(Suspected) == suspected_ms
    assert confirming.onset_of(Confirmed) == confirmed_ms


@pytest.mark.parametrize(
    ("probability", "silent", "heard", "unlearnt"),
    [(0.45, False, False, False), (0.6, True, False, False), (0.7, True, True, False),
     (0.85, True, True, True)],
)  # fmt: skip
def test_voice_must_be_surer_while_the_tutor_is_heard(probability, silent, heard, unlearnt):
    for hears_ms, expected in ((0, silent), (ECHO_GUARD_MS + 960, heard), (960, unlearnt)):
        student = Student()
        if hears_ms:
            student.hears_tutor_for(hears_ms)
        assert (student.onset_of(Suspected, probability=probability) is not None) == expected


def test_that_the_tutor_pauses_for_a_suspicion_does_not_confirm_it():
    student = Student()
    student.hears_tutor_for(ECHO_GUARD_MS + 960)
    assert student.speaks(192) == [Suspected]
    student.detector.playing(False)
    assert student.speaks(64) == []
    assert student.is_quiet(320) == [Dropped]


@pytest.mark.parametrize("cough_ms", [64, 96, 128, 160])
def test_a_cough_is_dropped_and_leaves_no_trace(cough_ms):
    student = Student()
    assert student.speaks(cough_ms) == [Suspected]
    assert student.is_quiet(1_600) == [Dropped]
    assert student.speaks(640) == [Suspected, Confirmed]


def test_noise_that_comes_and_goes_is_dropped_in_time():
    student = Student()
    student.speaks(64)
    facts = []
    for _ in range(10):
        facts += student.is_quiet(96) + student.speaks(32)
    assert facts[0] is Dropped


def test_a_click_is_not_even_suspected():
    student = Student()
    for _ in range(20):
        assert student.speaks(WINDOW_MS) == []
        assert student.is_quiet(WINDOW_MS) == []


def test_speech_that_began_before_the_tutor_spoke_needs_no_more_proof():
    student = Student()
    student.speaks(640)
    student.detector.playing(True)
    assert student.is_quiet(960) == [Paused, Ended]


@pytest.mark.parametrize("gap_ms", [96, 160])
def test_a_gap_inside_a_word_is_not_a_pause(gap_ms):
    student = Student()
    student.speaks(640)
    assert student.is_quiet(gap_ms) == []
    assert student.speaks(640) == []


def test_a_student_who_thinks_keeps_the_turn():
    student = Student()
    student.speaks(640)
    assert student.is_quiet(800) == [Paused]
    assert student.speaks(640) == [Resumed]
    assert student.is_quiet(800) == [Paused]
    assert student.is_quiet(160) == [Ended]


def test_a_breath_keeps_what_was():
    student = Student()
    student.speaks(640)
    assert student.speaks(1_280, BREATH) == []  # voice trails off
    assert student.is_quiet(320) == [Paused]
    assert student.speaks(320, BREATH) == []  # but a breath in silence is silence
    assert student.is_quiet(320) == [Ended]


@pytest.mark.parametrize("patience_ms", [96, 320, 900, 3_000])
def test_patience_ends_a_turn(patience_ms):
    student = Student(TurnDetection(silence_ms=patience_ms))
    student.speaks(640)
    facts = student.is_quiet(patience_ms - WINDOW_MS)
    assert Ended not in facts
    assert (Paused in facts) == (patience_ms > PAUSE_MS)
    assert student.is_quiet(2 * WINDOW_MS)[-1] is Ended


def test_patience_may_change_while_a_student_thinks():
    student = Student()
    student.speaks(640)
    student.is_quiet(640)
    student.detector.detect(TurnDetection(silence_ms=2_000))
    assert student.is_quiet(1_280) == []
    assert student.is_quiet(160) == [Ended]


def test_no_turn_is_longer_than_a_minute():
    student = Student()
    facts = student.speaks(MAX_TURN_MS + 640)
    assert facts.count(Ended) == 1
    assert facts[-2:] == [Suspected, Confirmed]
    assert student.facts[2] == Ended(at_ms=student.facts[3].at_ms)


def test_a_turn_takes_no_sound_of_the_one_before():
    student = Student(TurnDetection(silence_ms=96))
    student.speaks(640)
    student.is_quiet(96)
    student.speaks(640)
    first, second = (fact for fact in student.facts if isinstance(fact, Suspected))
    assert first.from_ms == 0
    assert second.at_ms == 736 and second.from_ms == 736


def test_a_committed_turn_is_forgotten():
    student = Student()
    student.speaks(640)
    student.detector.forget(student.now_ms)
    assert student.is_quiet(2_000) == []
    student.speaks(640)
    assert student.facts[-2].from_ms == student.now_ms - 640 - 300


def test_a_client_that_commits_by_hand_is_told_nothing():
    student = Student(None)
    assert student.speaks(3_200) + student.is_quiet(3_200) == []
    student.detector.detect(PATIENT)
    assert student.speaks(640) == [Suspected, Confirmed]
    student.detector.detect(None)
    assert student.is_quiet(3_200) == []


def test_the_clock_may_begin_late():
    student = Student(start_ms=3_600_000)
    student.speaks(640)
    assert student.facts[0] == Suspected(at_ms=3_600_000, from_ms=3_599_700)


@given(
    st.lists(st.tuples(st.floats(0, 1), st.integers(1, 40), st.booleans()), max_size=60),
    st.integers(64, 2_000),
)
def test_facts_always_come_in_order(stretches, silence_ms):
    student = Student(TurnDetection(silence_ms=silence_ms))
    for probability, windows, playing in stretches:
        student.detector.playing(playing)
        student.speaks(windows * WINDOW_MS, probability)
    follows = {
        None: {Suspected},
        Suspected: {Confirmed, Dropped},
        Confirmed: {Paused, Ended},
        Paused: {Resumed, Ended},
        Resumed: {Paused, Ended},
        Dropped: {Suspected},
        Ended: {Suspected},
    }
    before = None
    for fact in student.facts:
        assert type(fact) in follows[before]
        before = type(fact)
