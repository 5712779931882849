"""What makes a lesson teach badly, though it is a plan: plain functions over a plan, whole or not.

Each rule yields faults: the path of the field, why it is one, and what to do. Rules see a draft
through `holes.whole`, so they find what they can in what is there.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ai.local.numbers import primary
from sessions.lessons.draft import Content, order_of
from sessions.lessons.findings import Finding, Severity, place_of, read_draft, with_ids
from sessions.lessons.holes import whole
from sessions.lessons.lint_words import FEELINGS, HUMAN, PERSONAL, SECOND_QUESTION, unquoted
from sessions.lessons.mends import MISSING
from sessions.lessons.plan import Plan, StepPlan
from sessions.lessons.reveals import LOOKED_AT, revealed
from sessions.lessons.variables import FILLED, VARIABLES, Trouble, troubles

MAX_SPOKEN_WORDS = 80  # half a minute of our own voice (ai/local/espeak.py: 160 words a minute)
MAX_FINDINGS = 100  # at once; more would not be read

Fault = tuple[str, str, str]
"Path, reason, mend."
Texts = Iterator[tuple[str, str]]
"Paths and their texts."


@dataclass(frozen=True, slots=True)
class Rule:
    """What a kind of finding is called, and how it is found."""

    name: str
    severity: Severity
    faults: Callable[[Plan], Iterator[Fault]]


def check(content: Content) -> list[Finding]:
    """Everything there is to say about a draft: errors first, then in the lesson's order."""
    plan = read_draft(content)
    found = lint(whole(content) if isinstance(plan, list) else plan)
    found = with_ids(found, order_of(content))
    if isinstance(plan, list):
        told = {finding.path for finding in found if finding.severity == "error"}
        found += [finding for finding in plan if finding.path not in told]
    at = {name: place for place, name in enumerate(_paths_in_order(content))}
    found.sort(key=lambda one: (one.severity != "error", at.get(_field(one.path), len(at))))
    return found[:MAX_FINDINGS]


def lint(plan: Plan) -> list[Finding]:
    """What the rules find in a plan; steps by number in the paths."""
    return [
        Finding(rule.name, rule.severity, path, place_of(path), reason, mend)
        for rule in RULES
        for path, reason, mend in rule.faults(plan)
    ]


def _field(path: str) -> str:
    parts = path.split(".")
    return ".".join(parts[: 3 if parts[0] == "steps" else 1])


def _paths_in_order(content: Content) -> Iterator[str]:
    for name in Plan.model_fields:
        yield name
        if name == "steps":
            for step_id in order_of(content):
                yield f"steps.{step_id}"
                yield from (f"steps.{step_id}.{field}" for field in StepPlan.model_fields)


# ---- what is there to be read ------------------------------------------------------------------


def _said(plan: Plan) -> Texts:
    """What the tutor says, more or less in these words."""
    yield "opening", plan.opening[:LOOKED_AT]
    for i, step in enumerate(plan.steps):
        yield from ((f"steps.{i}.{name}", text[:LOOKED_AT]) for name, text in _said_in(step))
    yield "closing", plan.closing[:LOOKED_AT]


def _said_in(step: StepPlan) -> Texts:
    yield "say", step.say
    yield "ask", step.ask
    for i, hint in enumerate(step.hints):
        yield f"hints.{i}", hint
    yield "solution", step.solution
    for i, wrong in enumerate(step.misconceptions):
        yield f"misconceptions.{i}.response", wrong.response
    yield "praise", step.praise


def _told(plan: Plan) -> Texts:
    """The same, and what the tutor is told about how to say it."""
    yield "goal", plan.goal[:LOOKED_AT]
    for i, rule in enumerate(plan.voice.rules):
        yield f"voice.rules.{i}", rule[:LOOKED_AT]
    yield from _said(plan)
    for i, step in enumerate(plan.steps):
        yield f"steps.{i}.exit", step.exit[:LOOKED_AT]


def _written(plan: Plan) -> Texts:
    """All of it but material, which is somebody else's text."""
    yield from (("title", plan.title), ("subject", plan.subject), ("level", plan.level))
    for i, known in enumerate(plan.prior_knowledge):
        yield f"prior_knowledge.{i}", known
    yield from _told(plan)
    for i, step in enumerate(plan.steps):
        for j, choice in enumerate(step.choices):
            yield f"steps.{i}.choices.{j}", choice
        for j, answer in enumerate(step.answers):
            for text in (answer.text, *answer.also):
                yield f"steps.{i}.answers.{j}", text
        for j, wrong in enumerate(step.misconceptions):
            for text in wrong.says:
                yield f"steps.{i}.misconceptions.{j}", text


def _is_closed(step: StepPlan) -> bool:
    """Whether there are right and wrong answers."""
    return any(answer.kind != "open" for answer in step.answers)


# ---- the rules -------------------------------------------------------------------------------


def _no_solution(plan: Plan) -> Iterator[Fault]:
    for i, step in enumerate(plan.steps):
        if _is_closed(step) and not step.solution:
            yield (
                f"steps.{i}.solution",
                "When the hints are used up, the tutor has nothing to explain.",
                "Write the worked solution, in short sentences that can be said aloud.",
            )


