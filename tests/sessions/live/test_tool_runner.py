"""Tools in a session with its tasks: in time, or given up; and nothing is left running."""

import asyncio
import json
from typing import Any

from ai.engine import Ask, Brief, Material, Step
from ai.events import AnswerEnded, Spoke, ToolCalled
from ai.tools import NAMES, Judged
from sessions.live.actions import Check, Search
from sessions.live.conversation import Conversation
from sessions.live.events import CancelResponse, CreateResponse, ItemDone, ResponseDone
from sessions.live.passages import Passage
from sessions.live.tool_runner import ToolRunner
from tests.sessions.live.room import EchoLeg, Room, until

STEP = Step("What part?", (), "2/4")
CHECK = Check(STEP, "2/4", "en")


class Told:
    """What became of jobs."""

    def __init__(self) -> None:
        self.outcomes: dict[int, Any] = {}

    def __call__(self, number: int, outcome: Any) -> None:
        self.outcomes[number] = outcome


async def never(*about: Any) -> Judged:
    await asyncio.Event().wait()
    raise AssertionError


async def right(*about: Any) -> Judged:
    return Judged("right", "2/4")


async def test_an_answer_is_judged_by_what_was_handed_in() -> None:
    told = Told()
    ToolRunner(right, told).run(1, CHECK)
    await until(lambda: told.outcomes)
    assert told.outcomes == {1: Judged("right", "2/4")}


async def test_what_takes_too_long_or_breaks_is_told_as_nothing() -> None:
    async def breaks(*about: Any) -> Judged:
        raise RuntimeError("the worker fell")

    told = Told()
    ToolRunner(never, told, within_s=0.05).run(1, CHECK)
    ToolRunner(breaks, told).run(2, CHECK)
    ToolRunner(None, told).run(3, CHECK)
    await until(lambda: len(told.outcomes) == 3)
    assert told.outcomes == {1: None, 2: None, 3: None}


async def test_passages_are_looked_for_beside_the_loop() -> None:
    told = Told()
    material = (Material("Book", "Lions sleep."),)
    ToolRunner(None, told).run(1, Search(material, "lion"))
    await until(lambda: told.outcomes)
    assert told.outcomes == {1: [Passage("Book", "Lions sleep.")]}


async def test_what_is_dropped_is_ended_and_not_told() -> None:
    told = Told()
    runner = ToolRunner(never, told)
    runner.run(1, CHECK)
    runner.run(2, CHECK)
    await asyncio.sleep(0)
    runner.drop(1)
    runner.drop(1)
    await runner.close()
    assert told.outcomes == {}
    assert not [task for task in asyncio.all_tasks() if task.get_name().startswith("tool ")]


# ---- in a session ------------------------------------------------------------------------------


class ToolLeg(EchoLeg):
    """Checks an answer before it speaks."""

    output = ""

    def answer(self, ask: Ask) -> None:
        self.asked = ask
        self.report(ToolCalled(ask.answer, "call_1", "check_answer", '{"said": "2/4"}'))

    def give(self, call: str, output: str) -> None:
        assert call == "call_1"
        self.output = output
        self.report(Spoke(self.asked.answer, "Right."))
        self.report(AnswerEnded(self.asked.answer))


def room(judge: Any) -> tuple[Room, list[ToolLeg]]:
    place = Room()
    legs: list[ToolLeg] = []
    brief = Brief("", "Fractions", "Parts", "en", "Hello.", "Bye.", (STEP,), tools=NAMES)
    session = place.session
    session.conversation.__init__(  # type: ignore[misc]
        brief,
        session_id="sess_1",
        lesson="f",
        engine="offline",
        hears_speech=True,
        now=asyncio.get_running_loop().time(),
    )
    session._tools = ToolRunner(judge, session._tool_done, within_s=0.1)

    async def prepare(brief: Brief) -> Any:
        class Standby:
            lifetime_s = None

            def begin(self, memory: Any, report: Any, **_: Any) -> ToolLeg:
                legs.append(ToolLeg(place.engine, report))
                return legs[-1]

            async def close(self) -> None: ...

        return Standby()

    place.engine.prepare = prepare  # type: ignore[method-assign]
    assert isinstance(session.conversation, Conversation)
    return place, legs


async def test_the_answer_goes_on_with_the_verdict_and_the_use_is_saved() -> None:
    place, legs = room(right)
    await place.session.open()
    door = place.enter()
    place.session.receive(door, CreateResponse(output_modalities=("text",)))
    await until(lambda: len(door.of(ItemDone)) == 2)
    assert json.loads(legs[0].output)["verdict"] == "right"
    assert [event.item.said for event in door.of(ItemDone)] == [
        "The tutor checked the answer.",
        "Right.",
    ]
    await place.session.close(1001, "test")


async def test_an_answer_never_hangs_on_a_tool() -> None:
    place, legs = room(never)
    await place.session.open()
    door = place.enter()
    place.session.receive(door, CreateResponse(output_modalities=("text",)))
    await until(lambda: door.of(ResponseDone))
    assert "can't be checked now" in json.loads(legs[0].output)["error"]
    await place.session.close(1001, "test")


async def test_a_tool_ends_with_its_answer_and_with_its_session() -> None:
    place, legs = room(never)
    await place.session.open()
    door = place.enter()
    running = place.session._tools._tasks
    place.session.receive(door, CreateResponse(output_modalities=("text",)))
    assert len(running) == 1
    place.session.receive(door, CancelResponse())
    assert not running
    place.session.receive(door, CreateResponse(output_modalities=("text",)))
    assert len(running) == 1
    await place.session.close(1001, "test")
    assert not [task for task in asyncio.all_tasks() if task.get_name().startswith("tool ")]
    assert legs[0].output == ""
