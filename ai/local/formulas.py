"""Expressions and equations as students write and say them: `3x + 2`, `x equals three`.

Text in, a small tree out; nothing is evaluated here and no name is looked up. What is no formula
within the bounds (64 signs, 16 brackets deep, exponents to 12, degree to 24) gives None, so that
what works on the tree has an end.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from ai.local.number_words import FILLERS
from ai.local.numbers import MAX_SAID, find, fold, primary

MAX_TOKENS = 64
MAX_DEPTH = 16
MAX_EXPONENT = 12
MAX_DEGREE = 24

_SPOKEN: tuple[tuple[str, str], ...] = (
    (r"(?:is|are) (?:equal|equivalent) to|equals?|es igual a|igual a", " = "),
    (r"to the power (?:of )?", " ^ "),
    (r"elevado a(?: la)?", " ^ "),
    (r"squared|al cuadrado", " ^2 "),
    (r"cubed|al cubo", " ^3 "),
    (r"(?:open|left) (?:bracket|parenthesis|parentheses|brackets)", " ( "),
    (r"(?:close|right) (?:bracket|parenthesis|parentheses|brackets)", " ) "),
    (r"multiplied by|times|lots of|por", " * "),
    (r"divided by|over|dividido (?:por|entre)|entre", " / "),
    (r"plus|mas", " + "),
    (r"minus|negative|take away|menos", " - "),
)
_PHRASES = [(re.compile(rf"\b(?:{spoken})\b"), sign) for spoken, sign in _SPOKEN]
_NUMBER_RUN = re.compile(r"[a-z' ]+")
_SIGN = re.compile(r"\s*(\d+(?:\.\d+)?|\.\d+|[a-z]+(?:'[a-z]+)?|[-+*/^()=]|\S)")
_HOMOPHONES = {"ex": "x", "eks": "x", "why": "y", "wye": "y", "en": "n", "tea": "t", "bee": "b"}
_IS = frozenset({"is", "es", "son"})
_NOT = frozenset({"not", "isn't", "no", "never"})


@dataclass(frozen=True, slots=True)
class Number:
    value: Fraction


@dataclass(frozen=True, slots=True)
class Letter:
    name: str


@dataclass(frozen=True, slots=True)
class Operation:
    sign: str
    "+ - * / ^"
    left: "Tree"
    right: "Tree"


Tree = Number | Letter | Operation


@dataclass(frozen=True, slots=True)
class Formula:
    """An expression, or an equation where `right` is there."""

    left: Tree
    right: Tree | None
    text: str
    "As it was understood: `3x + 2 = 8`."


def read_formula(text: str, language: str = "en") -> Formula | None:
    """The formula that `text` is, as a plan writes it; None if it is none."""
    pieces = _pieces(text, None, primary(language))
    return _parse(pieces[0]) if len(pieces) == 1 else None


def find_formulas(text: str, letters: frozenset[str], language: str = "en") -> list[Formula]:
    """The formulas a student's sentence holds; only `letters` are variables in it.

    A sentence that denies what it says, or is too long, holds none.
    """
    if len(text) > MAX_SAID:
        return []
    formulas = []
    for piece in _pieces(text, letters, primary(language)):
        formula = _parse(piece)
        if formula is not None:
            formulas.append(formula)
    return formulas


def letters_of(formula: Formula) -> frozenset[str]:
    """The variables of a formula."""
    return _letters(formula.left) | (_letters(formula.right) if formula.right else frozenset())


def _letters(tree: Tree) -> frozenset[str]:
    match tree:
        case Letter(name):
            return frozenset({name})
        case Operation(_, left, right):
            return _letters(left) | _letters(right)
    return frozenset()


def _pieces(text: str, letters: frozenset[str] | None, language: str) -> list[list[str]]:
    """Runs of signs; words that belong to no formula part them."""
    plain = fold(text)
    for phrase, sign in _PHRASES:
        plain = phrase.sub(sign, plain)
    plain = _NUMBER_RUN.sub(lambda run: _digits(run[0], language), plain)
    pieces: list[list[str]] = [[]]
    for match in _SIGN.finditer(plain):
        sign = match[1]
        if sign in _NOT:
            return []
        if sign[0].isalpha():
            variables = _variables(sign, letters)
            if variables:
                pieces[-1] += variables
            elif sign in _IS and pieces[-1] and pieces[-1][-1].isalpha():
                pieces[-1].append("=")
            elif sign not in FILLERS or pieces[-1]:
                pieces.append([])
        elif sign[0].isdigit() or (sign[0] == "." and len(sign) > 1) or sign in "+-*/^()=":
            pieces[-1].append(sign)
        else:
            pieces.append([])
    return [piece for piece in pieces if any(sign[0].isalnum() for sign in piece)]


def _variables(token: str, letters: frozenset[str] | None) -> list[str]:
    """`x` -> x; `xy` -> x, y where both are variables; a word -> nothing."""
    if letters is None:
        return list(token) if len(token) <= 2 and token not in FILLERS | _IS else []
    token = _HOMOPHONES.get(token, token) if _HOMOPHONES.get(token) in letters else token
    return list(token) if len(token) <= 3 and letters.issuperset(token) else []


def _digits(run: str, language: str) -> str:
    """A run of words with its number words written as digits."""
    found = find(run, language)
    if not found.mentions:
        return run
    words = list(found.tokens)
    for mention in reversed(found.mentions):
        form = mention.form.replace(" ", "+")
        form = f"({form})" if not form.isdigit() else form
        words[mention.start : mention.end] = [form]
    return f" {' '.join(words)} "


def _parse(tokens: Sequence[str]) -> Formula | None:
    if len(tokens) > MAX_TOKENS or tokens.count("=") > 1:
        return None
    try:
        if "=" in tokens:
            at = list(tokens).index("=")
            left, right = _Parser(tokens[:at]).whole(), _Parser(tokens[at + 1 :]).whole()
        else:
            left, right = _Parser(tokens).whole(), None
    except _NoFormula:
        return None
    return Formula(left, right, _written(tokens))


def _written(tokens: Sequence[str]) -> str:
    text = re.sub(r"(?<=\d) (?=[a-z(])|(?<=\() | (?=\))|(?<=^-) |(?<== -) ", "", " ".join(tokens))
    return text.replace(" ^ ", "^")


class _NoFormula(Exception):
    """These signs are no formula within the bounds."""


class _Parser:
    """Recursive descent over signs; multiplication signs may be left out."""

    def __init__(self, tokens: Sequence[str]) -> None:
        self._tokens = tokens
        self._at = 0
        self._depth = 0

    def whole(self) -> Tree:
        tree, _ = self._sum()
        if self._at < len(self._tokens):
            raise _NoFormula
        return tree

    def _next(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _take(self) -> str:
        token = self._next()
        self._at += 1
        return token

    def _sum(self) -> tuple[Tree, int]:
        tree, degree = self._product()
        while self._next() in ("+", "-") and self._next():
            sign = self._take()
            right, right_degree = self._product()
            tree, degree = Operation(sign, tree, right), max(degree, right_degree)
        return tree, degree

    def _product(self) -> tuple[Tree, int]:
        tree, degree = self._signed()
        while self._next():
            if self._next() in ("*", "/"):
                sign = self._take()
                right, right_degree = self._signed()
            elif self._next().isalpha() or self._next() == "(":
                sign = "*"
                right, right_degree = self._power()
            else:
                break
            tree, degree = Operation(sign, tree, right), degree + right_degree
            if degree > MAX_DEGREE:
                raise _NoFormula
        return tree, degree

    def _signed(self) -> tuple[Tree, int]:
        if self._next() == "-":
            self._take()
            self._deeper()
            tree, degree = self._signed()
            self._depth -= 1
            return Operation("*", Number(Fraction(-1)), tree), degree
        if self._next() == "+":
            raise _NoFormula
        return self._power()

    def _power(self) -> tuple[Tree, int]:
        tree, degree = self._atom()
        if self._next() != "^":
            return tree, degree
        self._take()
        exponent = self._take()
        if not (exponent.isdigit() and int(exponent) <= MAX_EXPONENT) or self._next() == "^":
            raise _NoFormula
        degree = max(degree, 1) * int(exponent)
        if degree > MAX_DEGREE:
            raise _NoFormula
        return Operation("^", tree, Number(Fraction(exponent))), degree

    def _atom(self) -> tuple[Tree, int]:
        sign = self._take()
        if sign == "(":
            self._deeper()
            tree, degree = self._sum()
            self._depth -= 1
            if self._take() != ")":
                raise _NoFormula
            return tree, degree
        if sign.isalpha():
            return Letter(sign), 1
        if sign and sign[0] in "0123456789." and len(sign) <= MAX_EXPONENT:
            return Number(Fraction(sign if sign[0] != "." else "0" + sign)), 0
        raise _NoFormula

    def _deeper(self) -> None:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise _NoFormula
