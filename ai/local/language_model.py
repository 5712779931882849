"""Writes what may be said as a trigram model that recognisers read (ARPA). Pure text out."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from math import log10

from ai.local.vocabulary import FRAMES, TAILS, Weighted

START, END = "<s>", "</s>"
DISCOUNT = 0.3  # of each history's weight, left to what was not foreseen
FLOOR = 0.1  # of the weight of single words, shared evenly
NEVER = 1e-99  # of <s>, which is only ever a history

Gram = tuple[str, ...]
Counts = tuple[dict[Gram, float], dict[Gram, float], dict[Gram, float]]


def arpa(answers: Mapping[str, float], asides: Mapping[str, float]) -> str:
    """The trigram model of answers in their frames, and of asides."""
    counts: Counts = (defaultdict(float), defaultdict(float), defaultdict(float))
    _count_framed(counts, answers)
    for phrase, weight in asides.items():
        _count(counts, [START, *phrase.split(), END], weight, 0, None)
    return _write(_estimate(counts))


def words_of(texts: Iterable[str]) -> set[str]:
    """Every word of `texts`."""
    return {word for text in texts for word in text.split()}


def _count(counts: Counts, tokens: list[str], weight: float, begin: int, end: int | None) -> None:
    """Count the grams that end in `tokens[begin:end]`."""
    for at in range(begin, len(tokens) if end is None else end):
        for order in range(min(3, at + 1)):
            counts[order][tuple(tokens[at - order : at + 1])] += weight


def _count_framed(counts: Counts, answers: Mapping[str, float]) -> None:
    """Count every answer in every frame, without writing all of them out."""
    heads: dict[str, float] = defaultdict(float)
    ends: dict[Gram, float] = defaultdict(float)
    for phrase, weight in answers.items():
        tokens = phrase.split()
        heads[tokens[0]] += weight
        ends[tuple(tokens[-2:])] += weight
        _count(counts, tokens, weight, 0, None)
    # The first word of an answer is foreseen from its frame; the second, from the first alone.
    whole = sum(heads.values())
    for frame, share in _shares(FRAMES):
        before = [START, *frame.split()]
        _count(counts, before, share * whole, 0, None)
        for head, weight in heads.items():
            counts[1][(before[-1], head)] += share * weight
    for tail, share in _shares(TAILS):
        for end, weight in ends.items():
            tokens = [*end, *tail.split(), END]
            _count(counts, tokens, share * weight, len(end), None)


def _shares(weighted: Iterable[Weighted]) -> list[Weighted]:
    found = list(weighted)
    whole = sum(weight for _, weight in found)
    return [(text, weight / whole) for text, weight in found]


def _estimate(counts: Counts) -> tuple[list[dict[Gram, float]], list[dict[Gram, float]]]:
    """Probabilities of each order, discounted, and the back-off weight of each history."""
    singles = {gram: weight for gram, weight in counts[0].items() if gram != (START,)}
    whole = sum(singles.values())
    chances: list[dict[Gram, float]] = [
        {
            gram: (1 - FLOOR) * weight / whole + FLOOR / len(singles)
            for gram, weight in singles.items()
        }
    ]
    backoffs: list[dict[Gram, float]] = []
    for order in (1, 2):
        lower = chances[-1]
        totals: dict[Gram, float] = defaultdict(float)
        foreseen: dict[Gram, float] = defaultdict(float)
        for gram, weight in counts[order].items():
            totals[gram[:-1]] += weight
        chances.append(
            {
                gram: (1 - DISCOUNT) * weight / totals[gram[:-1]] + DISCOUNT * lower[gram[1:]]
                for gram, weight in counts[order].items()
            }
        )
        for gram in counts[order]:
            foreseen[gram[:-1]] += lower[gram[1:]]
        backoffs.append(
            {history: DISCOUNT if part < 1 else 1e-6 for history, part in foreseen.items()}
        )
    chances[0][(START,)] = NEVER
    return chances, backoffs


def _write(model: tuple[list[dict[Gram, float]], list[dict[Gram, float]]]) -> str:
    chances, backoffs = model
    lines = ["\\data\\"]
    lines += [f"ngram {order}={len(grams)}" for order, grams in enumerate(chances, start=1)]
    for order, grams in enumerate(chances, start=1):
        lines.append(f"\n\\{order}-grams:")
        for gram in sorted(grams):
            line = f"{log10(grams[gram]):.4f}\t{' '.join(gram)}"
            if order <= len(backoffs):
                line += f"\t{log10(backoffs[order - 1].get(gram, 1.0)):.4f}"
            lines.append(line)
    return "\n".join([*lines, "\n\\end\\\n"])
