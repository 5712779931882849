"""Frames are looked at before the codec: sample by sample."""

import random
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ai.audio import FRAME_BYTES
from server.rtc.rtp import ReceiverReport
from server.rtc.sending import (
    BURST,
    QUIET_SLOTS,
    TAIL,
    Frame,
    Position,
    Sending,
    Started,
    Stopped,
)
from tests.server.rtc.house import counting, samples, tone

FIRST = 2**32 - 50_000  # timestamps wrap in the first second


class Line:
    """A `Sending` that is woken at its deadlines; keeps when it did what."""

    def __init__(self, now=1000.0):
        self.now = self.base = now
        self.sending = Sending(FIRST, now)
        self.sending.begin(now)
        self.done = []
        self.sequence = 70_000

    def work(self):
        for action in self.sending.tick(self.now):
            self.done.append((self.now, action))
            if isinstance(action, Frame):
                if action.begins is not None:
                    action.begins.sequence = self.sequence
                self.sequence += 1

    def run(self, seconds, late=lambda: 0.0):
        end = self.now + seconds
        woken = 0
        while (due := self.sending.deadline) <= end + 1e-9:
            self.now = max(self.now, due) + late()
            self.work()
            woken += 1
            assert woken < 100 + seconds * 120, "woken in vain"
        self.now = max(end, self.now)

    def play(self, response_id, item_id, pcm):
        self.sending.play(response_id, item_id, pcm)
        self.work()

    def complete(self, response_id):
        self.sending.complete(response_id)
        self.work()

    def say(self, response_id, item_id, pcm):
        self.play(response_id, item_id, pcm)
        self.complete(response_id)

    def of(self, kind):
        return [action for _, action in self.done if isinstance(action, kind)]

    @property
    def frames(self):
        return [(at, action) for at, action in self.done if isinstance(action, Frame)]

    @property
    def loud(self):
        return [(at, one) for at, one in self.frames if one.pcm is not None and any(one.pcm)]

    def sound(self):
        """All that was sent, silence too, without the time between."""
        return b"".join(one.pcm for _, one in self.frames if one.pcm is not None)

    def positions(self, item_id):
        return [one.audio_ms for one in self.of(Position) if one.item_id == item_id]


@pytest.fixture
def line():
    return Line()


# In time.


def test_silence_is_one_packet_every_400_ms(line):
    line.run(10.0)
    assert len(line.frames) == 26
    assert all(frame.pcm is None for _, frame in line.frames)
    assert all(after - before == pytest.approx(0.4) for (before, _), (after, _) in
               pairwise(line.frames))  # fmt: skip
    ticks = [(b.timestamp - a.timestamp) % 2**32 for (_, a), (_, b) in pairwise(line.frames)]
    assert set(ticks) == {QUIET_SLOTS * 960}


def test_speech_begins_at_once_and_ends_in_two_frames_of_silence(line):
    line.run(1.013)
    before = len(line.frames)
    line.say("resp_1", "item_1", tone(100))
    assert len(line.frames) == before + 1
    assert line.frames[-1][0] == line.now
    assert line.frames[-1][1].marker
    line.run(1.0)
    after = [frame for _, frame in line.frames[before:]]
    assert [frame.pcm is None for frame in after[:9]] == [False] * 7 + [True] * 2
    assert not any(frame.marker for frame in after[1:])
    assert samples(after[4 + TAIL].pcm).any() == 0
    ticks = [(b.timestamp - a.timestamp) % 2**32 for a, b in pairwise(after[:8])]
    assert ticks == [960] * 7
    assert [type(action) for _, action in line.done if isinstance(action, Started | Stopped)] == [
        Started, Stopped,
    ]  # fmt: skip


def test_ten_minutes_do_not_drift_and_late_timers_are_made_good():
    line, chance = Line(), random.Random(1)
    fed = 0
    while line.now < line.base + 600:
        while fed < (line.now - line.base + 2) * 24_000:
            line.play("resp_1", "item_1", counting(24_000, fed))
            fed += 24_000
        line.run(1.0, late=lambda: chance.choice((0, 0, 0, 0.003, 0.015, 0.045)))
    frames = line.loud
    assert len(line.of(Started)) == 1
    for at, frame in frames:
        due = line.base + ((frame.timestamp - FIRST) % 2**32) / 48_000
        assert -0.0011 <= at - due <= 0.046
    sent_s = len(frames) * 0.02
    assert abs(sent_s - (line.now - line.base)) <= 0.06
    assert line.sound() == counting(fed)[: len(line.sound())]