def _no_hint(plan: Plan) -> Iterator[Fault]:
    for i, step in enumerate(plan.steps):
        if _is_closed(step) and not any(step.hints):
            mend = MISSING["hints"]
            yield (
                f"steps.{i}.hints",
                "After a wrong answer the tutor has nothing to help with.",
                f"{mend[:1].upper()}{mend[1:]}.",
            )


def _no_exit(plan: Plan) -> Iterator[Fault]:
    for i, step in enumerate(plan.steps):
        if step.answers and not _is_closed(step) and not step.exit:
            yield (
                f"steps.{i}.exit",
                "Any answer is taken here, so the tutor can't tell when to go on.",
                "Say under “Move on when” what the student must have said or shown.",
            )


def _hint_reveals(plan: Plan) -> Iterator[Fault]:
    language = primary(plan.language)
    for i, step in enumerate(plan.steps):
        for j, hint in enumerate(step.hints):
            if answer := revealed(step, hint, language):
                yield (
                    f"steps.{i}.hints.{j}",
                    f"This hint gives the answer away: “{answer}”.",
                    "Point to the next thing to do or to look at, and leave the answer to the"
                    " student.",
                )


def _two_questions(plan: Plan) -> Iterator[Fault]:
    one = "Keep the one question that matters; ask the other in a step of its own."
    for path, text in _said(plan):
        plain, field = unquoted(text), path.split(".")[2:3]
        marks = len(re.findall(r"[?？؟]+", plain))
        if field in (["say"], ["praise"]) and marks:
            yield path, "A question follows in the same turn, so this asks two at once.", one
        elif path == "opening" and marks:
            yield path, "The first step's question follows at once, so this asks two.", one
        elif marks > 1 or (marks == 1 and SECOND_QUESTION.search(plain.lower())):
            yield path, "This asks two things in one turn; students answer one of them.", one


def _too_long(plan: Plan) -> Iterator[Fault]:
    turns = [(path, text) for path, text in _said(plan) if not path.endswith((".say", ".ask"))]
    for i, step in enumerate(plan.steps):  # both in one turn
        turns.append((f"steps.{i}.{'say' if step.say else 'ask'}", f"{step.say} {step.ask}"))
    for path, text in turns:
        words = len(text.split())
        if words > MAX_SPOKEN_WORDS:
            yield (
                path,
                f"{words} words take longer to say than half a minute; a listener loses the"
                " thread.",
                f"Keep it within {MAX_SPOKEN_WORDS} words, or make two steps of it.",
            )


def _asks_personal(plan: Plan) -> Iterator[Fault]:
    for path, text in _told(plan):
        if found := PERSONAL.search(_plain(text)):
            yield (
                path,
                f"This asks the student for personal data (“{found[0].strip()}”). Children should"
                " not tell it to a computer.",
                "Ask about somebody who is made up, or take it out.",
            )


def _claims_human(plan: Plan) -> Iterator[Fault]:
    for path, text in _told(plan):
        if found := HUMAN.search(_plain(text)):
            yield (
                path,
                f"The tutor would claim to be a person (“{found[0].strip()}”). It is a computer"
                " program, and must say so.",
                "Take it out, or put it into the mouth of somebody in the story.",
            )


def _claims_feelings(plan: Plan) -> Iterator[Fault]:
    for path, text in _told(plan):
        if found := FEELINGS.search(_plain(text)):
            yield (
                path,
                f"The tutor would claim to have feelings (“{found[0].strip()}”).",
                "Say instead what the student did well, or what happens next.",
            )


def _variables(plan: Plan) -> Iterator[Fault]:
    for path, text in _written(plan):
        name = next((part for part in reversed(path.split(".")) if not part.isdigit()), "")
        filled = name in FILLED
        for trouble in troubles(text[:LOOKED_AT], filled=filled):
            yield path, *_of_variable(trouble, filled)


def _of_variable(trouble: Trouble, filled: bool) -> tuple[str, str]:
    shown = "{{" + trouble.name
    known = ", ".join("{{" + name + "}}" for name in VARIABLES)
    if not trouble.closed:
        return f"`{shown}` is opened and never closed.", "Write }} behind the name; or one brace."
    if not filled:
        return (
            f"`{shown}}}}}` is not filled here; the student would hear the braces.",
            "Variables stand in what the tutor says in a step, in the opening and the closing.",
        )
    return (
        f"There is no variable `{shown}}}}}`; the student would hear the braces.",
        f"Write one of {known}, or one brace.",
    )


def _plain(text: str) -> str:
    return unquoted(text).lower().replace("’", "'")


RULES = (
    Rule("no_solution", "error", _no_solution),
    Rule("no_hint", "error", _no_hint),
    Rule("variable", "error", _variables),
    Rule("claims_human", "error", _claims_human),
    Rule("personal_data", "warning", _asks_personal),
    Rule("claims_feelings", "warning", _claims_feelings),
    Rule("no_exit", "warning", _no_exit),
    Rule("hint_reveals", "warning", _hint_reveals),
    Rule("two_questions", "warning", _two_questions),
    Rule("too_long", "warning", _too_long),
)
