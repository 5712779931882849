"""A lesson by a language model that uses all its tools, with a real record behind it."""

import json
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from typing import Any
from uuid import UUID

import pytest

from ai.cascade import Cascade
from ai.language import (
    Declared,
    ModelPiece,
    ModelTurn,
    Said,
    Stopped,
    TextDelta,
    ToolResult,
    ToolUse,
)
from ai.local.checks import check
from ai.local.judging import judge_with
from ai.local.tutor_state import recall
from ai.mind import LanguageTutor
from server.realtime import wire
from sessions.bus import Bus
from sessions.jobs import Worker
from sessions.lessons import store
from sessions.lessons.plan import read_plan
from sessions.live.choice import alone
from sessions.live.events import (
    AudioDelta,
    BoardShown,
    CreateItem,
    CreateResponse,
    Event,
    FloorChanged,
    ItemDone,
    LessonProgressed,
    ResponseDone,
    UpdateSession,
)
from sessions.live.lobby import Lobby
from sessions.live.session import Session
from sessions.record import sessions as record
from sessions.record.model import tool_of
from sessions.record.summary import summarise
from sessions.record.tool_words import tool_words
from tenancy.model import Caller
from tenancy.postgres import Database
from tests.ai.cascade_stage import ScriptedEars, ScriptedSpeaker, ScriptedVad
from tests.conftest import School
from tests.sessions.live.room import Door, until

SECRET = "Every zebra has stripes of its own"
PLAN = f"""
title: Halves
subject: maths
level: year 4
language: en
goal: Know a half when you see one.
opening: Hello.
closing: Well done.
steps:
  - ask: What part is two of four?
    answers: [{{kind: number, text: 2/4, also: [a secret wording]}}]
    misconceptions: [{{says: [4/2], response: That is more than a whole pizza.}}]
    hints: [Count all the slices first., Which of them are gone?]
    solution: Two of four is 2/4.
  - ask: What else is striped?
    answers: [{{kind: open}}]
material:
  - source: Zoo book
    text: Lions sleep all day. {SECRET}. Tigers swim.
"""


def use(name: str, **arguments: Any) -> ToolUse:
    return ToolUse(f"{name}_{len(arguments)}", name, json.dumps(arguments))


class ScriptedModel:
    """Says its rounds one after the other, and remembers what it was asked with."""

    name = "scripted"

    def __init__(self, *rounds: Sequence[ToolUse | str]) -> None:
        self.rounds = list(rounds)
        self.asked: list[list[ModelTurn]] = []
        self.tools: list[str] = []

    async def stream(
        self,
        instructions: str,
        turns: Sequence[ModelTurn],
        tools: Sequence[Declared],
        max_tokens: int,
    ) -> AsyncGenerator[ModelPiece, None]:
        self.asked.append(list(turns))
        self.tools = [tool.name for tool in tools]
        pieces = self.rounds.pop(0)
        for piece in pieces:
            yield TextDelta(piece) if isinstance(piece, str) else piece
        uses = any(isinstance(piece, ToolUse) for piece in pieces)
        yield Stopped("tools" if uses else "end")

    async def close(self) -> None: ...

    def results(self) -> dict[str, Any]:
        """What the tools of the last answer brought, by the name of the call."""
        found: dict[str, Any] = {}
        for turn in self.asked[-1]:
            if isinstance(turn, ToolResult):
                found[turn.call.rpartition("_")[0]] = json.loads(turn.output)
        return found


async def judged(*about: Any) -> Mapping[str, Any]:
    return check(*about)


class Story:
    """A student, a tutor by script, and the school's record."""

    def __init__(self, database: Database, school: School) -> None:
        self.database = database
        self.school = school
        self.model = ScriptedModel()
        self.lobbies: list[Lobby] = []
        self.session: Session
        self.door: Door

    async def enter(self, session: UUID | None = None) -> None:
        """Connect the student, to a process of its own."""
        engine = Cascade(
            "cascade", ScriptedEars(), LanguageTutor(self.model), ScriptedSpeaker(), ScriptedVad()
        )
        lobby = Lobby(
            self.database,
            alone(engine),
            Bus(),
            Worker(self.database, {}),
            judge=judge_with(judged),
        )
        self.lobbies.append(lobby)
        caller = Caller(self.school.student, UUID(int=1), "bearer")
        self.session, resumed = await lobby.enter(caller, lesson="halves", session=session)
        self.door = Door(self.school.student)
        self.session.attach(self.door, after=None, resumed=resumed)
        self.session.receive(self.door, UpdateSession())

    async def turn(self, said: str | None, *rounds: Sequence[ToolUse | str]) -> list[Event]:
        """The student says this, and the model's rounds answer it; what the client was told."""
        self.model.rounds += rounds
        before = len(self.door.events)
        if said is not None:
            self.session.receive(self.door, CreateItem(item_id=None, text=said, pcm=None))
        self.session.receive(self.door, CreateResponse(output_modalities=("text",)))
        await until(lambda: any(isinstance(e, ResponseDone) for e in self.door.events[before:]))
        await until(lambda: self.session.conversation.unsaved == 0)
        return self.door.events[before:]

    def wired(self) -> str:
        """All that the student's client got."""
        events = [event for event in self.door.events if not isinstance(event, AudioDelta)]
        return b"\n".join(wire.encode(event, "event_1") for event in events).decode()


