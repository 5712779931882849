import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.rtc.opus import SILENCE
from server.rtc.receiving import (
    AHEAD_MS,
    CONCEALED_MS,
    ENDLESS_MS,
    LONGEST_WAIT_MS,
    MOST_HELD,
    SHORTEST_WAIT_MS,
    STEP_MS,
    Arrived,
    Began,
    Concealed,
    Quiet,
    Receiving,
    Recovered,
)

FRAME_S = 0.02
TICKS = 960


def speech(number):
    """A packet of 20 ms (SILK, wideband) that tells its number."""
    return b"\x48" + number.to_bytes(4, "big")


def number_of(payload):
    return int.from_bytes(payload[1:], "big")


class Ear:
    """A `Receiving` that is woken at its deadlines; keeps what it gave."""

    def __init__(self, sequence=0, timestamp=0, ssrc=7, now=100.0):
        self.receiving = Receiving()
        self.sequence, self.timestamp, self.ssrc = sequence, timestamp, ssrc
        self.began = self.now = now
        self.sounds = []
        self.most_held = 0

    def knows_a_good_network(self):
        """As after ten seconds without a late packet."""
        self.receiving._late_s = 0.0
        return self

    def until(self, now):
        while (due := self.receiving.deadline) is not None and due <= now:
            before = due
            self.sounds += self.receiving.tick(due)
            after = self.receiving.deadline
            assert after is None or after > before, "it must not be woken in vain for ever"
        self.now = max(now, self.now)

    def arrives(self, number, now, *, payload=None, at=None, ssrc=None):
        """The packet of a frame, that began to be said `at` frames after the first."""
        self.until(now)
        at = number if at is None else at
        payload = speech(number) if payload is None else payload
        sounds = self.receiving.add(
            (self.sequence + number) & 0xFFFF,
            (self.timestamp + round(at * TICKS)) & 0xFFFFFFFF,
            payload,
            self.ssrc if ssrc is None else ssrc,
            now,
        )
        self.sounds += sounds
        self.most_held = max(self.most_held, self.receiving.held)
        return sounds

    @property
    def numbers(self):
        return [number_of(one.payload) for one in self.sounds if isinstance(one, Arrived)]

    @property
    def ms(self):
        """How much sound there was."""
        return sum(length(one) for one in self.sounds)


def length(sound):
    match sound:
        case Arrived():
            return 20
        case Began():
            return 0
        case _:
            return sound.ms


# In order, and not.


def test_packets_in_their_turn_are_released_at_once():
    ear = Ear()
    for number in range(100):
        sounds = ear.arrives(number, 100 + number * FRAME_S)
        assert sounds[-1] == Arrived(speech(number))
    assert ear.sounds[0] == Began()
    assert len(ear.sounds) == 101


def test_two_that_changed_places_change_back_and_nothing_is_lost():
    ear = Ear()
    for number, now in ((0, 100), (2, 100.021), (1, 100.022), (3, 100.06)):
        ear.arrives(number, now)
    assert ear.numbers == [0, 1, 2, 3]
    assert ear.receiving.counts.lost == 0


def test_what_comes_twice_or_too_late_is_dropped():
    ear = Ear()
    for number, now in ((0, 100), (0, 100.001), (2, 100.04), (2, 100.041)):
        ear.arrives(number, now)
    ear.until(100.3)
    ear.arrives(1, 100.3)
    assert ear.numbers == [0, 2]
    assert ear.receiving.counts.late == 3
    assert ear.receiving.counts.lost == 1


# Lost.


def test_one_lost_packet_is_recovered_from_the_next_after_the_shortest_wait():
    ear = Ear().knows_a_good_network()
    ear.arrives(0, 100)
    assert ear.arrives(2, 100.04) == []
    assert ear.receiving.deadline == pytest.approx(100.04 + SHORTEST_WAIT_MS / 1000)
    ear.until(100.0601)
    assert ear.sounds[2:] == [Recovered(speech(2), 20), Arrived(speech(2))]


def test_of_more_the_last_is_recovered_and_at_most_100_ms_are_made_up():
    ear = Ear()
    ear.arrives(0, 100)
    ear.receiving._late_s = 0.2  # a network on which one has patience
    ear.arrives(9, 100.18)
    ear.until(100.5)
    assert ear.sounds[2:6] == [
        Concealed(CONCEALED_MS), Quiet(40), Recovered(speech(9), 20), Arrived(speech(9)),
    ]  # fmt: skip
    assert ear.receiving.counts.lost == 8


def test_the_more_packets_jitter_the_longer_a_gap_waits_within_bounds():
    chance = random.Random(3)
    waits = {}
    for jitter_s in (0.0, 0.1, 0.5):
        ear = Ear()
        for number in range(600):
            ear.arrives(number, max(ear.now, 100 + number * FRAME_S + chance.random() * jitter_s))
        waits[jitter_s] = ear.receiving.wait_ms
    assert waits[0.0] == SHORTEST_WAIT_MS
    assert 85 <= waits[0.1] <= 115
    assert waits[0.5] == LONGEST_WAIT_MS