def test_who_is_woken_very_late_sends_three_frames_and_goes_on_from_now(line):
    line.play("resp_1", "item_1", tone(2_000))
    line.run(0.5)
    before = len(line.frames)
    late = iter([0.5])
    line.run(0.03, late=lambda: next(late, 0.0))
    line.run(0.2)
    burst = [at for at, _ in line.frames[before : before + BURST + 1]]
    assert len(set(burst[:BURST])) == 1 and burst[BURST] > burst[0]
    begins = line.of(Started)[-1]
    first = line.frames[before][1]
    assert begins.timestamp == first.timestamp
    assert begins.audio_ms == before * 20 - 0  # no sound is left out
    assert (first.timestamp - line.frames[before - 1][1].timestamp) % 2**32 > 20 * 960
    at, last = line.frames[-1]
    assert abs(line.base + ((last.timestamp - FIRST) % 2**32) / 48_000 - at) < 0.021


def test_sound_that_comes_a_little_late_is_caught_up_with(line):
    for piece in range(20):
        line.play("resp_1", "item_1", counting(480, piece * 480))
        comes = line.base + 0.02 * (piece + 1) + (0.035 if piece % 5 == 0 else 0.0)
        line.run(max(0.0, comes - line.now))
    assert len(line.of(Started)) == 1
    assert line.sound()[: 20 * FRAME_BYTES] == counting(20 * 480)


def test_sound_that_comes_too_late_fades_and_goes_on_at_its_sample(line):
    speech = tone(305)
    line.play("resp_1", "item_1", speech[: 105 * 48])
    line.run(1.0)
    line.play("resp_1", "item_1", speech[105 * 48 :])
    line.complete("resp_1")
    line.run(1.0)
    started = line.of(Started)
    assert [one.audio_ms for one in started] == [0, 100]
    assert line.positions("item_1")[-1] == 305
    steps = abs(samples(line.sound())[1:] - samples(line.sound())[:-1])
    assert steps.max() < 1_500  # a tone of 220 Hz makes steps of 570


# Items and responses.


def test_items_follow_one_another_and_a_response_stops_once(line):
    line.play("resp_1", "item_1", tone(50))
    line.play("resp_1", "item_2", tone(50))
    line.play("resp_2", "item_3", tone(50))
    line.run(0.5)
    assert [one.item_id for one in line.of(Started)] == ["item_1", "item_2", "item_3"]
    assert [one.response_id for one in line.of(Stopped)] == []
    line.complete("resp_1")
    line.complete("resp_2")
    line.complete("resp_2")
    line.complete("resp_9")
    line.run(0.5)
    assert [one.response_id for one in line.of(Stopped)] == ["resp_1", "resp_2"]
    assert [line.positions(f"item_{n}")[-1] for n in (1, 2, 3)] == [50, 50, 50]


def test_the_end_of_an_item_that_fills_no_frame_is_sent(line):
    line.say("resp_1", "item_1", tone(30)[:-2])
    line.run(0.5)
    assert len(line.loud) == 2
    sound = samples(line.sound())
    assert abs(sound[1:] - sound[:-1]).max() < 1_500


def test_pauses_in_speech_are_not_encoded_but_keep_their_time(line):
    line.say("resp_1", "item_1", tone(100) + bytes(48 * 200) + tone(100))
    line.run(1.0)
    said = [frame.pcm for _, frame in line.frames[:20]]
    assert [pcm is None for pcm in said] == [False] * 7 + [True] * 8 + [False] * 5
    assert len(line.of(Started)) == 1
    ticks = [(b.timestamp - a.timestamp) % 2**32 for (_, a), (_, b) in pairwise(line.frames[:20])]
    assert ticks == [960] * 19
    assert line.positions("item_1")[-1] == 400


def test_a_byte_too_much_is_left_out(line):
    line.say("resp_1", "item_1", counting(700) + b"x")
    line.run(0.5)
    assert line.sound()[:1400] == counting(700)


# Pause, resume, clear.


def test_a_pause_is_obeyed_by_the_next_packet_and_resume_goes_on_at_the_sample(line):
    speech = tone(2_000)
    line.play("resp_1", "item_1", speech)
    line.run(0.513)
    before, asked = len(line.frames), line.now
    line.sending.pause()
    line.work()
    line.run(1.0)
    at, faded = line.frames[before]
    assert at - asked <= 0.02
    assert not any(faded.pcm[240:])
    assert [frame.pcm is not None for _, frame in line.frames[before : before + 5]] == [
        True, True, True, False, False,
    ]  # fmt: skip
    assert not any(b"".join(frame.pcm for _, frame in line.frames[before + 1 : before + 3]))
    line.sending.resume()
    line.work()
    assert line.frames[-1][0] == line.now, "at once"
    assert line.frames[-1][1].marker
    line.complete("resp_1")
    line.run(3.0)
    begins = [one.audio_ms for one in line.of(Started)]
    assert begins == [0, before * 20]
    whole = b"".join(
        frame.pcm for number, (_, frame) in enumerate(line.frames)
        if frame.pcm is not None and not before <= number < before + 1 + TAIL
    )  # fmt: skip
    again = before * FRAME_BYTES
    assert whole[:again] == speech[:again]
    assert whole[again + 240 : len(speech)] == speech[again + 240 :]
    assert line.positions("item_1")[-1] == 2_000
    steps = abs(samples(line.sound())[1:] - samples(line.sound())[:-1])
    assert steps.max() < 1_500


