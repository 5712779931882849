"""The tools a tutor uses while it answers: what each use comes to. No I/O, no clock, no await.

A use is carried out at once where nothing has to be waited for; else it is given out as a job
(`RunTool`) and comes back by `done`, or not at all. It belongs to the answer that made it: when
that is over, cut short or broken, what is still under way is dropped (`DropTool`), and what comes
back is not listened to. The answer never hangs: every use of an answer that goes on gets a result,
if only one that says what was wrong.

What was carried out is an item of the transcript, at the place where it happened:

    data["tool"] = {"name", "arguments", "result", "step"}   as the model gave and got it
                   and "figure" {kind, drawing, caption, says} of `show`,
                   and "state" where the lesson's progress changed: see `course`

The item's words say only what the student may know; its data never goes to a student's client.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any
from uuid import uuid4

import orjson

from ai.engine import Brief
from ai.events import ToolCalled
from ai.tools import Judged
from sessions.live import wording
from sessions.live.actions import Action, Check, DropTool, Give, Job, RunTool, Save, Search, Tell
from sessions.live.answers import Answers
from sessions.live.board import CannotDraw, draw
from sessions.live.course import Course, NotNoted
from sessions.live.events import BoardShown, ItemAdded
from sessions.live.log import Log
from sessions.live.passages import Passage
from sessions.live.tool_arguments import (
    AskForHuman,
    CheckAnswer,
    LookUp,
    NoteProgress,
    Show,
    Unusable,
    Use,
    read_use,
)
from sessions.record.model import Item, tool_of

MOST_AT_ONCE = 3
MOST_AN_ANSWER = 8
ON_BOARD = 4  # figures of a step that are shown again to who comes back


Outcome = Judged | Sequence[Passage] | None
"None: it could not be done in time."


@dataclass(frozen=True, slots=True)
class _Running:
    """A use that is waited for."""

    call: ToolCalled
    use: Use
    item_id: str
    position: int
    at_ms: int
    step: int
    moved: bool = False
    "With it the lesson went on to this step."


class Tools:
    """The tools of one session."""

    def __init__(
        self,
        brief: Brief,
        log: Log,
        answers: Answers,
        *,
        ms: Callable[[float], int],
        move: Callable[[int, str], list[Action]],
        ask_person: Callable[[str, Mapping[str, Any], float], list[Action]],
    ) -> None:
        """`move(step, status)` tells that the lesson moved; `ask_person(reason, data, now)` that
        the tutor wishes for a person."""
        self.course = Course(brief, log)
        self._brief = brief
        self._log = log
        self._answers = answers
        self._ms = ms
        self._move = move
        self._ask_person = ask_person
        self._running: dict[int, _Running] = {}
        self._numbers = 0
        self._uses = ("", 0)
        "The answer that used tools last, and how often."
        self._news = False
        "The lesson moved, and no item of the tutor's says so yet."

    # ---- what the lesson is told -------------------------------------------------------------

    def finishes(self, answer: str) -> bool:
        """Whether this answer closes the lesson, by what was noted."""
        return self._answers.is_current(answer) and self.course.is_noted and self.course.finished

    def beside(self, engine: Mapping[str, Any]) -> Mapping[str, Any]:
        """What to keep beside an item of the tutor's, given what the engine keeps there itself."""
        if not self.course.is_noted:
            return {}
        if "version" in engine:
            self.course.kept(engine, self._log.last_place())
            return {}
        self._news = False
        return self.course.data()

    def state(self) -> Mapping[str, Any] | None:
        """Where the lesson is, where the tutor's last item does not say so."""
        return self.course.data() if self._news else None

    def board(self) -> list[BoardShown]:
        """What the open step has on the board."""
        shown = []
        for item in self._log:
            tool = tool_of(item)
            if tool and "figure" in tool and tool.get("step") == self.course.number:
                shown.append(_shown(item.id, tool["figure"]))
        return shown[-ON_BOARD:]

    # ---- uses --------------------------------------------------------------------------------

    def called(self, call: ToolCalled, now: float) -> list[Action]:
        """The tutor uses a tool in the answer that it is giving."""
        if not self._answers.is_current(call.answer):
            return []
        self._answers.heard_of(now)
        answer, count = self._uses
        count = count + 1 if answer == call.answer else 1
        self._uses = (call.answer, count)
        if count > MOST_AN_ANSWER:
            return [_error(call, "That were enough tools for one answer. Speak to the student.")]
        if len(self._running) >= MOST_AT_ONCE:
            return [_error(call, "Too many tools at once. Wait for their results.")]
        try:
            use = read_use(call.name, call.arguments, self._brief.tools)
            return self._carry_out(call, use, now)
        except (Unusable, CannotDraw, NotNoted) as problem:
            return [_error(call, str(problem))]

    def done(self, number: int, outcome: Outcome, now: float) -> list[Action]:
        """A job came to this; None: to nothing."""
        running = self._running.pop(number, None)
        if running is None:
            return []
        self._answers.heard_of(now)
        call, use = running.call, running.use
        match use, outcome:
            case CheckAnswer(), Judged():
                result = self._judged(running, outcome)
                words = wording.CHECKED
            case LookUp(), [*passages]:
                result = _found(passages)
                words = wording.LOOKED_UP
            case CheckAnswer(), _:
                self._judged(running, Judged())  # nobody could tell: the lesson must go on
                result = {"error": "It can't be checked now. Go on without it."}
                words = wording.CHECKED
            case _:
                result = {"error": "Nothing can be looked up now. Go on without it."}
                words = wording.LOOKED_UP
        with_state = self.course.data() if isinstance(use, CheckAnswer) else None
        item = self._item(running, words, result, state=with_state)
        return [*self._added(item), _given(call, result)]

    def settle(self) -> list[Action]:
        """Drop what was under way for an answer that is over."""
        over = [
            number
            for number, running in self._running.items()
            if not self._answers.is_current(running.call.answer)
        ]
        return self._drop(over)

    def forget(self) -> list[Action]:
        """Nobody waits for results any more: the leg that asked is gone."""
        return self._drop(list(self._running))

    def _drop(self, numbers: Sequence[int]) -> list[Action]:
        for number in numbers:
            self._log.leave_place(self._running.pop(number).item_id)
        return [DropTool(number) for number in numbers]

    # ---- one by one --------------------------------------------------------------------------

    def _carry_out(self, call: ToolCalled, use: Use, now: float) -> list[Action]:
        match use:
            case CheckAnswer():
                return self._check(call, use, now)
            case LookUp(about):
                return self._run(call, use, Search(self._brief.material, about), now)
            case Show():
                return self._show(call, use, now)
            case NoteProgress():
                return self._note(call, use, now)
            case AskForHuman(reason):
                result = {"asked": True, "now": wording.ASKED_NOW}
                data = self._data(call.name, use, result, self.course.number)
                return [*self._ask_person(reason, data, now), _given(call, result)]

    def _check(self, call: ToolCalled, use: CheckAnswer, now: float) -> list[Action]:
        moves = self.course.passed(self._log.last_turn(), self._log.last_place())
        told = [action for step, status in moves for action in self._move(step, status)]
        if self.course.finished:
            return [*told, _error(call, "The lesson is over. Say the closing.")]
        job = Check(self.course.step, use.said, self._brief.language)
        return [*told, *self._run(call, use, job, now, moved=bool(moves))]

    def _run(
        self, call: ToolCalled, use: Use, job: Job, now: float, *, moved: bool = False
    ) -> list[Action]:
        self._numbers += 1
        running = replace(self._placed(call, use, now), moved=moved)
        self._running[self._numbers] = running
        return [RunTool(self._numbers, job)]

    def _placed(self, call: ToolCalled, use: Use, now: float) -> _Running:
        item_id = f"item_{uuid4().hex}"
        place = self._log.take_place(item_id)
        return _Running(call, use, item_id, place, self._ms(now), self.course.number)

    def _judged(self, running: _Running, judged: Judged) -> dict[str, Any]:
        """The verdict counts for the step that was open when it was asked for."""
        advice = ""
        if running.step == self.course.number and not self.course.finished:
            self.course.judged(judged, self._log.last_turn())
            self._news = True
            advice = self.course.advice(judged)
        result: dict[str, Any] = {"verdict": judged.verdict, "understood": judged.value}
        if judged.misconception is not None:
            result["misconception"] = judged.misconception + 1
        if running.moved:
            at = self.course.state.step
            result |= {"open_step": at + 1, "progress": {"step": at, "status": "asking"}}
        return result | ({"now": advice} if advice else {})

    def _show(self, call: ToolCalled, use: Show, now: float) -> list[Action]:
        figure = draw(use.kind, use.content, use.caption, self._brief.language)
        result = {"shown": True}
        words = wording.on_board(figure.says)
        drawn = asdict(figure)
        item = self._item(self._placed(call, use, now), words, result, figure=drawn)
        shown = Tell(_shown(item.id, drawn))
        return [*self._added(item), shown, _given(call, result)]

    def _note(self, call: ToolCalled, use: NoteProgress, now: float) -> list[Action]:
        course, place = self.course, self._log.last_place()
        before = course.state
        moves = course.note(
            use.what,
            use.step,
            use.which,
            answer=call.answer,
            last_turn=self._log.last_turn(),
            place=place,
        )
        result = self._whereabouts(moves)
        if course.state == before:
            return [_given(call, result)]
        self._news = True
        words = wording.NOTED[use.what].format(use.step)
        running = self._placed(call, use, now)
        item = self._item(running, words, result, step=use.step, state=course.data())
        told = [action for step, status in moves for action in self._move(step, status)]
        return [*self._added(item), *told, _given(call, result)]

    def _whereabouts(self, moves: Sequence[tuple[int, str]]) -> dict[str, Any]:
        """`progress` is for minds that keep the step for their ears; see `ai.mind`."""
        result: dict[str, Any] = {"noted": True}
        if moves:
            result["progress"] = {"step": moves[-1][0], "status": moves[-1][1]}
        if self.course.finished:
            return result | {"now": "The lesson is over. Say the closing; ask no question."}
        step, used = self.course.step, self.course.state.hints_used
        return result | {
            "open_step": self.course.number,
            "of": len(self._brief.steps),
            "ask": step.ask,
            "hints_left": max(0, len(step.hints) - used),
        }

    # ---- items -------------------------------------------------------------------------------

    def _item(
        self,
        running: _Running,
        words: str,
        result: Mapping[str, Any],
        *,
        step: int | None = None,
        **more: Mapping[str, Any] | None,
    ) -> Item:
        return Item(
            id=running.item_id,
            role="system",
            speaker="system",
            kind="text",
            position=running.position,
            status="completed",
            said=words,
            started_ms=running.at_ms,
            ended_ms=running.at_ms,
            data=self._data(running.call.name, running.use, result, step or running.step, **more),
        )

    def _data(
        self,
        name: str,
        use: Use,
        result: Mapping[str, Any],
        step: int,
        **more: Mapping[str, Any] | None,
    ) -> Mapping[str, Any]:
        tool = {"name": name, "arguments": asdict(use), "result": dict(result), "step": step}
        return {"tool": tool | {key: each for key, each in more.items() if each is not None}}

    def _added(self, item: Item) -> list[Action]:
        self._log.add(item)
        return [Tell(ItemAdded(item, self._log.previous(item))), Save(item)]


def _shown(item_id: str, figure: Mapping[str, Any]) -> BoardShown:
    return BoardShown(item_id, figure["kind"], figure["caption"], figure["says"], figure["drawing"])


def _found(passages: Sequence[Passage]) -> dict[str, Any]:
    if not passages:
        return {"passages": [], "now": "The material says nothing of it. Say so, if it is asked."}
    return {"passages": [asdict(passage) for passage in passages]}


def _given(call: ToolCalled, result: Mapping[str, Any]) -> Give:
    return Give(call.answer, call.call, orjson.dumps(result).decode())


def _error(call: ToolCalled, sentence: str) -> Give:
    return _given(call, {"error": sentence})
