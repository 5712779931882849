"""Where a lesson is, for a tutor that notes it with tools: rules that no model can step around.

The state is the offline tutor's own (`ai.local.tutor_state`), kept beside the tutor's items in the
same shape: so the summary, the events of progress and the next engine read the same, whoever
taught. What may be noted:

- Only the open step; steps follow each other, none is skipped, and none is opened again. Noting
  again what is noted already changes nothing and is no mistake.
- `step_done` needs a turn of the student's since the step was opened. Where answers are compared
  exactly (numbers, formulas, choices, yes or no), it also needs a `check_answer` that found one
  right. Wordings and open questions are the tutor's to judge; so is all of which nothing could be
  told in two of the student's turns, be it that they can't be read or that nothing can judge now.
- `hint_given`: in the plan's order, one an answer of the tutor's.
- `misconception_seen`: one of the step's own.
- `solved_for_them`: only when all hints are given, and the student has had a turn.
- A right answer that was checked and not noted is noted for the tutor, when the next answer of the
  student's is to be checked: the tutor has gone on.
- A wrong or unclear answer counts once for each of the student's turns, however often it is
  checked.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from ai.engine import Brief, Step, Utterance
from ai.local.tutor_state import Result, State, recall
from ai.tools import NOTE_PROGRESS, Judged
from sessions.record.model import Item, tool_of

MISSES = 2  # turns in a row of which nothing could be told; then the tutor judges
_EXACT = frozenset({"number", "expression", "equation", "choice", "yes_no"})


class NotNoted(Exception):
    """What was to be noted can't be; the sentence says what to do instead."""


