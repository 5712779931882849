"""Why something was corrected: the codes, in words, and what each may be said of.

The list is that of research on tutoring and on speech recognition, so that counts can be compared
with others'. A code is never renamed: it stands in published corrections.
"""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["words", "speaker", "answer", "sentence", "next_step"]

KINDS: tuple[Kind, ...] = ("words", "speaker", "answer", "sentence", "next_step")
OTHER = "other"


@dataclass(frozen=True, slots=True)
class Reason:
    """A code, what it means, and the kinds of corrections it fits."""

    code: str
    words: str
    kinds: tuple[Kind, ...]


_SUMMARY: tuple[Kind, ...] = ("sentence", "next_step")
_TOLD: tuple[Kind, ...] = ("answer", *_SUMMARY)

REASONS: tuple[Reason, ...] = (
    Reason("asr_misheard", "The words were misheard", ("words",)),
    Reason("speaker_swap", "Somebody else was speaking", ("speaker",)),
    Reason("factual_error", "It is not true", _TOLD),
    Reason("revealed_answer", "It gives the answer away", ("answer",)),
    Reason("missed_mistake", "It passes over a mistake", ("answer",)),
    Reason("false_mistake", "It sees a mistake where there is none", ("answer",)),
    Reason("wrong_location", "It points at the wrong place", ("answer",)),
    Reason("weak_guidance", "It helps too little to go on", ("answer",)),
    Reason("not_actionable", "It does not say what to do", ("answer", "next_step")),
    Reason("tone", "The tone is not right", _TOLD),
    Reason("off_plan", "It leaves the lesson's plan", ("answer", "next_step")),
    Reason("age_inappropriate", "It does not suit the student's age", _TOLD),
    Reason("unsafe", "It is not safe for a student", _TOLD),
    Reason("privacy", "It holds something private", ("words", *_TOLD)),
    Reason("summary_omits", "The summary leaves out something that matters", _SUMMARY),
    Reason("summary_overstates", "The summary says more than happened", _SUMMARY),
    Reason("next_step_wrong", "It is not the right thing to do next", ("next_step",)),
    Reason("confidence_wrong", "It is surer, or less sure, than it should be", _TOLD),
    Reason("bias", "It is unfair to somebody", _TOLD),
    Reason(OTHER, "Something else: the note says what", KINDS),
)

BY_CODE = {reason.code: reason for reason in REASONS}


def codes_for(kind: Kind) -> tuple[str, ...]:
    """The codes that fit a kind of correction."""
    return tuple(reason.code for reason in REASONS if kind in reason.kinds)