def test_a_network_that_got_better_is_believed_after_some_seconds():
    ear = Ear()
    for number in range(1_000):
        late_s = 0.15 if number == 100 else 0.0
        ear.arrives(number, max(ear.now, 100 + number * FRAME_S + late_s))
    assert ear.receiving.wait_ms == SHORTEST_WAIT_MS


def test_a_slower_route_is_no_lateness_for_long():
    ear = Ear()
    for number in range(2_500):
        ear.arrives(number, 100 + number * FRAME_S + (0.3 if number > 500 else 0.0))
    assert ear.receiving.wait_ms < 30


# Silence.


def test_silence_that_the_sender_announced_goes_on_in_real_time():
    ear = Ear().knows_a_good_network()
    ear.arrives(0, 100)
    ear.arrives(1, 100.02, payload=SILENCE)
    ear.until(100.4)
    waited_ms = SHORTEST_WAIT_MS + STEP_MS
    assert 400 - waited_ms <= ear.ms <= 400
    assert {type(one) for one in ear.sounds[2:]} == {Quiet}
    ear.arrives(2, 100.42, payload=SILENCE, at=21)
    assert ear.ms == 440
    ear.arrives(3, 101.0, at=50)
    assert ear.ms == 51 * 20
    assert ear.receiving.counts.lost == ear.receiving.counts.concealed_ms == 0


def test_a_jump_of_the_timestamp_alone_is_silence_not_loss():
    ear = Ear()
    ear.arrives(0, 100)
    ear.arrives(1, 100.05, at=3)
    assert ear.sounds[2:] == [Quiet(40), Arrived(speech(1))]


def test_where_nothing_comes_sound_is_made_up_and_then_silence_until_nobody_waits_for_it():
    ear = Ear()
    for number in range(10):
        ear.arrives(number, 100 + number * FRAME_S)
    ear.until(160)
    made_up = sum(one.ms for one in ear.sounds if isinstance(one, Concealed))
    assert made_up == CONCEALED_MS
    assert isinstance(ear.sounds[-1], Quiet)
    assert ENDLESS_MS <= ear.ms - 200 <= ENDLESS_MS + STEP_MS
    assert ear.receiving.deadline is None


def test_a_stall_costs_no_word():
    """Everything for 600 ms comes in one burst: all of it is heard, and paid back in silence."""
    ear = Ear()
    for number in range(50):
        ear.arrives(number, 100 + number * FRAME_S)
    for number in range(50, 80):
        ear.arrives(number, 101.6)
    assert ear.numbers == list(range(80))
    ahead_ms = ear.receiving.ahead_ms
    assert 450 <= ahead_ms <= 600
    assert ear.ms == 80 * 20 + ahead_ms
    ear.arrives(80, 101.62, payload=SILENCE)
    for number in range(81, 100):
        ear.arrives(
            number, 101.62 + (number - 80) * 0.4, payload=SILENCE, at=80 + 20 * (number - 80)
        )
    assert ear.receiving.ahead_ms == 0
    assert ear.ms == (80 + 20 * 19 + 1) * 20


def test_of_a_long_stall_too_all_is_heard():
    ear = Ear()
    for number in range(50):
        ear.arrives(number, 100 + number * FRAME_S)
    for number in range(50, 250):
        ear.arrives(number, 105)
    assert ear.numbers == list(range(250))
    assert ear.receiving.ahead_ms <= AHEAD_MS


@pytest.mark.parametrize("pause_s", [0.5, 0.9, 1.5, 3.0, 9.0, 60.0])
def test_a_sender_whose_clock_stands_still_in_its_pauses_is_heard_whole(pause_s):
    """As Chromium's, whose track is taken off and put back: hold-to-talk, or a muted microphone."""
    ear = Ear()
    now, number = 100.0, 0
    for _ in range(8):
        for _ in range(100):
            ear.arrives(number, now)
            number += 1
            now += FRAME_S
        now += pause_s
    assert ear.numbers == list(range(800))
    assert ear.receiving.counts.late == ear.receiving.counts.lost == 0
    silence_ms = sum(one.ms for one in ear.sounds if isinstance(one, Quiet | Concealed))
    assert 7 * min(pause_s * 1000, ENDLESS_MS) / 2 <= silence_ms <= 8 * pause_s * 1000


# Beginning anew.


def test_another_sender_begins_anew():
    ear = Ear(sequence=65_530, timestamp=2**32 - 1_000)
    ear.arrives(0, 100)
    ear.arrives(2, 100.04)
    ear.arrives(3_000, 100.06, at=7, ssrc=8)
    assert ear.numbers == [0, 2, 3_000]
    assert [type(one) for one in ear.sounds].count(Began) == 2
    assert ear.arrives(3_001, 100.08, at=8, ssrc=8) == [Arrived(speech(3_001))]


