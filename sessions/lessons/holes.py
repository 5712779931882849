"""A draft as a plan, whatever is missing or wrong in it: for what must work on every draft.

Nothing is checked here. What could not be in a plan is left out or made plain text, and where
something that a plan needs is not written yet, `hole` stands.
"""

from typing import Any, get_args

from ai.engine import AnswerKind
from sessions.lessons.draft import Content, to_plan
from sessions.lessons.draft_fields import Json
from sessions.lessons.plan import (
    AnswerPlan,
    MaterialPlan,
    MisconceptionPlan,
    Plan,
    StepPlan,
    VoicePlan,
)

HOLE = "[not written yet]"
_KINDS = get_args(AnswerKind)


def whole(content: Content, hole: str = "") -> Plan:
    """The draft as a plan. Entries keep their numbers, so that paths fit both."""
    plain = to_plan(content)
    voice = plain.get("voice") or {}
    return Plan.model_construct(
        title=_text(plain.get("title")) or hole,
        subject=_text(plain.get("subject")) or hole,
        level=_text(plain.get("level")),
        language=_text(plain.get("language")) or "en",
        goal=_text(plain.get("goal")) or hole,
        prior_knowledge=_texts(plain.get("prior_knowledge"), hole),
        opening=_text(plain.get("opening")),
        steps=tuple(_step(step, hole) for step in plain.get("steps", ())),
        closing=_text(plain.get("closing")),
        material=tuple(_material(one, hole) for one in plain.get("material") or ()),
        voice=VoicePlan.model_construct(
            name=_text(voice.get("name")), rules=_texts(voice.get("rules"), hole)
        ),
    )


def _step(step: dict[str, Json], hole: str) -> StepPlan:
    answers = tuple(_answer(one, hole) for one in step.get("answers") or ())
    if not answers and hole:
        answers = (_answer({}, hole),)
    closed = any(answer.kind != "open" for answer in answers)
    hints = _texts(step.get("hints"), hole)
    return StepPlan.model_construct(
        say=_text(step.get("say")),
        ask=_text(step.get("ask")) or hole,
        answers=answers,
        choices=_texts(step.get("choices"), hole),
        solution=_text(step.get("solution")) or (hole if closed else ""),
        hints=hints or ((hole,) if closed and hole else ()),
        misconceptions=tuple(_wrong(one, hole) for one in step.get("misconceptions") or ()),
        exit=_text(step.get("exit")),
        praise=_text(step.get("praise")),
    )


def _answer(answer: dict[str, Json], hole: str) -> AnswerPlan:
    kind: Any = answer.get("kind")
    kind = kind if kind in _KINDS else "words"
    text = _text(answer.get("text"))
    return AnswerPlan.model_construct(
        kind=kind,
        text=text or ("" if kind == "open" else hole),
        also=_texts(answer.get("also"), hole),
    )


def _wrong(wrong: dict[str, Json], hole: str) -> MisconceptionPlan:
    says = _texts(wrong.get("says"), hole) or ((hole,) if hole else ())
    return MisconceptionPlan.model_construct(
        says=says, response=_text(wrong.get("response")) or hole
    )


def _material(material: dict[str, Json], hole: str) -> MaterialPlan:
    return MaterialPlan.model_construct(
        source=_text(material.get("source")) or hole,
        text=(material.get("text") or "").strip() or hole,
    )


def _texts(values: Json, hole: str = "") -> tuple[str, ...]:
    return tuple(_text(value) or hole for value in values or ())


def _text(value: Json) -> str:
    return " ".join(value.split()) if isinstance(value, str) else ""
