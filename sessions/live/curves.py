"""Functions of x as a tutor writes them, and the points of their curves. Pure, and bounded.

`x^2 - 1`, `2x`, `y = 1/x`, `sqrt(x)`, `|x - 2|`, LaTeX's `\\frac{x}{2}` and `\\cdot` too. Nothing
is evaluated by Python: the text is read into small functions of ours, which take numbers.
"""

import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

MOST_CHARACTERS = 160
MOST_TOKENS = 100
DEEPEST = 24
SAMPLES = 160  # a curve is drawn some 300 pixels wide
HIGHEST = 1e9  # beyond it a curve is as good as gone

Value = Callable[[float], float]
"x in, y out; NaN where there is none."
Point = tuple[float, float]

_TOKEN = re.compile(r"\s*(?:(\d+(?:\.\d+)?|\.\d+)|([a-z]+)|([-+*/^()|]))", re.IGNORECASE)
_WRITTEN = (
    (re.compile(r"\\d?frac\s*\{([^{}]*)\}\s*\{([^{}]*)\}"), r"((\1)/(\2))"),
    (re.compile(r"\\sqrt\s*\{([^{}]*)\}"), r"sqrt(\1)"),
    (re.compile(r"\\(?:cdot|times)"), "*"),
    (re.compile(r"\\(?:left|right)"), ""),
    (re.compile(r"\\(sin|cos|tan|ln|log|exp|pi)"), r"\1"),
    (re.compile(r"\*\*"), "^"),
    (re.compile("[−–]"), "-"),
    (re.compile("[·×]"), "*"),
    (re.compile("÷"), "/"),
    (re.compile("²"), "^2"),
    (re.compile("³"), "^3"),
    (re.compile("√"), "sqrt"),
    (re.compile("π"), " pi "),
    (re.compile(r"[{\[]"), "("),
    (re.compile(r"[}\]]"), ")"),
)
_NAMED: dict[str, Value] = {
    "sqrt": math.sqrt,
    "sin": math.sin,
    "cos": math.cos,
    "tan": math.tan,
    "abs": abs,
    "exp": math.exp,
    "ln": math.log,
    "log": math.log10,
}
_CONSTANTS = {"pi": math.pi, "e": math.e}


class Unreadable(ValueError):
    """The text is no function of x that we draw."""


def read_function(text: str) -> Value:
    """The function that `text` writes.

    Raises:
        Unreadable: If it is none.
    """
    if len(text) > MOST_CHARACTERS:
        raise Unreadable("it is too long")
    text = re.sub(r"^\s*(?:y|f\s*\(\s*x\s*\))\s*=", "", text, flags=re.IGNORECASE)
    for pattern, plain in _WRITTEN:
        text = pattern.sub(plain, text)
    reader = _Reader(list(_tokens(text)))
    value = reader.sum(0)
    if reader.token is not None:
        raise Unreadable(f"`{reader.token.text}` is not expected there")
    return _guarded(value)


