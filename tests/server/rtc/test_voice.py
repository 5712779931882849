import random
import weakref
from itertools import pairwise

import pytest

from ai.audio import FRAME_MS, silence
from server.rtc import opus
from server.rtc.rtp import ReceiverReport
from sessions.live.ring import is_silent
from tests.server.rtc.house import Call, rms, tone


@pytest.fixture
def call():
    return Call()


def speak(call, encoder, frame, times):
    """The student's first packets, in real time: the same frame so often."""
    for number in range(times):
        call.voice.packet(number, 960 * number, encoder.encode(frame), 7)
        call.clock.run(0.02)


def test_nothing_is_sent_before_the_call_is_connected(call):
    call.voice.play("resp_1", "item_1", tone(100))
    call.clock.run(1.0)
    assert call.packets == []
    call.voice.begin()
    call.clock.run(0.09)
    assert len(call.packets) == 5
    assert call.listener.kinds()[0] == "started"


def test_speech_is_sent_in_real_time_and_its_end_is_told(call):
    call.voice.begin()
    call.clock.run(1.0)
    before = len(call.packets)
    assert {packet[1] for packet in call.packets} == {opus.SILENCE}
    assert 3 <= before <= 4
    call.voice.play("resp_1", "item_1", tone(1_000))
    call.voice.complete("resp_1")
    call.clock.run(2.0)
    speech = call.packets[before : before + 50]
    assert all(len(packet[1]) > 10 for packet in speech)
    assert speech[0][3] and not any(packet[3] for packet in speech[1:])
    assert 0.96 <= speech[-1][0] - speech[0][0] <= 0.9801
    ticks = [(b[2] - a[2]) % 2**32 for a, b in pairwise(speech)]
    assert ticks == [960] * 49
    assert call.listener.told[0] == ("started", "resp_1", "item_1", 0, speech[0][2])
    assert ("stopped", "resp_1") in call.listener.told
    positions = call.listener.positions("item_1")
    assert positions == sorted(positions)
    assert positions[-1] == 1_000
    assert 5 <= len(positions) <= 8


def test_the_students_packets_are_heard_as_they_come(call):
    call.voice.begin()
    encoder = opus.Encoder()
    frames = [encoder.encode(tone(FRAME_MS)) for _ in range(50)]
    for number, frame in enumerate(frames):
        before = len(call.listener.heard)
        call.voice.packet(number, 960 * number, frame, 7)
        assert len(call.listener.heard) == before + 1
        call.clock.run(0.02)
    assert sum(map(len, call.listener.heard)) == 50 * 960
    assert rms(call.listener.heard[-1]) > 3_000


def test_what_no_microphone_sent_is_called_made_up(call):
    call.voice.begin()
    encoder = opus.Encoder()
    speak(call, encoder, silence(FRAME_MS), 50)
    sent = len(call.listener.heard)
    assert not any(call.listener.made_up)
    assert all(map(is_silent, call.listener.heard[3:])), "zeros are zeros after Opus, too"
    call.clock.run(1.0)
    assert len(call.listener.heard) > sent
    assert all(call.listener.made_up[sent:])
    call.voice.packet(50, 960 * 100, encoder.encode(tone(FRAME_MS)), 7)
    call.clock.run(0.02)
    assert not call.listener.made_up[-1]
    assert not is_silent(call.listener.heard[-1])


def test_the_receivers_losses_are_followed_smoothly(call):
    asked = []
    call.voice._encoder.expect_loss = asked.append
    for lost in (0.1, 0.1, 0.1, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 7.0, -3.0):
        call.voice.report(ReceiverReport(lost, 10.0, 50.0, 70_000))
    assert asked[:4] == sorted(asked[:4])
    assert asked[3] > 30 > asked[2]
    assert asked[3] > asked[4] > asked[8] > 0


def test_a_closed_voice_says_and_does_nothing_more(call):
    call.voice.begin()
    call.voice.play("resp_1", "item_1", tone(500))
    call.clock.run(0.1)
    call.voice.close()
    call.voice.close()
    told, sent = len(call.listener.told), len(call.packets)
    call.voice.play("resp_1", "item_1", tone(500))
    call.voice.packet(1, 1, b"\x48abc", 1)
    call.voice.begin()
    call.clock.run(2.0)
    assert (len(call.listener.told), len(call.packets)) == (told, sent)
    assert call.clock.waiting == 0


