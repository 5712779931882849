"""A lesson whose tutor has tools, and their results."""

import json
from typing import Any

from ai.engine import Answer, Brief, Material, Misconception, Step
from ai.events import ToolCalled
from ai.tools import NAMES
from sessions.live.actions import Action, Give
from sessions.record.model import Item, tool_of
from tests.sessions.live.lesson import Lesson, all_of

BRIEF = Brief(
    instructions="",
    title="Fractions",
    goal="Name parts of a whole",
    language="en",
    opening="Hello.",
    closing="Goodbye.",
    steps=(
        Step(
            ask="What part is eaten?",
            answers=(Answer("number", "2/4", ("one half",)),),
            solution="Two of four slices: two quarters.",
            hints=("How many slices are there?", "How many are gone?"),
            misconceptions=(Misconception(("4/2", "two"), "That is more than a pizza."),),
        ),
        Step(
            ask="Why is that a half?",
            answers=(Answer("words", "because two is half of four"),),
            solution="Two is half of four.",
            hints=("What is half of four?",),
        ),
        Step(ask="What did you like?", answers=(Answer("open", ""),), solution=""),
    ),
    tools=NAMES,
    material=(
        Material("Pizza book", "A pizza is cut into equal slices. Four slices make a whole."),
        Material("Zoo book", "Lions sleep all day. Tigers swim."),
    ),
)


class ToolLesson(Lesson):
    """A lesson in which the tutor uses tools."""

    def __init__(self, brief: Brief = BRIEF, **changes: Any) -> None:
        super().__init__(brief, **changes)
        self.calls = 0

    def use(self, answer: str, name: str, /, **arguments: Any) -> list[Action]:
        return self.use_raw(answer, name, json.dumps(arguments))

    def use_raw(self, answer: str, name: str, arguments: str) -> list[Action]:
        self.calls += 1
        return self.report(ToolCalled(answer, f"call_{self.calls}", name, arguments))

    def tools(self) -> list[Item]:
        return [item for item in self.log() if tool_of(item) is not None]


def given(actions: list[Action]) -> dict[str, Any]:
    """The result that the engine got."""
    (give,) = all_of(actions, Give)
    result: dict[str, Any] = json.loads(give.output)
    return result
