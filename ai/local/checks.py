"""Checks one answer against one accepted answer. Runs in the worker's child process.

Numbers by value, formulas by algebra (sympy, on trees that `formulas` has bounded), words by
closeness. The worker imports this module once, when it starts; nothing else does. Whatever still
takes too long is ended by the worker's deadline.
"""

from collections.abc import Sequence
from fractions import Fraction
from typing import Any, TypedDict

import sympy

from ai.local.formulas import (
    Formula,
    Letter,
    Number,
    Operation,
    Tree,
    find_formulas,
    letters_of,
    read_formula,
)
from ai.local.numbers import Verdict, judge, read_number
from ai.local.wording import judge_choice, judge_words, judge_yes_no


class Check(TypedDict):
    """What became of an answer."""

    verdict: Verdict
    value: str
    "What was understood, to be asked back: `three quarters`. May be empty."
    note: str
    "two values | negated | unfinished | too long, or empty."


def check(
    kind: str,
    expected: str,
    also: Sequence[str],
    said: str,
    choices: Sequence[str] = (),
    against: Sequence[str] = (),
    language: str = "en",
) -> Check:
    """Whether `said` gives the answer `expected`, or one of `also`.

    Args:
        kind: The plan's kind of answer, see `ai.engine.AnswerKind`.
        expected: The accepted answer as the plan writes it.
        also: Other ways to say it.
        said: What the student said or typed, fillers and all.
        choices: Of a question with choices, all of them.
        against: Answers known to be wrong; beside one of them nothing is right.
        language: BCP 47 tag of the lesson.
    """
    accepted = [expected, *also]
    match kind:
        case "number":
            verdict = _number(accepted, said, language)
        case "expression" | "equation":
            verdict = _formula(kind, accepted, said, language)
        case "choice":
            verdict = judge_choice(accepted, choices, said, language)
        case "yes_no":
            verdict = judge_yes_no(expected, said)
            if verdict[0] == "unclear" and also:
                verdict = _right_or(judge_words(also, said, against, language), verdict)
        case "open":
            verdict = _open(said, language)
        case _:
            verdict = judge_words(accepted, said, against, language)
    return Check(verdict=verdict[0], value=verdict[1], note=verdict[2])


Judgement = tuple[Verdict, str, str]


def _right_or(first: Judgement, otherwise: Judgement) -> Judgement:
    return first if first[0] == "right" else otherwise


def _number(accepted: Sequence[str], said: str, language: str) -> Judgement:
    numbers = [read_number(text, language) for text in accepted]
    verdict = judge([number for number in numbers if number is not None], said, language)
    if verdict[0] == "unclear" and not verdict[2]:
        wordings = [text for text, number in zip(accepted, numbers, strict=True) if number is None]
        return _right_or(judge_words(wordings, said, (), language), verdict)
    return verdict


def _open(said: str, language: str) -> Judgement:
    """Anything that has a word of content answers an open question."""
    verdict = judge_words((), said, (), language)
    return ("right", verdict[1], "") if verdict[0] == "wrong" else verdict


def _formula(kind: str, accepted: Sequence[str], said: str, language: str) -> Judgement:
    wanted = [formula for text in accepted if (formula := read_formula(text, language))]
    if not wanted:
        return judge_words(accepted, said, (), language)
    letters = frozenset[str]().union(*map(letters_of, wanted))
    found = find_formulas(said, letters, language)
    texts = {formula.text for formula in found}
    if not found or len(texts) > 1:
        return "unclear", "", "two values" if found else ""
    verdicts = [_compare(kind, formula, found[0]) for formula in wanted]
    text = found[0].text
    if "right" in verdicts:
        return "right", text, ""
    if "unfinished" in verdicts:
        return "unclear", "", "unfinished"
    return "wrong", text, ""


def _compare(kind: str, wanted: Formula, said: Formula) -> str:
    """right | wrong | unfinished: true, but not worked out as far as wanted."""
    if kind == "expression" or wanted.right is None:
        if said.right is not None:
            return "wrong"
        same = _is_zero(_sympy(wanted.left) - _sympy(said.left))
        return "right" if same else "wrong"
    solution = _solution(wanted)
    if said.right is None:
        if solution is None or not isinstance(_sympy(said.left), sympy.Rational):
            return "wrong"
        if not _is_worked_out(said.left):
            return "unfinished" if _sympy(said.left) == solution[1] else "wrong"
        return "right" if _sympy(said.left) == solution[1] else "wrong"
    if not _equivalent(wanted, said):
        return "wrong"
    if _solution(said) is not None and _is_worked_out(said.left) and _is_worked_out(said.right):
        return "right"
    if solution is not None:
        return "unfinished"
    sides = [(wanted.left, said.left, wanted.right, said.right)]
    sides.append((wanted.left, said.right, wanted.right, said.left))
    written_so = any(
        _is_zero(_sympy(one) - _sympy(other)) and _is_zero(_sympy(three) - _sympy(four))
        for one, other, three, four in sides
    )
    return "right" if written_so else "unfinished"


def _solution(formula: Formula) -> tuple[str, Any] | None:
    """(letter, value) of an equation that is solved, whichever way round."""
    for side, other in ((formula.left, formula.right), (formula.right, formula.left)):
        if isinstance(side, Letter) and other is not None:
            value = _sympy(other)
            if isinstance(value, sympy.Rational):
                return side.name, value
    return None


def _is_worked_out(tree: Tree) -> bool:
    """A letter, a number, minus a number, or one fraction."""
    match tree:
        case Operation("*", Number(value), Number()) if value == -1:
            return True
        case Operation("*", Number(value), right) if value == -1:
            return _is_worked_out(right)
        case Operation("/", Number() | Operation("*", Number(), Number()), Number()):
            return True
        case Operation():
            return False
    return True


def _equivalent(one: Formula, other: Formula) -> bool:
    """Both say the same: their differences are each other's constant multiple."""
    assert one.right is not None
    assert other.right is not None
    first = sympy.cancel(_sympy(one.left) - _sympy(one.right))
    second = sympy.cancel(_sympy(other.left) - _sympy(other.right))
    if first == 0 or second == 0:
        return bool(first == second)
    ratio = sympy.cancel(first / second)
    return bool(ratio.is_Rational and ratio != 0)


def _is_zero(expression: Any) -> bool:
    return bool(sympy.cancel(expression) == 0)


def _sympy(tree: Tree) -> Any:
    match tree:
        case Number(value):
            return _rational(value)
        case Letter(name):
            return sympy.Symbol(name)
        case Operation(sign, left, right):
            one, other = _sympy(left), _sympy(right)
            match sign:
                case "+":
                    return one + other
                case "-":
                    return one - other
                case "*":
                    return one * other
                case "^":
                    return one**other
            return one / other if other != 0 else sympy.nan
    raise AssertionError(tree)


def _rational(value: Fraction) -> Any:
    return sympy.Rational(value.numerator, value.denominator)


check("equation", "x = 1", (), "2x = 2")  # sympy's first use costs 140 ms: paid at start