class Course:
    """One session's way through the plan. `place` is a position in the conversation."""

    def __init__(self, brief: Brief, items: Iterable[Item]) -> None:
        self.brief = brief
        self.is_noted = NOTE_PROGRESS.name in brief.tools
        "Whether this lesson's tutor notes progress with tools."
        self.state = State()
        self._opened_at = 0
        "Where in the conversation the open step was opened."
        self._counted_at = -1
        "The student's turn whose wrong answer was counted last."
        self._right_at = -1
        "The student's turn in which a check found the open step's answer."
        self._hinted_in = ""
        "The answer of the tutor's that gave the last hint."
        for item in items:
            state = _kept(item)
            if state is not None:
                if state.step != self.state.step:
                    self._opened_at = item.position
                self.state = state

    @property
    def has_begun(self) -> bool:
        """Whether anything was noted of this lesson."""
        return self.is_noted and self.state != State()

    @property
    def number(self) -> int:
        """Of the open step, from 1."""
        return self._at + 1

    @property
    def step(self) -> Step:
        return self.brief.steps[self._at]

    @property
    def finished(self) -> bool:
        return self.state.finished

    @property
    def _at(self) -> int:
        return min(max(self.state.step, 0), len(self.brief.steps) - 1)

    def data(self) -> Mapping[str, Any]:
        """As it is kept beside an item."""
        return self.state.data()

    def kept(self, data: Mapping[str, Any], place: int) -> None:
        """An engine that keeps the lesson itself, as the offline tutor does, says where it is."""
        state = recall([Utterance("tutor", "", data)])
        if state is not None:
            if state.step != self.state.step:
                self._opened_at = place
            self.state = state

    def told(self) -> str:
        """Where the lesson is, for an engine that takes it over."""
        hints = len(self.step.hints)
        if self.finished:
            return "The lesson's last step is over."
        return (
            f"Step {self.number} of {len(self.brief.steps)} is open;"
            f" {self.state.hints_used} of its {hints} hints were given."
        )

    # ---- answers -----------------------------------------------------------------------------

    def judged(self, judged: Judged, last_turn: int) -> None:
        """An answer to the open step was checked; `last_turn` is the place of the student's."""
        state = replace(self.state, verdict_of_last=judged.verdict)
        if judged.verdict == "right":
            state = replace(state, misses=0)
        elif last_turn != self._counted_at:
            self._counted_at = last_turn
            if judged.verdict == "wrong":
                state = replace(state, attempts=state.attempts + 1, misses=0)
            else:
                state = replace(state, misses=state.misses + 1)
        self._right_at = last_turn if judged.verdict == "right" else -1
        self.state = _having(state, judged.misconception)

    def passed(self, last_turn: int, place: int) -> list[tuple[int, str]]:
        """The moves of a tutor that went on after a right answer, and did not note that."""
        if self.finished or not 0 <= self._right_at < last_turn:
            return []
        return self._over("done", place)

    def advice(self, judged: Judged) -> str:
        """What the tutor had best do with an answer that was judged so."""
        step, used = self.step, self.state.hints_used
        if judged.verdict == "right":
            return "It is right. Note step_done, say what was done well, and go on."
        if judged.verdict == "unclear":
            if self.state.misses >= MISSES:
                return "It can't be told by rule. Judge it yourself by the accepted answers."
            return _UNCLEAR.get(judged.note) or (
                f"Ask back: is it {judged.value}?"
                if judged.value
                else "It was not understood. Ask the student to say it again."
            )
        if judged.misconception is not None:
            return f"Speak to this first: {step.misconceptions[judged.misconception].response}"
        judge = "" if self._is_exact else "If it means the same as one of them, it is right. "
        if used < len(step.hints):
            return f"{judge}Give hint {used + 1}: {step.hints[used]}"
        return f"{judge}All hints are used. Work the solution out together: {step.solution}"

    # ---- notes -------------------------------------------------------------------------------

    def note(
        self, what: str, step: int, which: int, *, answer: str, last_turn: int, place: int
    ) -> list[tuple[int, str]]:
        """Note it; returns the moves of the lesson, (step from 0, status), in order.

        Args:
            what: One of `ai.tools.NOTES`.
            step: Number of the step it is about, from 1.
            which: Of the hint or the misconception, from 1.
            answer: The tutor's answer that notes it.
            last_turn: Place of the student's last turn; -1 where there is none.
            place: Of this note.

        Raises:
            NotNoted: If it can't be.
        """
        if step < self.number or (self.finished and step == self.number):
            return []  # noted already, or the lesson moved on meanwhile
        if self.finished:
            raise NotNoted("The lesson is over. Say the closing.")
        if step != self.number:
            raise NotNoted(f"Step {self.number} is open; only that can be noted.")
        match what:
            case "hint_given":
                return self._hint(which, answer)
            case "misconception_seen":
                return self._misconception(which)
            case "step_done":
                self._check_done(last_turn)
                return self._over("done", place)
        self._check_solved(last_turn)
        return self._over("solved_for_them", place)

    @property
    def _is_exact(self) -> bool:
        return any(answer.kind in _EXACT for answer in self.step.answers)

    def _hint(self, which: int, answer: str) -> list[tuple[int, str]]:
        hints, used = len(self.step.hints), self.state.hints_used
        which = which or used + 1
        if which <= used:
            return []
        if used >= hints:
            raise NotNoted("All hints of this step are used. Work the solution out together.")
        if which != used + 1:
            raise NotNoted(f"Hint {used + 1} of {hints} is next; give hints in their order.")
        if answer == self._hinted_in:
            raise NotNoted("One hint a turn. Wait for what the student makes of it.")
        self._hinted_in = answer
        self.state = replace(self.state, hints_used=which)
        return [(self._at, "hinting")]

    def _misconception(self, which: int) -> list[tuple[int, str]]:
        known = len(self.step.misconceptions)
        if not 1 <= which <= known:
            raise NotNoted(
                f"The plan lists {known} for this step; `which` is the number of one of them."
            )
        if which - 1 in self.state.misconceptions:
            return []
        self.state = _having(self.state, which - 1)
        return [(self._at, "hinting")]

    def _check_done(self, last_turn: int) -> None:
        if last_turn <= self._opened_at:
            raise NotNoted("The student has not answered this step yet. Ask its question.")
        is_right = self.state.verdict_of_last == "right" or self.state.misses >= MISSES
        if self._is_exact and not is_right:
            raise NotNoted(
                "No right answer was checked yet. Use check_answer on the student's answer first."
            )

    def _check_solved(self, last_turn: int) -> None:
        used = self.state.hints_used
        if last_turn <= self._opened_at:
            raise NotNoted("The student has not tried this step yet. Ask its question.")
        if used < len(self.step.hints):
            raise NotNoted(f"Hint {used + 1} has not been given yet. Give it first.")

    def _over(self, status: str, place: int) -> list[tuple[int, str]]:
        state, at = self.state, self._at
        result = Result(at, status, state.attempts, state.hints_used, state.misconceptions)
        last = at == len(self.brief.steps) - 1
        self.state = State(
            step=at if last else at + 1,
            turns=state.turns,
            finished=last,
            results=(*state.results, result),
        )
        self._opened_at, self._right_at = place, -1
        return [(at, status), (at, "lesson_done") if last else (at + 1, "asking")]


_UNCLEAR = {
    "two values": "The student named two answers. Ask which one it is.",
    "negated": "The student said what it is not. Ask what it is.",
    "unfinished": "It is true, but not worked out to the end. Ask for the last step.",
    "too long": "It is too long to be judged. Ask for the answer alone.",
}


def _having(state: State, misconception: int | None) -> State:
    if misconception is None or misconception in state.misconceptions:
        return state
    return replace(state, misconceptions=(*state.misconceptions, misconception))


def _kept(item: Item) -> State | None:
    tool = tool_of(item)
    data = tool.get("state") if tool is not None else item.data.get("engine")
    if not isinstance(data, Mapping) or item.role == "user":
        return None
    return recall([Utterance("tutor", "", data)])
