"""Words over a network that loses a tenth and shakes the rest by 100 ms, both ways.

Three calls at once: over a good network and over two bad ones, without the rest of a server. What
arrives is recognised by the project's ears, and compared with what was said: once as the server
hears it, once as a browser would play it.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

import pytest

from ai.audio import BYTES_PER_MS, FRAME_BYTES, RATE_HZ, silence
from bench import speech
from bench.caller import CLOCK_PER_FRAME, Answer, Caller, own_address
from server.rtc.opus import Encoder
from server.rtc.peer import Peer, Peers
from server.rtc.ports import Place as Where
from server.rtc.rtp import ReceiverReport
from server.rtc.sdp import Offer
from server.rtc.voice import Voice
from tests.calls.recording import Recording, likeness
from tests.fakes.ears import Ended, Recognised, TurnFinder
from tests.fakes.udp_relay import PERFECT, Network, relay_to

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(120),
    pytest.mark.skipif(not speech.available, reason="flite is not installed"),
]

SHAKEN = Network(loss=0.1, delay_ms=20, jitter_ms=100)
SAID = (
    "two quarters",
    "the bottom number",
    "three eighths",
    "one third",
    "five sixths",
)
MISSED = 1
"So many words of a lossy call may be misheard beside the same ones of a good one."
PATIENCE_MS = 400
FEWEST_LOST = 25
LIKE_UP, LIKE_DOWN = 0.8, 0.9
"Without loss both are 0.98. Upwards time is stretched where packets were waited for."


@pytest.fixture(scope="module")
async def peers() -> AsyncIterator[Peers]:
    opened = await Peers.open(Where(loopback=own_address() == "127.0.0.1"))
    yield opened
    await opened.close()


@dataclass(slots=True)
class Ears:
    """The server's side of a call: plays the words, and keeps what it hears."""

    heard: bytearray = field(default_factory=bytearray)
    started_at: int | None = None
    done: asyncio.Event = field(default_factory=asyncio.Event)
    voice: Voice | None = None
    reports: list[ReceiverReport] = field(default_factory=list)
    gone_by: str = ""

    def connected(self) -> None:
        assert self.voice is not None
        self.voice.begin()

    def packet(self, sequence: int, timestamp: int, payload: bytes, ssrc: int) -> None:
        assert self.voice is not None
        self.voice.packet(sequence, timestamp, payload, ssrc)

    def report(self, report: ReceiverReport) -> None:
        assert self.voice is not None
        self.reports.append(report)
        self.voice.report(report)

    def opened(self) -> None: ...

    def message(self, text: str) -> None: ...

    def binary(self) -> None: ...

    def writable(self) -> None: ...

    def gone(self, reason: str) -> None:
        self.gone_by = reason

    def hear(self, pcm: bytes, *, made_up: bool = False) -> None:
        self.heard += pcm

    def started(self, response_id: str, item_id: str, audio_ms: int, rtp_timestamp: int) -> None:
        if self.started_at is None:
            self.started_at = rtp_timestamp

    def stopped(self, response_id: str, rtp_timestamp: int) -> None:
        self.done.set()

    def position(self, item_id: str, audio_ms: int) -> None: ...


@dataclass(frozen=True, slots=True)
class Heard:
    """What came of all words."""

    up: list[str]
    down: list[str]
    like_up: float
    like_down: float
    lost: tuple[int, int]
    "Datagrams, either way."


def words() -> bytes:
    return b"".join(speech.say(text, "slt", PATIENCE_MS // 2) for text in SAID) + silence(
        PATIENCE_MS
    )


def alike(heard: bytes) -> float:
    """How much of what was said was heard, one answer after the other.

    Each may be late by itself: a sender on a busy machine leaves out time, and no sound.
    """
    found, at = [], 0
    for text in SAID:
        said = speech.say(text, "slt", PATIENCE_MS // 2)
        found.append(likeness(said, heard[at : at + len(said) + 1_000 * BYTES_PER_MS]))
        at += len(said)
    return sum(found) / len(found)


async def converse(peers: Peers, network: Network, seed: int) -> Heard:
    """Both sides say all words at once, in real time."""
    caller, ears = Caller(host=own_address(), opened=True), Ears()
    recording = Recording()
    caller.on_packet = recording.take
    peer: Peer = peers.answer(Offer.read(caller.offer), ears)
    ears.voice = Voice(peer.send, ears, clock=asyncio.get_running_loop().time)
    peer.start()
    server = Answer.read(peer.answer).candidates[0]
    try:
        async with relay_to(server, up=network, down=network, seed=seed, host=own_address()) as by:
            await caller.connect(by.between(peer.answer))
            pcm = words()
            ears.voice.play("resp_1", "item_1", pcm)
            ears.voice.complete("resp_1")
            await speak(caller, pcm)
            async with asyncio.timeout(30):
                await ears.done.wait()
            await asyncio.sleep(0.4)
    finally:
        await caller.close()
        ears.voice.close()
        await peer.close()
    assert ears.started_at is not None
    played = recording.sound(ears.started_at, len(pcm) / FRAME_BYTES * 20)
    heard = bytes(ears.heard)
    return Heard(
        await recognised(heard),
        await recognised(played),
        alike(heard),
        alike(played),
        (by.up.lost, by.down.lost),
    )


async def speak(caller: Caller, pcm: bytes) -> None:
    """As a browser whose network has lost some before."""
    encoder, loop = Encoder(), asyncio.get_running_loop()
    encoder.expect_loss(10)
    began_s = loop.time()
    for n in range(len(pcm) // FRAME_BYTES):
        packet = encoder.encode(pcm[n * FRAME_BYTES : (n + 1) * FRAME_BYTES])
        caller.send(packet, n * CLOCK_PER_FRAME, marker=n == 0)
        await asyncio.sleep(max(0.0, began_s + (n + 1) * 0.02 - loop.time()))


async def recognised(pcm: bytes) -> list[str]:
    ears = Recognised(SAID)
    finder = TurnFinder(RATE_HZ, silence_ms=PATIENCE_MS)
    found = finder.feed(pcm + silence(2 * PATIENCE_MS))
    return [await ears(turn.pcm, RATE_HZ, "", ()) for turn in found if isinstance(turn, Ended)]


def missed(heard: Sequence[str]) -> int:
    """How many of the words that were said were not understood, in order."""
    left, missing = list(heard), 0
    for text in SAID:
        if text in left:
            del left[: left.index(text) + 1]
        else:
            missing += 1
    return missing


async def test_words_are_understood_both_ways_as_without_loss(peers: Peers) -> None:
    good, *bad = await asyncio.gather(
        converse(peers, PERFECT, 1), *(converse(peers, SHAKEN, seed) for seed in (2, 3))
    )
    assert missed(good.up) <= 1
    assert missed(good.down) <= 1
    for one in bad:
        assert min(one.lost) > FEWEST_LOST
        assert one.like_up > LIKE_UP
        assert one.like_down > LIKE_DOWN
        assert missed(one.up) <= missed(good.up) + MISSED
        assert missed(one.down) <= missed(good.down) + MISSED
