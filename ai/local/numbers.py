"""Numbers as students write and say them: `3/4`, `three quarters`, `minus two point five`.

Text in, exact values out. `find` gives every number a sentence names, with the words it was named
by; `judge` decides whether the sentence answers a question whose answer is a number. English and
Spanish. No vendor is needed here.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise
from typing import Literal

from ai.local.number_words import FILLERS, GRAMMARS, Grammar

Verdict = Literal["right", "wrong", "unclear"]
MAX_SAID = 500  # characters; a longer answer to a short question is no answer
MAX_DIGITS = 12
_VULGAR = {
    character: unicodedata.normalize("NFKC", character).replace("⁄", "/")
    for character in "¼½¾⅐⅑⅒⅓⅔⅕⅖⅗⅘⅙⅚⅛⅜⅝⅞"
}
_TOKEN = {
    "en": re.compile(
        r"(\d{1,3}(?:,\d{3})+(?!\d)(?:\.\d+)?|\d*\.\d+|\d+)|([^\W\d_]+(?:'[^\W\d_]+)?)|(\S)"
    ),
    "es": re.compile(
        r"(\d{1,3}(?:\.\d{3})+(?!\d)(?:,\d+)?|\d*[.,]\d+|\d+)|([^\W\d_]+(?:'[^\W\d_]+)?)|(\S)"
    ),
}


_CLAUSE = frozenset({",", ".", ";", ":", "?", "!", "but", "because", "pero", "porque", "sino"})
_OR = frozenset({"or", "o"})
_HEDGES = re.compile(
    r"\b(?:i(?:'m| am) not (?:really |quite |very )?sure(?: but)?|not sure(?: but)?"
    r"|i (?:do not|don't) (?:really )?know(?: but)?|no idea(?: but)?|why not"
    r"|no (?:lo )?se|no estoy seguro|no estoy segura)\b"
)
_NEGATION_REACH = 4  # words: "I don't think it's three"


_HYPHEN = re.compile(r"(?<=[^\W\d_]{2})-(?=[^\W\d_])|(?<=[^\W\d_])-(?=[^\W\d_]{2})")  # not x-y


@dataclass(frozen=True, slots=True)
class Mention:
    """One number that a text names."""

    value: Fraction
    form: str
    "As digits, not reduced: `2/4`."
    text: str
    "The words it was named by."
    start: int
    end: int
    "Its place among the tokens of the text."
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """What `find` makes of a text."""

    tokens: tuple[str, ...]
    mentions: tuple[Mention, ...]
    arithmetic: bool
    "Numbers joined by an operator: a sum that was not worked out."


def fold(text: str) -> str:
    """Lower case, plain quotes and signs, fractions written out, accents off."""
    for character, written in _VULGAR.items():
        if character in text:
            text = text.replace(character, f" {written} ")
    text = text.replace("²", "^2").replace("³", "^3")
    text = unicodedata.normalize("NFKD", text.lower())
    text = "".join(character for character in text if not unicodedata.combining(character))
    for character, plain in (("’", "'"), ("‘", "'"), ("−", "-"), ("–", "-"), ("—", ","),
                             ("×", "*"), ("·", "*"), ("⁄", "/")):  # fmt: skip
        text = text.replace(character, plain)
    return _HYPHEN.sub(" ", text)


def tokens_of(text: str, language: str = "en") -> list[str]:
    """Words, numbers and signs of `text`, folded."""
    token = _TOKEN.get(language, _TOKEN["en"])
    return [match[0] for match in token.finditer(fold(text))]


def find(text: str, language: str = "en", *, homophones: bool = True) -> Found:
    """Every number in `text`, in order. Other words are passed over.

    `homophones`: a lone `to` or `for` is what ears made of two or four.
    """
    language = primary(language)
    hedged = _HEDGES.sub(" , ", fold(text[:MAX_SAID]))
    tokens = tokens_of(hedged, language)
    reader = _Reader(tokens, GRAMMARS[language])
    mentions = reader.all()
    if homophones and not mentions:
        words = [token for token in tokens if token.isalpha() and token not in FILLERS]
        heard = GRAMMARS[language].alone.get(words[0]) if len(words) == 1 else None
        if heard is not None:
            at = tokens.index(words[0])
            mentions = [Mention(Fraction(heard), str(heard), str(heard), at, at + 1)]
    return Found(
        tuple(tokens),
        tuple(_with_negation(mention, tokens, GRAMMARS[language]) for mention in mentions),
        reader.arithmetic(mentions),
    )


def primary(language: str) -> str:
    """The grammar for a BCP 47 tag; English where there is none of its own."""
    subtag = language.split("-")[0].lower()
    return subtag if subtag in GRAMMARS else "en"


def read_number(text: str, language: str = "en") -> Fraction | None:
    """The value of a text that is one number and nothing else, or None."""
    found = find(text, language)
    if len(found.mentions) != 1 or found.arithmetic:
        return None
    mention = found.mentions[0]
    whole = mention.start == 0 and mention.end == len(found.tokens)
    return mention.value if whole and not mention.negated else None


def judge(values: Iterable[Fraction], said: str, language: str = "en") -> tuple[Verdict, str, str]:
    """Whether `said` names one of `values` and nothing else: verdict, the words, a note.

    Two different numbers are never right, whichever comes last; the words are then the last one
    only where the student corrected themselves ("two, no, three"), to be asked back.
    """
    if len(said) > MAX_SAID:
        return "unclear", "", "too long"
    found = find(said, language)
    accepted = set(values)
    named = [mention for mention in found.mentions if not mention.negated]
    if not named:
        return "unclear", "", "negated" if found.mentions else ""
    distinct = {mention.value for mention in named}
    if found.arithmetic:
        return "unclear", "", "unfinished"
    if len(distinct) > 1:
        corrected = named[-1].text if _corrects(found.tokens, named) else ""
        return "unclear", corrected, "two values"
    if _asks_or(found.tokens, named):
        return "unclear", "", "two values"
    return ("right" if distinct <= accepted else "wrong"), named[-1].text, ""


def _with_negation(mention: Mention, tokens: Sequence[str], grammar: Grammar) -> Mention:
    for back in range(1, _NEGATION_REACH + 1):
        at = mention.start - back
        if at < 0 or tokens[at] in _CLAUSE or tokens[at][0].isdigit():
            break
        if tokens[at] in grammar.negators:
            return replace(mention, negated=True)
    return mention


_CORRECTIONS = (("no",), ("wait",), ("i", "mean"), ("sorry",), ("actually",), ("rather",),
                ("equals",), ("is",), ("=",), ("so",), ("perdon",), ("digo",), ("es",))  # fmt: skip


def _corrects(tokens: Sequence[str], named: Sequence[Mention]) -> bool:
    between = tuple(tokens[named[-2].end : named[-1].start])
    return not _OR.intersection(between) and any(
        between[at : at + len(words)] == words
        for words in _CORRECTIONS
        for at in range(len(between))
    )


def _asks_or(tokens: Sequence[str], named: Sequence[Mention]) -> bool:
    """`three or not`, `three or something`: an alternative that is no number."""
    return any(_OR.intersection(tokens[mention.end : mention.end + 1]) for mention in named)


class _Reader:
    """Recognises numbers in tokens, the longest first."""

    def __init__(self, tokens: Sequence[str], grammar: Grammar) -> None:
        self._tokens = tokens
        self._grammar = grammar

    def all(self) -> list[Mention]:
        mentions: list[Mention] = []
        at = 0
        while at < len(self._tokens):
            read = self._signed(at, after_number=bool(mentions and mentions[-1].end == at))
            if read is None:
                at += 1
                continue
            value, form, end = read
            words = self._tokens[at:end]
            text = " ".join(words) if all(word.isalpha() for word in words) else form
            mentions.append(Mention(value, form, text, at, end))
            at = end
        return mentions

    def arithmetic(self, mentions: Sequence[Mention]) -> bool:
        return any(
            left.end < right.start
            and self._tokens[left.end] in self._grammar.operators
            and right.start - left.end <= 2
            for left, right in pairwise(mentions)
        )

    def _at(self, at: int) -> str:
        return self._tokens[at] if at < len(self._tokens) else ""

    def _phrase(self, at: int, phrases: Iterable[tuple[str, ...]]) -> int | None:
        for phrase in phrases:
            if tuple(self._tokens[at : at + len(phrase)]) == phrase:
                return at + len(phrase)
        return None

    def _signed(self, at: int, *, after_number: bool) -> tuple[Fraction, str, int] | None:
        sign = 1
        if not after_number and (self._at(at) in self._grammar.minus or self._at(at) == "-"):
            sign, at = -1, at + 1
        read = self._unsigned(at)
        if read is None:
            return None
        value, form, end = read
        if self._at(end) == "%":
            value, form, end = value / 100, form + "%", end + 1
        else:
            after = self._phrase(end, self._grammar.percent)
            if after is not None:
                value, form, end = value / 100, form + "%", after
        return sign * value, ("-" if sign < 0 else "") + form, end

    def _unsigned(self, at: int) -> tuple[Fraction, str, int] | None:
        whole = self._whole(at)
        if whole is None:
            return self._article(at) or self._decimal(None, at)
        number, end = whole
        decimal = self._decimal(number, end)
        if decimal is not None:
            return decimal
        fraction = self._fraction(number, end)
        if fraction is not None:
            return fraction
        joint = end + 1 if self._at(end) in self._grammar.glue else end
        part = self._proper(joint, spoken=joint > end)
        if part is not None and number.denominator == 1:
            value, form, end = part
            return number + value, f"{number} {form}", end
        return number, _digits(number), end

    def _fraction(self, number: Fraction, at: int) -> tuple[Fraction, str, int] | None:
        """What may follow a numerator: `/4`, `over four`, `quarters`."""
        after = at + 1 if self._at(at) == "/" else self._phrase(at, self._grammar.over)
        if after is not None:
            below = self._whole(after)
            if (
                below is not None
                and below[0] != 0
                and self._at(below[1]) not in self._grammar.parts
            ):
                return number / below[0], f"{_digits(number)}/{_digits(below[0])}", below[1]
            return None
        below_word = self._grammar.parts.get(self._at(at))
        if below_word is None or number.denominator != 1:
            return None
        return number / below_word, f"{number}/{below_word}", at + 1

    def _proper(self, at: int, *, spoken: bool) -> tuple[Fraction, str, int] | None:
        """The fraction of a mixed number: `and a half`, ` 1/2`."""
        if spoken:
            article = self._article(at)
            if article is not None:
                return article
        whole = self._whole(at)
        if whole is None or (not spoken and self._at(whole[1]) != "/"):
            return None
        read = self._fraction(*whole)
        return read if read is not None and 0 < read[0] < 1 else None

    def _article(self, at: int) -> tuple[Fraction, str, int] | None:
        """`a third`, `half`, `a hundred`."""
        word = self._at(at)
        if word in self._grammar.bare:
            value = self._grammar.bare[word]
            return value, f"1/{value.denominator}", at + 1
        if word in self._grammar.articles:
            below = self._grammar.parts.get(self._at(at + 1))
            if below is not None:
                return Fraction(1, below), f"1/{below}", at + 2
            if self._at(at + 1) in self._grammar.hundreds | self._grammar.scales:
                whole = self._whole(at + 1)
                if whole is not None:
                    return whole[0], _digits(whole[0]), whole[1]
        return None

    def _decimal(self, number: Fraction | None, at: int) -> tuple[Fraction, str, int] | None:
        if self._at(at) not in self._grammar.point:
            return None
        digits, at = "", at + 1
        while len(digits) < MAX_DIGITS:
            word = self._at(at)
            value = 0 if word in self._grammar.zeros else self._grammar.small.get(word)
            if word in self._grammar.tens:
                value = self._grammar.tens[word]
                unit = self._grammar.small.get(self._at(at + 1), 0)
                if 0 < unit < 10:
                    value, at = value + unit, at + 1
            if value is None and not word.isdecimal():
                break
            digits, at = digits + (word if value is None else str(value)), at + 1
        if not digits:
            return None
        whole = number if number is not None else Fraction(0)
        if whole.denominator != 1:
            return None
        form = f"{whole}.{digits}"
        return Fraction(form), form, at

    def _whole(self, at: int) -> tuple[Fraction, int] | None:
        """A number in digits, or a whole number in words."""
        word = self._at(at)
        if word[:1].isdigit() or (word[:1] == "." and word[1:].isdigit()):
            return self._literal(word, at)
        if word == "one" and self._is_pronoun(at):
            return None
        total = current = 0
        start, room = at, 1_000_000_000
        while True:
            word, small = self._at(at), self._grammar.small.get(self._at(at))
            if small is not None and small < room and (small > 0 or at == start):
                current, room = current + small, 1
            elif word in self._grammar.tens and room > 10:
                current, room = current + self._grammar.tens[word], 10
                if self._at(at + 1) in self._grammar.glue and self._grammar.glued_tens:
                    at += 1
            elif word in self._grammar.hundreds and (room == 1 or at == start or room > 100):
                current, room = max(current, 1) * 100, 100
            elif word in self._grammar.scales and current < 1000:
                total, current, room = total + max(current, 1) * self._grammar.scales[word], 0, 1000
            elif word in self._grammar.glue and room in (100, 1000) and self._continues(at + 1):
                pass
            else:
                break
            at += 1
        if at == start:
            return None
        if self._tokens[at - 1] in self._grammar.glue:
            at -= 1
        return Fraction(total + current), at

    def _literal(self, word: str, at: int) -> tuple[Fraction, int] | None:
        plain = word
        if self._grammar.glued_tens:
            plain = plain.replace(".", "") if re.fullmatch(r"\d{1,3}(\.\d{3})+.*", plain) else plain
            plain = plain.replace(",", ".")
        plain = plain.replace(",", "")
        if len(plain) > MAX_DIGITS or not plain.isascii():
            return None
        return Fraction(plain if plain[0] != "." else "0" + plain), at + 1

    def _continues(self, at: int) -> bool:
        """After `hundred and`: a smaller whole number, not `a half` or `three quarters`."""
        word = self._at(at)
        if word not in self._grammar.small and word not in self._grammar.tens:
            return False
        return self._at(at + 1) not in self._grammar.parts

    def _is_pronoun(self, at: int) -> bool:
        after = self._at(at + 1)
        if after in self._grammar.parts or after in self._grammar.point or after == "over":
            return False
        before = self._at(at - 1) if at else ""
        pointing = before in self._grammar.pointing or before in self._grammar.parts
        return pointing or (after == "of" and self._at(at + 2) == "them")


def _digits(number: Fraction) -> str:
    if number.denominator == 1:
        return str(number.numerator)
    places = next(p for p in range(1, 40) if (number * 10**p).denominator == 1)
    return f"{float(number):.{places}f}"
