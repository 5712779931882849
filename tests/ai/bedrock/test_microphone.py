import asyncio
from base64 import b64decode

import orjson
import pytest

from ai.bedrock.eventstream import Decoder
from ai.bedrock.microphone import BURST, FRAME_BYTES, Microphone
from ai.bedrock.ticker import PERIOD_S, Ticker
from ai.bedrock.wire import AudioInput


class Wire:
    """What was sent, as sound at 16 kHz."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []
        self.unsent = 0

    def send(self, chunk: bytes) -> None:
        (message,) = Decoder().feed(chunk)
        event = orjson.loads(b64decode(orjson.loads(message.payload)["bytes"]))
        self.sent.append(b64decode(event["event"]["audioInput"]["content"]))

    @property
    def ms(self) -> float:
        return sum(map(len, self.sent)) / 32


@pytest.fixture
def wire() -> Wire:
    return Wire()


@pytest.fixture
def microphone(wire: Wire) -> Microphone:
    return Microphone(AudioInput("P", "A"), wire.send, lambda: wire.unsent, 0.0)


def beats(microphone: Microphone, since: float, count: int) -> float:
    """Ticks of the beat; tells when it is then."""
    for number in range(1, count + 1):
        microphone.tick(since + number * PERIOD_S)
    return since + count * PERIOD_S


def test_silence_flows_in_real_time(wire: Wire, microphone: Microphone) -> None:
    now = beats(microphone, 0.0, 1_000)
    assert wire.ms == pytest.approx(now * 1000, abs=100)
    assert not any(b"".join(wire.sent))


def test_speech_is_sent_as_it_comes_and_no_silence_beside_it(
    wire: Wire, microphone: Microphone
) -> None:
    for number in range(250):  # five seconds in frames of 20 ms
        now = number * 0.02
        microphone.hear(b"\x10\x10" * 480, now)
        if number % 2:
            microphone.tick(now)
    assert wire.ms == pytest.approx(5_000, abs=64)
    assert all(any(sound[-100:]) for sound in wire.sent)


def test_while_nobody_speaks_three_frames_go_together(wire: Wire, microphone: Microphone) -> None:
    sent: list[int] = []
    for number in range(60):
        microphone.hear(b"\x10\x10" * 480, number * 0.02, eager=False)
        microphone.tick(number * 0.02)
        sent.append(len(wire.sent))
    assert set(sent) == set(range(0, 37, 3))
    microphone.hear(b"\x10\x10" * 480, 1.2, eager=True)
    assert wire.ms == pytest.approx(1_220, abs=34)


def test_what_waits_for_company_waits_no_longer_than_that(
    wire: Wire, microphone: Microphone
) -> None:
    microphone.hear(b"\x10\x10" * 960, 0.0, eager=False)
    beats(microphone, 0.0, 3)
    assert wire.sent == []
    beats(microphone, 0.096, 1)
    assert any(b"".join(wire.sent))


def test_a_short_gap_is_not_filled_and_a_longer_one_is(wire: Wire, microphone: Microphone) -> None:
    microphone.hear(b"\x10\x10" * 7_680, 0.0)
    beats(microphone, 0.0, 5)
    count = len(wire.sent)
    assert count == 10
    now = beats(microphone, 5 * PERIOD_S, 40)
    assert not any(wire.sent[-1])
    assert wire.ms == pytest.approx(now * 1000, abs=400)


def test_a_word_that_comes_late_is_not_cut_in_two(wire: Wire, microphone: Microphone) -> None:
    microphone.hear(b"\x10\x10" * 7_680, 0.0)
    for number in range(25):
        microphone.tick(number * PERIOD_S, mid_speech=True)
    assert len(wire.sent) == 10
    for number in range(25, 50):
        microphone.tick(number * PERIOD_S, mid_speech=True)
    assert not any(wire.sent[-1])


def test_the_end_of_a_word_is_sent_though_it_fills_no_frame(
    wire: Wire, microphone: Microphone
) -> None:
    microphone.hear(b"\x10\x10" * 100, 0.0)
    beats(microphone, 0.0, 12)
    assert any(b"".join(wire.sent))


def test_what_waited_is_sent_ten_times_as_fast(wire: Wire, microphone: Microphone) -> None:
    microphone.hear(b"\x10\x10" * 24 * 3_200, 0.0)
    assert len(wire.sent) == BURST
    beats(microphone, 0.0, 4)
    assert len(wire.sent) == 5 * BURST
    assert microphone.waiting_s == pytest.approx(1.6)
    beats(microphone, 0.2, 6)
    assert microphone.waiting_s == 0
    microphone.hear(b"\x10\x10" * 24 * 3_200, 1.0)
    microphone.forget()
    assert microphone.waiting_s == 0


def test_after_what_waited_silence_follows_soon(wire: Wire, microphone: Microphone) -> None:
    microphone.hear(b"\x10\x10" * 24 * 3_200, 0.0)
    beats(microphone, 0.0, 25)
    assert not any(wire.sent[-1])


def test_a_connection_that_is_full_is_not_filled_further(
    wire: Wire, microphone: Microphone
) -> None:
    wire.unsent = 10**6
    microphone.hear(b"\x10\x10" * (FRAME_BYTES // 2) * 4, 0.0)
    beats(microphone, 0.0, 20)
    assert wire.sent == []
    wire.unsent = 0
    beats(microphone, 1.0, 1)
    assert len(wire.sent) == 4


def test_after_a_sleep_no_flood_of_silence_follows(wire: Wire, microphone: Microphone) -> None:
    microphone.tick(60.0)
    microphone.tick(60.032)
    microphone.tick(60.064)
    assert len(wire.sent) <= BURST + 2


async def test_all_beat_together_and_nobody_when_nobody_is_there() -> None:
    ticker = Ticker(0.001)
    beaten: list[str] = []

    def one(now: float) -> None:
        beaten.append("one")
        ticker.leave(one)

    def other(now: float) -> None:
        beaten.append("other")

    ticker.join(one)
    ticker.join(other)
    await asyncio.sleep(0.02)
    ticker.leave(other)
    assert beaten[:3] == ["one", "other", "other"]
    await asyncio.sleep(0.005)
    count = len(beaten)
    await asyncio.sleep(0.005)
    assert len(beaten) == count
    ticker.join(other)
    await asyncio.sleep(0.01)
    ticker.leave(other)
    assert len(beaten) > count


async def test_one_that_fails_stops_nobody_elses_beat() -> None:
    ticker = Ticker(0.001)
    beaten: list[str] = []

    def broken(now: float) -> None:
        beaten.append("broken")
        raise ZeroDivisionError

    def other(now: float) -> None:
        beaten.append("other")

    ticker.join(broken)
    ticker.join(other)
    await asyncio.sleep(0.02)
    ticker.leave(broken)
    ticker.leave(other)
    assert beaten[:4] == ["broken", "other"] * 2
