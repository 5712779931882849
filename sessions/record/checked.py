"""What a language model wrote of a session, checked: only what rests on it is kept. Pure.

A model may claim anything. Of its sentences those remain that name items which exist, quote only
what is said there, and are fit to be read by a child: plain text of a reasonable length. What it
names beside them is dropped.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from sessions.record.model import Sentence

SHORTEST, LONGEST = 8, 300  # characters of a sentence
MOST_SENTENCES = 6
MOST_STEPS = 3
FEWEST = 2  # sentences; of less a summary is none
LONGEST_QUESTION = 240

_QUOTED = re.compile(r"“([^“”]+)”|\"([^\"]+)\"|«([^«»]+)»|„([^„“”]+)[“”]|‘([^‘’]{2,})’(?!\w)")
_NOT_PLAIN = re.compile(r"https?:|www\.|[<>{}\[\]|`]|\*\*|\bi\d+\b")
_WORDS = re.compile(r"\w+(?:[/.,]\w+)*")


@dataclass(frozen=True, slots=True)
class Written:
    """What remains of what a model wrote."""

    narrative: tuple[Sentence, ...]
    next_steps: tuple[Sentence, ...]
    done_well: Sentence | None


def read_object(text: str) -> Mapping[str, Any]:
    """The JSON object in a model's answer, which may stand among other words; else an empty one."""
    start, end = text.find("{"), text.rfind("}")
    try:
        found = orjson.loads(text[start : end + 1])
    except orjson.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}


def checked_summary(
    text: str, said: Mapping[str, tuple[str, str]], lesson: Sequence[str]
) -> Written | None:
    """The summary in a model's answer; None where too little of it remains.

    Args:
        said: The model's name of each item -> the item's id, and what is said there.
        lesson: Texts of the lesson, which any sentence may quote.
    """
    about = read_object(text)
    narrative = tuple(_sentences(about.get("narrative"), said, lesson))[:MOST_SENTENCES]
    if len(narrative) < FEWEST:
        return None
    next_steps = tuple(_sentences(about.get("next_steps"), said, lesson))[:MOST_STEPS]
    done_well = next(_sentences([about.get("done_well")], said, lesson), None)
    return Written(narrative, next_steps, done_well)


def _sentences(
    value: Any, said: Mapping[str, tuple[str, str]], lesson: Sequence[str]
) -> Iterator[Sentence]:
    for one in value if isinstance(value, list) else ():
        if isinstance(one, Mapping) and (sentence := _sentence(one, said, lesson)) is not None:
            yield sentence


def _sentence(
    one: Mapping[str, Any], said: Mapping[str, tuple[str, str]], lesson: Sequence[str]
) -> Sentence | None:
    text, names = one.get("text"), one.get("items")
    if not isinstance(text, str) or not isinstance(names, list):
        return None
    text = " ".join(text.split())
    known = dict.fromkeys(name for name in names if isinstance(name, str) and name in said)
    if not known or not SHORTEST <= len(text) <= LONGEST or _NOT_PLAIN.search(text):
        return None
    sources = [*(said[name][1] for name in known), *lesson]
    if not all(_says(sources, quoted) for quoted in _quotations(text)):
        return None
    return Sentence(text, tuple(said[name][0] for name in known))


def _quotations(text: str) -> Iterator[str]:
    for match in _QUOTED.finditer(text):
        yield next(group for group in match.groups() if group)


def _says(sources: Sequence[str], quoted: str) -> bool:
    """Whether one of the texts says these words, in this order and with none between."""
    wanted = _plain(quoted)
    return wanted.strip() == "" or any(wanted in _plain(source) for source in sources)


def _plain(text: str) -> str:
    return f" {' '.join(_WORDS.findall(text.lower()))} "


def checked_practice(text: str, asked: Sequence[str], known: Sequence[str]) -> tuple[str, ...]:
    """The practice questions in a model's answer, at most one for each of `asked`, in its order.

    Left out are those that ask what the lesson asked already (`known`), or tell their own answer.
    """
    found: dict[int, str] = {}
    practice = read_object(text).get("practice")
    old = {_plain(question) for question in (*asked, *known)}
    for one in practice if isinstance(practice, list) else ():
        if not isinstance(one, Mapping):
            continue
        number, question, answer = one.get("of"), one.get("question"), one.get("answer")
        if type(number) is not int or not 1 <= number <= len(asked) or number in found:
            continue
        if not isinstance(question, str) or not isinstance(answer, str) or not answer.strip():
            continue
        question = " ".join(question.split())
        if not SHORTEST <= len(question) <= LONGEST_QUESTION or _NOT_PLAIN.search(question):
            continue
        if not question.endswith("?") or _plain(question) in old:
            continue
        if _plain(answer).strip() and _plain(answer) in _plain(question):
            continue
        found[number] = question
    return tuple(found[number] for number in sorted(found))