def test_a_pause_taken_back_before_the_next_packet_is_none(line):
    line.play("resp_1", "item_1", counting(24_000))
    line.run(0.105)
    line.sending.pause()
    line.work()
    line.sending.resume()
    line.work()
    line.run(1.2)
    assert len(line.of(Started)) == 1
    assert line.sound().startswith(counting(24_000))


def test_sound_that_comes_in_a_pause_waits(line):
    line.sending.pause()
    line.play("resp_1", "item_1", tone(100))
    line.run(1.0)
    assert line.loud == []
    line.sending.resume()
    line.work()
    line.run(0.2)
    assert sum(frame.pcm is not None for _, frame in line.frames) == 5 + TAIL


def test_a_pause_after_the_last_packet_ends_with_what_is_cleared(line):
    line.say("resp_1", "item_1", tone(100))
    line.run(0.5)
    line.sending.pause()
    line.sending.clear("resp_1", line.now)
    line.work()
    line.say("resp_2", "item_2", tone(100))
    line.run(0.5)
    assert [one.item_id for one in line.of(Started)] == ["item_1", "item_2"]


def test_cleared_sound_fades_in_the_next_packet_and_the_rest_is_gone(line):
    line.play("resp_1", "item_1", tone(1_000))
    line.play("resp_1", "item_2", tone(1_000))
    line.run(0.507)
    before, asked = len(line.frames), line.now
    cut = line.sending.clear(None, line.now)
    line.work()
    assert cut == [("item_1", before * 20), ("item_2", 0)]
    told = len(line.of(Position))
    line.run(2.0)
    assert line.frames[before][0] - asked <= 0.02
    assert len(line.loud) == before + 1
    sound = samples(line.sound())
    assert abs(sound[1:] - sound[:-1]).max() < 1_500
    assert len(line.of(Position)) == told
    line.complete("resp_1")
    line.run(0.1)
    assert [one.response_id for one in line.of(Stopped)] == []
    line.say("resp_2", "item_3", tone(100))
    line.run(0.5)
    assert [one.response_id for one in line.of(Stopped)] == ["resp_2"]
    assert line.positions("item_3")[-1] == 100


def test_one_response_is_cleared_and_the_next_goes_on(line):
    line.play("resp_1", "item_1", tone(1_000))
    line.play("resp_2", "item_2", tone(100))
    line.complete("resp_2")
    line.run(0.5)
    assert line.sending.clear("resp_2", line.now) == [("item_2", 0)]
    line.play("resp_3", "item_3", tone(100))
    line.complete("resp_3")
    line.sending.pause()
    line.work()
    line.run(0.3)
    assert line.sending.clear("resp_1", line.now)[0][0] == "item_1"
    line.work()
    line.run(0.5)
    assert [one.item_id for one in line.of(Started)] == ["item_1", "item_3"], "no pause is left"
    assert [one.response_id for one in line.of(Stopped)] == ["resp_3"]


def test_what_is_sent_but_not_yet_heard_is_cleared_as_heard(line):
    line.say("resp_1", "item_1", tone(100))
    line.run(0.09)
    assert [one.response_id for one in line.of(Stopped)] == ["resp_1"]
    assert line.sending.clear(None, line.now) == [("item_1", 100)]
    line.work()
    line.run(1.0)
    assert line.positions("item_1") == []


def test_clearing_nothing_is_nothing(line):
    assert line.sending.clear(None, line.now) == []
    line.say("resp_1", "item_1", tone(100))
    line.run(1.0)
    assert line.sending.clear("resp_1", line.now) == []
    assert line.sending.clear(None, line.now) == []


# What was heard.


def test_a_position_is_what_was_sent_less_the_way_and_the_receivers_buffer(line):
    line.sending.report(ReceiverReport(0.0, 30.0, 200.0, 69_999), line.now)
    line.play("resp_1", "item_1", tone(2_000))
    begins = line.now
    line.run(1.5)
    for at, one in line.done:
        if isinstance(one, Position):
            assert one.audio_ms == pytest.approx((at - begins) * 1000 - 100 - 110, abs=2)
    assert len(line.of(Position)) in (6, 7)


def test_the_end_is_told_as_soon_as_it_is_heard(line):
    line.say("resp_1", "item_1", tone(500))
    line.run(2.0)
    at, last = [one for one in line.done if isinstance(one[1], Position)][-1]
    assert last.audio_ms == 500
    assert at - line.base == pytest.approx(0.5 + 0.06, abs=0.002)


