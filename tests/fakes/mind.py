"""What a simulated model says: a script, and after it (or without one) a tutor by rule.

Everything is decided from the instructions and the conversation so far, so that a model that is
asked anew each time (chat) and one that is handed a history (a rotated stream) say the same.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Literal

from ai.engine import Answer, Brief, Misconception, Step
from tests.fakes.children import child

_NOTE = re.compile(r"<<<server\n.*?\n>>>", re.DOTALL)  # see `ai.mind_turns`
UNCLEAR = "unclear"  # what ears give that understood nothing


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that was said, or what a tool brought."""

    role: Literal["student", "tutor", "tool"]
    text: str


@dataclass(frozen=True, slots=True)
class Call:
    """A tool that the model wants to be used."""

    name: str
    arguments: str = "{}"
    "JSON; a script may have the model write nonsense."


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer: perhaps tool calls, and words."""

    text: str = ""
    calls: tuple[Call, ...] = ()
    "Beside the words, after them."
    then: "Reply | None" = None
    "Once all results of the calls are there; None: the words of the default tutor."


@dataclass(frozen=True, slots=True)
class Script:
    """What the model says. Where it has no line left, the tutor by rule goes on."""

    opening: Reply | str | None = None
    "Before the tutor has said anything; None: the lesson's."
    replies: Sequence[Reply | str | None] = ()
    "To each line of the student after the first of the tutor's."
    when: Mapping[str, Reply | str] = field(default_factory=dict)
    "To what the student says, by a piece of it; goes before `replies`."
    phrases: tuple[str, ...] = ()
    "What the student may say, for the ears."


@dataclass(frozen=True, slots=True)
class Lesson:
    """What the instructions say of the lesson."""

    opening: str = ""
    closing: str = ""
    steps: tuple[Step, ...] = ()


def reply(
    script: Script | None, instructions: str, lines: Sequence[Line], *, checks: bool = True
) -> Reply:
    """What is said next. With `checks` the tutor by rule reckons in another process: some ms.

    `lines` is the conversation: a line of the student's for each turn.
    """
    lines = list(_without_notes(lines))
    results, said = 0, [line for line in lines if line.role != "tool"]
    if lines and lines[-1].role == "tool":
        since = list(takewhile(lambda line: line.role != "student", reversed(lines)))
        results = sum(line.role == "tool" for line in since)
        said = said[: len(said) - sum(line.role == "tutor" for line in since)]
    script = script or Script()
    found = _scripted(script, said)
    if results and found is not None and found.calls:
        found = _after(found, results)
    return found or Reply(tutor(read_lesson(instructions), lines, checks=checks))


def _without_notes(lines: Sequence[Line]) -> Iterator[Line]:
    """What the student said; a language model is told more on the student's side."""
    for line in lines:
        text = _NOTE.sub("", line.text).strip() if line.role == "student" else line.text
        if text or line.role != "student":
            yield Line(line.role, text)


def _scripted(script: Script, lines: Sequence[Line]) -> Reply | None:
    spoke = next((at for at, line in enumerate(lines) if line.role == "tutor"), None)
    found: Reply | str | None = None
    last = lines[-1].text.lower() if lines and lines[-1].role == "student" else ""
    for piece, answer in script.when.items():
        if piece.lower() in last:
            found = answer
            break
    else:
        if spoke is None:
            found = script.opening
        else:
            turn = sum(line.role == "student" for line in lines[spoke:]) - 1
            found = script.replies[turn] if 0 <= turn < len(script.replies) else None
    return Reply(found) if isinstance(found, str) else found


def _after(reply: Reply, results: int) -> Reply | None:
    """What follows on so many results: a reply may call again when the first ones are there."""
    now: Reply | None = reply
    while now is not None and now.calls and results >= len(now.calls):
        results -= len(now.calls)
        now = now.then
    return now


# ---- the tutor by rule ---------------------------------------------------------------------------

_FENCED = re.compile(r"<<< lesson (\w+)\n(.*?)\n>>> lesson \1", re.S)
_ACCEPT = re.compile(r"Accept \((\w+)\): (.*?)(?: \(also: (.*)\))?$")
_WRONG = re.compile(r"Misconception \d+, if they say (.*?): (.*)$")
_HINT = re.compile(r"Hint \d+: (.*)$")


