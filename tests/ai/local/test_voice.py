import numpy as np
import pytest

from ai.audio import duration_ms
from ai.events import Word
from ai.local import voice
from ai.local.synthesis import FADE_MS, PEAK, TRAIL_MS, Synthesizer, polish, word_times
from ai.local.voice import LocalSpeaker, voices_for
from ai.local.workers import Reply
from ai.speakable import speakable


@pytest.fixture(scope="module")
def synthesizer():
    return Synthesizer()


class Workers:
    """What the voice asks of `ai.local.workers`, without a process."""

    def __init__(self, synthesizer):
        self.synthesizer = synthesizer
        self.asked = []

    async def call(self, kind, meta, pcm=b"", *, timeout_s):
        assert kind == "speak"
        self.asked.append(meta["text"])
        return Reply(*self.synthesizer.speak(meta))


@pytest.fixture
def workers(synthesizer):
    return Workers(synthesizer)


def samples(pcm):
    return np.frombuffer(pcm, "<i2").astype(float) / 32_768


def level_db(signal):
    frames = signal[: len(signal) // 240 * 240].reshape(-1, 240)
    loud = np.sqrt((frames**2).mean(axis=1))
    return 20 * np.log10(np.sqrt((loud[loud > 0.006] ** 2).mean()))


async def one(speaker, text, *, language="en", voice="", speed=1.0):
    [spoken] = [
        piece async for piece in speaker.speak(text, language=language, voice=voice, speed=speed)
    ]
    return spoken


async def say(workers, text, language="en", voice="", speed=1.0):
    return await one(LocalSpeaker(workers), text, language=language, voice=voice, speed=speed)


async def test_a_sentence_is_sound_with_its_written_words(workers):
    spoken = await say(workers, "If x = 3, what is 2/4?")
    assert [word.text for word in spoken.words] == ["If", "x", "=", "3,", "what", "is", "2/4?"]
    assert spoken.words[0].start_ms < 30
    for word, after in zip(spoken.words, spoken.words[1:], strict=False):
        assert word.start_ms < word.end_ms == after.start_ms
    assert spoken.words[-1].end_ms == pytest.approx(duration_ms(spoken.pcm) - TRAIL_MS, abs=30)


@pytest.mark.parametrize(
    ("language", "text"),
    [("en", "Look at the two quarters."), ("en-GB", "Well done!"), ("es", "¡Hola! ¿Qué tal?"),
     ("de-AT", "Guten Tag."), ("zh", "你好"), ("xx", "Hello there.")],
)  # fmt: skip
@pytest.mark.parametrize("voice", ["", "female", "of the teacher's choice"])
async def test_it_sounds_even_and_clean_in_every_language(workers, language, text, voice):
    signal = samples((await say(workers, text, language, voice)).pcm)
    assert -24 < level_db(signal) < -19
    assert np.abs(signal).max() <= PEAK + 0.02
    assert np.abs(signal[:24]).max() < 0.03  # no click
    audible = np.flatnonzero(np.abs(signal) > 0.003)
    assert audible[0] < 0.06 * 24_000
    assert len(signal) - audible[-1] < (TRAIL_MS + 60) * 24


async def test_speed_is_heard(workers):
    lengths = [
        len((await say(workers, "Count all the slices.", speed=speed)).pcm)
        for speed in (0.8, 1.0, 1.3)
    ]
    assert lengths[0] > 1.1 * lengths[1] > 1.2 * lengths[2]


async def test_a_text_without_words_is_silence(workers):
    assert (await say(workers, "...")).pcm == b"" or max((await say(workers, "...")).pcm) == 0
    assert await say(workers, "") == voice.Spoken(b"", ())


async def test_a_sentence_said_before_is_not_made_again(workers):
    speaker = LocalSpeaker(workers)
    first = await one(speaker, "Well done!", language="en", voice="", speed=1.0)
    assert await one(speaker, "Well done!", language="en", voice="", speed=1.0) is first
    await one(speaker, "Well done!", language="en", voice="", speed=1.2)
    assert workers.asked == ["Well done!"] * 2


async def test_the_oldest_sentences_are_forgotten(workers, monkeypatch):
    speaker = LocalSpeaker(workers)
    size = len((await say(workers, "Look at ten.")).pcm)
    monkeypatch.setattr(voice, "CACHE_BYTES", int(size * 2.5))
    workers.asked.clear()

    async def speak(text):
        await one(speaker, text, language="en", voice="", speed=1.0)

    for text in ("Look at one.", "Look at two.", "Look at one.", "Look at ten.", "Look at one."):
        await speak(text)
    assert workers.asked == ["Look at one.", "Look at two.", "Look at ten."]
    await speak("Look at two.")
    assert workers.asked[-1] == "Look at two."


@pytest.mark.parametrize(
    ("language", "voice", "first"),
    [("en", "", "en-us"), ("en-GB", "", "en"), ("es-MX", "", "es-419"), ("zh-CN", "", "zh-cn"),
     ("es", "Female", "es+f3"), ("es", "marin", "es")],
)  # fmt: skip
def test_a_language_and_a_wish_find_a_voice(language, voice, first):
    names = voices_for(language, voice)
    assert names[0] == first
    assert "en-us" in names


def test_polishing_cuts_silence_and_fades():
    quiet = np.zeros(22_050, np.float32)
    tone = np.sin(np.arange(22_050) / 20).astype(np.float32) * 0.5
    made, cut = polish(np.concatenate((quiet, tone, quiet)), 22_050)
    assert cut == pytest.approx(22_050, rel=0.02)
    assert len(made) == pytest.approx(22_050 * (1 + TRAIL_MS / 1000), rel=0.03)
    assert np.sqrt((made[2_205:20_000] ** 2).mean()) == pytest.approx(0.1, rel=0.05)
    fade = 22_050 * FADE_MS // 1000
    assert np.abs(made[: fade // 4]).max() <= 0.25 * np.abs(made).max()
    assert len(polish(quiet, 22_050)[0]) == 0


def test_a_word_that_makes_no_sound_of_its_own_takes_no_time():
    runs = speakable("so - 2/4 now", "en").runs
    times = word_times(runs, [(0, 0), (5, 300), (7, 450), (16, 900)], 1_200)
    assert times == [("so", 0, 300), ("-", 300, 300), ("2/4", 300, 900), ("now", 900, 1_200)]
    assert Word(*times[0]).end_ms == 300
