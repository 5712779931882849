"""A spoken lesson whose tutor is OpenAI Realtime (simulated), with the official client."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from bench import speech
from tests.fakes.ears import Known
from tests.fakes.openai_manners import Manners
from tests.journeys.official_order import check
from tests.journeys.openai_place import OpenAIPlace, open_place
from tests.journeys.pupil import Pupil
from tests.journeys.spoken_lesson import (
    LESSON,
    OPENING,
    TURNS,
    Student,
    check_transcript,
    transcript,
)

pytestmark = [
    pytest.mark.timeout(120),  # a lesson takes its time, whatever else the machine does
    pytest.mark.slow,
    pytest.mark.skipif(not speech.available, reason="flite is not installed"),
]


@pytest.fixture(scope="module")
async def place(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[OpenAIPlace]:
    sounds = {turn.words: speech.say(turn.words, "slt", 0) for turn in TURNS}
    manners = Manners(ears=Known(sounds), checks=False)
    async with open_place(tmp_path_factory.mktemp("openai"), manners) as opened:
        yield opened


async def test_a_lesson_of_eight_turns_with_two_barge_ins(place: OpenAIPlace) -> None:
    async with place.client() as client, client.realtime.connect(model=LESSON) as connection:
        student = Student(connection)
        session = await student.hold()
    assert student.pupil.words == [turn.words for turn in TURNS]
    check_transcript(await transcript(place.server, place.token, session))
    assert place.simulator.violations == []
    assert place.simulator.opened == 1
    (provider,) = place.simulator.sessions
    assert provider.received.count("conversation.item.truncate") == 2
    check(student.pupil.events)
    check_the_check(student.pupil.events)


def check_the_check(events: list[dict[str, Any]]) -> None:
    """Nothing may be missing, come twice, or bear another's id."""
    for kind in ("response.content_part.added", "response.done", "conversation.item.added"):
        at = next(at for at, event in enumerate(events) if event["type"] == kind)
        stranger = {**events[at], "item_id": "item_x", "previous_item_id": "item_x"}
        for changed in ([], [events[at]] * 2, [stranger]):
            if changed == [stranger] and kind == "response.done":
                continue
            with pytest.raises((AssertionError, KeyError, ValueError, StopIteration)):
                check([*events[:at], *changed, *events[at + 1 :]])


async def test_typed_turns_keep_their_ids_and_an_answer_can_be_cancelled(
    place: OpenAIPlace,
) -> None:
    async with place.client() as client, client.realtime.connect(model=LESSON) as connection:
        pupil = Pupil(connection)
        await pupil.begins("text")
        await connection.response.create()
        assert await pupil.answer() == OPENING
        for number, turn in enumerate(TURNS[:2]):
            mine = f"item_mine_{number}"
            assert await pupil.types(turn.words, id=mine) == turn.answer
            added = [one["item"]["id"] for one in pupil.seen("conversation.item.added")]
            assert added[-2] == mine
        await connection.conversation.item.retrieve(item_id="item_mine_1")
        retrieved = (await pupil.until("conversation.item.retrieved"))["item"]
        assert retrieved["content"][0]["text"] == TURNS[1].words
        await connection.response.create(response={"output_modalities": ["audio"]})
        created = await pupil.until("response.created")
        await pupil.until("response.output_audio.delta")
        await connection.response.cancel(response_id=created["response"]["id"])
        done = await pupil.until("response.done")
        assert done["response"]["status"] == "cancelled"
        (item,) = done["response"]["output"]
        await pupil.saved(item["id"])
        await pupil.finishes()
    check(pupil.events)
    assert place.simulator.violations == []
