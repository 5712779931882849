"""Sentences of a streamed answer: the same however the stream is cut, and nothing lost."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ai.sayable import MAX_BREATH, Sentences

TEXTS = (
    "Hello there! What is 3.5 plus 2/4? Say it, e.g. four. Dr. Sum waits… Now go on.",
    "**Good work.** Let's see:\n\n1. First add them.\n2. Then say `x = 3`.\n- done",
    "We write \\(\\frac{2}{4} = 0.5. \\) Or $$a. B$$? Then \\[ x = 1. \n y \\] stays whole. Yes!",
    "<think>They said 4. I must not tell.</think>Nearly! <<<server\nsecret. \n>>>Try again.",
    "5! = 120. Is 3 < 4? Yes. x<think",
    "¿Qué es 2/4? ¡Muy bien! “Yes.” Then (so it goes.) Next.",
    "这是第一句。第二句！好吗？",
    "word " * 120 + ". The end.",
)
PIECES = st.text(alphabet="ab .!?\n\\()[]$<>/*_`-3,é…。think", max_size=120)


def whole(text: str) -> list[str]:
    return fed([text])


def fed(pieces: list[str]) -> list[str]:
    sentences = Sentences()
    found = [one for piece in pieces for one in sentences.feed(piece)]
    return found + sentences.end()


def cut(text: str, places: list[int]) -> list[str]:
    edges = sorted({0, len(text), *(place % (len(text) + 1) for place in places)})
    return [text[a:b] for a, b in pairwise(edges)]


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.sampled_from(TEXTS), PIECES), st.lists(st.integers(0, 2_000), max_size=40))
def test_however_it_is_cut_the_sentences_are_the_same(text: str, places: list[int]) -> None:
    assert fed(cut(text, places)) == whole(text) == fed(list(text))


@settings(max_examples=500, deadline=None)
@given(st.text(alphabet="abcd .!?,;:\n'\"()3é…。", max_size=400))
def test_no_letter_is_lost_or_moved(text: str) -> None:
    def letters(words: str) -> str:
        return "".join(character for character in words if character.isalnum())

    found = whole(text)
    assert letters("".join(found)) == letters(text)
    assert all(found)


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        (TEXTS[0], ["Hello there!", "What is 3.5 plus 2/4?", "Say it, e.g. four.",
                    "Dr. Sum waits…", "Now go on."]),
        (TEXTS[1], ["Good work.", "Let's see:", "1. First add them.", "2. Then say x = 3.",
                    "done"]),
        (TEXTS[2], ["We write \\(\\frac{2}{4} = 0.5. \\) Or $$a. B$$?",
                    "Then \\[ x = 1. y \\] stays whole.", "Yes!"]),
        (TEXTS[3], ["Nearly!", "Try again."]),
        (TEXTS[4], ["5! = 120.", "Is 3 < 4?", "Yes.", "x<think"]),
        (TEXTS[5], ["¿Qué es 2/4?", "¡Muy bien!", "“Yes.”", "Then (so it goes.)", "Next."]),
        (TEXTS[6], ["这是第一句。", "第二句！", "好吗？"]),
        ("At 3 p.m. we stop. No. Try it in the U.S. now.",
         ["At 3 p.m. we stop.", "No.", "Try it in the U.S. now."]),
        ("# Title\n* one\n> so it is\n---\n```py\nx = 1\n```",
         ["Title", "one", "so it is", "x = 1"]),
        ("See [the page](http://a.b/c) or https://a.b/?q=1 now ![](http://x.y/z). <b>Yes</b> 🎉",
         ["See the page or now . Yes"]),
        ("So \\frac{3}{4} \\times 2 is **more**, and 2*3*4 and 2**3 stay, as does ___.",
         ["So \\(\\frac{3}{4}\\) × 2 is more, and 2*3*4 and 2**3 stay, as does ___."]),
        ("<tool_call>{\"name\": \"show\"}</tool_call>", []),
        ("", []),
        ("  \n ", []),
    ],
)  # fmt: skip
def test_sentences_of_an_answer(text: str, sentences: list[str]) -> None:
    assert whole(text) == sentences


def test_a_sentence_is_given_when_the_next_one_begins() -> None:
    sentences = Sentences()
    assert sentences.feed("Well done! ") == []
    assert sentences.feed("N") == ["Well done!"]
    assert sentences.feed("ow this.\n") == ["Now this."]
    assert sentences.end() == []


def test_a_sentence_too_long_for_a_breath_is_cut_at_a_comma_before_it_is_over() -> None:
    text = "one and two and three and four and five, " * 8
    sentences = Sentences()
    found = sentences.feed(text)
    assert found and all(len(one) <= MAX_BREATH for one in found)
    assert all(one.endswith("five,") for one in found)


def test_a_formula_that_never_closes_holds_nothing_back_for_ever() -> None:
    sentences = Sentences()
    found = sentences.feed("It is \\(x. " + "And so on. " * 60)
    assert "And so on." in found


def test_a_word_without_an_end_is_cut_and_costs_no_time() -> None:
    found = whole("x" * 100_000 + " and on.")
    assert sum(map(len, found)) == 100_000 + len("and on.")
    assert max(map(len, found)) < 1_000