def read_lesson(instructions: str) -> Lesson:
    """The lesson in a system prompt, as `sessions.lessons.brief` writes it there."""
    fenced = _FENCED.search(instructions)
    opening = closing = ""
    steps: list[dict[str, object]] = []
    for line in (fenced[2] if fenced else instructions).splitlines():
        name, _, text = line.partition(": ")
        step = steps[-1] if steps else {}
        if re.match(r"Step \d+ of \d+$", line):
            steps.append({"ask": "", "answers": (), "solution": "", "hints": ()})
        elif name in ("Ask", "Explain", "Praise"):
            if not steps or (name == "Ask" and step.get("ask")):
                steps.append({"ask": "", "answers": (), "solution": "", "hints": ()})
            steps[-1][{"Ask": "ask", "Explain": "say", "Praise": "praise"}[name]] = text
        elif name == "Opening":
            opening = text
        elif name == "Closing":
            closing = text
        elif not steps:
            continue
        elif name == "Choices":
            step["choices"] = tuple(text.split("; "))
        elif name.startswith("Worked solution"):
            step["solution"] = text
        elif found := _ACCEPT.match(line):
            also = tuple(found[3].split("; ")) if found[3] else ()
            answer = Answer(found[1], found[2], also)  # type: ignore[arg-type]
            step["answers"] = (*step["answers"], answer)  # type: ignore[misc]
        elif found := _WRONG.match(line):
            wrong = Misconception(tuple(found[1].split(" or ")), found[2])
            step["misconceptions"] = (*step.get("misconceptions", ()), wrong)  # type: ignore[misc]
        elif found := _HINT.match(line):
            step["hints"] = (*step["hints"], found[1])  # type: ignore[misc]
    whole = tuple(Step(**step) for step in steps if step["ask"])  # type: ignore[arg-type]
    return Lesson(opening, closing, whole)


def brief_of(instructions: str, phrases: Sequence[str] = ()) -> Brief:
    """What ears are to expect: the answers of the lesson in the instructions, and `phrases`."""
    steps = read_lesson(instructions).steps
    if phrases or not steps:
        said = tuple(Answer("words", phrase) for phrase in phrases or ("yes",))
        steps = (Step("", said, ""), *steps)
    return Brief(instructions, "", "", "en", "", "", steps)


def open_step(lesson: Lesson, lines: Sequence[Line]) -> int:
    """The step whose question was asked last, from 0; -1 where none was."""
    spoken = [line.text for line in lines if line.role == "tutor"]
    asked = (any(_asks(text, step.ask) for text in spoken) for step in lesson.steps)
    return max((at for at, was in enumerate(asked) if was), default=-1)


def tutor(lesson: Lesson, lines: Sequence[Line], *, checks: bool = True) -> str:
    """The next words of one who follows the plan: opening, question, praise or hint, closing."""
    if not lesson.steps:
        return "I see. Please go on."
    at = open_step(lesson, lines)
    if at < 0:
        return _join(lesson.opening, *_ask(lesson, 0))
    step = lesson.steps[at]
    asked = next(
        place
        for place, line in enumerate(lines)
        if line.role == "tutor" and _asks(line.text, step.ask)
    )
    since = lines[asked + 1 :]
    said = [line.text for line in since if line.role == "student"]
    if not said or lines[-1].role != "student":
        return step.ask  # after a silence, or a beginning anew
    judged = [_accepts(step, text, checks) for text in said]
    if judged[-1]:
        return _join(step.praise or "Right.", *_ask(lesson, at + 1))
    if UNCLEAR in said[-1]:
        return f"I did not hear that. {step.ask}"
    for wrong in step.misconceptions:
        if any(_in(text, said[-1]) for text in wrong.says):
            return wrong.response
    hints = sum(line.role == "tutor" and line.text in step.hints for line in since)
    if hints < len(step.hints):
        return step.hints[hints]
    return _join(step.solution, *_ask(lesson, at + 1))


def _ask(lesson: Lesson, at: int) -> tuple[str, str]:
    if at >= len(lesson.steps):
        return lesson.closing or "That is all for today.", ""
    return lesson.steps[at].say, lesson.steps[at].ask


def _asks(text: str, question: str) -> bool:
    """Whether at least the question's beginning is in a text that may have been cut off."""
    wanted = " ".join(question.lower().split())
    return wanted[: max(1, len(wanted) * 2 // 5)] in " ".join(text.lower().split())


def _accepts(step: Step, said: str, checks: bool) -> bool:
    plain = said.lower().strip(" .!?")
    for answer in step.answers:
        if plain in (answer.text.lower(), *(other.lower() for other in answer.also)):
            return True
        if not checks:
            continue
        meta = {"kind": answer.kind, "expected": answer.text, "also": answer.also, "said": said}
        found, _ = child("voice").ask("check", {**meta, "choices": step.choices})
        if found["verdict"] == "right":
            return True
    return False


def _in(piece: str, text: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(piece.lower())}(?!\w)", text.lower()) is not None


def _join(*texts: str) -> str:
    return " ".join(filter(None, texts))
