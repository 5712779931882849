"""What a student may say at a step of a lesson: the words and phrases that the ears listen for.

A language model of only the plan's words hears wrong answers as right ones. So beside the plan's
words stand all their neighbours: every number to a hundred, the common fractions, terms and
equations, yes and no, and the ways to ask for help, whatever the question is. The kind of answer
that is expected only shifts the weights.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from math import gcd
from typing import Any

from ai.engine import Brief, Step
from ai.speakable import speakable

Weighted = tuple[str, float]

ONES = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
    "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen",
    "nineteen",
)  # fmt: skip
TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
PARTS = {
    2: ("half", "halves"), 3: ("third", "thirds"), 4: ("quarter", "quarters"),
    5: ("fifth", "fifths"), 6: ("sixth", "sixths"), 7: ("seventh", "sevenths"),
    8: ("eighth", "eighths"), 9: ("ninth", "ninths"), 10: ("tenth", "tenths"),
    11: ("eleventh", "elevenths"), 12: ("twelfth", "twelfths"), 15: ("fifteenth", "fifteenths"),
    16: ("sixteenth", "sixteenths"), 20: ("twentieth", "twentieths"),
    100: ("hundredth", "hundredths"),
}  # fmt: skip
LETTERS = ("x", "y", "n")

# Before an answer, and how usual it is beside saying it bare (10).
FRAMES: tuple[Weighted, ...] = (
    ("", 10), ("it's", 2), ("it is", 1.5), ("is it", 1), ("i think", 1), ("i think it's", 2),
    ("i think it is", 0.7), ("the answer is", 1.5), ("that's", 0.7), ("that is", 0.5),
    ("maybe", 0.5), ("um", 0.5), ("so", 0.3), ("it equals", 0.3), ("equals", 0.3),
    ("i got", 0.5), ("you get", 0.3), ("they are", 0.3), ("because", 0.2), ("is", 0.2),
    ("it would be", 0.3), ("it's not", 0.2), ("i ate", 0.2), ("you have eaten", 0.2),
    ("they need", 0.2), ("it needs", 0.2), ("from", 0.4), ("it comes from", 0.4), ("yes", 0.2),
    ("no", 0.2), ("no it's", 0.2), ("or", 0.2), ("it's called", 0.3), ("you", 0.3),
    ("we", 0.2), ("they", 0.2), ("it", 0.2), ("i", 0.2),
)  # fmt: skip
TAILS: tuple[Weighted, ...] = (("", 20), ("please", 0.3), ("i think", 0.7), ("right", 0.3))
YES_NO = (
    "yes", "no", "yeah", "nope", "yes it is", "no it isn't", "no it is not", "yes it can",
    "no it can't", "it can", "it can't", "it cannot", "yes i do", "no i don't", "that's right",
    "that's not right", "that is right", "that's wrong", "not really", "never", "yes please",
    "no thanks", "right", "wrong",
)  # fmt: skip
HELP = (
    "i don't know", "i do not know", "i don't understand", "i don't get it", "i'm not sure",
    "not sure", "i have no idea", "no idea", "i can't", "i forgot", "i'm stuck", "i'm confused",
    "hint", "hint please", "a hint please", "give me a hint", "can i have a hint",
    "can i have a hint please", "can you give me a hint", "i need a hint", "help", "help me",
    "help please", "i need help", "can you help me", "can you help me please", "repeat",
    "repeat please", "can you repeat that", "can you repeat that please", "please repeat that",
    "can you repeat the question", "repeat the question", "say that again",
    "can you say that again", "say it again please", "one more time", "again please",
    "what did you say", "what was the question", "i didn't hear you", "pardon", "sorry", "what",
    "excuse me", "why", "why is that", "how", "how come", "explain", "can you explain that",
    "what does that mean", "what do you mean", "tell me the answer", "what is the answer",
    "what's the answer", "i give up", "skip", "skip this", "next", "next question",
    "give me a minute", "just a minute", "one minute", "wait", "wait a minute", "wait please",
    "one moment", "hold on", "hang on", "let me think", "i'm thinking", "i need more time",
    "can i have more time", "stop", "i want to stop", "can we stop", "finish", "i'm done",
    "i'm finished", "i have to go", "okay", "ok", "ready", "i'm ready", "go on", "continue",
    "let's go", "thank you", "thanks", "hello", "hi", "goodbye", "bye", "are you a robot",
    "who are you",
)  # fmt: skip

# How the weight is shared out, by the kind of answer: numbers, fractions, terms, phrases.
_SHARES = {
    "number": (30.0, 30.0, 6.0, 14.0),
    "expression": (25.0, 8.0, 33.0, 14.0),
    "equation": (25.0, 8.0, 33.0, 14.0),
    "choice": (10.0, 10.0, 6.0, 54.0),
    "words": (10.0, 8.0, 4.0, 58.0),
    "yes_no": (10.0, 8.0, 4.0, 28.0),
    "open": (10.0, 8.0, 4.0, 58.0),
}
_HELP_SHARE = 12.0
_YES_NO_SHARE = 6.0
_PLAN_SHARE = 10.0
_ELSEWHERE_SHARE = 10.0
_WORDS_SHARE = 4.0
_WORD = re.compile(r"[a-z]+(?:'[a-z]+)?")
_UNKNOWN = re.compile(r"\b([a-z]) (?:equals|plus|minus|over|times)\b")
_DIGITS = re.compile(r"\d+")
MAX_PHRASES = 80
MAX_SENTENCES = 60
MAX_WORDS = 300


@dataclass(frozen=True, slots=True)
class Expected:
    """What ears are told of a step."""

    kinds: tuple[str, ...]
    phrases: tuple[str, ...]
    "Answers to this step, right and wrong, as they are said."
    elsewhere: tuple[str, ...]
    "Answers to the other steps."
    sentences: tuple[str, ...]
    "What the plan says here, as it is said: students echo it."
    words: tuple[str, ...]
    "Other words of the lesson."
    letters: tuple[str, ...]
    "What stands for a number here."

    @property
    def key(self) -> str:
        """The same for the same expectations, in every process."""
        return hashlib.sha256(repr(asdict(self)).encode()).hexdigest()[:16]


def expected(brief: Brief, step: int) -> Expected:
    """What may be answered to step number `step` of `brief`; past the last, to any."""
    steps = brief.steps[step : step + 1] or brief.steps
    kinds = dict.fromkeys(answer.kind for one in steps for answer in one.answers)
    here = _spoken(text for one in steps for text in _answers(one))
    everywhere = _spoken(text for one in brief.steps for text in _answers(one))
    sentences = _spoken(text for one in steps for text in _sentences(one))
    words = dict.fromkeys(word for text in _spoken(brief.vocabulary) for word in text.split())
    return Expected(
        tuple(kinds) or ("open",),
        tuple(here)[:MAX_PHRASES],
        tuple(phrase for phrase in everywhere if phrase not in here)[:MAX_PHRASES],
        tuple(sentences)[:MAX_SENTENCES],
        tuple(words)[:MAX_WORDS],
        tuple(dict.fromkeys([*LETTERS, *_UNKNOWN.findall(" , ".join(here))])),
    )


def _spoken(texts: Iterable[str]) -> dict[str, None]:
    return dict.fromkeys(filter(None, map(spoken, texts)))


def _answers(step: Step) -> Iterator[str]:
    for answer in step.answers:
        yield answer.text
        yield from answer.also
    yield from step.choices
    for misconception in step.misconceptions:
        yield from misconception.says


def _sentences(step: Step) -> Iterator[str]:
    texts = [step.ask, step.say, step.solution, step.praise, *step.hints]
    texts += [misconception.response for misconception in step.misconceptions]
    for text in texts:
        yield from re.split(r"[.!?;:,]+\s", text + " ")


def spoken(text: str) -> str:
    """`text` as plain lower-case words: `2/4` is `two quarters`, `x = 9` is `x equals nine`."""
    said = speakable(text, "en").text.lower().replace("’", "'").replace("-", " ")
    said = said.replace("%", " percent ")
    said = re.sub(r"(\d)\.(\d)", r"\1 point \2", said)
    said = _DIGITS.sub(lambda digits: f" {say_number(int(digits[0][:4]))} ", said)
    return " ".join(_WORD.findall(said))


def say_number(number: int) -> str:
    """A whole number from 0 to 9999 in words."""
    if number < 20:
        return ONES[number]
    if number < 100:
        tens, ones = divmod(number, 10)
        return TENS[tens - 2] + (f" {ONES[ones]}" if ones else "")
    size, name = (1000, "thousand") if number >= 1000 else (100, "hundred")
    many, rest = divmod(number, size)
    return f"{say_number(many)} {name}" + (f" {say_number(rest)}" if rest else "")


def numbers() -> Iterator[Weighted]:
    """Whole numbers to a hundred, negatives to twenty, tenths, and percents."""
    for n in range(101):
        yield say_number(n), 3.0 if n <= 20 else 1.0
    yield "a hundred", 0.5
    for n in range(1, 21):
        yield f"minus {say_number(n)}", 0.4
        yield f"negative {say_number(n)}", 0.4
    for n in range(10):
        yield f"zero point {say_number(n)}", 0.2
        yield f"point {say_number(n)}", 0.1
        yield f"{say_number(n)} point five", 0.2
    for n in (5, 10, 20, 25, 30, 40, 50, 60, 75, 80, 90, 100):
        yield f"{say_number(n)} percent", 0.3


def fractions() -> Iterator[Weighted]:
    """Parts to twentieths, said in all the usual ways, and mixed numbers."""
    for bottom, (one, many) in PARTS.items():
        rarer = 1 / min(bottom, 20)
        yield f"a {one}", 2 * rarer
        for top in range(1, max(13, min(21, 2 * bottom))):  # upside down, too
            yield f"{say_number(top)} {one if top == 1 else many}", 3 * rarer
            yield f"{say_number(top)} over {say_number(bottom)}", rarer
            yield f"{say_number(top)} out of {say_number(bottom)}", rarer / 2
        for top in range(1, bottom if bottom <= 8 else 1):
            if gcd(top, bottom) == 1:
                part = f"{say_number(top)} {one if top == 1 else many}"
                for whole in (1, 2, 3):
                    yield f"{say_number(whole)} and {part}", 0.2 * rarer
                    if top == 1:
                        yield f"{say_number(whole)} and a {one}", 0.2 * rarer
    for top in (1, 2, 3):
        yield f"{say_number(top)} {'fourth' if top == 1 else 'fourths'}", 0.7
    yield "half", 1.0
    yield "half of it", 0.3
    yield "the whole", 0.2


def terms(letters: Iterable[str]) -> Iterator[Weighted]:
    """Terms and equations of one letter, and what one does to both sides."""
    for letter in letters:
        usual = 1.0 if letter == "x" else 0.15
        yield letter, usual
        for n in range(51):
            rarer = usual if n <= 20 else usual / 4
            yield f"{letter} equals {say_number(n)}", 0.6 * rarer
            yield f"{letter} is {say_number(n)}", 0.5 * rarer
            yield f"{letter} is equal to {say_number(n)}", 0.1 * rarer
            if 0 < n <= 12:
                for sign in ("minus", "negative"):
                    yield f"{letter} equals {sign} {say_number(n)}", 0.1 * rarer
                    yield f"{letter} is {sign} {say_number(n)}", 0.1 * rarer
        for many in range(2, 13):  # a trigram knows "five x plus two" from its two halves
            yield f"{say_number(many)} {letter}", 0.5 * usual
            for sign in ("plus", "minus", "equals", "is"):
                yield f"{say_number(many)} {letter} {sign} {say_number(many)}", 0.3 * usual
        for n in range(1, 21):
            for sign in ("plus", "minus", "times", "over", "divided by"):
                yield f"{letter} {sign} {say_number(n)}", 0.1 * usual
    for n in range(1, 13):
        for verb in ("add", "subtract", "divide by", "multiply by", "take away", "times", "plus"):
            yield f"{verb} {say_number(n)}", 0.1


def phrases(said: Iterable[str]) -> Iterator[Weighted]:
    """Answers of the plan, with and without their article."""
    for phrase in said:
        bare = re.sub(r"^(?:the|an?) ", "", phrase)
        yield phrase, 1.0
        if bare != phrase:
            yield bare, 1.0
        elif " " not in phrase or not phrase.startswith(tuple(ONES)):
            yield f"the {phrase}", 0.3


def answers(what: Expected) -> dict[str, float]:
    """Everything that may be answered and its weight, in percent."""
    shares = [
        sum(_SHARES[kind][place] for kind in what.kinds) / len(what.kinds) for place in range(4)
    ]
    yes_no = _YES_NO_SHARE * (5 if "yes_no" in what.kinds else 1)
    sources: Sequence[tuple[Iterable[Weighted], float]] = (
        (numbers(), shares[0]),
        (fractions(), shares[1]),
        (terms(what.letters), shares[2]),
        (phrases(what.phrases), shares[3]),
        (phrases(what.elsewhere), _ELSEWHERE_SHARE),
        (((word, 1.0) for word in what.words), _WORDS_SHARE),
        (((phrase, 1.0) for phrase in YES_NO), yes_no),
    )
    weights: dict[str, float] = {}
    for source, share in sources:
        found = list(source)
        whole = sum(weight for _, weight in found)
        for phrase, weight in found:
            weights[phrase] = weights.get(phrase, 0.0) + share * weight / whole
    return weights


def asides(what: Expected) -> dict[str, float]:
    """What is said instead of an answer: calls for help, and the plan's own sentences."""
    weights = {phrase: _HELP_SHARE / len(HELP) for phrase in HELP}
    for sentence in what.sentences:
        weights[sentence] = weights.get(sentence, 0.0) + _PLAN_SHARE / len(what.sentences)
    return weights


def to_json(what: Expected) -> dict[str, Any]:
    """For the pipe to the worker; `from_json` reads it."""
    return asdict(what)


def from_json(value: dict[str, Any]) -> Expected:
    """What `to_json` wrote."""
    return Expected(**{name: tuple(texts) for name, texts in value.items()})
