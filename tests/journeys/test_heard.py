"""What the tutor said, and what of it reached the student: both are in the transcript."""

import asyncio
import json
from itertools import pairwise
from typing import Any
from uuid import UUID

import pytest
import websockets
from websockets.asyncio.client import ClientConnection

from ai.audio import duration_ms
from tests.journeys.conftest import Place
from tests.journeys.pupil import Pupil

pytestmark = pytest.mark.slow

LESSON = "fractions-as-parts"
HEARD_MS = 2_500


async def test_a_client_that_truncates_leaves_what_was_said_and_what_was_heard(
    place: Place,
) -> None:
    async with place.client() as client, client.realtime.connect(model=LESSON) as connection:
        pupil = Pupil(connection)
        session = await pupil.begins("audio")
        await connection.response.create()
        said = await pupil.answer()
        item_id = pupil.done[0]
        await connection.conversation.item.truncate(
            item_id=item_id, content_index=0, audio_end_ms=HEARD_MS
        )
        truncated = await pupil.until("conversation.item.truncated")
        assert truncated["audio_end_ms"] == HEARD_MS
        await pupil.finishes()
    check_captions(pupil, item_id, said)
    (item,) = place.read(f"/sessions/{session}/transcript")["items"]
    assert item["said"] == said
    assert item["heard"] == truncated["heard"] == words_until(pupil, HEARD_MS)
    assert item["interrupted"]


def check_captions(pupil: Pupil, item_id: str, said: str) -> None:
    """The deltas together are what was said, and each word's time lies within the sound."""
    deltas = pupil.seen("response.output_audio_transcript.delta")
    assert "".join(delta["delta"] for delta in deltas) == said
    times = [at_ms for delta in deltas for _, at_ms in delta["words"]]
    assert times == sorted(times)
    assert len(times) == len(said.split())
    assert times[-1] < duration_ms(pupil.sound_of(item_id))


def words_until(pupil: Pupil, heard_ms: int) -> str:
    """The captions' words of which at least half had sounded by then."""
    words: list[tuple[str, int]] = []
    for delta in pupil.seen("response.output_audio_transcript.delta"):
        starts = [offset for offset, _ in delta["words"]] + [len(delta["delta"])]
        for (offset, at_ms), end in zip(delta["words"], starts[1:], strict=True):
            words.append((delta["delta"][offset:end].strip(), at_ms))
    middles = [(start + end) / 2 for (_, start), (_, end) in pairwise(words)]
    return " ".join(word for (word, _), at in zip(words, middles, strict=False) if at <= heard_ms)


async def test_a_page_that_reports_what_it_played_is_believed(place: Place) -> None:
    async with websockets.connect(
        f"ws://{place.server.address}/v1/realtime?model={LESSON}",
        additional_headers={"Authorization": f"Bearer {place.token()}"},
    ) as connection:
        created = json.loads(await connection.recv())
        binary = {"type": "realtime", "audio": {"output": {"binary": True}}}
        await send(connection, "session.update", session=binary)
        await send(connection, "response.create")
        item_id, sound = "", b""
        while duration_ms(sound) < 1_500:
            frame = await receive(connection)
            if isinstance(frame, bytes):
                sound += frame
            elif (event := json.loads(frame))["type"] == "response.output_audio.delta":
                assert "delta" not in event
                item_id = event["item_id"]
        await send(connection, "output_audio_buffer.played", item_id=item_id, audio_ms=1_000)
        await send(connection, "response.cancel")
        await until(connection, "conversation.item.done")
        await send(connection, "session.end")
        await until(connection, "session.ended")
    session = UUID(created["session"]["id"].removeprefix("sess_"))
    (item,) = place.read(f"/sessions/{session}/transcript")["items"]
    assert item["interrupted"]
    assert item["heard"].startswith("Hello!") and item["said"].startswith(item["heard"])
    assert 1 <= len(item["heard"].split()) <= 5
    assert 1_000 <= place.read(f"/sessions/{session}")["tutor_speech_ms"] < 1_500


async def send(connection: ClientConnection, kind: str, **fields: Any) -> None:
    await connection.send(json.dumps({"type": kind, **fields}))


async def receive(connection: ClientConnection) -> str | bytes:
    async with asyncio.timeout(5):
        return await connection.recv()


async def until(connection: ClientConnection, kind: str) -> None:
    while True:
        frame = await receive(connection)
        if isinstance(frame, str) and json.loads(frame)["type"] == kind:
            return
