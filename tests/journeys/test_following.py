"""A tutor learns of a lesson from the news, reads along with the official client, and the student
knows."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import httpx
import pytest

from tests.journeys.conftest import Place
from tests.journeys.pupil import Pupil

pytestmark = pytest.mark.slow

LESSON = "fractions-as-parts"


async def news(response: httpx.Response, session: UUID) -> AsyncIterator[str]:
    """What is told of one session: the name of the event, and its status where it has one."""
    name = ""
    async for line in response.aiter_lines():
        if line.startswith("event: "):
            name = line.removeprefix("event: ")
        elif line.startswith("data: "):
            about = json.loads(line.removeprefix("data: "))
            if about.get("session_id") == str(session):
                yield f"{name} {about.get('status', '')}".strip()


async def test_a_tutor_follows_a_lesson_as_it_happens(place: Place) -> None:
    bearer = {"Authorization": f"Bearer {place.token('tutor')}"}
    async with (
        httpx.AsyncClient(base_url=f"http://{place.server.address}", headers=bearer) as http,
        http.stream("GET", "/api/v1/events", timeout=20) as stream,
        place.client() as client,
        place.client("tutor") as tutors,
        client.realtime.connect(model=LESSON) as connection,
    ):
        pupil = Pupil(connection)
        session = await pupil.begins("text")
        heard = news(stream, session)
        assert await anext(heard) == "session.changed live"
        await connection.response.create()
        opening = await pupil.answer()

        query = {"session": f"sess_{session.hex}"}
        async with tutors.realtime.connect(model=LESSON, extra_query=query) as following:
            tutor = Pupil(following)
            created = await tutor.until("session.created")
            assert created["session"]["read_only"] is True
            await following.session.update(session={"type": "realtime"})
            first = await tutor.until("conversation.item.done")
            assert first["item"]["content"][0]["text"] == opening
            note = await pupil.until("conversation.item.done")
            assert note["item"]["content"][0]["text"].endswith(" is reading along.")

            answer = await pupil.types("two quarters")
            assert (await tutor.until("response.output_text.done"))["text"] == answer
            assert await anext(heard) == "session.changed live", "the next step"

            await following.send({"type": "response.create", "event_id": "mine"})  # type: ignore[arg-type]
            refused = await refusal(following)
            assert (refused["code"], refused["event_id"]) == ("read_only", "mine")
        await pupil.finishes()
        async with asyncio.timeout(10):
            assert await anext(heard) == "session.changed ended"
            assert await anext(heard) == "summary.renewed"
    (reader,) = place.read(f"/sessions/{session}")["readers"]
    assert reader["role"] == "tutor"


async def refusal(connection: Any) -> dict[str, Any]:
    async with asyncio.timeout(5):
        while (event := json.loads(await connection.recv_bytes()))["type"] != "error":
            pass
    error: dict[str, Any] = event["error"]
    return error