def test_a_closed_voice_gives_libopus_s_memory_back_at_once(call):
    call.voice.begin()
    codec = [weakref.ref(call.voice._encoder), weakref.ref(call.voice._decoder)]
    call.voice.close()
    call.voice.close()
    assert [each() for each in codec] == [None, None]


def test_who_closes_a_voice_when_told_of_its_sound_is_sent_none(call):
    call.voice.begin()
    call.clock.run(1.0)
    call.listener.started = lambda *_: call.voice.close()
    before = len(call.packets)
    call.voice.play("resp_1", "item_1", tone(100))
    call.clock.run(1.0)
    assert len(call.packets) - before <= 1


def test_the_receivers_timer_waits_for_the_senders(call):
    """One timer: a call that speaks and hears is woken 50 times a second, not more."""
    call.voice.begin()
    encoder = opus.Encoder()
    frame = encoder.encode(tone(FRAME_MS))
    call.voice.play("resp_1", "item_1", tone(5_000))
    woken = call.clock.woken
    for number in range(200):
        call.voice.packet(number, 960 * number, frame, 7)
        call.clock.run(0.02)
        assert call.clock.waiting <= 1
    assert call.clock.woken - woken <= 230


def test_a_call_in_which_nothing_happens_is_hardly_woken(call):
    call.voice.begin()
    call.clock.run(60.0)
    assert call.clock.woken <= 60 / 0.4 + 2
    assert len(call.packets) <= 60 / 0.4 + 2


def test_late_timers_are_made_good_and_nothing_drifts(call):
    late = iter([0.0, 0.03, 0.0, 0.055, 0.0] * 1_000)
    call.voice.begin()
    for second in range(20):
        call.voice.play("resp_1", "item_1", tone(1_000 if second else 2_000))
        call.clock.run(1.0, late=lambda: next(late))
    begins = call.packets[1]
    for at, _, timestamp, _ in call.packets[1:]:
        due = begins[0] + ((timestamp - begins[2]) % 2**32) / 48_000
        assert -0.021 <= at - due <= 0.06
    assert call.listener.kinds().count("started") == 1


def test_a_listener_may_ask_for_something_while_it_is_told(call):
    def pause(*told):
        call.listener.told.append(("started", *told))
        call.voice.pause()

    call.listener.started = pause
    call.listener.stopped = lambda response_id, at: call.voice.play("resp_2", "item_2", tone(40))
    call.voice.begin()
    call.voice.play("resp_1", "item_1", tone(200))
    call.voice.complete("resp_1")
    call.clock.run(0.5)
    loud = [packet for packet in call.packets if packet[1] != opus.SILENCE]
    assert len(loud) == 1 + 1 + 2  # a frame, one that fades, two of silence
    call.listener.started = lambda *told: None
    call.voice.resume()
    call.clock.run(1.0)
    assert call.listener.positions("item_1")[-1] == 200
    call.voice.complete("resp_2")
    call.clock.run(1.0)
    assert call.listener.positions("item_2")[-1] == 40


def test_silence_goes_on_where_the_student_sends_none(call):
    call.voice.begin()
    call.voice.packet(0, 0, opus.Encoder().encode(tone(FRAME_MS)), 7)
    call.clock.run(3.0)
    assert 2.8 <= sum(map(len, call.listener.heard)) / 48_000 <= 3.0
    assert rms(call.listener.heard[-1]) == 0.0


def test_noise_in_place_of_opus_is_no_fault(call):
    call.voice.begin()
    chance = random.Random(4)
    for number in range(2_000):
        payload = chance.randbytes(chance.randint(0, 40))
        call.voice.packet(number, 960 * number, payload, 7)
        if number % 50 == 0:
            call.clock.run(0.02)
    call.clock.run(1.0)
    assert call.voice.counts.received == 2_000
    assert sum(map(len, call.listener.heard)) <= 2_000 * 120 * 48


def test_another_senders_sound_is_no_echo_of_the_first(call):
    call.voice.begin()
    encoder = opus.Encoder()
    speak(call, encoder, tone(FRAME_MS), 20)
    call.voice.packet(500, 77, opus.Encoder().encode(bytes(960)), 8)
    assert rms(call.listener.heard[-1]) < 50
