"""What is wrong with a plan, in words that say what to do: line, path, sentence."""

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from pydantic_core import ErrorDetails

from sessions.lessons.reading import Node

Problem = tuple[int | None, str, str]

MISSING = {
    "title": "give the lesson a title",
    "subject": "say which subject this is, such as `Mathematics`",
    "goal": "say in one sentence what the student can do afterwards",
    "steps": "write at least one step with a question",
    "ask": "write the question that the tutor asks",
    "answers": "give at least one accepted answer, or one of kind `open`",
    "hints": "give at least one hint, or make the answer of kind `open` if nothing can be wrong",
    "solution": "write the worked solution, to be said when the hints are used up",
    "kind": "say what kind of answer it is: number, expression, equation, words, choice, yes_no"
    " or open",
    "says": "list at least one wrong answer that shows the misconception",
    "response": "write what the tutor says to this wrong answer",
    "source": "say where the text is from",
    "text": "write the text",
}
_READABLE = {
    "number": "a number, such as `3/4` or `0.5`",
    "expression": "an expression, such as `3x + 2`",
    "equation": "an equation or its solution, such as `x = 3`",
}
_YES_NO = frozenset({"yes", "no", "sí", "si"})


def unreadable(kind: str, text: str, is_number: bool, is_formula: bool) -> str:
    """Why an accepted answer could never be matched; empty where it can."""
    if kind == "open":
        return "" if not text else "an `open` answer takes anything; leave `text` out"
    if not text:
        return "write the accepted answer"
    if kind == "yes_no":
        return "" if text.lower() in _YES_NO else "write `yes` or `no`"
    readable = {"number": is_number, "expression": is_formula, "equation": is_formula}
    if readable.get(kind, True):
        return ""
    return (
        f"`{_short(text)}` can't be read as {_READABLE[kind]}; mend it, or make it of kind `words`"
    )


def problem(error: ErrorDetails, tree: Node, keys: Mapping[str, Sequence[str]]) -> Problem:
    """One error of pydantic's, for the teacher."""
    path = path_of(error)
    return tree.line_of(path), _written(path), sentence_of(error, path, keys)


def path_of(error: ErrorDetails) -> list[str | int]:
    """Where an error of pydantic's lies."""
    path = [part for part in error["loc"] if not _is_internal(part)]
    context: dict[str, Any] = error.get("ctx", {})
    return [*path, context["at"]] if "at" in context else path


def sentence_of(
    error: ErrorDetails, path: Sequence[str | int], keys: Mapping[str, Sequence[str]]
) -> str:
    """What to do about it."""
    context: dict[str, Any] = error.get("ctx", {})
    name = next((str(part) for part in reversed(path) if isinstance(part, str)), "")
    given = error.get("input")
    match error["type"]:
        case "missing":
            return MISSING.get(name, "is missing")
        case "extra_forbidden":
            return _unknown(name, path, keys)
        case "string_too_short" | "too_short":
            return MISSING.get(name, "is empty; write something or take the line out")
        case "string_too_long":
            return (
                f"is {len(str(given)):,} characters long; keep it within"
                f" {context['max_length']:,}, in sentences that can be said aloud"
            )
        case "too_long":
            return f"has more than {context['max_length']} entries; " + (
                "split the lesson" if name == "steps" else "keep the ones that matter"
            )
        case "literal_error":
            return _not_one_of(str(given), str(context["expected"]))
        case "string_pattern_mismatch":
            return "write a language tag such as `en`, `es` or `pt-BR`"
        case "string_type":
            return MISSING.get(name, "write text here") if given is None else "write text here"
        case "tuple_type" | "list_type" if given is None and name in MISSING:
            return MISSING[name]
        case "tuple_type" | "list_type":
            return "write a list here: one entry per line, each beginning with `- `"
        case "model_type" | "model_attributes_type" | "dict_type":
            return "write `key: value` lines here"
        case "float_parsing" | "float_type" | "finite_number":
            return "write a number here, such as `0.9`"
        case "greater_than_equal":
            return f"must be at least {context['ge']:g}"
        case "less_than_equal":
            return f"must be at most {context['le']:g}"
    return error["msg"]


def _unknown(name: str, path: Sequence[str | int], keys: Mapping[str, Sequence[str]]) -> str:
    around = next((str(part) for part in reversed(path[:-1]) if isinstance(part, str)), "")
    known = keys.get(around, keys[""])
    close = get_close_matches(name, known, n=1, cutoff=0.6)
    if close:
        return f"there is no `{_short(name)}` here; did you mean `{close[0]}`?"
    return f"there is no `{_short(name)}` here; take it out (known: {', '.join(known)})"


def _not_one_of(given: str, expected: str) -> str:
    known = [word.strip(" '") for word in expected.replace(" or ", ",").split(",")]
    close = get_close_matches(given, known, n=1, cutoff=0.5)
    meant = f" Did you mean `{close[0]}`?" if close else ""
    return f"`{_short(given)}` is not known here; write one of {', '.join(known)}.{meant}"


def _written(path: Sequence[str | int]) -> str:
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{_short(part)}"
    return text.removeprefix(".")


def _is_internal(part: str | int) -> bool:
    """Names that pydantic puts into a path for its own functions."""
    return isinstance(part, str) and part.startswith(("function-", "constrained-"))


def _short(text: str) -> str:
    return text if len(text) <= 60 else text[:57] + "..."
