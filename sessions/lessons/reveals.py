"""Whether a hint gives the answer away.

Equality with an answer is that of the answer checkers, as far as it costs nothing: numbers by
value, formulas as they are written (no computer algebra here), words as a run of them.
"""

from collections.abc import Callable
from fractions import Fraction
from functools import lru_cache

from ai.local.formulas import Formula, find_formulas, letters_of, read_formula
from ai.local.numbers import find, read_number, tokens_of
from sessions.lessons.plan import StepPlan

LOOKED_AT = 1_000  # characters of a text; a plan takes 600 where something is said
REMEMBERED = 4_096  # texts: after a change all but one are as they were


@lru_cache(REMEMBERED)
def _numbers(text: str, language: str) -> frozenset[Fraction]:
    mentions = find(text, language, homophones=False).mentions
    return frozenset(mention.value for mention in mentions if not mention.negated)


_number = lru_cache(REMEMBERED)(read_number)
_formula = lru_cache(REMEMBERED)(read_formula)
_formulas = lru_cache(REMEMBERED)(find_formulas)


@lru_cache(REMEMBERED)
def _words(text: str, language: str) -> tuple[str, ...]:
    return tuple(tokens_of(text, language))


def revealed(step: StepPlan, hint: str, language: str) -> str:
    """The accepted answer that a hint says, where the question did not; empty if none."""
    hint, asked = hint[:LOOKED_AT], f"{step.say} {step.ask}"[:LOOKED_AT]
    for answer in step.answers:
        for text in (answer.text, *answer.also):
            if text and _SAYS[answer.kind](text[:LOOKED_AT], hint, asked, step, language):
                return text
    return ""


def _says_number(text: str, hint: str, asked: str, _: StepPlan, language: str) -> bool:
    value = _number(text, language)
    return value is not None and value in _numbers(hint, language) - _numbers(asked, language)


def _says_formula(text: str, hint: str, asked: str, _: StepPlan, language: str) -> bool:
    formula = _formula(text, language)
    if formula is None:
        return False
    letters = letters_of(formula)

    def said(where: str) -> bool:
        return any(_alike(formula, other) for other in _formulas(where, letters, language))

    return said(hint) and not said(asked)


def _alike(one: Formula, other: Formula) -> bool:
    return (one.left, one.right) == (other.left, other.right)


def _says_words(text: str, hint: str, asked: str, _: StepPlan, language: str) -> bool:
    words = _words(text, language)
    if len("".join(words)) < 3:  # `a`, `no`: in every sentence
        return False
    return _holds(_words(hint, language), words) and not _holds(_words(asked, language), words)


def _says_choice(text: str, hint: str, asked: str, step: StepPlan, language: str) -> bool:
    """A hint that names the other choices too only tells them apart."""
    hinted = _words(hint, language)
    others = [one for one in step.choices if one != text]
    return (
        text in step.choices
        and _holds(hinted, _words(text, language))
        and not any(_holds(hinted, _words(other, language)) for other in others)
    )


def _holds(tokens: tuple[str, ...], words: tuple[str, ...]) -> bool:
    return any(tokens[at : at + len(words)] == words for at in range(len(tokens) - len(words) + 1))


def _never(*_: object) -> bool:
    return False


_SAYS: dict[str, Callable[[str, str, str, StepPlan, str], bool]] = {
    "number": _says_number,
    "expression": _says_formula,
    "equation": _says_formula,
    "words": _says_words,
    "choice": _says_choice,
    "yes_no": _never,
    "open": _never,
}
