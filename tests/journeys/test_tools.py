"""A tutor with tools: a real server, a simulated OpenAI Realtime, and the official client."""

import asyncio
import json
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from tests.fakes.mind import Call, Reply, Script
from tests.fakes.openai_manners import Manners
from tests.journeys.openai_place import OpenAIPlace, open_place
from tests.journeys.pupil import Pupil
from tests.journeys.spoken_lesson import LESSON, transcript

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]


def call(name: str, **arguments: Any) -> Call:
    return Call(name, json.dumps(arguments))


SCRIPT = Script(
    opening="Hello! Which part is two of four?",
    when={
        "two quarters": Reply(
            calls=(
                call("check_answer", said="two quarters"),
                call("show", kind="fraction", content="2/4", caption="A pizza"),
            ),
            then=Reply(
                calls=(call("note_progress", what="step_done", step=1, which=0),),
                then=Reply("Yes. Which number tells how many parts there are?"),
            ),
        ),
        "a person": Reply(
            calls=(
                call("ask_for_human", reason="The student wants one."),
                Call("show", "nonsense"),
            ),
            then=Reply("I asked for one."),
        ),
    },
)


async def read(place: OpenAIPlace, who: str, session: UUID) -> list[dict[str, Any]]:
    """The transcript as somebody of the school reads it."""
    token = await asyncio.to_thread(place.server.token, f"{who}@demo.school")
    return await transcript(place.server, token, session)


async def test_what_the_tutor_uses_moves_the_lesson_and_is_told_to_whom_it_concerns(
    tmp_path: Path,
) -> None:
    manners = Manners(script=SCRIPT, checks=False)
    async with open_place(tmp_path, manners) as place:
        async with place.client() as client, client.realtime.connect(model=LESSON) as connection:
            pupil = Pupil(connection)
            session = await pupil.begins("text")
            await connection.response.create()
            await pupil.answer()
            said = await pupil.types("two quarters")
            assert said == "Yes. Which number tells how many parts there are?"
            assert pupil.step == 2
            (shown,) = pupil.seen("board.show")
            assert shown["says"] == "A pizza. 2 of 4 equal parts are filled."
            assert await pupil.types("Can I have a person?") == "I asked for one."
            tools = [
                event["item"]
                for event in pupil.seen("conversation.item.done")
                if "tool" in event["item"]
            ]
            assert sorted(item["tool"] for item in tools) == [
                "ask_for_human", "check_answer", "note_progress", "show",
            ], "in the order in which they were saved"  # fmt: skip
            assert {item["role"] for item in tools} == {"system"}
            assert "The student wants one" not in json.dumps(pupil.events)
        words = [
            item["tool"]["words"] for item in await read(place, "tutor", session) if item["tool"]
        ]
        assert words == [
            "Checked “two quarters” against step 1: right (understood as “2/4”).",
            "On the board: A pizza. 2 of 4 equal parts are filled.",
            "Noted: step 1 is done.",
            "Asked for a person: The student wants one.",
        ]
        own = [item["tool"] for item in await read(place, "student", session) if item["tool"]]
        assert [tool["words"] for tool in own] == [None] * 4
        assert place.simulator.violations == []
