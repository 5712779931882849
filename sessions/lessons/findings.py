"""What there is to say about a plan or a draft: where it lies, what is wrong, what to do.

Paths are those of drafts (`sessions.lessons.draft`), and go on into lists: `steps.k3f9.hints.1`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from sessions.lessons.draft import Content, order_of, to_plan
from sessions.lessons.mends import path_of, sentence_of
from sessions.lessons.plan import KEYS, Plan

Severity = Literal["error", "warning"]
PLAN_RULE = "plan"
MISSING = "This is still missing."
UNUSABLE = "The tutor can't use this as it is."

_NAMES = {
    "": "The lesson",
    "title": "Title",
    "subject": "Subject",
    "level": "Level",
    "language": "Language",
    "goal": "Goal",
    "prior_knowledge": "What students know already",
    "opening": "Opening",
    "closing": "Closing",
    "material": "Material",
    "voice": "Voice",
    "voice.name": "Voice",
    "voice.speed": "Speed of the voice",
    "voice.rules": "How the tutor should sound",
    "patience_s": "Patience",
    "engines": "Tutor engines",
    "steps": "Steps",
    "step_order": "Order of the steps",
}
_IN_STEPS = {
    "say": "explanation",
    "ask": "question",
    "answers": "accepted answers",
    "choices": "choices",
    "solution": "worked solution",
    "hints": "hints",
    "misconceptions": "misconceptions",
    "exit": "when to move on",
    "praise": "praise",
    "patience_s": "patience",
}
_ENTRY = {
    "answers": "answer",
    "choices": "choice",
    "hints": "hint",
    "misconceptions": "misconception",
}
_MISSING_TYPES = frozenset({"missing", "string_too_short", "too_short"})


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to mend, or to consider."""

    rule: str
    severity: Severity
    "A draft with errors can't be published."
    path: str
    place: str
    "In a teacher's words: `Step 2, hint 1`."
    reason: str
    mend: str


def place_of(path: str) -> str:
    """Where a path lies, in words; steps and entries by number from 0."""
    parts = path.split(".")
    if parts[0] == "steps" and len(parts) > 1:
        return f"Step {int(parts[1]) + 1}{_in_step(parts[2:])}"
    depth = 2 if parts[0] == "voice" else 1
    return _NAMES.get(".".join(parts[:depth]), path) + _entry("entry", parts[depth:])


def _in_step(parts: Sequence[str]) -> str:
    if not parts:
        return ""
    name = parts[0]
    if len(parts) > 1 and name in _ENTRY:
        return _entry(_ENTRY[name], parts[1:])
    return f", {_IN_STEPS.get(name, name)}"


def _entry(name: str, parts: Sequence[str]) -> str:
    return f", {name} {int(parts[0]) + 1}" if parts else ""


def named(path: str, ids: Sequence[str]) -> str:
    """The same path with a step's id instead of its number."""
    parts = path.split(".")
    if parts[0] == "steps" and len(parts) > 1 and int(parts[1]) < len(ids):
        parts[1] = ids[int(parts[1])]
    return ".".join(parts)


def with_ids(found: Sequence[Finding], ids: Sequence[str]) -> list[Finding]:
    """Findings about a plan, as findings about the draft whose steps have these ids."""
    return [replace(finding, path=named(finding.path, ids)) for finding in found]


def read_draft(content: Content) -> Plan | list[Finding]:
    """The plan that a draft is; or why it is none."""
    try:
        return Plan.model_validate(to_plan(content))
    except ValidationError as error:
        found = [_finding(one) for one in error.errors(include_url=False)]
    return with_ids(found, order_of(content))


def _finding(error: ErrorDetails) -> Finding:
    path = path_of(error)
    text = ".".join(map(str, path))
    sentence = sentence_of(error, path, KEYS)
    reason, _, mend = sentence.partition("; ")
    if not mend:
        missing = error["type"] in _MISSING_TYPES or error.get("input") is None
        reason, mend = (MISSING if missing else UNUSABLE), sentence
    return Finding(PLAN_RULE, "error", text, place_of(text), _sentence(reason), _sentence(mend))


def _sentence(text: str) -> str:
    """With a subject, a capital and a full stop."""
    if text.startswith(("is ", "has ", "must ")):
        text = f"this {text}"
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "?", "!")) else ".")
