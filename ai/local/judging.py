"""Judges an answer against all that a step of the plan accepts, and all it knows to be wrong."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from ai.engine import EngineFailed, Step
from ai.tools import Judge, Judged

Checker = Callable[..., Awaitable[Mapping[str, Any]]]
"`(kind, expected, also, said, choices, against, language)`: `ai.local.checks.check`, elsewhere."


def judge_with(check: Checker) -> Judge:
    """A judge of whole answers; what `check` raises of time and breakdown counts as unclear."""
    return _Judge(check)


class _Judge:
    def __init__(self, check: Checker) -> None:
        self._check = check

    async def __call__(self, step: Step, said: str, language: str) -> Judged:
        """The strongest verdict of all accepted answers; where none fits, a misconception."""
        wrong = [text for misconception in step.misconceptions for text in misconception.says]
        best = Judged()
        for answer in step.answers:
            judged = await self._ask(
                answer.kind, answer.text, answer.also, said, step.choices, wrong, language
            )
            if judged.verdict == "right" and answer.kind in ("equation", "expression"):
                return judged  # the whole utterance was read as one formula
            best = max(best, judged, key=_weight)
        if best.verdict == "right" or best.note == "two values":
            return best
        index = await self._misconception(step, said, language)
        return best if index is None else Judged("wrong", best.value, "", index)

    async def _misconception(self, step: Step, said: str, language: str) -> int | None:
        """Which one `said` shows: by its very form (4/2 is not 2) before its value."""
        kind = step.answers[0].kind
        for each in dict.fromkeys(("yes_no",) if kind == "yes_no" else ("words", kind)):
            for index, misconception in enumerate(step.misconceptions):
                first, *others = misconception.says
                judged = await self._ask(each, first, others, said, step.choices, (), language)
                if judged.verdict == "right":
                    return index
        return None

    async def _ask(
        self, kind: str, expected: str, also: Sequence[str], said: str, *more: str | Sequence[str]
    ) -> Judged:
        known = (each if isinstance(each, str) else list(each) for each in more)
        try:
            found = await self._check(kind, expected, list(also), said, *known)
        except (TimeoutError, EngineFailed):
            return Judged()
        return Judged(found["verdict"], str(found["value"]), str(found["note"]))


def _weight(judged: Judged) -> int:
    """Two answers at once before right before a reason to ask back before wrong before nothing."""
    if judged.note == "two values":
        return 4
    if judged.verdict == "right":
        return 3
    if judged.verdict == "unclear" and judged.note:
        return 2
    return 1 if judged.verdict == "wrong" else 0