@pytest.fixture
async def story(database: Database, school: School) -> AsyncIterator[Story]:
    author = school.instructor.id
    made = await store.create(database, school.tenant.id, read_plan(PLAN), "halves", author)
    await store.publish(database, school.tenant.id, made.lesson_id, made.version_id, author)
    await store.assign(database, school.tenant.id, made.lesson_id, author)
    story = Story(database, school)
    yield story
    for lobby in story.lobbies:
        await lobby.close(5.0)


def of(events: list[Event], kind: type) -> list[Any]:
    return [event for event in events if isinstance(event, kind)]


async def test_a_lesson_in_which_the_tutor_checks_shows_looks_up_notes_and_asks(
    story: Story,
) -> None:
    await story.enter()
    await story.turn(None, ["What part is two of four?"])
    assert story.model.tools == [
        "check_answer", "show", "look_up", "note_progress", "ask_for_human",
    ]  # fmt: skip

    told = await story.turn(
        "4/2",
        [use("check_answer", said="4/2"), use("show", kind="fraction", content="4/4", caption="")],
        [use("note_progress", what="hint_given", step=1, which=1)],
        ["That is more than a whole pizza. Count all the slices first. How many are there?"],
    )
    results = story.model.results()
    assert (results["check_answer"]["verdict"], results["check_answer"]["misconception"]) == (
        "wrong",
        1,
    )
    assert results["show"] == {"shown": True}
    assert results["note_progress"]["hints_left"] == 1
    (shown,) = of(told, BoardShown)
    assert shown.says == "4 of 4 equal parts are filled."
    assert of(told, LessonProgressed)[-1].status == "hinting"

    told = await story.turn(
        "oh, two quarters",
        [use("note_progress", what="step_done", step=1, which=0)],
        [use("check_answer", said="two quarters")],
        [use("note_progress", what="step_done", step=1, which=0)],
        ["Yes: two quarters. What else is striped?"],
    )
    assert story.model.results()["check_answer"]["verdict"] == "right"
    assert story.model.results()["note_progress"]["open_step"] == 2
    assert [(event.step, event.status) for event in of(told, LessonProgressed)] == [
        (1, "done"),
        (2, "asking"),
    ]

    told = await story.turn(
        "Are zebras? And can I talk to a person?",
        [use("look_up", about="zebra stripes"), use("ask_for_human", reason="Sam wants a person.")],
        ["Zebras are, yes. I asked for a person."],
    )
    assert SECRET in story.model.results()["look_up"]["passages"][0]["text"]
    assert of(told, FloorChanged)

    wired = story.wired()
    for hidden in (SECRET, "a secret wording", "Two of four is 2/4", "Sam wants a person"):
        assert hidden not in wired, hidden
    await check_record(story)
    await check_return(story)


async def check_record(story: Story) -> None:
    """Every use that was carried out is in the record, in its place, for staff to read."""
    tenant = story.school.tenant.id
    items = await record.items(story.database, tenant, story.session.id)
    assert [tool_words(item) or item.role for item in items] == [
        "assistant",
        "user",
        "Checked “4/2” against step 1: wrong, misconception 1.",
        "On the board: 4 of 4 equal parts are filled.",
        "Noted: hint 1 of step 1 was given.",
        "assistant",
        "user",
        "Checked “two quarters” against step 1: right.",
        "Noted: step 1 is done.",
        "assistant",
        "user",
        f"Looked up “zebra stripes”: Zoo book: “Lions sleep all day. {SECRET}. Tigers swim.”",
        "Asked for a person: Sam wants a person.",
        "assistant",
    ]
    progress = story.session.conversation.progress
    summary = summarise(story.session.conversation.brief, ["maths"], items, progress)
    texts = [sentence.text for sentence in summary.narrative]
    assert (
        "For “What part is two of four?” you first said “4/2”, and then “oh, two quarters”."
    ) in texts
    assert summary.practice == ("What part is two of four?",)


async def check_return(story: Story) -> None:
    """Another process goes on where the lesson was, and the board is the open step's."""
    told = await story.turn(
        None,
        [use("show", kind="plot", content="x^2; x from 0 to 2", caption="A curve")],
        ["Look at this. What else is striped?"],
    )
    assert len(of(told, BoardShown)) == 1
    await story.enter(story.session.id)
    await until(lambda: story.door.of(BoardShown))
    (shown,) = story.door.of(BoardShown)
    assert shown.says == "A curve. A plot of y = x^2, for x from 0 to 2."
    assert len(story.door.of(ItemDone)) == len(story.session.items)
    assert story.session.conversation.progress.step == 1
    state = recall(story.session.conversation.memory())
    assert state is not None
    assert (state.step, [result.status for result in state.results]) == (1, ["done"])

    told = await story.turn(
        "Socks!",
        [use("note_progress", what="step_done", step=2, which=0)],
        ["Socks are, too! Well done."],
    )
    assert of(told, LessonProgressed)[-1].status == "lesson_done"
    said = [turn.text for turn in story.model.asked[-1] if isinstance(turn, Said)]
    assert not any(SECRET in text for text in said[1:]), "tools are no part of the memory"
    assert tool_of(story.session.items[-1]) is None
