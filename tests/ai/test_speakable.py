import pytest

from ai.speakable import speakable


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("You ate 2/4 of it.", "You ate 2 quarters of it."),
        ("1/2, 1/3 and 1/4!", "one half, one third and one quarter!"),
        ("10/4 or 3/23", "10 quarters or 3 over 23"),
        ("1 1/2 slices", "1 and one half slices"),
        ("x = 3", "x equals 3"),
        ("So 3x + 2 = 11, right?", "So 3 x plus 2 equals 11, right?"),
        ("2(x + 3) = 10 (or so)",
         "2 open bracket x plus 3 close bracket equals 10 (or so)"),
        ("x^2 + y² = 3", "x squared plus y squared equals 3"),
        ("a = 3, said a friend", "ay equals 3, said a friend"),
        ("-5 is 5-10", "minus 5 is 5 minus 10"),
        ("I ate - you know - pizza", "I ate , you know , pizza"),
        ("x - 3", "x minus 3"),
        ("CO2 and H₂O", "C O 2 and H 2 O"),
        (r"So \(\frac{2}{4}\), and $x=3$.", "So 2 quarters, and x equals 3."),
        (r"$\sqrt{9} \times 2 \leq 7$", "the square root of 9 times 2 is at most 7"),
        ("It costs $5 or $6.", "It costs $5 or $6."),
        ("**Half** of ___", "Half of blank"),
        ("on 2/4/2026 at 10:30, and/or e.g. 24", "on 2/4/2026 at 10:30, and/or e.g. 24"),
        ("", ""),
        ("...", "..."),
    ],
)  # fmt: skip
def test_maths_is_said_the_way_people_say_it(written, said):
    assert speakable(written, "en").text == said


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en-GB", "2 thirds of x equals 6"),
        ("es", "2 tercios of x es igual a 6"),
        ("fr", "2/3 of x = 6"),
    ],
)
def test_each_language_has_its_own_words_or_the_signs(language, said):
    assert speakable("2/3 of x = 6", language).text == said


def test_every_spoken_run_knows_its_written_word():
    made = speakable(r"So 2/4 of x = \(\frac{1}{2}\), yes!", "en")
    assert [(run.written, made.text[run.start : run.end]) for run in made.runs] == [
        ("So", "So"), ("2/4", "2 quarters"), ("of", "of"), ("x", "x"), ("=", "equals"),
        (r"\(\frac{1}{2}\),", "one half,"), ("yes!", "yes!"),
    ]  # fmt: skip