def curve(value: Value, low: float, high: float) -> list[list[Point]]:
    """The curve between two x, in pieces: it breaks where there is no value, and at a pole."""
    pieces: list[list[Point]] = [[]]
    xs = [low + (high - low) * i / SAMPLES for i in range(SAMPLES + 1)]
    points = [(x, value(x)) for x in xs]
    known = sorted(abs(y) for _, y in points if not math.isnan(y))
    jump = 20 * max(known[len(known) // 2], 1e-9) if known else 0.0
    before: float | None = None
    for x, y in points:
        gone = math.isnan(y) or abs(y) > HIGHEST
        leaps = before is not None and not gone and before * y < 0 and abs(before - y) > jump
        if gone or leaps:
            pieces.append([])
        if not gone:
            pieces[-1].append((x, y))
        before = None if gone else y
    return [piece for piece in pieces if len(piece) > 1]


def _guarded(value: Value) -> Value:
    def guarded(x: float) -> float:
        try:
            y = float(value(x))
        except (ArithmeticError, ValueError):
            return math.nan
        return y if math.isfinite(y) else math.nan

    return guarded


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    "number | name | sign"
    text: str


def _tokens(text: str) -> Iterator[_Token]:
    at, count = 0, 0
    text = text.rstrip()
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None:
            raise Unreadable(f"`{text[at:].strip()[:12]}` is not known")
        at = found.end()
        number, word, sign = found.groups()
        for token in (
            [_Token("number", number)]
            if number
            else _names(word.lower())
            if word
            else [_Token("sign", sign)]
        ):
            count += 1
            if count > MOST_TOKENS:
                raise Unreadable("it is too long")
            yield token


def _names(word: str) -> Iterator[_Token]:
    """`xsin` is x times sine: the longest name that is known, then the rest."""
    while word:
        name = next((word[:n] for n in range(len(word), 0, -1) if _is_known(word[:n])), None)
        if name is None:
            raise Unreadable(f"`{word[:12]}` is not known; use x and numbers")
        yield _Token("name", name)
        word = word[len(name) :]


def _is_known(name: str) -> bool:
    return name == "x" or name in _NAMED or name in _CONSTANTS


class _Reader:
    """Reads sums, products, powers, in this order."""

    def __init__(self, tokens: list[_Token]) -> None:
        self._tokens = tokens
        self._at = 0
        self._bars = 0
        "Absolute values that are open: the next bar closes one."

    @property
    def token(self) -> _Token | None:
        return self._tokens[self._at] if self._at < len(self._tokens) else None

    def _take(self, *signs: str) -> str | None:
        token = self.token
        if token is not None and token.kind == "sign" and token.text in signs:
            self._at += 1
            return token.text
        return None

    def sum(self, depth: int) -> Value:
        if depth > DEEPEST:
            raise Unreadable("it is nested too deeply")
        value = self._product(depth)
        while sign := self._take("+", "-"):
            value = _combined(sign, value, self._product(depth))
        return value

    def _product(self, depth: int) -> Value:
        value = self._signed(depth)
        while True:
            if sign := self._take("*", "/"):
                value = _combined(sign, value, self._signed(depth))
            elif self._begins_factor():
                value = _combined("*", value, self._power(depth))
            else:
                return value

    def _begins_factor(self) -> bool:
        token = self.token
        if token is None:
            return False
        if token.kind == "sign":
            return token.text == "(" or (token.text == "|" and self._bars == 0)
        return True

    def _signed(self, depth: int) -> Value:
        minus = False
        while sign := self._take("-", "+"):
            minus ^= sign == "-"
        value = self._power(depth)
        return (lambda x: -value(x)) if minus else value

    def _power(self, depth: int) -> Value:
        if depth > DEEPEST:
            raise Unreadable("it is nested too deeply")
        value = self._atom(depth)
        if self._take("^"):
            minus = self._take("-") is not None
            exponent = self._power(depth + 1)
            signed = (lambda x: -exponent(x)) if minus else exponent
            return lambda x: math.pow(value(x), signed(x))
        return value

    def _atom(self, depth: int) -> Value:
        token = self.token
        if token is None:
            raise Unreadable("it ends too early")
        self._at += 1
        if token.kind == "number":
            number = float(token.text)
            return lambda x: number
        if token.kind == "name":
            return self._name(token.text, depth)
        if token.text == "(":
            bars, self._bars = self._bars, 0
            value = self.sum(depth + 1)
            self._bars = bars
            if not self._take(")"):
                raise Unreadable("a bracket is not closed")
            return value
        if token.text == "|":
            self._bars += 1
            value = self.sum(depth + 1)
            self._bars -= 1
            if not self._take("|"):
                raise Unreadable("a bar is not closed")
            return lambda x: abs(value(x))
        raise Unreadable(f"`{token.text}` is not expected there")

    def _name(self, name: str, depth: int) -> Value:
        if name == "x":
            return lambda x: x
        if name in _CONSTANTS:
            constant = _CONSTANTS[name]
            return lambda x: constant
        function, argument = _NAMED[name], self._argument(depth + 1)
        return lambda x: float(function(argument(x)))

    def _argument(self, depth: int) -> Value:
        """`sin(x)^2` is the square of a sine; `sin 2x` is the sine of 2x."""
        token = self.token
        if token is not None and token.text == "(":
            return self._atom(depth)
        value = self._power(depth)
        while self.token is not None and (
            self.token.kind == "number" or self.token.text in ("x", *_CONSTANTS)
        ):
            value = _combined("*", value, self._power(depth))
        return value


def _combined(sign: str, one: Value, other: Value) -> Value:
    match sign:
        case "+":
            return lambda x: one(x) + other(x)
        case "-":
            return lambda x: one(x) - other(x)
        case "*":
            return lambda x: one(x) * other(x)
    return lambda x: one(x) / other(x)
