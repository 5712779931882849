"""What counts as a gap in the packets of a call, and what is reported of them."""

from bench.reception import CLOCK_HZ, Arrival, Reception

SSRC = 7
FRAME = CLOCK_HZ // 50


def packets(count: int, *, begin_s: float = 100.0, first: int = 0, size: int = 80) -> list[Arrival]:
    """So many in time, one every 20 ms."""
    return [
        Arrival(begin_s + n * 0.02, (first + n) & 0xFFFF, (first + n) * FRAME, size)
        for n in range(count)
    ]


def received(*arrivals: Arrival) -> Reception:
    reception = Reception()
    for arrival in arrivals:
        reception.add(arrival, SSRC)
    return reception


def late(arrival: Arrival, by_s: float) -> Arrival:
    return Arrival(arrival.at_s + by_s, arrival.sequence, arrival.timestamp, arrival.size)


def test_packets_in_time_have_no_gap() -> None:
    reception = received(*packets(50))
    assert (reception.packets, reception.sound, reception.gaps_ms) == (50, 50, [])
    assert round(reception.talk_ms) == 980


def test_a_stall_in_a_stretch_of_sound_is_a_gap_however_it_goes_on() -> None:
    early, rest = packets(60)[:10], packets(60)[10:]
    stalled = received(*early, *(late(one, 0.1) for one in rest))
    assert [round(gap) for gap in stalled.gaps_ms] == [120]
    caught_up = received(
        *early, *(late(one, max(0.0, 0.1 - n * 0.02)) for n, one in enumerate(rest))
    )
    assert [round(gap) for gap in caught_up.gaps_ms] == [120]
    skipped = received(*early, *rest[5:])
    assert [round(gap) for gap in skipped.gaps_ms] == [120]


def test_one_lost_packet_and_a_pause_between_answers_are_none() -> None:
    assert received(*packets(5), *packets(10)[6:]).gaps_ms == []
    later = packets(10, begin_s=103.0, first=150)
    assert received(*packets(10), *later).gaps_ms == []


def test_a_pause_that_the_sender_does_not_know_of_is_a_gap_however_long() -> None:
    assert len(received(*packets(10), *packets(10, begin_s=105.0, first=10)).gaps_ms) == 1


def test_what_is_sent_in_silence_is_no_sound() -> None:
    reception = received(*packets(10), *packets(1, begin_s=100.6, first=10, size=2))
    assert (reception.packets, reception.sound, reception.gaps_ms) == (11, 10, [])


def test_a_report_tells_losses_since_the_last_one_and_in_all() -> None:
    reception = Reception()
    assert reception.report(0.0) is None
    for arrival in packets(100, first=0xFFF0):
        if arrival.sequence % 4:
            reception.add(arrival, SSRC)
    # 0xFFF0 is lost before anything has come, so it is not missed.
    first = reception.report(102.0)
    assert first is not None
    assert (first.ssrc, first.packets_lost) == (SSRC, 24)
    assert first.highest_sequence == 0x1_0053
    assert first.fraction_lost == 24 * 256 // 99
    for arrival in packets(10, begin_s=102.0, first=0xFFF0 + 100):
        reception.add(arrival, SSRC)
    second = reception.report(103.0)
    assert second is not None
    assert (second.fraction_lost, second.packets_lost) == (0, 24)


def test_jitter_is_that_of_the_standard() -> None:
    still = received(*packets(200)).report(0.0)
    shaken = received(*(late(one, n % 2 * 0.01) for n, one in enumerate(packets(200)))).report(0.0)
    assert still is not None and shaken is not None
    assert still.jitter == 0
    assert 470 <= shaken.jitter <= 480  # 10 ms in steps of 48 kHz


def test_a_report_says_how_old_the_senders_last_one_is() -> None:
    reception = received(*packets(5))
    reception.heard_from_sender(0x1234_5678_9ABC_DEF0, 100.0)
    report = reception.report(100.5)
    assert report is not None
    assert (report.lsr, report.dlsr) == (0x5678_9ABC, 32_768)


def test_counting_begins_anew_within_a_call() -> None:
    reception = received(*packets(50))
    reception.begin_anew()
    for arrival in packets(20, begin_s=101.0, first=50):
        reception.add(arrival, SSRC)
    assert (reception.packets, reception.sound, reception.gaps_ms) == (20, 20, [])
    report = reception.report(102.0)
    assert report is not None
    assert report.packets_lost == 0
