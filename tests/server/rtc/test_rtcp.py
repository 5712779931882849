import random

import pytest
from aiortc import rtp

from server.rtc.rtcp import Reception, Reports, Sender, middle, ntp

NOW = 1_700_000_000.0
OURS, THEIRS = 111, 222


def reports(first: int = 65_530) -> Reports:
    return Reports(Sender(OURS, first), "us")


def test_nothing_sent_and_heard_is_a_bare_report_with_our_name() -> None:
    report, name = rtp.RtcpPacket.parse(reports().compound(NOW))
    assert isinstance(report, rtp.RtcpRrPacket) and report.reports == []
    assert isinstance(name, rtp.RtcpSdesPacket) and name.chunks[0].items == [(1, b"us")]


def test_a_sender_report_tells_what_was_sent_and_when() -> None:
    ours = reports()
    sequences = [ours.sender.sent(40, 960 * number, NOW + number / 50) for number in range(10)]
    assert sequences == list(range(65_530, 65_540))
    report, _ = rtp.RtcpPacket.parse(ours.compound(NOW + 1.0))
    assert isinstance(report, rtp.RtcpSrPacket)
    info = report.sender_info
    assert (info.packet_count, info.octet_count) == (10, 400)
    assert info.rtp_timestamp == pytest.approx(48_000, abs=2), "a second after the first packet"
    assert info.ntp_timestamp == ntp(NOW + 1.0)
    again, _ = rtp.RtcpPacket.parse(ours.compound(NOW + 2.0))
    assert isinstance(again, rtp.RtcpRrPacket), "nothing was sent since"


def test_the_end_is_told() -> None:
    *_, bye = rtp.RtcpPacket.parse(reports().compound(NOW, bye=True))
    assert isinstance(bye, rtp.RtcpByePacket) and bye.sources == [OURS]


def test_loss_is_counted_over_the_turn_of_the_numbers() -> None:
    heard = Reception(THEIRS)
    for number in range(100):
        if number % 4:
            heard.add((65_500 + number) & 0xFFFF, number * 960, NOW + number / 50)
    info = heard.info(NOW + 2)
    assert info is not None
    assert info.highest_sequence == 65_500 + 99
    assert info.packets_lost == 24  # of 99 since the first that came
    assert info.fraction_lost == (24 << 8) // 99
    assert info.jitter <= 1
    again = heard.info(NOW + 3)
    assert again is not None and again.fraction_lost == 0 and again.packets_lost == 24


def test_jitter_is_that_of_the_standard() -> None:
    heard, chance, expected = Reception(THEIRS), random.Random(1), 0.0
    late_before = 0.0
    for number in range(500):
        late = chance.random() * 0.02
        if number:
            expected += (abs(late - late_before) * 48_000 - expected) / 16
        heard.add(number, number * 960, NOW + number / 50 + late)
        late_before = late
    info = heard.info(NOW + 20)
    assert info is not None and info.jitter == pytest.approx(expected, rel=0.02)


def test_late_and_double_packets_do_not_begin_anew() -> None:
    heard = Reception(THEIRS)
    for number in (10, 12, 11, 12, 13):
        heard.add(number, number * 960, NOW)
    info = heard.info(NOW)
    assert info is not None and info.highest_sequence == 13 and info.packets_lost == -1
    heard.add(40_000, 0, NOW)
    info = heard.info(NOW)
    assert info is not None and info.highest_sequence == 40_000 and info.packets_lost == 0


def test_a_report_of_the_other_side_tells_loss_jitter_and_the_way_round() -> None:
    ours = reports()
    for number in range(20):
        ours.sender.sent(40, 960 * number, NOW)
    sent_at = middle(ntp(NOW))
    info = rtp.RtcpReceiverInfo(
        ssrc=OURS,
        fraction_lost=64,
        packets_lost=3,
        highest_sequence=12,  # after the turn, as one counts who joined after it
        jitter=480,
        lsr=sent_at,
        dlsr=int(0.5 * 65_536),
    )
    other = rtp.RtcpReceiverInfo(999, 1, 1, 1, 1, 0, 0)
    packet = bytes(rtp.RtcpRrPacket(ssrc=THEIRS, reports=[other, info]))
    (report,) = ours.read(packet, NOW + 0.58)
    assert report.fraction_lost == 0.25 and report.jitter_ms == 10.0
    assert report.rtt_ms == pytest.approx(80, abs=1)
    assert report.highest_sequence == 65_536 + 12
    assert report.packets_lost == 3


def test_their_sender_report_is_answered_with_its_time() -> None:
    ours = reports()
    ours.hear(THEIRS, 1, 960, NOW)
    theirs = rtp.RtcpSrPacket(THEIRS, rtp.RtcpSenderInfo(ntp(NOW), 0, 1, 40))
    assert ours.read(bytes(theirs), NOW) == []
    report, _ = rtp.RtcpPacket.parse(ours.compound(NOW + 0.25))
    assert isinstance(report, rtp.RtcpRrPacket)
    assert report.reports[0].lsr == middle(ntp(NOW))
    assert report.reports[0].dlsr == 16_384


def test_any_bytes_are_read() -> None:
    ours, chance = reports(), random.Random(2)
    good = bytes(
        rtp.RtcpSrPacket(THEIRS, rtp.RtcpSenderInfo(1, 2, 3, 4), [rtp.RtcpReceiverInfo(*[1] * 7)])
    ) + ours.compound(NOW, bye=True)
    for _ in range(5_000):
        data = bytearray(good)
        for _ in range(3):
            data[chance.randrange(len(data))] = chance.randrange(256)
        ours.read(bytes(data[: chance.randrange(len(data) + 1)]), NOW)


def test_a_clock_that_is_set_back_is_no_delay() -> None:
    ours = reports()
    ours.hear(THEIRS, 1, 1, NOW)
    assert ours.reception is not None
    ours.reception.heard_report(ntp(NOW), NOW)
    report, _ = rtp.RtcpPacket.parse(ours.compound(NOW - 10.0))
    assert isinstance(report, rtp.RtcpRrPacket) and report.reports[0].dlsr == 0
