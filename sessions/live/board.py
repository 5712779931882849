"""What a tutor can put on the student's board: figures, read from the few words that name them.

A figure is data for the page to draw, all numbers worked out and bounded here, and the words that
tell it to who can't see it. There are no links, no markup, and no pictures from elsewhere.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import floor, log10
from typing import Any

from sessions.live.board_words import BoardWords, board_words
from sessions.live.curves import Point, Unreadable, curve, read_function

MOST_TEXT = 300
MOST_CAPTION = 200
MOST_CURVES = 3
MOST_POINTS = 30
MOST_MARKS = 12
MOST_BARS = 10
MOST_FRACTIONS = 4
MOST_PARTS = 24
WIDEST = 1e6
"Numbers on a board are no larger: nobody could read them."

_LINK = re.compile(r"\b(?:https?|ftp|javascript|data|file):|\bwww\.", re.IGNORECASE)
_UNSAFE_TEX = re.compile(
    r"\\(?:href|url|includegraphics|html\w*|def|gdef|edef|xdef|let|global|futurelet|newcommand"
    r"|renewcommand|providecommand|input|include|char|catcode|rule|kern|hskip|mskip|raisebox)\b"
)
_UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069]")
_POINT = re.compile(r"\(\s*([^(),;]{1,20})\s*[,;]\s*([^(),;]{1,20})\s*\)")
_RANGE = re.compile(
    r"[,;\s]*(?:\b(?:for|with|where|and)\s+)?\bx\s*(?:from|in|between|=|:)\s*\[?([^\[\],;]{1,24}?)"
    r"\s*(?:\bto\b|\band\b|\.\.+|,)\s*([^\[\],;]{1,24}?)\]?[.\s]*$",
    re.IGNORECASE,
)
_BETWEEN = re.compile(r"[,;]?\s*([^<≤,;]{1,24}?)\s*(?:<=?|≤)\s*x\s*(?:<=?|≤)\s*([^<≤,;]{1,24})$")
_LINE = re.compile(
    r"\s*(?:from\s+)?([^:;]{1,24}?)\s*(?:\bto\b|\.\.+)\s*([^:;]{1,24}?)\s*(?:[:;](.*))?",
    re.IGNORECASE | re.DOTALL,
)
_BAR = re.compile(r"(.{1,40}?)\s*[:=]?\s*(\d+(?:\.\d+)?)\s*")
_FRACTION = re.compile(r"(?:\\[dt]?frac\s*\{(\d{1,3})\}\s*\{(\d{1,3})\}|(\d{1,3})\s*/\s*(\d{1,3}))")


class CannotDraw(ValueError):
    """The words name no figure; the sentence says how to write one."""


@dataclass(frozen=True, slots=True)
class Figure:
    """Something to draw."""

    kind: str
    "One of `ai.tools.FIGURES`."
    drawing: Mapping[str, Any]
    "JSON; see docs/protocol.md, `board.show`."
    caption: str
    "What the tutor calls it; may be empty."
    says: str
    "The caption, and all that is drawn, in words."


def draw(kind: str, content: str, caption: str, language: str = "en") -> Figure:
    """The figure of this kind that `content` describes.

    Raises:
        CannotDraw: If it describes none.
    """
    content, caption = content.strip(), " ".join(caption.split())
    if not content:
        raise CannotDraw("`content` is empty; say what to draw.")
    if len(caption) > MOST_CAPTION:
        raise CannotDraw(f"`caption` has at most {MOST_CAPTION} characters.")
    for text in (content, caption):
        if _UNPRINTABLE.search(text):
            raise CannotDraw("Leave control characters out.")
        if _LINK.search(text):
            raise CannotDraw("The board shows no links or pictures from elsewhere.")
    words = board_words(language)
    try:
        drawing, says = _DRAWN[kind](content, words)
    except CannotDraw:
        raise
    except (ArithmeticError, ValueError):  # numbers beyond what axes can be divided into
        raise CannotDraw("These numbers are too large or too close. Choose others.") from None
    return Figure(kind, drawing, caption, _sentence(caption, says))


def _sentence(caption: str, says: str) -> str:
    if not caption or caption == says:
        return says
    end = "" if caption[-1] in ".!?" else "."
    return f"{caption}{end} {says}"


Drawn = tuple[dict[str, Any], str]


def _text(content: str, words: BoardWords) -> Drawn:
    if len(content) > MOST_TEXT:
        raise CannotDraw(f"A text on the board has at most {MOST_TEXT} characters.")
    return {"text": content}, " ".join(content.split())


def _formula(content: str, words: BoardWords) -> Drawn:
    tex = re.sub(r"^(?:\$\$?|\\\(|\\\[)(.*?)(?:\$\$?|\\\)|\\\])$", r"\1", content, flags=re.DOTALL)
    tex = tex.strip()
    if not tex or len(tex) > MOST_TEXT:
        raise CannotDraw(f"A formula has 1 to {MOST_TEXT} characters of LaTeX.")
    if _UNSAFE_TEX.search(tex):
        raise CannotDraw("Write the formula in plain LaTeX, without commands of layout or links.")
    if not _is_closed(tex):
        raise CannotDraw("A brace of the formula is not closed; write it like \\frac{2}{4}.")
    return {"tex": tex}, f"${tex}$"


def _is_closed(tex: str) -> bool:
    depth = deepest = 0
    for sign in re.sub(r"\\[\\{}]", "", tex):
        depth += (sign == "{") - (sign == "}")
        deepest = max(deepest, depth)
        if depth < 0 or deepest > 20:
            return False
    return depth == 0 and "$" not in tex


# ---- curves and points -----------------------------------------------------------------------


def _plot(content: str, words: BoardWords) -> Drawn:
    content, low, high = _ranged(content)
    lines: list[dict[str, Any]] = []
    points: list[Point] = []
    for part in re.split(r"[;\n]", content):
        if not part.strip():
            continue
        if _POINT.sub("", part).strip(" ,.") == "":
            points += _points_of(part)
            continue
        for each in part.split(","):
            lines.append(_curve(each.strip(), low, high))
    if not lines:
        raise CannotDraw("Name a function of x and a range, like: x^2 - 1; x from -3 to 3.")
    if len(lines) > MOST_CURVES:
        raise CannotDraw(f"Draw at most {MOST_CURVES} functions at once.")
    _few(points, MOST_POINTS, "points")
    says = words.plot.format(
        functions=words.listed([line["label"] for line in lines]), low=_n(low), high=_n(high)
    )
    if points:
        says += " " + words.points.format(points=words.listed(list(map(_pair, points))))
    return _plane(lines, points, low, high), says


def _curve(text: str, low: float, high: float) -> dict[str, Any]:
    try:
        pieces = curve(read_function(text), low, high)
    except Unreadable as problem:
        raise CannotDraw(
            f"`{text[:40]}` can't be drawn: {problem}. Write functions of x, like: x^2 - 1; 2x."
        ) from problem
    if not pieces:
        raise CannotDraw(f"`{text[:40]}` has no values there; choose another range of x.")
    label = text if "=" in text else f"y = {text}"
    return {"label": label, "pieces": pieces}


def _ranged(content: str) -> tuple[str, float, float]:
    """The content without its range of x, and that range."""
    for pattern in (_RANGE, _BETWEEN):
        found = pattern.search(content)
        if found is not None:
            low, high = _number(found[1]), _number(found[2])
            if not low < high:
                raise CannotDraw("The range of x goes from a smaller to a larger number.")
            return content[: found.start()], low, high
    return content, -10.0, 10.0


def _points(content: str, words: BoardWords) -> Drawn:
    points = _points_of(content)
    if not points or _POINT.sub("", content).strip(" ,;.\n"):
        raise CannotDraw("Write points in brackets, like: (1, 2), (3, 4).")
    _few(points, MOST_POINTS, "points")
    low, high = _around([x for x, _ in points])
    return _plane([], points, low, high), words.points.format(
        points=words.listed(list(map(_pair, points)))
    )


def _around(values: Sequence[float]) -> tuple[float, float]:
    """Ends of an axis with the zero on it, and a little room beyond the outermost points."""
    low, high = min(*values, 0.0), max(*values, 0.0)
    room = _step(low, high) / 2 if low < high else 0.5
    return _widened(low - room if low < 0 else low, high + room if high > 0 else high)


def _points_of(text: str) -> list[Point]:
    return [(_number(x), _number(y)) for x, y in _POINT.findall(text)]


def _plane(
    lines: Sequence[dict[str, Any]], points: Sequence[Point], low: float, high: float
) -> dict[str, Any]:
    ys = sorted(y for line in lines for piece in line["pieces"] for _, y in piece)
    if ys:  # a pole must not press the rest flat
        margin = len(ys) // 20
        inner = ys[margin : len(ys) - margin] or ys
        span = max(inner[-1] - inner[0], 1e-9)
        ys = [y for y in ys if inner[0] - span <= y <= inner[-1] + span]
    ys += [y for _, y in points]
    bottom, top = _widened(min(ys), max(ys)) if lines else _around(ys)
    span = top - bottom
    return {
        "x": _axis(low, high),
        "y": _axis(bottom, top),
        "lines": [
            {
                "label": line["label"],
                "pieces": [
                    [(_r(x), _r(min(max(y, bottom - span), top + span))) for x, y in piece]
                    for piece in line["pieces"]
                ],
            }
            for line in lines
        ],
        "points": [(_r(x), _r(y)) for x, y in points],
    }


def _widened(low: float, high: float) -> tuple[float, float]:
    """A little room on both sides, ending where the ticks do."""
    if low == high:
        low, high = low - 1, high + 1
    step = _step(low, high)
    return step * floor(low / step), -step * floor(-high / step)


def _axis(low: float, high: float) -> dict[str, Any]:
    step = _step(low, high)
    first = -floor(-low / step)
    ticks = [_r(step * n) for n in range(first, first + 14) if step * n <= high + step * 1e-6]
    return {"from": _r(low), "to": _r(high), "ticks": ticks}


def _step(low: float, high: float) -> float:
    """The distance of ticks, 1, 2 or 5 times a power of ten: five to ten of them."""
    span = high - low
    power = 10.0 ** floor(log10(span / 5))
    return next((power * n for n in (1.0, 2.0, 5.0) if span / (power * n) <= 10), power * 10)


# ---- other figures ---------------------------------------------------------------------------


def _number_line(content: str, words: BoardWords) -> Drawn:
    found = _LINE.fullmatch(content)
    if found is None:
        raise CannotDraw("Write the ends and the marks, like: 0 to 1: 1/4, 1/2.")
    low, high = _number(found[1]), _number(found[2])
    if not low < high:
        raise CannotDraw("The line goes from a smaller to a larger number.")
    labels = [label.strip() for label in re.split(r"[,;]", found[3] or "") if label.strip()]
    _few(labels, MOST_MARKS, "marks")
    places = [_number(label) for label in labels]
    if any(not low <= at <= high for at in places):
        raise CannotDraw(f"All marks lie between {_n(low)} and {_n(high)}.")
    says = words.number_line.format(low=_n(low), high=_n(high))
    if labels:
        says += " " + words.marked.format(marks=words.listed(labels))
    marks = [{"at": _r(at), "label": label} for at, label in zip(places, labels, strict=True)]
    return {"axis": _axis(low, high), "marks": marks}, says


def _bars(content: str, words: BoardWords) -> Drawn:
    bars: list[tuple[str, float]] = []
    for part in re.split(r"[,;\n]", content):
        if not part.strip():
            continue
        found = _BAR.fullmatch(part.strip())
        label = found[1].strip(" :=") if found else ""
        if found is None or not label:
            raise CannotDraw("Write a name and a number for each bar, like: apples 3, pears 5.")
        bars.append((label, _r(_number(found[2]))))
    _few(bars, MOST_BARS, "bars")
    if not bars:
        raise CannotDraw("Write a name and a number for each bar, like: apples 3, pears 5.")
    top = max(value for _, value in bars)
    listed = words.listed([f"{label} {_n(value)}" for label, value in bars])
    drawn = [{"label": label, "value": value} for label, value in bars]
    axis = _axis(0.0, _widened(0.0, top)[1])
    return {"bars": drawn, "axis": axis}, words.bars.format(bars=listed)


def _fraction(content: str, words: BoardWords) -> Drawn:
    found = [
        (int(top or other_top), int(bottom or other_bottom))
        for top, bottom, other_top, other_bottom in _FRACTION.findall(content)
    ]
    rest = _FRACTION.sub("", content)
    if not found or re.sub(r"\b(?:and|y|vs)\b|[\s,;=.]", "", rest):
        raise CannotDraw("Write fractions with whole numbers, like: 3/4, or: 1/2, 2/4.")
    _few(found, MOST_FRACTIONS, "fractions")
    for top, bottom in found:
        if not 1 <= bottom <= MOST_PARTS or top > 2 * bottom:
            raise CannotDraw(
                f"A fraction on the board has 1 to {MOST_PARTS} parts and is at most 2."
            )
    says = [words.fraction.format(top=top, bottom=bottom) for top, bottom in found]
    return {"fractions": [{"top": top, "bottom": bottom} for top, bottom in found]}, " ".join(says)


_DRAWN = {
    "text": _text,
    "formula": _formula,
    "plot": _plot,
    "points": _points,
    "number_line": _number_line,
    "bars": _bars,
    "fraction": _fraction,
}


# ---- numbers ---------------------------------------------------------------------------------


def _number(text: str) -> float:
    """A number as models write them: `-3`, `1/4`, `2pi`."""
    try:
        if "x" in text.lower():
            raise Unreadable("it is no number")
        value = read_function(text)(0.0)
    except Unreadable as problem:
        raise CannotDraw(f"`{text.strip()[:24]}` is no number.") from problem
    if not -WIDEST <= value <= WIDEST:  # NaN is not either
        raise CannotDraw(f"`{text.strip()[:24]}` is no number that can be drawn.")
    return value


def _r(value: float) -> float:
    """As few digits as eyes can tell apart."""
    return float(f"{value:.5g}") + 0.0


def _n(value: float) -> str:
    return f"{_r(value):g}".replace("-", "\u2212")


def _pair(point: Point) -> str:
    return f"({_n(point[0])}, {_n(point[1])})"


def _few(found: Sequence[object], most: int, what: str) -> None:
    if len(found) > most:
        raise CannotDraw(f"Draw at most {most} {what}.")
