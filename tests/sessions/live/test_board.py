import json
import math
import random

import pytest

from ai.tools import FIGURES
from sessions.live.board import CannotDraw, draw
from sessions.live.curves import Unreadable, curve, read_function


@pytest.mark.parametrize(
    ("text", "x", "y"),
    [
        ("x^2 - 1", 3, 8),
        ("y = 2x + 1", 2, 5),
        ("f(x) = -x^2", 3, -9),
        ("3(x + 1)(x - 1)", 2, 9),
        ("x^2^3", 2, 256),
        ("2^-x", 1, 0.5),
        ("1/2x", 4, 2),
        ("sqrt(x + 1)", 8, 3),
        ("|x - 2|", -3, 5),
        ("2|x|", -3, 6),
        ("sin 2x", math.pi / 4, 1),
        ("sin(x)^2", math.pi / 2, 1),
        ("\\frac{x}{2} + \\sqrt{4}", 6, 5),
        ("2 \\cdot x", 3, 6),
        ("x² − 1", 2, 3),
        ("2πx", 1, 2 * math.pi),
        ("e^x", 0, 1),
        ("ln(x)", 1, 0),
        ("5", 9, 5),
        ("--x", 2, 2),
    ],
)
def test_functions_are_read_as_people_write_them(text, x, y):
    assert read_function(text)(x) == pytest.approx(y)


@pytest.mark.parametrize(
    "text",
    ["", "x +", "(x", "|x", "x)", "y", "__import__('os')", "x if x else 1", "os.system", "a*x",
     "(" * 200, "x^" * 90 + "x", "x" * 200, "1 2 %", "sin", "lambda x: x"],
)  # fmt: skip
def test_what_is_no_function_is_refused(text):
    with pytest.raises(Unreadable):
        read_function(text)


@pytest.mark.parametrize(
    "text", ["1/x", "ln(x)", "x^0.5", "9^9^9^x", "tan(x)", "x^x^x", "sqrt(-x)"]
)
def test_where_there_is_no_value_there_is_a_gap(text):
    value = read_function(text)
    for x in (-10.0, -0.5, 0.0, 0.5, 10.0):
        assert isinstance(value(x), float)
    for piece in curve(value, -10, 10):
        assert all(math.isfinite(y) for _, y in piece)


def test_a_curve_breaks_at_its_pole():
    assert len(curve(read_function("1/x"), -5, 5)) == 2
    assert len(curve(read_function("1/(x - 0.013)"), -5, 5)) == 2
    assert len(curve(read_function("x^3"), -5, 5)) == 1


@pytest.mark.parametrize(
    ("kind", "content", "says"),
    [
        ("text", "Four slices", "Four slices"),
        ("formula", "$\\frac{2}{4} = \\frac{1}{2}$", "$\\frac{2}{4} = \\frac{1}{2}$"),
        ("plot", "x^2; x from -3 to 3", "A plot of y = x^2, for x from −3 to 3."),
        ("plot", "y = x, y = 2x for x in [0, 4]", "A plot of y = x and y = 2x, for x from 0 to 4."),
        (
            "plot",
            "x; (1, 1); -1 <= x <= 2",
            "A plot of y = x, for x from −1 to 2. Points at (1, 1).",
        ),
        ("plot", "sin(x)", "A plot of y = sin(x), for x from −10 to 10."),
        ("points", "(1, 2), (3, -4)", "Points at (1, 2) and (3, −4)."),
        ("number_line", "0 to 1: 1/4, 1/2", "A number line from 0 to 1. Marked: 1/4 and 1/2."),
        ("number_line", "-5 to 5", "A number line from −5 to 5."),
        ("bars", "apples 3, pears: 5", "Bars: apples 3 and pears 5."),
        (
            "fraction",
            "1/2 and 2/4",
            "1 of 2 equal parts are filled. 2 of 4 equal parts are filled.",
        ),
    ],
)
def test_a_figure_tells_itself_in_words(kind, content, says):
    figure = draw(kind, content, "")
    assert figure.says == says
    assert json.loads(json.dumps(figure.drawing)) is not None
    assert draw(kind, content, "Look here").says == f"Look here. {says}"


def test_figures_speak_the_lessons_language():
    assert draw("fraction", "2/4", "", "es-MX").says == "2 de 4 partes iguales están llenas."
    assert draw("fraction", "2/4", "", "fi").says == "2 of 4 equal parts are filled."


def test_an_axis_ends_where_its_numbers_do_with_room_for_its_points():
    drawing = draw("points", "(1, 2), (3, -4)", "").drawing
    assert drawing["y"] == {"from": -5, "to": 3, "ticks": [-5, -4, -3, -2, -1, 0, 1, 2, 3]}
    drawing = draw("plot", "1/x; x from -5 to 5", "").drawing
    assert drawing["y"]["to"] < 20, "the pole does not press the rest flat"


@pytest.mark.parametrize(
    ("kind", "content", "sentence"),
    [
        ("text", " ", "empty"),
        ("text", "a" * 301, "at most 300"),
        ("text", "see https://evil.example", "no links"),
        ("text", "JavaScript:alert(1)", "no links"),
        ("text", "www.evil.example", "no links"),
        ("formula", "\\href{x}{y}", "plain LaTeX"),
        ("formula", "\\def\\a{\\a}\\a", "plain LaTeX"),
        ("formula", "\\frac{1}{2", "not closed"),
        ("formula", "{" * 40 + "}" * 40, "not closed"),
        ("plot", "x from 0 to 1", "Name a function"),
        ("plot", "x; x from 3 to 1", "smaller to a larger"),
        ("plot", "x; x from 0 to 9999999999", "no number that can be drawn"),
        ("plot", "sqrt(x); x from -3 to -1", "no values there"),
        ("plot", "x, 2x, 3x, 4x", "at most 3"),
        ("points", "1, 2", "in brackets"),
        ("points", "(1, 2)" * 31, "at most 30"),
        ("points", "(1, x)", "no number"),
        ("points", "(1, 1/0)", "no number that can be drawn"),
        ("number_line", "0, 1", "Write the ends"),
        ("number_line", "0 to 1: 2", "between 0 and 1"),
        ("number_line", "0 to 10^-323", "too large or too close"),
        ("number_line", "-10^-323 to 10^-323", "too large or too close"),
        ("number_line", "0 to 10: " + ",".join(["1"] * 13), "at most 12"),
        ("bars", "apples", "a name and a number"),
        ("bars", "3", "a name and a number"),
        ("fraction", "half", "whole numbers"),
        ("fraction", "1/0", "1 to 24 parts"),
        ("fraction", "9/4", "at most 2"),
    ],
)
def test_what_can_not_be_drawn_is_refused_by_a_sentence(kind, content, sentence):
    with pytest.raises(CannotDraw, match=sentence):
        draw(kind, content, "")


def test_a_figure_is_small_whatever_is_drawn():
    content = "tan(x) + sin(9x); 1/x; x^3; " + "(1.2345, 2.3456)," * 30
    assert len(json.dumps(draw("plot", content, "").drawing)) < 16_000


SIGNS = ["x", "2", ".5", "+", "-", "*", "/", "^", "(", ")", "|", "sin", "e", "sqrt", " ", "0", "99"]


def test_any_signs_are_drawn_or_refused():
    chance = random.Random(4)
    for _ in range(3_000):
        text = "".join(chance.choices(SIGNS, k=chance.randrange(1, 20)))
        for kind in FIGURES:
            try:
                figure = draw(kind, text, "")
            except CannotDraw:
                continue
            json.dumps(figure.drawing, allow_nan=False)
