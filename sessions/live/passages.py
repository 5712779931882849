"""Finds passages of a lesson's material by the words they share with a question. Pure.

Passages are a few sentences each. A word counts for more the rarer it is in the material, and for
less the longer the passage (BM25); endings are cut off, so that `leaves` finds `leaf`'s plural only
and `plants` finds `plant`.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from math import log

from ai.engine import Material

MOST_FOUND = 3
LONGEST = 600  # characters of a passage: some six sentences
MOST_PASSAGES = 2_000  # of 400,000 characters, the most a plan has, with room to spare
_SATURATION, _LENGTH = 1.4, 0.6  # BM25's k1 and b

_WORD = re.compile(r"[^\W_]+")
_SENTENCE = re.compile(r"(?<=[.!?])\s+|\n\s*\n|\n(?=\s*[-*•\d])")
_COMMON_ENGLISH = (
    "a an and are as at be by do does for from how in is it its of on or that the this to was were"
    " what when where which who why will with"
)
_COMMON_SPANISH = (
    "el la los las un una de del en es que y o con por para se como cual cuando donde quien"
)
_COMMON = frozenset([*_COMMON_ENGLISH.split(), *_COMMON_SPANISH.split()])


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of the material."""

    source: str
    text: str


def find(material: Sequence[Material], about: str) -> list[Passage]:
    """The passages that fit best, best first; empty where no word of `about` occurs."""
    wanted = set(_words(about))
    if not wanted:
        return []
    passages = list(islice(_passages(material), MOST_PASSAGES))
    counts = [Counter(_words(passage.text)) for passage in passages]
    titles = [set(_words(passage.source)) for passage in passages]
    often = Counter(
        word for count, title in zip(counts, titles, strict=True) for word in {*count, *title}
    )
    mean = sum(map(Counter.total, counts)) / max(len(counts), 1) or 1.0

    def weight(index: int) -> float:
        count, length = counts[index], counts[index].total()
        score = 0.0
        for word in wanted:
            times = count[word] + 0.5 * (word in titles[index])
            if times:
                rare = log(1 + (len(passages) - often[word] + 0.5) / (often[word] + 0.5))
                longer = 1 - _LENGTH + _LENGTH * length / mean
                score += rare * times * (_SATURATION + 1) / (times + _SATURATION * longer)
        return score

    weights = [(weight(index), -index) for index in range(len(passages))]
    best = sorted((each for each in weights if each[0] > 0), reverse=True)[:MOST_FOUND]
    return [passages[-index] for _, index in best]


def _passages(material: Sequence[Material]) -> Iterator[Passage]:
    """Sentences, put together while they fit."""
    for each in material:
        text = ""
        for sentence in _SENTENCE.split(each.text):
            for piece in _pieces(" ".join(sentence.split())):
                if text and len(text) + len(piece) >= LONGEST:
                    yield Passage(each.source, text)
                    text = ""
                text = f"{text} {piece}".strip()
        if text:
            yield Passage(each.source, text)


def _pieces(sentence: str) -> Iterator[str]:
    """A sentence that is longer than a passage may be, cut at words where there are any."""
    while len(sentence) > LONGEST:
        at = sentence.rfind(" ", 1, LONGEST)
        at = at if at > 0 else LONGEST
        yield sentence[:at]
        sentence = sentence[at:].strip()
    yield sentence


def _words(text: str) -> list[str]:
    plain = unicodedata.normalize("NFKD", text.casefold())
    plain = "".join(sign for sign in plain if not unicodedata.combining(sign))
    return [_stem(word) for word in _WORD.findall(plain) if word not in _COMMON]


def _stem(word: str) -> str:
    if len(word) > 4 and word.endswith("ies"):
        return f"{word[:-3]}y"
    if len(word) > 3 and word.endswith("s") and not word.endswith("ss"):
        word = word[:-1]
    for ending in ("ing", "ed"):
        if len(word) > len(ending) + 3 and word.endswith(ending):
            return word[: -len(ending)]
    return word
