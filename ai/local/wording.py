"""Answers in words, choices, yes and no: whether what was said is close enough to what is accepted.

Close means a slip of ears or fingers, not a neighbouring word: short words must be exact, the first
letter counts, `increase` is not `decrease`, `not oxygen` is not `oxygen`, and an answer with a
wrong word beside the right one is unclear.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rapidfuzz.distance import OSA

from ai.local.number_words import FILLERS, GRAMMARS, words
from ai.local.numbers import MAX_SAID, Verdict, find, primary

_ARTICLES = frozenset({"the", "a", "an", "el", "la", "los", "las", "un", "una", "unos", "unas"})
_OR = frozenset({"or", "o", "versus"})
_EDGES = frozenset({",", ".", ";", ":", "!", "?", "but", "because", "pero", "porque", "sino"})
_QUESTIONS = frozenset(
    {"what", "why", "how", "who", "where", "when", "which", "que", "quien", "donde", "cuando"}
)
_OPPOSITES = tuple(
    frozenset(pair)
    for pair in (
        ("hyper", "hypo"), ("intra", "inter"), ("sub", "super"), ("macro", "micro"),
        ("ante", "anti"), ("over", "under"), ("pre", "post"), ("maxi", "mini"),
        ("endo", "exo"), ("homo", "hetero"),
    )
)  # fmt: skip
_YES = frozenset(
    words(
        "yes yeah yep yup sure correct right true definitely absolutely exactly indeed si claro"
        " verdadero cierto correcto exacto verdad"
    )
)
_NO = frozenset(words("no nope nah false wrong incorrect never falso nunca incorrecto"))
_DESIGNATORS = (
    ("a", "1", "first", "primero", "primera"),
    ("b", "2", "second", "segundo", "segunda"),
    ("c", "3", "third", "tercero", "tercera"),
    ("d", "4", "fourth", "cuarto", "cuarta"),
    ("e", "5", "fifth", "quinto", "quinta"),
    ("f", "6", "sixth", "sexto", "sexta"),
)
_POINTERS = frozenset({"option", "number", "letter", "one", "opcion", "numero", "letra", "choice"})
_REACH = 4  # words between a negation and what it denies at once


@dataclass(frozen=True, slots=True)
class _Match:
    """Where among the tokens of an answer a phrase was found, and how far off its letters were."""

    start: int
    end: int
    distance: int


def judge_words(
    accepted: Sequence[str], said: str, against: Sequence[str] = (), language: str = "en"
) -> tuple[Verdict, str, str]:
    """Whether `said` holds one of `accepted`, undenied and without one of `against` beside it."""
    if len(said) > MAX_SAID:
        return "unclear", "", "too long"
    tokens = _tokens(said, language)
    if not any(map(_is_word, tokens)):
        return "unclear", "", ""
    match = _best(accepted, tokens, language)
    rivals = [
        rival
        for wrong in against
        if (rival := _find(_tokens(wrong, language), tokens))
        and not _denied(rival, tokens, language)
    ]
    if match is None:
        return _no_match(tokens, rivals)
    text = " ".join(tokens[match.start : match.end])
    if any(_outdoes(rival, match) for rival in rivals):
        return "wrong", text, ""
    if any(rival.end <= match.start or rival.start >= match.end for rival in rivals):
        return "unclear", "", "two values"
    denial = _denied(match, tokens, language)
    if denial:
        return ("wrong" if denial == "near" else "unclear"), "", "negated"
    if _has_alternative(match, tokens):
        return "unclear", "", "two values"
    first = next(at for at, token in enumerate(tokens) if _is_word(token))
    if tokens[first] in _QUESTIONS and match.start > first:
        return "unclear", "", ""
    return "right", text, ""


def judge_choice(
    expected: Sequence[str], choices: Sequence[str], said: str, language: str = "en"
) -> tuple[Verdict, str, str]:
    """Which of `choices` was named, by its words, its letter or its place."""
    tokens = _tokens(said, language)
    named = []
    for choice in choices:
        match = _find(_tokens(choice, language), tokens)
        if match and not _denied(match, tokens, language):
            named.append((choice, match))
    named = [
        (choice, match)
        for choice, match in named
        if not any(_outdoes(other, match) for _, other in named if other is not match)
    ]
    if not named:
        place = _designated(tokens, [_tokens(choice, language) for choice in choices])
        if place is None:
            judgement = judge_words(expected, said, (), language)
            return ("unclear", "", "") if judgement[1].isdigit() else judgement
        named = [(choices[place], _Match(0, len(tokens), 0))]
    if len(named) > 1:
        return "unclear", "", "two values"
    choice, match = named[0]
    if _has_alternative(match, tokens):
        return "unclear", choice, "two values"
    return ("right" if choice in expected else "wrong"), choice, ""


def judge_yes_no(expected: str, said: str) -> tuple[Verdict, str, str]:
    """Yes, no, or neither. `I don't think so` is a no, `I don't know` is neither."""
    tokens = [token for token in _tokens(said, "en") if token not in _EDGES]
    joined = f" {' '.join(tokens)} "
    yes, no = bool(_YES.intersection(tokens)), bool(_NO.intersection(tokens))
    if " don't think so " in joined or " not really " in joined or " of course not " in joined:
        yes, no = False, True
    elif " not " in joined or "n't " in joined:
        yes, no = (False, True) if yes and not no else (yes, no)
    elif " of course " in joined or " i think so " in joined or " por supuesto " in joined:
        yes = True
    if yes == no:
        return "unclear", "", "two values" if yes else ""
    heard = "yes" if yes else "no"
    wanted = "yes" if _YES.intersection(_tokens(expected, "en")) else "no"
    return ("right" if heard == wanted else "wrong"), heard, ""


def near(said: str, wanted: str) -> int | None:
    """The letters by which `said` misses `wanted`, or None where it is another word."""
    if said == wanted:
        return 0
    length = min(len(said), len(wanted))
    if length < 5 or said[0] != wanted[0] or not (said.isalpha() and wanted.isalpha()):
        return None
    if said[-1] != wanted[-1] and "s" not in (said[-1], wanted[-1]):
        return None  # quiero is not quiere
    allowed = 1 if length < 9 else 2
    distance = OSA.distance(said, wanted, score_cutoff=allowed)
    return None if distance > allowed or _opposite(said, wanted) else distance


def _opposite(one: str, other: str) -> bool:
    return any(
        one.startswith(left) and other.startswith(right)
        for pair in _OPPOSITES
        for left in pair
        for right in pair
        if left != right
    )


def _tokens(text: str, language: str) -> list[str]:
    """Words with numbers in one form: `two quarters` is `2/4`."""
    found = find(text, language, homophones=False)
    tokens = list(found.tokens)
    for mention in reversed(found.mentions):
        tokens[mention.start : mention.end] = [mention.form]
    return [token for token in tokens if token not in ("'", '"', "¿", "¡", "(", ")")]


def _is_word(token: str) -> bool:
    return any(map(str.isalnum, token))


def _is_content(token: str) -> bool:
    return _is_word(token) and token not in FILLERS and token not in _ARTICLES


def _core(tokens: Iterable[str]) -> list[str]:
    """Without articles and marks, unless nothing would be left."""
    all_tokens = [token for token in tokens if _is_word(token)]
    return [token for token in all_tokens if token not in _ARTICLES] or all_tokens


def _best(accepted: Sequence[str], tokens: Sequence[str], language: str) -> _Match | None:
    matches = [
        match
        for phrase in accepted
        if (match := _find(_tokens(phrase, language), tokens)) is not None
    ]
    return min(matches, key=lambda match: (match.distance, match.start - match.end), default=None)


def _find(phrase: Sequence[str], tokens: Sequence[str]) -> _Match | None:
    """The best place of `phrase`; the members of `a and b` may come in any order."""
    members = _members(phrase)
    if len(members) > 1:
        found = [_find_run(member, tokens) for member in members]
        matches = [match for match in found if match is not None]
        if len(matches) < len(members):
            return None
        return _Match(
            min(match.start for match in matches),
            max(match.end for match in matches),
            sum(match.distance for match in matches),
        )
    return _find_run(_core(phrase), tokens)


def _members(phrase: Sequence[str]) -> list[list[str]]:
    members: list[list[str]] = [[]]
    for token in phrase:
        if token in ("and", "y", ","):
            members.append([])
        else:
            members[-1].append(token)
    return [_core(member) for member in members if _core(member)]


def _find_run(wanted: Sequence[str], tokens: Sequence[str]) -> _Match | None:
    places = [at for at, token in enumerate(tokens) if token not in _ARTICLES or token in wanted]
    said = [tokens[at] for at in places]
    best: _Match | None = None
    for size in (len(wanted), len(wanted) + 1, len(wanted) - 1):
        for at in range(len(said) - size + 1 if size > 0 else 0):
            distance = _distance(said[at : at + size], wanted)
            if distance is not None and (best is None or distance < best.distance):
                best = _Match(places[at], places[at + size - 1] + 1, distance)
    return best


def _distance(said: Sequence[str], wanted: Sequence[str]) -> int | None:
    if len(said) == len(wanted):
        total = 0
        for one, other in zip(said, wanted, strict=True):
            distance = near(one, other)
            if distance is None:
                return None
            total += distance
        return total
    if _EDGES.intersection(said) or len("".join(wanted)) < 8:
        return None
    return near("".join(said), "".join(wanted))  # "photo synthesis"


def _denied(match: _Match, tokens: Sequence[str], language: str) -> str:
    """`near` where a negation stands close before, `far` where it governs the clause."""
    negators = GRAMMARS["en"].negators | GRAMMARS[primary(language)].negators
    for back in range(1, match.start + 1):
        token = tokens[match.start - back]
        if token in _EDGES:
            break
        if token in negators:
            return "near" if back <= _REACH else "far"
    after = tokens[match.end :]
    tail = [token for token in after if token not in _EDGES]
    return "far" if tail and tail[-1] in negators else ""


def _has_alternative(match: _Match, tokens: Sequence[str]) -> bool:
    """An `or` with something on its other side."""
    return any(
        token in _OR and not match.start <= at < match.end for at, token in enumerate(tokens)
    )


def _outdoes(rival: _Match, match: _Match) -> bool:
    """The same words are nearer to `rival`, or are only a part of it."""
    overlaps = rival.start < match.end and match.start < rival.end
    longer = rival.end - rival.start > match.end - match.start
    return overlaps and (rival.distance < match.distance or (longer and rival.distance == 0))


def _no_match(tokens: Sequence[str], rivals: Sequence[_Match]) -> tuple[Verdict, str, str]:
    if rivals:
        rival = rivals[0]
        return "wrong", " ".join(tokens[rival.start : rival.end]), ""
    content = [at for at, token in enumerate(tokens) if _is_content(token)]
    if not content:
        return "unclear", "", ""
    said = [token for token in tokens[content[0] : content[-1] + 1] if token not in _EDGES]
    return "wrong", " ".join(said) if len(said) <= 8 else "", ""


def _designated(tokens: Sequence[str], choices: Sequence[Sequence[str]]) -> int | None:
    named = [token for token in tokens if _is_word(token)]
    said = [word for word in named if word not in FILLERS and word not in _ARTICLES - {"a"}]
    if "last" in said or "ultimo" in said or "ultima" in said:
        return len(choices) - 1 if len(said) <= 2 else None
    named = [word for word in said if word not in _POINTERS]
    if len(named) != 1 or len(said) > 3:
        return None
    if len(said) == 1 and named[0].isdigit() and any(named[0] in choice for choice in choices):
        return None  # "two", where one of the choices is "divide by two"
    for place, names in enumerate(_DESIGNATORS[: len(choices)]):
        if named[0] in names:
            return place
    return None
