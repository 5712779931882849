import math
from pathlib import Path

import pytest

from ai.audio import silence
from ai.engine import Answer, Brief, Step
from ai.local import ears as ears_module
from ai.local import recogniser
from ai.local.ears import LocalEars
from ai.local.recogniser import NOTHING, Opinion, Recogniser, believes_step, core
from ai.local.workers import Reply
from bench import speech
from bench.answers import TUNED
from bench.ears import brief_of, is_right

needs_flite = pytest.mark.skipif(
    not speech.available,
    reason="flite speaks as the student; install it with apt-get install flite",
)


class Workers:
    """What the ears ask of `ai.local.workers`, without a process."""

    def __init__(self, recognise):
        self.recognise = recognise
        self.asked = []

    async def call(self, kind, meta, pcm=b"", *, timeout_s):
        assert kind == "transcribe"
        self.asked.append((meta, len(pcm)))
        return Reply(*self.recognise(meta, pcm))


@pytest.fixture(scope="module")
def heard_by():
    return Recogniser()


def one_step(answer, hash="h"):
    return Brief("", "", "", "en", "", "", (Step("?", (answer,), ""),), hash=hash)


# Each sort of answer to each kind of question; `bench.ears` has all 56.
SHORT = [
    ("two quarters", "slt"), ("a quarter", "awb"), ("can we play a game", "awb"),
    ("x equals nineteen", "rms"), ("carbon dioxide", "rms"), ("chloroplast", "slt"),
]  # fmt: skip


@needs_flite
@pytest.mark.slow
@pytest.mark.parametrize(("text", "voice"), SHORT)
async def test_spoken_answers_are_heard_and_never_a_wrong_one_taken_as_right(heard_by, text, voice):
    said = next(answer for answer in TUNED if answer.text == text)
    brief = brief_of(said.lesson)
    pcm = speech.say(said.text, voice)
    heard = await LocalEars(Workers(heard_by.transcribe)).transcribe(pcm, brief, said.step)
    assert heard.text == said.text
    accepted = heard.sure and is_right(brief, said.step, heard.text)
    assert accepted == (said.sort == "right")
    for word, after in zip(heard.words, heard.words[1:], strict=False):
        assert word.start_ms < word.end_ms <= after.start_ms
    assert 300 < heard.words[0].start_ms < 900
    assert " ".join(word.text for word in heard.words) == heard.text


@needs_flite
async def test_words_that_no_dictionary_has_are_heard(heard_by):
    brief = one_step(Answer("words", "thylakoid", ("stomata",)))
    ears = LocalEars(Workers(heard_by.transcribe))
    heard = await ears.transcribe(speech.say("thylakoid", "slt"), brief, 0)
    assert (heard.text, heard.sure) == ("thylakoid", True)


async def test_silence_and_a_click_are_no_words(heard_by):
    ears = LocalEars(Workers(heard_by.transcribe))
    for pcm in (b"", silence(100), silence(3_000)):
        heard = await ears.transcribe(pcm, one_step(Answer("number", "2/4")), 0)
        assert (heard.text, heard.words, heard.sure) == ("", (), False)


async def test_the_steps_of_late_are_kept_and_no_more(heard_by, monkeypatch):
    monkeypatch.setattr(recogniser, "KEPT_STEPS", 2)
    made = []
    monkeypatch.setattr(heard_by, "_steps", type(heard_by._steps)())
    look_up = heard_by._look_up
    monkeypatch.setattr(heard_by, "_look_up", lambda words: made.append(1) or look_up(words))
    workers = Workers(heard_by.transcribe)
    hiss = bytes(range(256)) * 60
    for number in (1, 2, 1, 3, 1, 2):
        await LocalEars(workers).transcribe(hiss, one_step(Answer("number", str(number)), ""), 0)
    assert len(heard_by._steps) == 2
    assert len(made) == 4  # 1, 2, 3, and 2 again


async def test_no_more_than_a_minute_is_listened_to(monkeypatch):
    workers = Workers(lambda meta, pcm: ({"text": "", "words": [], "sure": False}, b""))
    await LocalEars(workers).transcribe(silence(61_000), one_step(Answer("open", "x")), 0)
    assert workers.asked[0][1] == len(silence(60_000))


async def test_what_is_expected_is_worked_out_once_for_each_step(monkeypatch):
    asked = []
    expected = ears_module.expected
    monkeypatch.setattr(
        ears_module, "expected", lambda brief, step: asked.append(step) or expected(brief, step)
    )
    workers = Workers(lambda meta, pcm: ({"text": "", "words": [], "sure": False}, b""))
    ears = LocalEars(workers)
    brief = brief_of("photosynthesis")
    for step in (0, 0, 1, 0):
        await ears.transcribe(silence(500), brief, step)
    assert asked == [0, 1]
    keys = [meta["key"] for meta, _ in workers.asked]
    assert keys[0] == keys[1] == keys[3] != keys[2]


@pytest.mark.parametrize(
    ("step", "general", "believed"),
    [
        (Opinion("seven", (), -0.26), Opinion("seven", (), -0.25), True),
        (Opinion("water", (), -0.29), Opinion("walter", (), -0.38), True),
        (Opinion("i like two", (), -0.53), Opinion("i like football", (), -0.56), False),
        (NOTHING, Opinion("hello", (), -0.5), False),
        (Opinion("seven", (), -0.26), NOTHING, True),
        (NOTHING, NOTHING, True),
    ],
)
def test_general_words_are_believed_where_the_steps_words_fit_badly(step, general, believed):
    assert believes_step(step, general) == believed
    assert math.isinf(NOTHING.score)


@pytest.mark.parametrize(
    ("text", "left"),
    [("i think it's two quarters please", ("two", "quarters")), ("no nine", ("no", "nine")),
     ("the answer is", ())],
)  # fmt: skip
def test_what_stands_around_an_answer_need_not_agree(text, left):
    assert core(text) == left


def test_the_answers_of_the_bench_are_sorted_as_the_tutor_would():
    for said in TUNED:
        assert is_right(brief_of(said.lesson), said.step, said.text) == (said.sort == "right")


def test_the_acoustic_model_is_in_the_wheel(heard_by):
    assert Path(heard_by._model, "en-us", "means").exists()
