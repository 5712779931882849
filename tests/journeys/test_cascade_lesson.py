"""A spoken lesson whose tutor is a language model with ears and a voice around it."""

from collections.abc import AsyncIterator

import pytest

from bench import speech
from tests.fakes.ears import Known
from tests.fakes.openai_manners import Manners
from tests.journeys.official_order import check
from tests.journeys.openai_place import OpenAIPlace, open_place
from tests.journeys.spoken_lesson import LESSON, TURNS, Student, check_transcript, transcript

pytestmark = [
    pytest.mark.timeout(120),  # a lesson takes its time, whatever else the machine does
    pytest.mark.slow,
    pytest.mark.skipif(not speech.available, reason="flite is not installed"),
]


@pytest.fixture(scope="module")
async def place(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[OpenAIPlace]:
    sounds = {turn.words: speech.say(turn.words, "slt", 0) for turn in TURNS}
    manners = Manners(ears=Known(sounds), checks=False)
    folder = tmp_path_factory.mktemp("cascade")
    parts = {"CASCADE_EARS": "openai", "CASCADE_SPEAKER": "openai"}
    async with open_place(folder, manners, "cascade", **parts) as opened:
        yield opened


async def test_a_lesson_of_eight_turns_with_two_barge_ins(place: OpenAIPlace) -> None:
    async with place.client() as client, client.realtime.connect(model=LESSON) as connection:
        student = Student(connection)
        session = await student.hold()
    assert student.pupil.words == [turn.words for turn in TURNS]
    check_transcript(await transcript(place.server, place.token, session))
    assert place.simulator.violations == []
    check(student.pupil.events)
