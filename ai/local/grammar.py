"""The grammar of answers: an answer in its frame or a call for help, and nothing else.

It is the second opinion of the ears. What it allows is as likely as anything else it allows. Rules
share their states ("two" is the same state whether "thirds" or "x" comes next): written out as
alternatives it takes ten times as long to search.
"""

from collections.abc import Iterable, Sequence

from ai.local.vocabulary import FRAMES, HELP, ONES, PARTS, TAILS, TENS, YES_NO, Expected

Arc = tuple[int, int, float] | tuple[int, int, float, str]
"From, to, probability, word; without a word, nothing is said between."

_SIGNS = ("equals", "is", "is equal to", "plus", "minus", "times", "over", "divided by")
_VERBS = ("add", "subtract", "divide by", "multiply by", "take away", "times", "plus")


class Grammar:
    """A finite-state grammar in the making. State 0 begins, state 1 ends."""

    START, END = 0, 1

    def __init__(self) -> None:
        self.states = 2
        self.arcs: dict[tuple[int, int, str | None], None] = {}
        self._ways: dict[tuple[int, str], int] = {}

    def state(self) -> int:
        """A new state."""
        self.states += 1
        return self.states - 1

    def say(self, before: int, phrases: Iterable[str], after: int) -> None:
        """Any of `phrases` leads from `before` to `after`; common beginnings share their states."""
        for phrase in phrases:
            at = before
            *beginning, last = phrase.split()
            for word in beginning:
                way = (at, word)
                if way not in self._ways:
                    self._ways[way] = self.state()
                    self.arcs[at, self._ways[way], word] = None
                at = self._ways[way]
            self.arcs[at, after, last] = None

    def skip(self, before: int, after: int) -> None:
        """Nothing need be said between `before` and `after`."""
        self.arcs[before, after, None] = None

    def transitions(self) -> list[Arc]:
        """The arcs, all equally likely."""
        return [
            (before, after, 1.0) if word is None else (before, after, 1.0, word)
            for before, after, word in self.arcs
        ]


def grammar_of_answers(what: Expected) -> Grammar:
    """Numbers, fractions, terms, yes and no, and the plan's answers; and calls for help."""
    made = Grammar()
    framed, said, tailed = made.state(), made.state(), made.state()
    made.skip(made.START, framed)
    made.say(made.START, (frame for frame, _ in FRAMES if frame), framed)
    made.say(framed, YES_NO, said)
    made.say(framed, (*what.phrases, *what.elsewhere), said)
    _add_numbers(made, framed, said, what.letters)
    made.skip(said, made.END)
    made.say(said, (tail for tail, _ in TAILS if tail), tailed)
    made.skip(tailed, made.END)
    made.say(made.START, HELP, made.END)
    return made


def _add_numbers(made: Grammar, before: int, after: int, letters: Sequence[str]) -> None:
    """Numbers, fractions and terms between two states."""
    counted, negated, mixed = made.state(), made.state(), made.state()
    _add_count(made, before, counted)
    made.say(before, ("minus", "negative"), negated)
    _add_count(made, negated, counted)
    made.say(before, ("zero",), after)
    made.skip(counted, after)
    made.say(counted, ("percent",), after)

    one = [one for one, _ in PARTS.values()] + ["fourth"]
    many = [many for _, many in PARTS.values()] + ["fourths"]
    divided, article, pointed = made.state(), made.state(), made.state()
    made.say(counted, [*one, *many], after)
    made.say(counted, ("over", "out of"), divided)
    _add_count(made, divided, after)
    made.say(before, ("a",), article)
    made.say(article, one, after)
    made.say(before, ("half", "half of it"), after)
    made.say(counted, ("and",), mixed)
    made.say(mixed, ("a",), article)
    top = made.state()
    _add_count(made, mixed, top)
    made.say(top, [*one, *many], after)
    made.say(counted, ("point",), pointed)
    made.say(before, ("point", "zero point"), pointed)
    made.say(pointed, ONES[:10], after)

    lettered, signed, done = made.state(), made.state(), made.state()
    made.say(before, letters, lettered)
    made.say(counted, letters, lettered)
    made.skip(lettered, after)
    made.say(lettered, _SIGNS, signed)
    made.say(signed, ("zero",), after)
    made.say(signed, ("minus", "negative"), done)
    _add_count(made, signed, after)
    _add_count(made, done, after)
    verb = made.state()
    made.say(before, _VERBS, verb)
    _add_count(made, verb, after)


def _add_count(made: Grammar, before: int, after: int) -> None:
    """One to a hundred."""
    tens = made.state()
    made.say(before, ONES[1:], after)
    made.say(before, TENS, tens)
    made.skip(tens, after)
    made.say(tens, ONES[1:10], after)
    made.say(before, ("hundred", "one hundred", "a hundred"), after)
