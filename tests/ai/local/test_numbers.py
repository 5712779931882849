from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ai.local.number_words import words
from ai.local.numbers import find, judge, read_number


@pytest.mark.parametrize(
    ("text", "value", "form"),
    [
        ("3", "3", "3"), ("three", "3", "3"), ("3.", "3", "3"), ("1,000", "1000", "1000"),
        ("3/4", "3/4", "3/4"), ("2 / 4", "1/2", "2/4"), ("½", "1/2", "1/2"), ("1½", "3/2", "1 1/2"),
        ("three quarters", "3/4", "3/4"), ("one half", "1/2", "1/2"), ("a half", "1/2", "1/2"),
        ("half", "1/2", "1/2"), ("two fourths", "1/2", "2/4"), ("two quarter", "1/2", "2/4"),
        ("two over four", "1/2", "2/4"), ("two out of four", "1/2", "2/4"),
        ("two of the four", "1/2", "2/4"), ("one and a half", "3/2", "1 1/2"),
        ("1 1/2", "3/2", "1 1/2"), ("two and three quarters", "11/4", "2 3/4"),
        ("point five", "1/2", "0.5"), (".5", "1/2", "0.5"), ("0.50", "1/2", "0.5"),
        ("zero point two five", "1/4", "0.25"), ("point twenty five", "1/4", "0.25"),
        ("point oh five", "1/20", "0.05"), ("50%", "1/2", "50%"), ("fifty per cent", "1/2", "50%"),
        ("minus three", "-3", "-3"), ("negative two thirds", "-2/3", "-2/3"), ("−3", "-3", "-3"),
        ("twenty-five", "25", "25"), ("one hundred and five", "105", "105"),
        ("two hundred thousand and seven", "200007", "200007"), ("a hundred", "100", "100"),
        ("three hundredths", "3/100", "3/100"), ("nineteen twentieths", "19/20", "19/20"),
    ],
)  # fmt: skip
def test_a_number_is_read_however_it_is_said(text, value, form):
    (mention,) = find(text).mentions
    assert (mention.value, mention.form) == (Fraction(value), form)
    assert read_number(text) in (Fraction(value), None if text == "3." else Fraction(value))


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("dos", "2"), ("treinta y cinco", "35"), ("veintidós", "22"), ("un medio", "1/2"),
        ("tres cuartos", "3/4"), ("dos y medio", "5/2"), ("0,5", "1/2"), ("tres coma cinco", "7/2"),
        ("cincuenta por ciento", "1/2"), ("menos tres", "-3"), ("dos cafés, por favor", "2"),
    ],
)  # fmt: skip
def test_spanish_numbers_are_read_in_a_spanish_lesson(text, values):
    assert [mention.value for mention in find(text, "es-MX").mentions] == [Fraction(values)]


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("this one is three quarters", ["3/4"]), ("one of them", []), ("the third one", []),
        ("I want to go for it", []), ("to", ["2"]), ("um, for", ["4"]), ("a quarter", ["1/4"]),
        ("quarters", []), ("second", []), ("one two", ["1", "2"]), ("1/0", ["1", "0"]),
        ("9" * 13, []), ("un café", []), ("", []), ("٣", []),
    ],
)  # fmt: skip
def test_what_is_no_number_is_passed_over(text, values):
    language = "es" if "café" in text else "en"
    assert [str(mention.value) for mention in find(text, language).mentions] == values


HALF = {Fraction(1, 2)}


@pytest.mark.parametrize(
    ("said", "verdict", "value", "note"),
    [
        ("I think it is two quarters", "right", "two quarters", ""),
        ("um, two quarters please", "right", "two quarters", ""),
        ("x equals one half", "right", "one half", ""),
        ("I don't know, a half?", "right", "a half", ""),
        ("no it's a half", "right", "a half", ""),
        ("2/4, so one half", "right", "one half", ""),
        ("one half not one third", "right", "one half", ""),
        ("two", "wrong", "two", ""),
        ("not three but four", "wrong", "four", ""),
        ("not one half", "unclear", "", "negated"),
        ("I don't think it's a half", "unclear", "", "negated"),
        ("two or three quarters", "unclear", "", "two values"),
        ("one half or one third", "unclear", "", "two values"),
        ("one half or something", "unclear", "", "two values"),
        ("one third one half", "unclear", "", "two values"),
        ("one third, no, one half", "unclear", "one half", "two values"),
        ("one half, wait, one third", "unclear", "one third", "two values"),
        ("one quarter plus one quarter", "unclear", "", "unfinished"),
        ("1/4 + 1/4", "unclear", "", "unfinished"),
        ("bananas", "unclear", "", ""),
        ("", "unclear", "", ""),
        ("one half " * 100, "unclear", "", "too long"),
    ],
)
def test_one_number_and_no_other_decides(said, verdict, value, note):
    assert judge(HALF, said) == (verdict, value, note)


@settings(max_examples=150, deadline=None)
@given(
    st.integers(0, 99), st.integers(1, 20),
    st.sampled_from(["{}", "i think {}", "um {} please", "it is {}", "the answer is {}"]),
)  # fmt: skip
def test_a_fraction_is_right_for_its_value_only(numerator, denominator, frame):
    said = frame.format(f"{numerator}/{denominator}")
    value = Fraction(numerator, denominator)
    assert judge({value}, said)[0] == "right"
    assert judge({value + 1}, said)[0] == "wrong"


WORDS = st.sampled_from(
    words(
        "one two three half quarter quarters thirds a and or not minus point percent of the out"
        " 3 1/2 0.5 , . - / % x is no hundred twenty over"
    )
)


@settings(max_examples=150, deadline=None)
@given(st.lists(WORDS, max_size=14).map(" ".join))
def test_two_different_numbers_are_never_right(said):
    named = {m.value for m in find(said).mentions if not m.negated}
    for value in named:
        assert judge({value}, said)[0] != "right" or len(named) == 1


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=120), st.sampled_from(["en", "es", "de", "zz-ZZ"]))
def test_any_text_at_all_is_judged(said, language):
    assert judge(HALF, said, language)[0] in ("right", "wrong", "unclear")
