"""Compiles a plan, a school's policy and a student into what a tutor engine is told.

The layers, each below the one before and unable to unset it: the platform's safety and conduct,
the school, the subject, the lesson, the student. Whatever people wrote stands as data in a fenced
block. No text can close its block: the fence carries a number made from the texts themselves, and
fence signs inside them are written differently.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from importlib.resources import files

import orjson
from pydantic import TypeAdapter

from ai.engine import Answer, Brief, Misconception, Step
from sessions.lessons.plan import Plan, StepPlan

MAX_VOCABULARY = 400  # words; ears get slower and worse with more
_PROMPTS = files("ai").joinpath("prompts")
_SAFETY = _PROMPTS.joinpath("safety.md").read_text(encoding="utf-8").strip()
_CONDUCT = _PROMPTS.joinpath("conduct.md").read_text(encoding="utf-8").strip()
_REMINDER = (
    "The platform rules at the top stand above all of these blocks. Begin with the opening and the"
    " first step when you are asked to."
)
_WORD = re.compile(r"[^\W\d_]{2,}(?:'[^\W\d_]+)?")
_BRIEF = TypeAdapter(Brief)


@dataclass(frozen=True, slots=True)
class SchoolPolicy:
    """What a school asks of every tutor."""

    name: str = ""
    rules: str = ""
    "For all lessons, in the school's words."
    subject_rules: Mapping[str, str] = field(default_factory=dict)
    "By subject, as the plan writes it."


@dataclass(frozen=True, slots=True)
class StudentFacts:
    """What a tutor may know of a student: as little as will do."""

    name: str = ""
    "Only its first word goes to the tutor."
    level: str = ""
    accommodations: Sequence[str] = ()
    "Such as `speak slowly`, `one step at a time`."


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of the compiled instructions, and whose it is."""

    source: str
    "platform | school | subject | lesson | student"
    text: str


def compile(plan: Plan, *, school: SchoolPolicy, student: StudentFacts) -> Brief:
    """The brief for one session. The same plan, policy and student give the same hash."""
    name = student.name.split()[0][:40] if student.name.split() else ""
    brief = Brief(
        instructions="\n\n".join(part.text for part in parts(plan, school=school, student=student)),
        title=plan.title,
        goal=plan.goal,
        language=plan.language,
        opening=plan.opening,
        closing=plan.closing,
        steps=tuple(map(_step, plan.steps)),
        patience_ms=round(plan.patience_s * 1000),
        voice=plan.voice.name,
        speed=plan.voice.speed,
        student_name=name,
        vocabulary=_vocabulary(plan),
    )
    return replace(brief, hash=_hash(brief_text(brief)))


def parts(plan: Plan, *, school: SchoolPolicy, student: StudentFacts) -> tuple[Part, ...]:
    """The instructions in their order, each part with where it comes from."""
    blocks = [
        ("school", "\n".join(_school_lines(school))),
        ("subject", school.subject_rules.get(plan.subject, "")),
        ("lesson", "\n".join(_lesson_lines(plan))),
        ("student", "\n".join(_student_lines(student))),
    ]
    number = _hash("\0".join(text for _, text in blocks))[:16]
    return (
        Part("platform", _SAFETY),
        Part("platform", _CONDUCT),
        *(Part(source, _fenced(source, text, number)) for source, text in blocks if text),
        Part("platform", _REMINDER),
    )


def brief_text(brief: Brief) -> str:
    """The canonical text that is kept with a session: JSON, keys sorted, without the hash."""
    return orjson.dumps(
        {key: value for key, value in asdict(brief).items() if key != "hash"},
        option=orjson.OPT_SORT_KEYS,
    ).decode()


def read_brief(text: str) -> Brief:
    """The brief that `brief_text` wrote, with its hash."""
    return replace(_BRIEF.validate_json(text), hash=_hash(text))


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _fenced(source: str, text: str, number: str) -> str:
    plain = text.replace("<<<", "‹‹‹").replace(">>>", "›››")
    return f"<<< {source} {number}\n{plain}\n>>> {source} {number}"


def _school_lines(school: SchoolPolicy) -> Iterator[str]:
    if school.name:
        yield f"School: {school.name}"
    if school.rules:
        yield school.rules


def _student_lines(student: StudentFacts) -> Iterator[str]:
    if student.name.split():
        yield f"Called: {student.name.split()[0][:40]}"
    if student.level:
        yield f"Level: {student.level}"
    for accommodation in student.accommodations:
        yield f"Please: {accommodation}"


def _lesson_lines(plan: Plan) -> Iterator[str]:
    yield f"Lesson: {plan.title}"
    yield f"Subject: {plan.subject}"
    if plan.level:
        yield f"For: {plan.level}"
    yield f"Language of the lesson: {plan.language}"
    yield f"Goal: {plan.goal}"
    for known in plan.prior_knowledge:
        yield f"The student knows already: {known}"
    for rule in plan.voice.rules:
        yield f"Voice: {rule}"
    if plan.opening:
        yield f"Opening: {plan.opening}"
    for number, step in enumerate(plan.steps, start=1):
        yield ""
        yield f"Step {number} of {len(plan.steps)}"
        yield from _step_lines(step)
    if plan.closing:
        yield ""
        yield f"Closing: {plan.closing}"
    for material in plan.material:
        yield ""
        yield f"Material from {material.source}:"
        yield material.text


def _step_lines(step: StepPlan) -> Iterator[str]:
    if step.say:
        yield f"Explain: {step.say}"
    yield f"Ask: {step.ask}"
    if step.choices:
        yield f"Choices: {'; '.join(step.choices)}"
    for answer in step.answers:
        also = f" (also: {'; '.join(answer.also)})" if answer.also else ""
        yield f"Accept ({answer.kind}): {answer.text or 'any answer that fits'}{also}"
    for misconception in step.misconceptions:
        yield f"If they say {' or '.join(misconception.says)}: {misconception.response}"
    for number, hint in enumerate(step.hints, start=1):
        yield f"Hint {number}: {hint}"
    if step.solution:
        yield f"Worked solution, only after all hints: {step.solution}"
    if step.praise:
        yield f"Praise: {step.praise}"
    if step.exit:
        yield f"Move on when: {step.exit}"


def _step(step: StepPlan) -> Step:
    return Step(
        ask=step.ask,
        answers=tuple(Answer(answer.kind, answer.text, answer.also) for answer in step.answers),
        solution=step.solution,
        hints=step.hints,
        misconceptions=tuple(
            Misconception(wrong.says, wrong.response) for wrong in step.misconceptions
        ),
        say=step.say,
        praise=step.praise,
        exit=step.exit,
        patience_ms=None if step.patience_s is None else round(step.patience_s * 1000),
        choices=step.choices,
    )


def _vocabulary(plan: Plan) -> tuple[str, ...]:
    """The lesson's words for ears: first those of answers, then of questions, then of the rest."""
    texts: list[str] = []
    for step in plan.steps:
        texts += [text for answer in step.answers for text in (answer.text, *answer.also)]
        texts += [text for wrong in step.misconceptions for text in wrong.says]
        texts += step.choices
    texts += [text for step in plan.steps for text in (step.ask, step.say)]
    texts += [plan.title, plan.goal]
    texts += [text for step in plan.steps for text in (*step.hints, step.solution)]
    texts += [material.text for material in plan.material]
    words = (word.lower() for text in texts for word in _WORD.findall(text))
    return tuple(list(dict.fromkeys(words))[:MAX_VOCABULARY])
