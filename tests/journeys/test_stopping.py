"""The server is killed, or stopped, in the middle of a lesson; the lesson goes on."""

import asyncio
import http.client
import json

import pytest
import websockets

from bench.processes import until
from tests.journeys.conftest import Place
from tests.journeys.pupil import Pupil

pytestmark = pytest.mark.slow

LESSON = "fractions-as-parts"
GONE_WITHIN_S = 10.0


async def test_what_was_done_survives_kill_9_and_the_lesson_goes_on_with_the_next_question(
    place: Place,
) -> None:
    mine = "what-i-said"
    async with place.client() as client:
        async with client.realtime.connect(model=LESSON) as connection:
            pupil = Pupil(connection)
            session = await pupil.begins("text")
            await connection.response.create()
            await pupil.answer()
            content = [{"type": "input_text", "text": "two quarters"}]
            await connection.conversation.item.create(
                item={"type": "message", "role": "user", "content": content, "id": mine}  # type: ignore[misc,arg-type]
            )
            await pupil.until("conversation.item.done")
            place.server.kill()
        assert pupil.done[-1] == mine

    started_s = place.start()
    assert started_s < 20
    assert "Password: " in place.server.announcement
    assert "master.key" not in place.server.announcement, "it was told at the first start"
    transcript = place.read(f"/sessions/{session}/transcript")["items"]
    assert [item["id"] for item in transcript] == pupil.done
    assert transcript[-1]["said"] == "two quarters"
    assert place.read(f"/sessions/{session}")["status"] == "live"

    async with place.client() as client:
        query = {"session": f"sess_{session.hex}", "after": pupil.done[0]}
        async with client.realtime.connect(model=LESSON, extra_query=query) as connection:
            back = Pupil(connection)
            created = await back.until("session.created")
            assert created["session"]["resumed"] == {"after": pupil.done[0], "complete": False}
            await connection.response.create(response={"output_modalities": ["text"]})
            answer = await back.answer()
            assert "the top number or the bottom number" in answer
            assert back.step == 2
            assert back.done[0] == mine
            await back.finishes()
    card = place.read(f"/sessions/{session}")
    assert (card["status"], card["end_reason"]) == ("ended", "finished")


async def test_ctrl_c_tells_the_students_and_leaves_no_process(place: Place) -> None:
    url = f"ws://{place.server.address}/v1/realtime?model={LESSON}"
    bearer = {"Authorization": f"Bearer {place.token()}"}
    following = http.client.HTTPConnection(place.server.address)
    following.request("GET", "/api/v1/events", headers=bearer)
    news = following.getresponse()
    assert news.readline().startswith(b"retry: ")
    async with websockets.connect(url, additional_headers=bearer, compression=None) as connection:
        created = json.loads(await connection.recv())
        await connection.send('{"type":"response.create"}')
        async with asyncio.timeout(10):
            while json.loads(await connection.recv())["type"] != "response.output_audio.delta":
                pass
        running = place.server.interrupt()
        assert {"postgres", "ai.local.ears_worker"} <= {_name(one.command) for one in running}
        notices = []
        with pytest.raises(websockets.ConnectionClosed) as closed:
            async with asyncio.timeout(10):
                while True:
                    event = json.loads(await connection.recv())
                    notices += [event["code"]] if event["type"] == "notice" else []
    assert notices == ["going_away"]
    assert closed.value.rcvd is not None and closed.value.rcvd.code == 1001
    assert await asyncio.to_thread(place.server.wait) == 0
    assert b"closed" not in news.read(), "whoever follows the news may come back"
    following.close()
    assert until(lambda: not any(one.alive for one in running), GONE_WITHIN_S), [
        one.command for one in running if one.alive
    ]

    place.start()
    session = created["session"]["id"]
    async with websockets.connect(
        f"ws://{place.server.address}/v1/realtime?session={session}", additional_headers=bearer
    ) as connection:
        assert json.loads(await connection.recv())["session"]["id"] == session


def _name(command: str) -> str:
    """`postgres` of a path to it, a module of `python -m` one."""
    words = command.split()
    if "-m" in words:
        return words[words.index("-m") + 1]
    return words[0].rsplit("/", 1)[-1].rstrip(":") if words else ""