def test_who_was_sending_and_is_silent_hears_nothing_more(line):
    line.sending.arrived(line.now)
    line.play("resp_1", "item_1", tone(5_000))
    line.run(3.0)
    assert line.positions("item_1")[-1] <= 1_000
    assert line.sending.clear(None, line.now)[0][1] <= 1_000
    line.play("resp_2", "item_2", tone(5_000))
    line.run(1.0)
    assert set(line.positions("item_2")) <= {0}
    line.sending.arrived(line.now)
    line.run(0.3)
    assert line.positions("item_2")[-1] > 1_000


def test_who_reports_but_does_not_send_is_believed(line):
    line.sending.arrived(line.now)
    line.play("resp_1", "item_1", tone(5_000))
    line.run(3.0)
    line.sending.report(ReceiverReport(0.0, 0.0, 50.0, line.sequence - 2), line.now)
    line.run(1.0)
    assert line.positions("item_1")[-1] > 3_500


def test_what_the_receiver_did_not_get_was_not_heard(line):
    line.play("resp_1", "item_1", tone(5_000))
    line.run(1.0)
    got = line.sequence - 1
    line.run(2.0)
    line.sending.report(ReceiverReport(0.9, 0.0, 50.0, got), line.now)
    line.run(0.5)
    before = line.positions("item_1")
    line.run(1.0)
    assert line.positions("item_1")[-1] == before[-1]
    assert line.sending.clear(None, line.now) == [("item_1", pytest.approx(1_020, abs=20))]


# Anything, in any order.

STEPS = st.lists(
    st.one_of(
        # A tone of 250 Hz is at rest every 4 ms: where it ends by itself there is no step.
        st.tuples(st.just("play"), st.integers(1, 175).map(lambda count: 4 * count)),
        st.tuples(st.just("run"), st.integers(1, 900)),
        st.tuples(st.sampled_from(("next", "pause", "resume", "complete", "clear")), st.just(0)),
    ),
    min_size=1,
    max_size=40,
)


@settings(max_examples=150, deadline=None)
@given(STEPS, st.randoms(use_true_random=False))
def test_whatever_is_asked_frames_are_in_real_time_and_no_sample_is_lost(steps, chance):
    line = Line()
    item, played, cleared = 1, {}, {}
    for step, ms in steps:
        name = f"item_{item}"
        match step:
            case "play":
                before = played.get(name, 0)
                played[name] = before + ms
                line.play(f"resp_{item}", name, tone(before + ms, 250)[before * 48 :])
            case "run":
                line.run(ms / 1000, late=lambda: chance.choice((0, 0, 0, 0.004, 0.05, 0.2)))
            case "next" | "complete":
                line.complete(f"resp_{item}")
                item += 1
            case "pause":
                line.sending.pause()
                line.work()
            case "resume":
                line.sending.resume()
                line.work()
            case "clear":
                cut = line.sending.clear(None, line.now)
                cleared.update(cut)
                line.work()
                item += 1
    line.complete(f"resp_{item}")
    line.sending.resume()
    line.work()
    line.run(40.0)

    slots = [((frame.timestamp - FIRST) % 2**32) / 960 for _, frame in line.frames]
    assert all(after - before >= 1 for before, after in pairwise(slots))
    assert all(after - before <= QUIET_SLOTS + 12 for before, after in pairwise(slots))
    for (at, _), slot in zip(line.frames, slots, strict=True):
        assert -0.0011 <= at - (line.base + slot * 0.02) <= 0.2 + 3 * 0.02
    for item_id, ms in played.items():
        positions = line.positions(item_id)
        assert positions == sorted(positions)
        if item_id in cleared:
            assert cleared[item_id] <= ms
            assert not positions or positions[-1] <= cleared[item_id]
        elif positions:
            assert positions[-1] == ms
        else:
            raise AssertionError(f"{item_id} was never heard")
    at = {one.item_id: 0 for one in line.of(Started)}
    for one in line.of(Started):
        assert one.audio_ms >= at[one.item_id]
        at[one.item_id] = one.audio_ms
    sound = samples(line.sound())
    assert abs(sound[1:] - sound[:-1]).max(initial=0) < 1_500


def test_an_end_has_its_timestamp_and_what_was_sent_of_an_item_is_known(line):
    assert line.sending.sent_ms("item_1") is None
    line.play("resp_1", "item_1", tone(500))
    line.run(0.25)
    sent_ms = line.sending.sent_ms("item_1")
    assert sent_ms == 20 * len(line.loud) < 300
    line.complete("resp_1")
    line.run(0.5)
    assert line.sending.sent_ms("item_1") == 500
    (started,), (stopped,) = line.of(Started), line.of(Stopped)
    assert (stopped.timestamp - started.timestamp) % 2**32 == 500 * 48
