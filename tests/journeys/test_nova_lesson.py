"""A spoken lesson whose tutor is Nova 2 Sonic (simulated), with the official client."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
from openai import AsyncOpenAI

from bench import speech
from bench.house import Server
from tests.fakes.ears import Known
from tests.fakes.nova import Nova
from tests.fakes.nova_talk import Manners
from tests.journeys.spoken_lesson import (
    LESSON,
    TURNS,
    Student,
    check_transcript,
    give_lesson,
    transcript,
)

pytestmark = [
    pytest.mark.timeout(120),  # a lesson takes its time, whatever else the machine does
    pytest.mark.slow,
    pytest.mark.skipif(not speech.available, reason="flite is not installed"),
]


@dataclass(frozen=True, slots=True)
class Place:
    """A server, and the only engine it has beside its own."""

    server: Server
    nova: Nova
    token: str

    def client(self) -> AsyncOpenAI:
        """The official client of our own gateway."""
        address = f"http://{self.server.address}/v1"
        return AsyncOpenAI(base_url=address, api_key=self.token, max_retries=0)


@pytest.fixture(scope="module")
async def place(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Place]:
    sounds = {turn.words: speech.say(turn.words, "slt", 0) for turn in TURNS}
    manners = Manners(ears=Known(sounds), silence_ms=600, barge_in="alternate", speed=1.4)
    async with Nova(manners) as nova:
        server = Server(
            tmp_path_factory.mktemp("nova") / "data",
            ENGINE="nova-sonic,offline",
            BEDROCK_ENDPOINT=nova.endpoint,
            AWS_REGION=nova.secret.region,
            AWS_ACCESS_KEY_ID=nova.secret.access_key,
            AWS_SECRET_ACCESS_KEY=nova.secret.secret_key,
        )
        try:
            await asyncio.to_thread(server.start)
            token, _ = await asyncio.gather(
                asyncio.to_thread(server.token, "student@demo.school"), give_lesson(server)
            )
            yield Place(server, nova, token)
            assert "[error" not in server.log, server.log
        finally:
            await asyncio.to_thread(server.end)


async def test_a_lesson_of_eight_turns_with_two_barge_ins(place: Place) -> None:
    async with place.client() as client, client.realtime.connect(model=LESSON) as connection:
        student = Student(connection)
        session = await student.hold()
    assert student.pupil.words == [turn.words for turn in TURNS]
    check_transcript(await transcript(place.server, place.token, session))
    nova = place.nova
    assert nova.streams[0].talk.interruptions == 2
    async with asyncio.timeout(10):
        while nova.open_streams or nova.connections:
            await asyncio.sleep(0.05)
    assert nova.violations == []
    assert len(nova.streams) == 1