def test_a_sequence_that_jumps_is_believed_when_it_goes_on():
    ear = Ear()
    ear.arrives(0, 100)
    assert ear.arrives(20_000, 100.02) == []
    assert ear.arrives(1, 100.02) == [Arrived(speech(1))]
    assert ear.arrives(20_001, 100.04) == [Began(), Arrived(speech(20_001))]
    assert ear.arrives(20_002, 100.06) == [Arrived(speech(20_002))]


def test_a_clock_that_jumps_makes_no_sound():
    for jump in (10_000, -10_000, 2**31 // TICKS):
        ear = Ear()
        for number in range(10):
            ear.arrives(number, 100 + number * FRAME_S)
        for number in range(10, 20):
            ear.arrives(number, 100 + number * FRAME_S, at=number + jump)
        assert ear.numbers == list(range(20))
        assert ear.ms <= 400 + STEP_MS
        ear.until(110)
        assert ear.ms <= 400 + ENDLESS_MS + 2 * STEP_MS


def test_no_more_is_held_than_a_second_of_speech():
    ear = Ear()
    ear.arrives(0, 100)
    ear.receiving._late_s = 0.4
    for number in range(2, 300):
        ear.arrives(number, 100.001 + number * 1e-6)
    assert ear.most_held <= MOST_HELD
    assert ear.numbers == [0, *range(2, 300)]


def test_packets_without_sound_only_count():
    ear = Ear()
    ear.arrives(0, 100)
    assert ear.arrives(1, 100.02, payload=b"") == []
    assert ear.arrives(2, 100.02, payload=b"\x4b", at=1) == []  # a packet of no frames
    assert ear.arrives(3, 100.02, at=1) == [Arrived(speech(3))]


# Any network.

NETWORKS = st.lists(
    st.tuples(
        st.sampled_from((0, 0, 0, 0, 0, 0, 1, 2)),  # how often it arrives, mostly once
        st.sampled_from((0.0, 0.0, 0.005, 0.03, 0.1, 0.4)),
        st.sampled_from((0.0, 0.0, 0.0, 0.02, 0.3)),
        st.booleans(),
    ),
    min_size=5,
    max_size=150,
)


@settings(max_examples=150, deadline=None)
@given(NETWORKS, st.integers(0, 65_535), st.integers(0, 2**32 - 1), st.booleans())
def test_whatever_the_network_does_sound_is_in_order_and_in_real_time(
    fates, sequence, timestamp, pausing
):
    ear = Ear(sequence, timestamp)
    arrivals = [(100.0, 0, 0)]
    at = 0
    for number, (fate, late_s, again_s, silent) in enumerate(fates, start=1):
        at += 21 if pausing and silent and number % 7 == 0 else 1  # transmission paused before it
        if fate == 1:
            continue
        arrivals.append((100 + at * FRAME_S + late_s, number, at))
        if fate == 2:
            arrivals.append((100 + at * FRAME_S + late_s + again_s, number, at))
    released_at = {}
    for now, number, at in sorted(arrivals):
        for one in ear.arrives(number, now, at=at):
            if isinstance(one, Arrived):
                released_at[number_of(one.payload)] = now
        elapsed_ms = (now - 100) * 1000
        assert ear.ms <= elapsed_ms + 20 + ear.receiving.ahead_ms + 0.01
    ear.until(max(arrivals)[0] + 1.0)

    assert ear.numbers == sorted(set(ear.numbers)), "in order, and each once"
    assert ear.receiving.held == 0
    assert ear.most_held <= MOST_HELD
    elapsed_ms = (ear.now - 100) * 1000
    behind_ms = elapsed_ms - (ear.ms - ear.receiving.ahead_ms)
    latest_ms = 400 + LONGEST_WAIT_MS  # of the last that was released: it is not a stall yet
    assert -20.01 <= behind_ms <= latest_ms + ear.receiving.wait_ms + STEP_MS
    assert ear.receiving.ahead_ms <= AHEAD_MS
    for after, before in zip(ear.sounds[1:], ear.sounds, strict=False):
        assert not (isinstance(after, Concealed) and isinstance(before, Quiet)), "out of nothing"
    counts = ear.receiving.counts
    assert counts.received == len(arrivals)
    assert len(ear.numbers) + counts.late == len(arrivals)


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(0, 65_535),
            st.integers(0, 2**32 - 1),
            st.binary(max_size=5),
            st.integers(0, 2),
            st.floats(0, 0.5),
        ),
        max_size=60,
    )
)
def test_no_packets_are_too_strange(packets):
    ear = Ear()
    now = 100.0
    for sequence, timestamp, payload, ssrc, step in packets:
        now += step
        ear.until(now)
        ear.sounds += ear.receiving.add(sequence, timestamp, payload, ssrc, now)
        assert ear.receiving.held <= MOST_HELD
        due = ear.receiving.deadline
        assert due is None or due < now + 2**32 / 48_000 + 1
    ear.until(now + 1)
    elapsed_ms = (ear.now - 100) * 1000
    made_up = sum(length(one) for one in ear.sounds if not isinstance(one, Arrived))
    assert made_up <= elapsed_ms + len(packets) * AHEAD_MS
